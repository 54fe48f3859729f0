"""Owners: whom they reach, and that every company keeps one who can sign in."""

import asyncio
from uuid import UUID

import pytest

import db
from db.isolation import Mode
from db.staff_members import staff_roles
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_staff_members import (
    EVERYWHERE,
    WHO,
    Errors,
    at_portal,
    change,
    done,
    member,
    person,
    refused,
    staff,
)
from tests.world import Portal, World, put

OUT_OF_REACH = [("ROLE_OUT_OF_REACH", ["staffMember"])]
LAST_OWNER = [("LAST_OWNER", ["staffMember"])]


async def also(portal: Portal, id: UUID, role: StaffRole) -> None:
    """Another role of a staff member, at one portal."""
    row = {"supplier_id": portal.supplier_id, "staff_member_id": id, "at_tenant_id": portal.tenant_id}
    async with portal.writing() as connection:
        await put(connection, staff_roles, **row, role=role)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def sister(world: World, portal: Portal) -> Portal:
    return await world.portal(supplier=portal.slug)


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_the_owner_of_one_company_gives_roles_there_and_nowhere_else(
    world: World, portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    third = await world.portal(supplier=portal.slug)
    hanna_id = await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    await also(sister, hanna_id, StaffRole.MANAGER)
    hanna, before = await at(portal).sign_in("hanna"), await staff(olga)
    for roles, refusal in (
        ([at_portal(portal), EVERYWHERE], [("ROLE_OUT_OF_REACH", ["roles"])]),
        ([at_portal(portal), at_portal(sister, "AGENT")], [("ROLE_OUT_OF_REACH", ["roles"])]),
        ([at_portal(portal), at_portal(third)], [("NOT_FOUND", ["roles", "1", "portal"])]),
    ):
        assert await refused(hanna, "Provision", **person("zoe", *roles)) == refusal
        assert await refused(hanna, "Update", staffMember=member(hanna_id), roles=roles) == refusal
    assert await staff(olga) == before
    here = await done(hanna, "Provision", **person("zoe", at_portal(portal, "OWNER")))
    assert [each["portal"] for each in here["staffMember"]["roles"]] == [{"slug": portal.slug}]


async def test_whoever_has_roles_elsewhere_is_out_of_the_reach_of_one_companys_owner(
    portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    both = await portal.staff_member("boris", here_only=True)
    await also(sister, both, StaffRole.AGENT)
    everywhere = await portal.staff_member("mona")
    hanna, before = await at(portal).sign_in("hanna"), await staff(olga)
    mona = await at(portal).sign_in("mona")
    for other in (both, everywhere):
        for what in ("Update", "Deactivate", "ResetAccess"):
            assert await refused(hanna, what, staffMember=member(other)) == OUT_OF_REACH
    assert await staff(olga) == before
    assert (await mona.ask(WHO))["viewer"]["staffMember"] == {"userName": "mona"}


async def test_an_owner_of_one_company_gives_a_role_there_to_whoever_works_elsewhere(
    portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    mona = member(await portal.staff_member("mona"))
    hanna = await at(portal).sign_in("hanna")
    changed = await done(hanna, "Update", staffMember=mona, roles=[at_portal(portal, "AGENT")])
    roles = {(each["role"], each["everywhere"]) for each in changed["staffMember"]["roles"]}
    assert roles == {("AGENT", False), ("MANAGER", True)}


async def test_naming_the_roles_that_somebody_has_brings_nobody_into_reach(
    portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    mona, hanna = member(await portal.staff_member("mona")), await at(portal).sign_in("hanna")
    before = await staff(olga)
    given = {"email": "hanna@staff.example", "roles": [EVERYWHERE]}
    answer = await change(hanna, "Update", staffMember=mona, **given)
    assert [each["code"] for each in answer["errors"]] == ["ROLE_OUT_OF_REACH"]
    assert await staff(olga) == before


async def test_an_owner_changes_what_somebody_is_here_and_leaves_what_they_are_elsewhere(
    portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    hanna_id = await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    both = await portal.staff_member("boris", role=StaffRole.AGENT, here_only=True)
    for each in (hanna_id, both):
        await also(sister, each, StaffRole.AGENT)
    hanna = await at(portal).sign_in("hanna")
    roles = [at_portal(portal, "MANAGER"), at_portal(sister, "AGENT")]
    changed = await done(hanna, "Update", staffMember=member(both), roles=roles)
    assert {(each["role"], each["portal"]["slug"]) for each in changed["staffMember"]["roles"]} == {
        ("MANAGER", portal.slug),
        ("AGENT", sister.slug),
    }


async def dismiss(client: Client, what: str, id: str) -> Errors:
    """Make somebody an owner no longer, in one of three ways; returns what stands in the way."""
    document = f"""mutation($input: StaffMember{what}Input!) {{ staffMember{what}(input: $input) {{
      errors {{ code path }} }} }}"""
    given = {"staffMember": id} | ({"roles": [EVERYWHERE]} if what == "Update" else {})
    (answer,) = (await client.ask(document, input=given)).values()
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def blocked(portal: Portal) -> int:
    """How many wait for a lock in the database at this moment."""
    async with portal.world.database.transaction(Mode.SNAPSHOT, None) as connection:
        found = await connection.fetch_text(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
    return int(found[0][0])


WAYS = pytest.mark.parametrize("what", ["Update", "Deactivate", "ResetAccess"])


@WAYS
async def test_the_last_owner_stays(portal: Portal, sister: Portal, olga: Client, at: At, what: str) -> None:
    """Owners of some companies, without a password, or deactivated do not stand in for the last one."""
    await portal.staff_member("hanna", role=StaffRole.OWNER, here_only=True)
    former = member(await portal.staff_member("former", role=StaffRole.OWNER))
    await done(olga, "Deactivate", staffMember=former)
    await done(olga, "Provision", **person("future", {"role": "OWNER"}))
    before = await staff(olga)
    own = next(each["id"] for each in before if each["userName"] == "olga")
    assert await dismiss(olga, what, own) == LAST_OWNER
    assert await staff(olga) == before
    await sister.staff_member("selma", role=StaffRole.OWNER, here_only=True)
    assert await dismiss(olga, what, own) == []


@WAYS
async def test_of_two_owners_who_dismiss_each_other_at_once_one_stays(
    portal: Portal, olga: Client, at: At, what: str
) -> None:
    otto_id = await portal.staff_member("otto", role=StaffRole.OWNER)
    otto = await at(portal).sign_in("otto")
    olga_id = next(each["id"] for each in await staff(olga) if each["userName"] == "olga")
    async with portal.writing() as connection:  # both have been let in before either may go on
        await db.staff_members.lock_owners(connection)
        at_once = [
            asyncio.create_task(dismiss(olga, what, member(otto_id))),
            asyncio.create_task(dismiss(otto, what, olga_id)),
        ]
        for _ in range(100):
            if await blocked(portal) == len(at_once):
                break
            await asyncio.sleep(0.01)
        assert not any(each.done() for each in at_once)
    answers = [await each for each in at_once]
    refusal = [("ROLE_OUT_OF_REACH", ["roles"])] if what == "Update" else LAST_OWNER
    assert sorted(answers) == [[], refusal]
    owner = otto if answers[0] else olga
    people = await staff(owner)
    assert [
        each["userName"]
        for each in people
        if each["active"] and each["activated"] and each["roles"][0]["role"] == "OWNER"
    ] == ["otto" if owner is otto else "olga"]
