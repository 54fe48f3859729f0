"""Accounts, lines 26 to 31: what is not in tests/tenants, where passwords, throttles, sessions and codes are."""

import asyncio
import sys
import threading
import time
from collections import defaultdict

import httpx
import pytest
from structlog.testing import capture_logs

import tenants.passwords
from db.connections import Database
from rules.accounts import SignInBusy
from rules.permissions import StaffRole
from server.app import create
from server.callers import COOKIE
from server.settings import Settings
from tenants.passwords import Passwords
from tests.client import Client, answered
from tests.conftest import At
from tests.resolvers.test_accounts import refused
from tests.safety.turns import LONGEST_MS, turns
from tests.server.live import asking, order, orders_of, serving, streaming, tell, watching
from tests.tenants.test_sessions import SIGN_IN, name, sql
from tests.world import PASSWORD, Portal, World

NEXT = "a quiet harbour"
WRONG = "wrong horse battery"
UNKNOWN = "A" * 43


@pytest.mark.usefixtures("many_tries")
async def test_unknown_wrong_and_disabled_take_the_same_work(world: World, at: At) -> None:
    """As many statements, and CPU times that overlap: the password is hashed once whoever it is."""
    portal = await world.portal()
    await portal.account("bea")
    await portal.account("gone")
    await sql(portal, "update accounts set active = false where user_name = 'gone'")
    tries = {"unknown": ("nobody", PASSWORD), "wrong": ("bea", WRONG), "disabled": ("gone", PASSWORD)}
    spent, statements, told = defaultdict[str, list[float]](list), set[int](), set[bytes]()
    for _ in range(8):
        for kind, (user_name, password) in tries.items():
            given = {"input": {"userName": user_name, "password": password}}
            started = time.process_time()
            with capture_logs() as logs:
                response = await at(portal).post(SIGN_IN, given)
            spent[kind].append(time.process_time() - started)
            statements |= {log["statements"] for log in logs if log["event"] == "operation"}
            told.add(answered(response))
    assert len(told) == len(statements) == 1
    assert max(map(min, spent.values())) < min(map(max, spent.values())), spent


async def staff_of(portal: Portal, at: At) -> Client:
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return await at(portal).sign_in("olga")


async def end(portal: Portal, at: At, bea: Client, how: str) -> None:
    """End bea's session in the way that people do."""
    elsewhere = await at(portal).sign_in("bea")
    account = {"account": (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]}
    if how == "sign-out":
        await bea.ask("mutation { signOut { errors { code } } }")
    elif how == "sign-out from elsewhere":
        found = (await bea.ask("{ sessions { id current } }"))["sessions"]
        session = next(each["id"] for each in found if each["current"])
        assert await refused(elsewhere, "sessionRevoke", session=session) == []
    elif how == "password change":
        assert await refused(elsewhere, "passwordChange", oldPassword=PASSWORD, newPassword=NEXT) == []
    elif how == "deactivation":
        assert await refused(await staff_of(portal, at), "accountDeactivate", **account) == []
    elif how == "access reset":
        assert await refused(await staff_of(portal, at), "accountResetAccess", **account) == []
    elif how == "portal off":
        assert await refused(await staff_of(portal, at), "portalUpdate", open=False) == []
    else:
        await sql(portal, "update sessions set expires_at = now()")


ENDS = [
    "sign-out",
    "sign-out from elsewhere",
    "password change",
    "deactivation",
    "access reset",
    "portal off",
    "expiry",
]


@pytest.mark.parametrize("how", ENDS)
async def test_after_its_end_a_session_is_refused_at_once_over_http_on_streams_and_on_sockets(
    world: World, settings: Settings, portal: Portal, bea: Client, at: At, how: str
) -> None:
    await order(bea)
    ids = await orders_of(portal)
    async with (
        serving(settings, world.database, world.passwords, live_check_seconds=60) as live,
        watching(live, bea) as socket,
        streaming(live, portal.slug, bea.token) as stream,
    ):
        await live.watched(2)
        await tell(portal, *ids)
        await socket.numbers()
        assert "data" in await stream.data()
        await end(portal, at, bea, how)
        assert await name(bea) is None
        assert (await bea.refusal("{ orders { totalCount } }"))["extensions"]["code"] == "UNAUTHENTICATED"
        await tell(portal, *ids)
        assert await socket.code() == "UNAUTHENTICATED", "instead of the event"
        assert await stream.code() == "UNAUTHENTICATED"
        await socket.subscribe(id="again")
        assert await socket.code() == "UNAUTHENTICATED"
        async with asking(live, bea) as new:
            assert await new.code() == "UNAUTHENTICATED"
        await live.watched(0)


