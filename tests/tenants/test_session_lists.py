"""Session lists: where one is signed in, and ending that from elsewhere; of others only as their company's staff."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.nodes import global_id
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_accounts import Office, refused, settle
from tests.tenants.test_sessions import name, sql
from tests.tenants.test_walkthrough import do
from tests.world import World

SESSION = "id createdAt expiresAt address userAgent current"
OWN = f"{{ sessions {{ {SESSION} }} }}"
OF_ACCOUNT = f"query($id: ID!) {{ node(id: $id) {{ ... on Account {{ sessions {{ {SESSION} }} }} }} }}"
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on Session {{ {SESSION} }} }} }}"
NOT_FOUND = [("NOT_FOUND", ["session"])]


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def own(client: Client) -> list[dict[str, Any]]:
    """The client's own sessions, as it sees them."""
    found: list[dict[str, Any]] = (await client.ask(OWN))["sessions"]
    return found


async def current(client: Client) -> str:
    """The id of the session that is asking."""
    (found,) = [each["id"] for each in await own(client) if each["current"]]
    return str(found)


async def kept(office: Office) -> list[str]:
    """All sessions of an office."""
    return [row[0] for row in await sql(office.portal, "select s::text from sessions s order by 1")]


async def test_an_outsider_sees_and_ends_none(office: Office, at: At) -> None:
    outsider, before = at(office.portal), await kept(office)
    assert (await outsider.refusal(OWN))["extensions"]["code"] == "UNAUTHENTICATED"
    for session in (await current(office.mona), "nothing"):
        assert await refused(outsider, "sessionRevoke", session=session) == [("UNAUTHENTICATED", [])]
    assert await kept(office) == before


async def test_sessions_at_another_portal_are_not_there(world: World, office: Office, at: At) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    for each in (office, sister):
        await at(each.portal).sign_in("bea")
    await office.portal.staff_member("sam")
    here, there = await at(office.portal).sign_in("sam"), await at(sister.portal).sign_in("sam")
    before = await kept(sister)
    (hers,) = (await there.ask(OF_ACCOUNT, id=sister.bea))["node"]["sessions"]
    for session in (hers["id"], await current(there)):
        assert await refused(here, "sessionRevoke", session=session) == NOT_FOUND
        assert (await here.ask(NODE, id=session))["node"] is None
    assert [len(await own(each)) for each in (here, there)] == [1, 1]
    assert await kept(sister) == before


async def test_a_colleagues_sessions_are_not_there(office: Office, at: At) -> None:
    await office.portal.account("ben")
    bea, ben = await at(office.portal).sign_in("bea"), await at(office.portal).sign_in("ben")
    assert len(await own(ben)) == 1
    assert (await ben.ask(OF_ACCOUNT, id=office.bea))["node"]["sessions"] == []
    for session in (
        await current(bea),
        await current(office.mona),
        global_id("Session", UUID(int=7)),
        office.bea,
        "nothing",
    ):
        assert await refused(ben, "sessionRevoke", session=session) == NOT_FOUND
        assert session == office.bea or (await ben.ask(NODE, id=session))["node"] is None
    assert await name(bea) == "bea"


async def test_ones_own_sessions_come_newest_first_with_address_program_and_which_it_is(
    office: Office, at: At
) -> None:
    clients = []
    for program in ("Firefox", "curl/8", "x" * 1_000):
        client = at(office.portal)
        client.headers = {"user-agent": program}
        clients.append(await client.sign_in("bea"))
    times = {
        global_id("Session", row[0]): (row[1], row[2])
        for row in await sql(office.portal, "select id, created_at, expires_at from sessions")
    }
    for index, client in enumerate(clients):
        seen = await own(client)
        assert [each["userAgent"] for each in seen] == ["x" * 300, "curl/8", "Firefox"]
        assert [each["address"] for each in seen] == ["127.0.0.1"] * 3
        assert [each["current"] for each in reversed(seen)] == [each == index for each in range(3)]
        for each in seen:
            created, expires = times[each["id"]]
            assert (each["createdAt"], each["expiresAt"]) == tuple(
                moment.isoformat().replace("+00:00", "Z") for moment in (created, expires)
            ), each
        assert (await client.ask(NODE, id=seen[0]["id"]))["node"] == seen[0]
        assert (await client.ask(OF_ACCOUNT, id=office.bea))["node"]["sessions"] == seen


