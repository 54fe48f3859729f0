"""Throttles: wrong passwords and codes are counted by name and address, exactly, and lock no owner out."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

import rules.throttles
import tenants.passwords
from execution.limits import MOST_ROOT_FIELDS
from rules.throttles import ADDRESS, KNOWN_DAYS, NAME, NAME_AT_ADDRESS, Bucket
from server.app import create
from server.settings import Settings
from tests.client import Client, answered
from tests.resolvers.test_accounts import refused
from tests.tenants.test_sessions import sql
from tests.world import PASSWORD, Portal, World

HOME, OFFICE, FAR = "192.0.2.1", "192.0.2.2", "198.51.100.7"
WRONG = "wrong horse battery"
MOST = NAME_AT_ADDRESS.capacity
REFUSED, THROTTLED = "SIGN_IN_REFUSED", "SIGN_IN_THROTTLED"
FIELDS = "token errors { code path message ... on ThrottledError { retryAfter } }"
SIGN_IN = f"mutation($input: SignInInput!) {{ signIn(input: $input) {{ {FIELDS} }} }}"

From = Callable[[Portal, str], Client]


@pytest.fixture
def from_(world: World, settings: Settings) -> From:
    """`from_(portal, address)`: an outsider at a portal, who comes from an address."""
    app = create(settings, world.database, world.passwords)

    def come(portal: Portal, address: str) -> Client:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
        return Client(httpx.AsyncClient(transport=transport, base_url="http://kontor.test"), portal.slug)

    return come


@pytest.fixture(autouse=True)
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were verified; without argon2, which takes a while."""
    seen: list[str] = []

    def verify(_password_hash: str, password: str) -> bool:
        seen.append(password)
        return password == PASSWORD

    monkeypatch.setattr(tenants.passwords, "_verify", verify)
    return seen


@pytest.fixture(autouse=True)
def no_refills(monkeypatch: pytest.MonkeyPatch) -> None:
    """The large buckets do not refill while a test empties them, however slow the machine is."""
    for bucket, each in (("ADDRESS", ADDRESS), ("NAME", NAME)):
        monkeypatch.setattr(rules.throttles, bucket, replace(each, refill_seconds=1_000_000))


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    for each in ("bea", "ben"):
        await portal.account(each)
    return portal


async def tries(client: Client, user_name: str, count: int, password: str = WRONG) -> list[str | None]:
    """What the tries of one operation are refused with, in their order; None where one is let in."""
    fields = " ".join(f"t{number}: signIn(input: $input) {{ {FIELDS} }}" for number in range(count))
    given = {"userName": user_name, "password": password}
    answers = await client.ask(f"mutation($input: SignInInput!) {{ {fields} }}", input=given)
    return [each["errors"][0]["code"] if each["errors"] else None for each in answers.values()]


async def attempt(client: Client, user_name: str, password: str = WRONG) -> str | None:
    """What one try is refused with; None when it is let in."""
    (code,) = await tries(client, user_name, 1, password)
    return code


async def wait(portal: Portal, seconds: float) -> None:
    """Let time pass for all that was tried at a portal."""
    await sql(
        portal,
        "update throttles set refreshed_at = refreshed_at - $1::text::interval,"
        " known_at = known_at - $1::text::interval",
        f"{seconds} seconds",
    )


async def test_tries_at_one_portal_count_at_no_other(world: World, portal: Portal, from_: From) -> None:
    sister = await world.portal(supplier=portal.slug)
    await sister.account("bea")
    await portal.staff_member("sam")
    for user_name in ("bea", "sam"):
        assert await tries(from_(portal, HOME), user_name, MOST) == [REFUSED] * MOST
        assert await attempt(from_(portal, HOME), user_name, PASSWORD) == THROTTLED
        assert await attempt(from_(sister, HOME), user_name, PASSWORD) is None


async def test_the_eleventh_try_waits_and_is_told_the_same_whoever_it_was_for(
    portal: Portal, from_: From, verified: list[str]
) -> None:
    await portal.account("gone")
    await sql(portal, "update accounts set active = false where user_name = 'gone'")
    told, attacker = set(), from_(portal, HOME)
    for user_name in ("bea", "nobody", "gone", "n" * 300):
        assert await tries(attacker, user_name, MOST) == [REFUSED] * MOST
        verified.clear()
        for password in (WRONG, PASSWORD, ""):
            given = {"userName": user_name, "password": password}
            response = await attacker.post(SIGN_IN, {"input": given})
            answer = response.json()["data"]["signIn"]
            (error,) = answer["errors"]
            assert (answer["token"], error["code"], error["path"]) == (None, THROTTLED, [])
            assert 1 <= error["retryAfter"] <= NAME_AT_ADDRESS.refill_seconds
            assert f" {error['retryAfter']} seconds" in error["message"]
            body = re.sub(rf"\b{error['retryAfter']}\b".encode(), b"<seconds>", answered(response))
            told.add((response.status_code, body))
        assert verified == [], "a throttled try is not looked at"
    assert len(told) == 1


