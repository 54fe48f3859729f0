"""Changing one's password: it takes the present one, ends all other sessions, and is throttled like signing in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rules.throttles import NAME_AT_ADDRESS
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_accounts import Errors, Office, refused, settle
from tests.tenants.test_activation import while_hashing
from tests.tenants.test_sessions import name, refusal, sql
from tests.world import PASSWORD, World

NEXT = "a quiet harbour"
WRONG: Errors = [("PASSWORD_WRONG", ["oldPassword"])]
THROTTLED: Errors = [("SIGN_IN_THROTTLED", [])]


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def change(client: Client, old: str = PASSWORD, new: str = NEXT) -> Errors:
    """The codes and paths with which a change of the client's own password is refused."""
    return await refused(client, "passwordChange", oldPassword=old, newPassword=new)


async def test_an_outsider_changes_nothing(office: Office, at: At) -> None:
    before = await office.rows()
    assert await change(at(office.portal)) == [("UNAUTHENTICATED", [])]
    assert await office.rows() == before


async def test_whoever_has_the_same_name_at_another_portal_notices_nothing(
    world: World, office: Office, at: At
) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    here, there = await at(office.portal).sign_in("bea"), await at(sister.portal).sign_in("bea")
    before = await sister.rows()
    assert await change(here) == []
    assert await sister.rows() == before
    assert await name(there) == "bea"
    await at(sister.portal).sign_in("bea")


async def test_the_other_sessions_end_at_once_and_this_one_stays(office: Office, at: At) -> None:
    await office.portal.account("ben")
    here, there, ben = [await at(office.portal).sign_in(each) for each in ("bea", "bea", "ben")]
    assert await change(here) == []
    assert [await name(each) for each in (here, there, ben)] == ["bea", None, "ben"]
    assert (await name(office.mona) or "").startswith("mona")
    assert await refusal(at(office.portal), "bea") == "SIGN_IN_REFUSED"
    assert await name(await at(office.portal).sign_in("bea", NEXT)) == "bea"
    assert await name(await at(office.portal).sign_in("ben")) == "ben"


@pytest.mark.parametrize("old", ["wrong horse battery", PASSWORD.upper(), PASSWORD + " ", "", "x" * 1_001])
async def test_a_wrong_present_password_changes_nothing(office: Office, at: At, old: str) -> None:
    here, there = await at(office.portal).sign_in("bea"), await at(office.portal).sign_in("bea")
    before = await office.rows()
    assert await change(here, old) == WRONG
    assert await office.rows() == before
    assert [await name(each) for each in (here, there)] == ["bea", "bea"]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("7 chars", "PASSWORD_LENGTH_INVALID"),
        ("x" * 1_001, "PASSWORD_LENGTH_INVALID"),
        ("IloveYou1", "PASSWORD_TOO_COMMON"),
        ("Bea.Of.C1", "PASSWORD_TOO_COMMON"),
    ],
)
async def test_a_weak_next_password_is_refused(office: Office, at: At, new: str, code: str) -> None:
    await office.portal.account("bea.of.c1")
    bea = await at(office.portal).sign_in("bea.of.c1")
    before = await office.rows()
    assert await change(bea, new=new) == [(code, ["newPassword"])]
    assert await office.rows() == before


async def test_the_staff_changes_its_password_at_all_of_the_suppliers_portals(
    world: World, office: Office, at: At
) -> None:
    sister, elsewhere = await world.portal(supplier=office.portal.slug), await world.portal()
    for portal in (office.portal, elsewhere):
        await portal.staff_member("sam")
    portals = (office.portal, office.portal, sister, elsewhere)
    here, again, there, other = [await at(portal).sign_in("sam") for portal in portals]
    assert await change(here, "wrong horse battery") == WRONG
    assert [await name(each) for each in (here, again, there, other)] == ["sam"] * 4
    assert await change(here) == []
    assert [await name(each) for each in (here, again, there, other)] == ["sam", None, None, "sam"]
    for portal in (office.portal, sister):
        assert await refusal(at(portal), "sam") == "SIGN_IN_REFUSED"
        assert await name(await at(portal).sign_in("sam", NEXT)) == "sam"
    await at(elsewhere).sign_in("sam")


