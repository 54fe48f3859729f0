"""Passwords over HTTP: who cannot come in learns nothing, what counts as one, and how hashing stays out of the way."""

import asyncio

import httpx
import pytest

import tenants.passwords
from db.connections import Database
from server.app import create
from server.settings import Settings
from tenants.passwords import Passwords
from tests.client import Client, answered
from tests.conftest import At
from tests.tenants.test_sessions import SIGN_IN, name, refusal, sql
from tests.world import PASSWORD, World


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was verified: hashes and passwords."""
    seen = []
    verify = tenants.passwords._verify

    def noting(password_hash: str, password: str) -> bool:
        seen.append((password_hash, password))
        return verify(password_hash, password)

    monkeypatch.setattr(tenants.passwords, "_verify", noting)
    return seen


async def test_whoever_cannot_come_in_is_told_the_same_and_waits_for_a_hash(
    world: World, at: At, verified: list[tuple[str, str]]
) -> None:
    portal, elsewhere = await world.portal(), await world.portal()
    sister = await world.portal(supplier=portal.slug)
    await portal.account("bea")
    await portal.account("gone")
    await sql(portal, "update accounts set active = false where user_name = 'gone'")
    await portal.staff_member("left")
    await sql(portal, "update staff_members set active = false where user_name = 'left'")
    await elsewhere.account("ben")
    await elsewhere.staff_member("sam")
    await sister.account("kim")
    await sister.staff_member("tom", here_only=True)
    tries = [
        ("nobody", PASSWORD),
        ("bea", "wrong horse battery"),
        ("bea", PASSWORD.upper()),
        ("bea", ""),
        ("bea", PASSWORD + " " * 1_000),
        ("gone", PASSWORD),
        ("left", PASSWORD),
        ("ben", PASSWORD),
        ("sam", PASSWORD),
        ("kim", PASSWORD),
        ("tom", PASSWORD),
        ("", PASSWORD),
        ("b" * 5_000, PASSWORD),
        ("bea' or true --", PASSWORD),
    ]
    told = set()
    for user_name, password in tries:
        verified.clear()
        response = await at(portal).post(SIGN_IN, {"input": {"userName": user_name, "password": password}})
        headers = {
            (key, value)
            for key, value in response.headers.items()
            if key not in ("x-request-id", "content-length")
        }
        told.add((response.status_code, frozenset(headers), answered(response)))
        assert len(verified) == 1, user_name
        assert (len(told), user_name, response.json()["data"]["signIn"]["errors"][0]["code"]) == (
            1,
            user_name,
            "SIGN_IN_REFUSED",
        )
    assert await sql(portal, "select from sessions") == []


LONGEST = "ß🐎 " * 333 + "x"


@pytest.mark.parametrize("password", ["8 chars!", LONGEST, "        ", "пароль на русском"])
async def test_passwords_of_8_to_1_000_characters_of_any_kind_work(
    password: str, world: World, at: At
) -> None:
    assert 8 <= len(password) <= 1_000
    portal = await world.portal()
    await portal.account("bea", password=password)
    assert await name(await at(portal).sign_in("bea", password)) == "bea"
    assert await refusal(at(portal), "bea", password[:-1] + "?") == "SIGN_IN_REFUSED"


async def test_a_password_is_never_cut_short(world: World, at: At, verified: list[tuple[str, str]]) -> None:
    portal = await world.portal()
    await portal.account("bea", password=LONGEST)
    await portal.account("ben", password="8 chars!")
    verified.clear()
    for user_name, password in (
        ("bea", LONGEST + "x"),
        ("bea", LONGEST * 50),
        ("ben", "8 chars"),
        ("ben", ""),
    ):
        assert await refusal(at(portal), user_name, password) == "SIGN_IN_REFUSED"
    assert {len(password) for _, password in verified} == {8}, "what cannot be a password was hashed"
    assert await world.password_hash(LONGEST) not in [password_hash for password_hash, _ in verified]


async def test_the_unicode_form_of_a_password_does_not_matter_but_its_case_does(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account(
        "bea", password="Caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{LATIN SMALL LIGATURE FI}ve"
    )
    await at(portal).sign_in("bea", "Cafe\N{COMBINING ACUTE ACCENT} five")
    assert await refusal(at(portal), "bea", "cafe\N{COMBINING ACUTE ACCENT} five") == "SIGN_IN_REFUSED"
    assert await refusal(at(portal), "bea", "Cafe five") == "SIGN_IN_REFUSED"


def pool_of_two(settings: Settings, database: Database, passwords: Passwords) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create(settings, database, passwords), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://kontor.test")


async def test_passwords_being_hashed_hold_no_connection(
    world: World, settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = await world.portal()
    await portal.account("bea")
    matches, waiting, all_wait, may_go_on = world.passwords.matches, 0, asyncio.Event(), asyncio.Event()

    async def slowly(password_hash: str | None, password: str) -> bool:
        nonlocal waiting
        waiting += 1
        if waiting == 10:
            all_wait.set()
        await may_go_on.wait()
        return await matches(password_hash, password)

    monkeypatch.setattr(world.passwords, "matches", slowly)
    database = await Database.open(database_url, size=2, wait_seconds=10)
    async with pool_of_two(settings, database, world.passwords) as http:
        people = [asyncio.create_task(Client(http, portal.slug).sign_in("bea")) for _ in range(10)]
        await all_wait.wait()
        assert (await Client(http, portal.slug).ask("{ portal { open } }"))["portal"] == {"open": True}
        may_go_on.set()
        assert {await name(each) for each in await asyncio.gather(*people)} == {"bea"}
    await database.close()


async def test_50_sign_ins_at_once_leave_the_event_loop_and_the_pool_free(
    world: World, settings: Settings, database_url: str
) -> None:
    portal = await world.portal()
    people = [f"bea-{number}" for number in range(50)]
    for person in people:
        await portal.account(person)
    database = await Database.open(database_url, size=2, wait_seconds=10)
    lags: list[float] = []

    async def watch() -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(0.005)
            lags.append(clock() - before - 0.005)

    async with pool_of_two(settings, database, world.passwords) as http:
        await Client(http, portal.slug).sign_in("bea-0")
        watcher = asyncio.create_task(watch())
        clients = await asyncio.gather(*(Client(http, portal.slug).sign_in(name) for name in people))
        watcher.cancel()
        assert len({each.token for each in clients}) == 50
    await database.close()
    # The longest is of the 50 requests that this very loop makes at once, before one is answered.
    assert sorted(lags)[-2] < 0.25