async def test_a_session_that_has_ended_is_not_there(office: Office, at: At) -> None:
    bea, old = await at(office.portal).sign_in("bea"), await at(office.portal).sign_in("bea")
    session = await current(old)
    await sql(
        office.portal,
        "update sessions set expires_at = now() where created_at = (select max(created_at) from sessions)",
    )
    assert [each["current"] for each in await own(bea)] == [True]
    assert (await bea.ask(NODE, id=session))["node"] is None
    assert await refused(bea, "sessionRevoke", session=session) == NOT_FOUND
    assert len((await office.mona.ask(OF_ACCOUNT, id=office.bea))["node"]["sessions"]) == 1


async def test_ending_one_of_ones_sessions_ends_it_at_once_and_no_other(office: Office, at: At) -> None:
    one, two, three = [await at(office.portal).sign_in("bea") for _ in range(3)]
    session = await current(two)
    for _ in range(2):  # a repeat under the same key does nothing, and is no error
        assert await refused(one, "sessionRevoke", session=session, idempotencyKey="once") == []
    assert [await name(each) for each in (one, two, three)] == ["bea", None, "bea"]
    assert await refused(one, "sessionRevoke", session=session) == NOT_FOUND
    assert await refused(one, "sessionRevoke", session=await current(one)) == []
    assert [await name(each) for each in (one, two, three)] == [None, None, "bea"]


@pytest.mark.parametrize(
    ("role", "seen", "errors"),
    [
        (StaffRole.OWNER, 2, []),
        (StaffRole.MANAGER, 2, []),
        (StaffRole.AGENT, 2, [("MISSING_PERMISSION", [])]),
        (StaffRole.ACCOUNTANT, 0, NOT_FOUND),
    ],
)
async def test_staff_sees_an_accounts_sessions_and_ends_them_only_if_it_may_change_accounts(
    office: Office, at: At, role: StaffRole, seen: int, errors: list[Any]
) -> None:
    portal = office.portal
    bea, again = await at(portal).sign_in("bea"), await at(portal).sign_in("bea")
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    node = (await sam.ask(OF_ACCOUNT, id=office.bea))["node"]
    listed = node["sessions"] if node else []
    assert len(listed) == seen
    assert not any(each["current"] for each in listed)
    session = await current(bea)
    assert bool((await sam.ask(NODE, id=session))["node"]) == bool(seen)
    assert await refused(sam, "sessionRevoke", session=session) == errors
    assert [await name(bea), await name(again)] == [None if errors == [] else "bea", "bea"]
    assert await refused(sam, "sessionRevoke", session=await current(sam)) == []
    assert await name(sam) is None


async def test_what_is_missing_for_ending_anothers_session_is_told(office: Office, at: At) -> None:
    bea = await at(office.portal).sign_in("bea")
    await office.portal.staff_member("agnes", role=StaffRole.AGENT)
    agnes = await at(office.portal).sign_in("agnes")
    document = """mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) {
      errors { code ... on MissingPermissionError { permissions } } } }"""
    answer = await agnes.ask(document, input={"session": await current(bea)})
    assert answer["sessionRevoke"]["errors"] == [
        {"code": "MISSING_PERMISSION", "permissions": ["ACCOUNTS_WRITE"]}
    ]


async def test_the_staffs_own_sessions_are_nobody_elses(office: Office, at: At) -> None:
    await office.portal.staff_member("olga", role=StaffRole.OWNER)
    olga = await at(office.portal).sign_in("olga")
    session = await current(office.mona)
    assert (await olga.ask(NODE, id=session))["node"] is None
    assert await refused(olga, "sessionRevoke", session=session) == NOT_FOUND
    assert [each["current"] for each in await own(olga)] == [True]
    assert len(await own(office.mona)) == 1


async def test_who_ended_whose_session_is_in_the_audit(office: Office, at: At) -> None:
    bea, again = await at(office.portal).sign_in("bea"), await at(office.portal).sign_in("bea")
    ids = [await current(bea), await current(again)]
    await do(bea, "sessionRevoke", "", session=ids[0])
    await do(office.mona, "sessionRevoke", "", session=ids[1])
    log = """{ auditLog(filter: {actions: ["sessionRevoke"]}, orderBy: [AT_ASC]) { nodes {
      nodeId node { id } account { userName } staffMember { name } onBehalfOf { code } changes { field after } } } }"""
    entries = (await office.mona.ask(log))["auditLog"]["nodes"]
    assert [(each["nodeId"], each["node"]) for each in entries] == [(session, None) for session in ids]
    assert [each["account"] for each in entries] == [{"userName": "bea"}, None]
    assert [bool(each["staffMember"]) for each in entries] == [False, True]
    assert [each["onBehalfOf"] for each in entries] == [{"code": "C1"}, {"code": "C1"}]
    assert all(change["after"] is None for each in entries for change in each["changes"])
