"""Profiles: the built-in ones, a company's own, and that a change counts at once."""

import asyncio
from typing import Any

import pytest
import uuid_utils.compat as uuid

import db
from resolvers.nodes import global_id
from rules.permissions import FOR_CUSTOMERS, PROFILES, BuiltInProfile, Permission, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

PROFILE = "id name builtIn permissions version"
RESULTS = {"Create": f"profile {{ {PROFILE} }}", "Update": f"profile {{ {PROFILE} }}", "Delete": "deletedId"}
PROFILES_OF = f"{{ profiles {{ {PROFILE} }} }}"
PERMISSIONS = "{ viewer { permissions } }"


async def change(client: Client, what: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (
        await client.ask(
            f"""mutation($input: Profile{what}Input!) {{ profile{what}(input: $input) {{ {RESULTS[what]}
            errors {{ code path message ... on VersionConflictError {{ current }} }} }} }}""",
            input=given,
        )
    )[f"profile{what}"]
    return answer


async def refused(client: Client, what: str, **given: Any) -> list[tuple[str, list[str]]]:
    answer = await change(client, what, **given)
    assert answer.get("profile") is answer.get("deletedId") is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def made(client: Client, name: str, *permissions: str, **more: Any) -> dict[str, Any]:
    """A new profile of the company's own."""
    answer = await change(client, "Create", name=name, permissions=list(permissions), **more)
    assert answer["errors"] == []
    profile: dict[str, Any] = answer["profile"]
    return profile


async def own(client: Client) -> list[dict[str, Any]]:
    return [each for each in (await client.ask(PROFILES_OF))["profiles"] if each["builtIn"] is None]


async def use(portal: Portal, profile: str, user_name: str) -> str:
    """Give a group with one new account the profile; returns the group."""
    key = await portal.group("Users of it", await portal.account(user_name, profile=None))
    async with portal.writing() as connection:
        found = (await connection.fetch_text("select id from profiles where name = $1", profile))[0][0]
        await db.access_groups.change(connection, key, profile_id=found)
    return global_id("AccessGroup", key)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.staff_member("mona")
    return portal


@pytest.fixture
async def mona(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mona")


async def test_an_outsider_reads_and_changes_no_profiles(portal: Portal, mona: Client, at: At) -> None:
    profile = (await made(mona, "Ours"))["id"]
    assert (await at(portal).refusal(PROFILES_OF))["extensions"]["code"] == "UNAUTHENTICATED"
    for what, given in (("Create", {"name": "X", "permissions": []}), ("Update", {}), ("Delete", {})):
        given = given or {"profile": profile}
        assert await refused(at(portal), what, **given) == [("UNAUTHENTICATED", [])]


@pytest.mark.parametrize("role", [None, StaffRole.ACCOUNTANT, StaffRole.AGENT], ids=str)
async def test_customers_and_lesser_staff_change_no_profiles(
    portal: Portal, mona: Client, at: At, role: StaffRole | None
) -> None:
    await (portal.staff_member("zoe", role=role) if role else portal.account("zoe"))
    zoe, profile = await at(portal).sign_in("zoe"), await made(mona, "Ours")
    for what, given in (("Create", {"name": "X", "permissions": []}), ("Update", {}), ("Delete", {})):
        assert await refused(zoe, what, **given or {"profile": profile["id"]}) == [("MISSING_PERMISSION", [])]
    assert await own(mona) == [profile]


@pytest.mark.parametrize("sister", [True, False])
async def test_a_profile_of_another_company_is_not_there(
    world: World, portal: Portal, mona: Client, at: At, sister: bool
) -> None:
    other = await world.portal(supplier=portal.slug if sister else None)
    await other.staff_member(f"nora-{other.slug}")
    nora = await at(other).sign_in(f"nora-{other.slug}")
    theirs = await made(nora, "Theirs", "ORDERS_READ")
    group = global_id("AccessGroup", await portal.group("Ours"))
    for wrong in (theirs["id"], global_id("Profile", uuid.uuid7()), group, ""):
        assert await refused(mona, "Update", profile=wrong, name="Mine") == [("NOT_FOUND", ["profile"])]
        assert await refused(mona, "Delete", profile=wrong) == [("NOT_FOUND", ["profile"])]
    node = "query($id: ID!) { node(id: $id) { ... on Profile { name } } }"
    assert await mona.ask(node, id=theirs["id"]) == {"node": None}
    assert await own(nora) == [theirs]
    assert await own(mona) == []
    assert (await made(mona, "Theirs"))["name"] == "Theirs"  # names are a company's own


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", {"Customer", "Buyer", "Accountant", "Viewer"}),
        ("de", {"Kunde", "Einkauf", "Buchhaltung", "Betrachter"}),
    ],
)
async def test_every_company_has_the_built_in_profiles_in_both_languages(
    mona: Client, language: str, names: set[str]
) -> None:
    mona.headers["accept-language"] = language
    await made(mona, "Aa")
    profiles = (await mona.ask(PROFILES_OF))["profiles"]
    assert {each["name"] for each in profiles[:4]} == names
    assert {each["builtIn"]: each["permissions"] for each in profiles[:4]} == {
        profile: [each.name for each in Permission if each in PROFILES[profile]] for profile in BuiltInProfile
    }
    assert [each["name"] for each in profiles[4:]] == ["Aa"]