@pytest.mark.parametrize("transport", ["BEARER", "COOKIE"])
async def test_a_token_is_new_at_every_sign_in_and_none_that_was_brought_along_is_taken(
    world: World, settings: Settings, transport: str
) -> None:
    portal = await world.portal()
    await portal.account("bea")
    app = create(settings, world.database, world.passwords)
    brought, tokens = UNKNOWN, set()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"https://{portal.slug}.localhost"
    ) as http:
        for _ in range(3):
            given = {"userName": "bea", "password": PASSWORD, "transport": transport}
            headers = {"x-kontor-csrf": "1"}
            if transport == "COOKIE":
                headers["cookie"] = f"{COOKIE}={brought}"
            else:
                headers["authorization"] = f"Bearer {brought}"
            http.cookies.clear()
            response = await http.post(
                "/graphql", json={"query": SIGN_IN, "variables": {"input": given}}, headers=headers
            )
            token = response.json()["data"]["signIn"]["token"] or response.cookies[COOKIE]
            tokens.add(token)
            http.cookies.clear()
            for each, known in ((UNKNOWN, None), (token, {"account": {"userName": "bea"}})):
                answer = await http.post(
                    "/graphql",
                    json={"query": "{ viewer { account { userName } } }"},
                    headers={"authorization": f"Bearer {each}"},
                )
                assert answer.json()["data"] == {"viewer": known}
            brought = token  # the next sign-in brings a token that is good
    assert len(tokens) == 3
    assert {len(token) for token in tokens} == {43}, "256 bits"


async def test_50_sign_ins_at_once_keep_the_loop_for_less_than_50_ms_and_no_more_than_two_threads(
    world: World, settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = await world.portal()
    people = [f"bea-{number}" for number in range(50)]
    for person in people:
        await portal.account(person)
    verify, hashing, most = tenants.passwords._verify, set[int](), list[int]()

    def noting(password_hash: str, password: str) -> bool:
        hashing.add(threading.get_ident())
        most.append(len(hashing))
        try:
            return verify(password_hash, password)
        finally:
            hashing.discard(threading.get_ident())

    monkeypatch.setattr(tenants.passwords, "_verify", noting)
    database = await Database.open(database_url, size=2, wait_seconds=30)
    transport = httpx.ASGITransport(create(settings, database, world.passwords), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kontor.test") as http:
        await Client(http, portal.slug).sign_in("bea-0")
        most.clear()
        with turns() as spent:
            clients = await asyncio.gather(*(Client(http, portal.slug).sign_in(each) for each in people))
    await database.close()
    assert len({each.token for each in clients}) == 50
    assert (len(most), max(most)) == (50, 2)
    assert threading.get_ident() not in hashing
    assert max(spent) < LONGEST_MS


def test_whoever_hashes_lets_the_others_go_on() -> None:
    """Argon2 gives the interpreter away: the loop's thread works while another one hashes."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.000_1)
    try:
        hashing = threading.Thread(
            target=lambda: [tenants.passwords._hasher.hash(PASSWORD) for _ in range(20)]
        )
        here, everywhere = time.thread_time(), time.process_time()
        hashing.start()
        while hashing.is_alive():
            pass
        mine = time.thread_time() - here
        theirs = time.process_time() - everywhere - mine
    finally:
        sys.setswitchinterval(interval)
    assert mine > theirs / 5


async def test_of_more_who_come_than_can_be_checked_soon_the_last_are_told_so_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go_on, most = threading.Event(), tenants.passwords._WAITING
    monkeypatch.setattr(tenants.passwords, "_verify", lambda *_given: may_go_on.wait(30))
    passwords = Passwords()
    waiting = [asyncio.create_task(passwords.matches("hash", PASSWORD)) for _ in range(most)]
    await asyncio.sleep(0)
    with pytest.raises(SignInBusy):
        await passwords.matches("hash", PASSWORD)
    may_go_on.set()
    assert await asyncio.gather(*waiting) == [True] * most
    passwords.close()


async def test_passwords_are_kept_as_argon2id_with_the_cost_that_owasp_asks_for(world: World) -> None:
    kept = await world.passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