async def test_wrong_present_passwords_are_throttled_as_wrong_sign_ins_are(office: Office, at: At) -> None:
    bea = await at(office.portal).sign_in("bea")
    for _ in range(NAME_AT_ADDRESS.capacity - 2):
        assert await change(bea, "wrong") == WRONG
    assert await change(bea) == []  # which costs nothing
    assert await change(bea, PASSWORD) == WRONG
    assert await refusal(at(office.portal), "bea") == "SIGN_IN_REFUSED"
    document = """mutation($input: PasswordChangeInput!) { passwordChange(input: $input) {
      errors { code path ... on ThrottledError { retryAfter } } } }"""
    given = {"oldPassword": NEXT, "newPassword": "a noisy harbour"}
    (error,) = (await bea.ask(document, input=given))["passwordChange"]["errors"]
    assert (error["code"], error["path"]) == ("SIGN_IN_THROTTLED", [])
    assert 1 <= error["retryAfter"] <= NAME_AT_ADDRESS.refill_seconds
    assert await refusal(at(office.portal), "bea", NEXT) == "SIGN_IN_THROTTLED"
    await sql(office.portal, "update throttles set refreshed_at = refreshed_at - interval '1 minute'")
    assert await change(bea, NEXT, "a noisy harbour") == []


async def test_of_two_changes_at_once_one_finds_another_password(
    world: World, office: Office, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [await at(office.portal).sign_in("bea") for _ in range(2)]
    both = [change(each, new=f"{NEXT} {number}") for number, each in enumerate(clients)]
    async with while_hashing(world, monkeypatch, *both) as tasks:
        pass
    won = [each.result() for each in tasks].index([])
    assert tasks[1 - won].result() == WRONG
    assert [await name(each) for each in clients] == [["bea", None], [None, "bea"]][won]
    await at(office.portal).sign_in("bea", f"{NEXT} {won}")


@asynccontextmanager
async def while_checked(
    world: World, monkeypatch: pytest.MonkeyPatch, client: Client, user_name: str
) -> AsyncIterator[list[str]]:
    """A sign-in whose password is found right before the block, and that goes on after it; its error codes."""
    matches, checked, may_go_on = world.passwords.matches, asyncio.Event(), asyncio.Event()
    codes: list[str] = []

    async def slowly(password_hash: str | None, password: str) -> bool:
        right = await matches(password_hash, password)
        checked.set()
        await may_go_on.wait()
        return right

    async def sign_in() -> None:
        errors = await refused(client, "signIn", userName=user_name, password=PASSWORD)
        codes.extend(code for code, _ in errors)

    monkeypatch.setattr(world.passwords, "matches", slowly)
    task = asyncio.create_task(sign_in())
    await checked.wait()
    monkeypatch.undo()
    try:
        yield codes
    finally:
        may_go_on.set()
        await task


@pytest.mark.parametrize("meanwhile", ["passwordChange", "accountResetAccess", "accountDeactivate"])
async def test_a_password_that_is_taken_away_while_it_is_checked_opens_no_session(
    world: World, office: Office, at: At, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    bea = await at(office.portal).sign_in("bea")
    async with while_checked(world, monkeypatch, at(office.portal), "bea") as codes:
        if meanwhile == "passwordChange":
            assert await change(bea) == []
        else:
            assert await refused(office.mona, meanwhile, account=office.bea) == []
    assert codes == ["SIGN_IN_REFUSED"]
    left = await sql(office.portal, "select count(*) from sessions where account_id is not null")
    assert left == [(1 if meanwhile == "passwordChange" else 0,)]


async def test_a_change_is_in_the_audit_without_a_password(office: Office, at: At) -> None:
    bea = await at(office.portal).sign_in("bea")
    assert await change(bea) == []
    log = """{ auditLog(filter: {actions: ["passwordChange"]}) { nodes { nodeId
      account { userName } onBehalfOf { code } changes { field before after } } } }"""
    assert (await office.mona.ask(log))["auditLog"]["nodes"] == [
        {
            "nodeId": office.bea,
            "account": {"userName": "bea"},
            "onBehalfOf": {"code": "C1"},
            "changes": [{"field": "version", "before": "1", "after": "2"}],
        }
    ]