async def test_a_built_in_profile_is_neither_changed_nor_deleted(portal: Portal, mona: Client) -> None:
    before = await mona.ask(PROFILES_OF)
    changes: list[dict[str, Any]] = [{"name": "Mine"}, {"permissions": []}, {"version": 99}]
    for profile in before["profiles"]:
        for given in changes:
            assert await refused(mona, "Update", profile=profile["id"], **given) == [
                ("PROFILE_BUILT_IN", ["profile"])
            ]
        assert await refused(mona, "Delete", profile=profile["id"]) == [("PROFILE_BUILT_IN", ["profile"])]
    assert await mona.ask(PROFILES_OF) == before


async def test_a_companys_own_profile_is_made_changed_and_deleted(mona: Client) -> None:
    profile = await made(mona, "Warehouse staff", "ORDERS_READ", "PRODUCTS_READ", "ORDERS_READ")
    assert profile == {
        "id": profile["id"],
        "name": "Warehouse staff",
        "builtIn": None,
        "permissions": ["PRODUCTS_READ", "ORDERS_READ"],
        "version": 1,
    }
    node = await mona.ask("query($id: ID!) { node(id: $id) { ... on Profile { name } } }", id=profile["id"])
    assert node == {"node": {"name": "Warehouse staff"}}
    renamed = (await change(mona, "Update", profile=profile["id"], name="Packers", version=1))["profile"]
    assert renamed == profile | {"name": "Packers", "version": 2}
    emptied = (await change(mona, "Update", profile=profile["id"], permissions=[]))["profile"]
    assert emptied == renamed | {"permissions": [], "version": 3}
    for _ in range(2):  # told again, and done once
        assert await change(mona, "Delete", profile=profile["id"], version=3, idempotencyKey="gone") == {
            "deletedId": profile["id"],
            "errors": [],
        }
    assert await own(mona) == []


async def test_a_change_counts_at_once_for_who_is_signed_in(portal: Portal, mona: Client, at: At) -> None:
    profile = await made(mona, "Readers", "PRODUCTS_READ")
    await use(portal, "Readers", "bea")
    bea = await at(portal).sign_in("bea")
    assert (await bea.ask(PERMISSIONS))["viewer"]["permissions"] == ["PRODUCTS_READ"]
    await change(mona, "Update", profile=profile["id"], permissions=["ORDERS_READ"])
    assert (await bea.ask(PERMISSIONS))["viewer"]["permissions"] == ["ORDERS_READ"]
    assert (await bea.refusal("{ products { totalCount } }"))["extensions"]["code"] == "MISSING_PERMISSION"
    assert (await bea.ask("{ orders { totalCount } }")) == {"orders": {"totalCount": 0}}


async def test_a_profile_that_groups_use_stays(portal: Portal, mona: Client) -> None:
    profile = await made(mona, "Readers", "PRODUCTS_READ")
    group = await use(portal, "Readers", "bea")
    assert await refused(mona, "Delete", profile=profile["id"]) == [("PROFILE_IN_USE", ["profile"])]
    buyer = next(
        each for each in (await mona.ask(PROFILES_OF))["profiles"] if each["builtIn"] == BuiltInProfile.BUYER
    )
    await mona.ask(
        "mutation($input: AccessGroupUpdateInput!) { accessGroupUpdate(input: $input) { errors { code } } }",
        input={"group": group, "profile": buyer["id"]},
    )
    assert (await change(mona, "Delete", profile=profile["id"]))["deletedId"] == profile["id"]


@pytest.mark.parametrize("word", [each.name for each in Permission if each not in FOR_CUSTOMERS])
async def test_what_is_the_staffs_alone_is_given_to_no_customer(mona: Client, word: str) -> None:
    profile, given = await made(mona, "Readers"), {"permissions": ["ORDERS_READ", word]}
    wrong = [("PERMISSION_NOT_FOR_CUSTOMERS", ["permissions", "1"])]
    assert await refused(mona, "Create", name="Too much", **given) == wrong
    assert await refused(mona, "Update", profile=profile["id"], **given) == wrong
    answer = await change(mona, "Create", name="Too much", **given)
    assert Permission[word].value in answer["errors"][0]["message"]
    assert await own(mona) == [profile]