async def test_the_owner_comes_in_from_another_address(portal: Portal, from_: From) -> None:
    assert await tries(from_(portal, FAR), "bea", MOST + 1) == [REFUSED] * MOST + [THROTTLED]
    assert await attempt(from_(portal, HOME), "bea", PASSWORD) is None
    assert await attempt(from_(portal, FAR), "ben", PASSWORD) is None


async def test_who_is_known_at_an_address_is_not_held_up_by_an_attack_from_everywhere(
    portal: Portal, from_: From
) -> None:
    home = from_(portal, HOME)
    assert await attempt(home, "bea", PASSWORD) is None
    left = NAME.capacity
    for number in range(NAME.capacity // MOST):
        assert await tries(from_(portal, f"203.0.113.{number}"), "bea", MOST) == [REFUSED] * MOST
        left -= MOST
    assert left == 0
    assert await attempt(from_(portal, FAR), "bea", PASSWORD) == THROTTLED
    assert await attempt(from_(portal, FAR), "ben", PASSWORD) is None
    assert await attempt(home, "bea", PASSWORD) is None
    assert await tries(home, "bea", MOST + 1) == [REFUSED] * MOST + [THROTTLED]


async def test_who_is_known_at_an_address_is_not_held_up_by_others_there(portal: Portal, from_: From) -> None:
    home = from_(portal, HOME)
    assert await attempt(home, "bea", PASSWORD) is None
    for number in range(ADDRESS.capacity // MOST):
        assert await tries(home, f"guess-{number}", MOST) == [REFUSED] * MOST
    assert await attempt(home, "another guess") == THROTTLED
    assert await attempt(home, "ben", PASSWORD) == THROTTLED
    assert await attempt(home, "bea", PASSWORD) is None


async def test_a_right_password_costs_nothing_and_gives_nothing(portal: Portal, from_: From) -> None:
    home = from_(portal, HOME)
    assert await tries(home, "bea", MOST - 1) == [REFUSED] * (MOST - 1)
    assert await tries(home, "bea", 30, PASSWORD) == [None] * 30
    assert await tries(home, "bea", 2) == [REFUSED, THROTTLED]
    kept = await sql(portal, "select capacity, round(capacity - tokens) from throttles order by 1")
    assert kept == [(NAME_AT_ADDRESS.capacity, 10), (NAME.capacity, 9), (ADDRESS.capacity, 9)]


async def test_ones_own_right_password_buys_no_guesses_at_others(portal: Portal, from_: From) -> None:
    attacker, guesses = from_(portal, FAR), []
    for number in range(ADDRESS.capacity // MOST + 2):
        assert await tries(attacker, "ben", MOST, PASSWORD) == [None] * MOST
        guesses += await tries(attacker, f"guess-{number}", MOST)
    assert (guesses.count(REFUSED), guesses.count(THROTTLED)) == (ADDRESS.capacity, 2 * MOST)


async def test_as_many_sign_ins_as_fit_into_one_operation_count_each(
    portal: Portal, from_: From, verified: list[str]
) -> None:
    codes = await tries(from_(portal, HOME), "bea", MOST_ROOT_FIELDS)
    assert codes == [REFUSED] * MOST + [THROTTLED] * (MOST_ROOT_FIELDS - MOST)
    assert len(verified) == MOST
    assert await attempt(from_(portal, HOME), "bea", PASSWORD) == THROTTLED


@pytest.mark.parametrize("bucket", ["NAME_AT_ADDRESS", "ADDRESS", "NAME"])
async def test_however_many_come_at_once_no_more_are_looked_at_than_the_bucket_holds(
    portal: Portal, from_: From, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    monkeypatch.setattr(rules.throttles, bucket, Bucket(capacity=7, refill_seconds=100_000))
    comers = [
        (f"203.0.113.{number}" if bucket == "NAME" else HOME, f"n-{number}" if bucket == "ADDRESS" else "bea")
        for number in range(30)
    ]
    codes = await asyncio.gather(
        *(attempt(from_(portal, address), user_name) for address, user_name in comers)
    )
    assert (codes.count(REFUSED), codes.count(THROTTLED)) == (7, 23)


async def test_all_who_are_right_at_once_are_let_in(portal: Portal, from_: From) -> None:
    home = from_(portal, HOME)
    for _ in range(5):
        assert await asyncio.gather(*(attempt(home, "bea", PASSWORD) for _ in range(MOST))) == [None] * MOST
        await sql(portal, "delete from throttles where capacity <> $1", MOST)
        await sql(portal, "update throttles set known_at = null")
    assert await tries(home, "bea", MOST + 1) == [REFUSED] * MOST + [THROTTLED]


async def test_a_bucket_refills_with_time_up_to_its_brim_and_refused_tries_cost_nothing(
    portal: Portal, from_: From
) -> None:
    home, seconds = from_(portal, HOME), NAME_AT_ADDRESS.refill_seconds
    assert await tries(home, "bea", 40) == [REFUSED] * MOST + [THROTTLED] * (40 - MOST)
    await wait(portal, 2 * seconds)
    assert await tries(home, "bea", 3) == [REFUSED, REFUSED, THROTTLED]
    await wait(portal, seconds)
    assert await attempt(home, "bea", PASSWORD) is None
    await wait(portal, 1_000 * seconds)
    assert await tries(home, "bea", MOST + 1) == [REFUSED] * MOST + [THROTTLED]


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002::7", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("a unix socket", "a unix socket", True),
        ("", "127.0.0.1", False),
    ],
)
async def test_the_64_of_an_ipv6_address_is_one_address(
    portal: Portal, from_: From, one: str, other: str, are_one: bool
) -> None:
    assert await tries(from_(portal, one), "bea", MOST) == [REFUSED] * MOST
    assert await attempt(from_(portal, other), "bea") == (THROTTLED if are_one else REFUSED)


async def test_what_a_client_says_of_its_address_does_not_count(portal: Portal, from_: From) -> None:
    attacker = from_(portal, HOME)
    assert await tries(attacker, "bea", MOST) == [REFUSED] * MOST
    attacker.headers = {"x-forwarded-for": FAR, "forwarded": f"for={FAR}", "x-real-ip": FAR}
    assert await attempt(attacker, "bea") == THROTTLED


@pytest.mark.parametrize("written", ["BEA", " bea\t", "\uff42ea"])
async def test_a_name_is_one_however_it_is_written(portal: Portal, from_: From, written: str) -> None:
    assert await tries(from_(portal, HOME), written, MOST) == [REFUSED] * MOST
    assert await attempt(from_(portal, HOME), "bea", PASSWORD) == THROTTLED


async def test_wrong_codes_and_wrong_passwords_count_together(portal: Portal, from_: From) -> None:
    home = from_(portal, HOME)
    given = {"userName": "bea", "code": "0000-0000-0000-0000", "password": "a quiet harbour"}
    for _ in range(MOST - 1):
        assert await refused(home, "accountActivate", **given) == [("ACTIVATION_REFUSED", [])]
    assert await attempt(home, "bea") == REFUSED
    assert await refused(home, "accountActivate", **given) == [(THROTTLED, [])]
    assert await attempt(home, "bea", PASSWORD) == THROTTLED
    assert await attempt(from_(portal, OFFICE), "bea", PASSWORD) is None


async def test_what_nobody_asked_for_a_day_is_forgotten_but_who_is_known(portal: Portal, from_: From) -> None:
    assert await tries(from_(portal, FAR), "bea", 2) == [REFUSED] * 2
    assert await attempt(from_(portal, HOME), "bea", PASSWORD) is None
    kept = "select capacity, known_at is not null from throttles order by 1, 2"
    name, address, both = NAME.capacity, ADDRESS.capacity, NAME_AT_ADDRESS.capacity
    known_and_tried = [(both, False), (both, True), (name, False), (address, False), (address, False)]
    assert await sql(portal, kept) == known_and_tried
    await wait(portal, 86_300)
    assert await attempt(from_(portal, OFFICE), "ben", PASSWORD) is None
    bens = [(both, True), (name, False), (address, False)]
    assert await sql(portal, kept) == sorted(known_and_tried + bens)
    await wait(portal, 86_500)
    assert await attempt(from_(portal, HOME), "bea", PASSWORD) is None
    assert await sql(portal, kept) == [(both, True), (both, True)]
    await wait(portal, KNOWN_DAYS * 86_400)
    assert await attempt(from_(portal, FAR), "ben", PASSWORD) is None
    assert await sql(portal, kept) == [(both, True), (name, False), (address, False)]


async def test_who_was_right_90_days_ago_is_no_longer_known(portal: Portal, from_: From) -> None:
    home = from_(portal, HOME)
    assert await attempt(home, "bea", PASSWORD) is None
    empty = "update throttles set tokens = 0, refreshed_at = now() where known_at is null"
    await sql(portal, "update throttles set known_at = now() - $1::text::interval", f"{KNOWN_DAYS - 1} days")
    await sql(portal, "update throttles set known_at = null where capacity <> $1", MOST)
    await sql(portal, empty)
    assert await attempt(home, "bea") == REFUSED
    await sql(portal, "update throttles set known_at = known_at - '1 day'::interval")
    await sql(portal, empty)
    assert await attempt(home, "bea") == THROTTLED


async def test_a_customer_who_is_right_while_the_portal_is_closed_is_not_counted(
    portal: Portal, from_: From
) -> None:
    await portal.switch(is_open=False)
    assert await tries(from_(portal, HOME), "bea", MOST + 1, PASSWORD) == ["PORTAL_CLOSED"] * (MOST + 1)


async def test_names_and_addresses_are_kept_only_as_hashes(portal: Portal, from_: From) -> None:
    typed: dict[str, Any] = {"a password in its place": WRONG, "bea": PASSWORD}
    for user_name, password in typed.items():
        await attempt(from_(portal, HOME), user_name, password)
    kept = [row[0] for row in await sql(portal, "select t::text from throttles t")]
    assert len(kept) == 5
    for word in (*typed, HOME):
        assert not [row for row in kept if word in row or word.encode().hex() in row]