@pytest.mark.parametrize(
    ("name", "code"), [(" ", "TEXT_MISSING"), ("x" * 201, "TEXT_TOO_LONG"), ("Taken", "NAME_TAKEN")]
)
async def test_a_name_says_something_and_is_used_once(mona: Client, name: str, code: str) -> None:
    await made(mona, "Taken")
    profile = await made(mona, "Other")
    assert await refused(mona, "Create", name=name, permissions=[]) == [(code, ["name"])]
    assert await refused(mona, "Update", profile=profile["id"], name=name) == [(code, ["name"])]
    assert [each["name"] for each in await own(mona)] == ["Other", "Taken"]


async def test_a_name_that_somebody_else_takes_at_the_same_time_is_taken(
    portal: Portal, mona: Client
) -> None:
    profile = await made(mona, "Ours")
    for what, given in (("Create", {"permissions": []}), ("Update", {"profile": profile["id"]})):
        async with portal.writing() as connection:
            await db.profiles.add(connection, id=uuid.uuid7(), name=f"Taken by {what}", permissions=[])
            asking = asyncio.create_task(refused(mona, what, name=f"Taken by {what}", **given))
            await asyncio.sleep(0.1)
            assert not asking.done()
        assert await asking == [("NAME_TAKEN", ["name"])]


async def test_a_profile_that_goes_while_a_group_is_to_get_it_is_not_there(
    portal: Portal, mona: Client
) -> None:
    profile = await made(mona, "Going")
    group = global_id("AccessGroup", await portal.group("Ours"))
    async with portal.writing() as connection:
        found = await connection.fetch_text("select id from profiles where name = 'Going'")
        await db.profiles.remove(connection, found[0][0])
        giving = asyncio.create_task(
            mona.ask(
                "mutation($input: AccessGroupUpdateInput!) { accessGroupUpdate(input: $input) { errors { code path } } }",
                input={"group": group, "profile": profile["id"]},
            )
        )
        await asyncio.sleep(0.1)
        assert not giving.done()
    assert await giving == {
        "accessGroupUpdate": {"errors": [{"code": "NOT_FOUND", "path": ["profile"]}]},
    }


async def test_a_profile_that_changed_since_it_was_read_is_a_conflict(mona: Client) -> None:
    profile = await made(mona, "Ours")
    await change(mona, "Update", profile=profile["id"], name="One")
    for what in ("Update", "Delete"):
        answer = await change(mona, what, profile=profile["id"], version=1)
        assert [(each["code"], each["path"], each["current"]) for each in answer["errors"]] == [
            ("VERSION_CONFLICT", ["version"], 2)
        ]
    assert [each["name"] for each in await own(mona)] == ["One"]


async def test_the_same_key_makes_one_profile(mona: Client) -> None:
    first = await made(mona, "Once", idempotencyKey="once")
    assert await made(mona, "Once", idempotencyKey="once") == first
    assert await own(mona) == [first]


async def test_a_repeat_whose_profile_was_deleted_since_says_that_it_is_not_there(mona: Client) -> None:
    given = {"name": "Doomed", "permissions": [], "idempotencyKey": "once"}
    profile = (await change(mona, "Create", **given))["profile"]
    await change(mona, "Delete", profile=profile["id"])
    assert await refused(mona, "Create", **given) == [("NOT_FOUND", ["idempotencyKey"])]


async def test_the_audit_tells_what_became_of_a_profile(mona: Client) -> None:
    profile = await made(mona, "Ours", "ORDERS_READ")
    await change(mona, "Update", profile=profile["id"], permissions=["ORDERS_READ", "ORDERS_PLACE"])
    await change(mona, "Delete", profile=profile["id"])
    log = await mona.ask(
        "query($id: ID!) { auditLog(filter: {node: $id}) { nodes { action changes { field before after } } } }",
        id=profile["id"],
    )
    deleted, updated, created = log["auditLog"]["nodes"]
    assert [each["action"] for each in (deleted, updated, created)] == [
        "profileDelete",
        "profileUpdate",
        "profileCreate",
    ]
    assert {"field": "name", "before": None, "after": '"Ours"'} in created["changes"]
    assert {
        "field": "permissions",
        "before": '["ORDERS_READ"]',
        "after": '["ORDERS_READ","ORDERS_PLACE"]',
    } in updated["changes"]
    assert {"field": "name", "before": '"Ours"', "after": None} in deleted["changes"]
