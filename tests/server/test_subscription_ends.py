"""orderChanged on real sockets: what ends a subscription, what bounds it, and that nothing is left of it."""

import asyncio
import contextlib
import json
import socket
import uuid

import asyncpg
import pytest
import structlog
from websockets.exceptions import InvalidStatus

from db.connections import Database
from db.events import Listener
from db.failures import Unavailable
from rules.subscriptions import SubscriptionTooSlow, TooManySubscriptions
from server.settings import Settings
from tenants.watches import MOST_PENDING, Bounds, Interrupted, Watch, Watches
from tests.client import Client
from tests.conftest import At
from tests.server.live import (
    CHANGED,
    Serving,
    Socket,
    asking,
    becomes,
    is_silent,
    opened,
    order,
    orders_of,
    serving,
    streaming,
    tell,
    watching,
)
from tests.world import Portal, World


async def revoke(portal: Portal, client: Client, how: str) -> None:
    """End a session in one of the ways that there are."""
    if how == "sign-out":
        await client.ask("mutation { signOut { errors { code } } }")
    elif how == "portal off":
        await portal.switch(is_open=False)
    else:
        sql = {
            "expiry": "update sessions set expires_at = now() where tenant_id = $1",
            "revoke": "delete from sessions where tenant_id = $1",
            "deactivation": "update accounts set active = false where tenant_id = $1",
            "permission lost": "delete from access_group_members where tenant_id = $1",
        }[how]
        async with portal.writing() as connection:
            await connection.fetch_text(sql, portal.tenant_id)


ENDS = ["sign-out", "expiry", "revoke", "deactivation", "portal off", "permission lost"]


@pytest.mark.parametrize("how", ENDS)
async def test_a_quiet_subscription_ends_with_its_session(
    live: Serving, portal: Portal, bea: Client, how: str
) -> None:
    async with watching(live, bea) as socket, streaming(live, portal.slug, bea.token) as stream:
        await live.watched(2)
        await revoke(portal, bea, how)
        code = "MISSING_PERMISSION" if how == "permission lost" else "UNAUTHENTICATED"
        assert await socket.code() == code
        assert await stream.code() == code


@pytest.mark.parametrize("how", ENDS)
async def test_after_the_end_of_a_session_not_one_event_is_delivered(
    world: World, settings: Settings, portal: Portal, bea: Client, how: str
) -> None:
    await portal.account("otto")
    await order(bea)
    ids = await orders_of(portal)
    async with (
        serving(settings, world.database, world.passwords, live_check_seconds=60) as live,
        watching(live, bea) as socket,
    ):
        await tell(portal, *ids)
        await socket.numbers()
        await revoke(portal, bea, how)
        await tell(portal, *ids)
        code = "MISSING_PERMISSION" if how == "permission lost" else "UNAUTHENTICATED"
        assert await socket.code() == code


async def test_a_hundred_subscribers_hold_no_connection(
    live: Serving, world: World, portal: Portal, at: At
) -> None:
    for name in ("ann", "ben", "cat", "dan", "eve"):
        await portal.account(name)
    people = [await at(portal).sign_in(name) for name in ("ann", "ben", "cat", "dan", "eve")]
    sockets: list[Socket] = []
    async with contextlib.AsyncExitStack() as stack:
        for person in people:
            socket = await stack.enter_async_context(opened(live, portal.slug))
            await socket.begin(person.token)
            for number in range(20):
                await socket.subscribe(id=str(number))
            sockets.append(socket)
        await live.watched(100)
        pool = world.database._pool
        await becomes(lambda: pool.get_idle_size() == pool.get_size())
        async with contextlib.AsyncExitStack() as taken:  # all ten are to be had at once
            for _ in range(10):
                await taken.enter_async_context(world.database.connect(portal.tenant_id))
        number_of_order = await order(people[0])
        for socket in sockets:
            assert set(await socket.numbers(20)) == {number_of_order}
        await sockets[0].subscribe(id="one more")
        assert await sockets[0].code() == "TOO_MANY_SUBSCRIPTIONS"
        async with asking(live, people[0]) as again:
            assert await again.code() == "TOO_MANY_SUBSCRIPTIONS"


async def has_no_room(live: Serving, portal: Portal, client: Client) -> None:
    """Neither a socket nor a stream is let in."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(live, portal.slug):
            pass
    assert refused.value.response.status_code == 503
    async with streaming(live, portal.slug, client.token) as stream:
        assert stream.response.status_code == 503


async def test_a_full_process_lets_no_more_in(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with serving(settings, world.database, world.passwords, live_most=1) as live, watching(live, bea):
        await has_no_room(live, portal, bea)


async def test_a_portal_that_has_its_share_of_sockets_and_streams_leaves_room_for_another(
    world: World, settings: Settings, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("ada")
    ada = await at(other).sign_in("ada")
    async with (
        serving(settings, world.database, world.passwords, live_most=8) as live,
        opened(live, portal.slug),
        opened(live, portal.slug),
    ):
        await has_no_room(live, portal, bea)
        async with watching(live, ada), streaming(live, other.slug, ada.token) as stream:
            assert stream.response.status_code == 200


async def terminate_listeners(admin_url: str, database: str) -> None:
    admin = await asyncpg.connect(admin_url.replace("+asyncpg", "", 1))
    ended = await admin.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where application_name = 'kontor-events' and datname = $1",
        database,
    )
    await admin.close()
    assert ended >= 1


async def test_when_listening_broke_off_whoever_watched_connects_anew(
    live: Serving, portal: Portal, bea: Client, admin_url: str, database: str
) -> None:
    async with watching(live, bea) as socket, streaming(live, portal.slug, bea.token) as stream:
        await live.watched(2)
        await terminate_listeners(admin_url, database)
        assert await socket.closed() == (1012, "Service restart")
        assert await stream.event() is None, "it ends without `complete`"
    async with watching(live, bea) as again:
        number = await order(bea)
        assert await again.numbers() == [number]


async def test_an_event_waits_for_a_database_that_has_no_connection_to_spare(
    world: World, settings: Settings, database_url: str, portal: Portal, bea: Client
) -> None:
    number = await order(bea)
    ids = await orders_of(portal)
    small = await Database.open(database_url, size=1, wait_seconds=0.05)
    async with serving(settings, small, world.passwords) as live, watching(live, bea) as socket:
        async with small.connect(portal.tenant_id):
            await tell(portal, *ids)
            assert await is_silent(socket)
        assert await socket.numbers() == [number]
    await small.close()


async def test_who_watches_at_a_portal_that_is_busy_keeps_nobody_elses_events(
    world: World, settings: Settings, database_url: str, portal: Portal, bea: Client, at: At
) -> None:
    loud = await world.portal()
    await loud.account("ada")
    ada = await at(loud).sign_in("ada")
    number = await order(bea)
    ids = await orders_of(portal)
    small = await Database.open(database_url, size=4, wait_seconds=30, shared=True)
    async with (
        serving(settings.model_copy(update={"pool_size": 9}), small, world.passwords) as live,
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(6):
            await stack.enter_async_context(watching(live, ada))
        quiet = await stack.enter_async_context(watching(live, bea))
        await live.watched(7)
        for _ in range(3):  # all that one portal may have
            await stack.enter_async_context(small.connect(loud.tenant_id))
        await asyncio.sleep(0.5)  # now all of them have looked whether their sessions are still there
        await tell(portal, *ids)
        assert await quiet.numbers() == [number]
    await small.close()


async def test_without_a_database_to_listen_to_nothing_is_watched() -> None:
    watches = Watches("postgresql+asyncpg://nobody@127.0.0.1:1/nothing", Bounds(listen_seconds=0.1))
    with pytest.raises(Unavailable):
        async with watches.watch(uuid.uuid4(), uuid.uuid4(), "Order", None):
            pass
    assert len(watches) == 0
    await watches.close()
    with pytest.raises(Interrupted):
        async with watches.watch(uuid.uuid4(), uuid.uuid4(), "Order", None):
            pass


async def test_one_portal_leaves_room_to_the_others(database_url: str) -> None:
    watches = Watches(database_url, Bounds(most=8, most_per_session=2))
    one, other = uuid.uuid4(), uuid.uuid4()
    async with contextlib.AsyncExitStack() as stack:
        coming = [
            asyncio.ensure_future(stack.enter_async_context(watches.watch(one, uuid.uuid4(), "Order", None)))
            for _ in range(3)
        ]
        results = await asyncio.gather(*coming, return_exceptions=True)
        refused = [each for each in results if isinstance(each, TooManySubscriptions)]
        assert [each.most for each in refused] == [2], "those that do not hear yet count too"
        await stack.enter_async_context(watches.watch(other, uuid.uuid4(), "Order", None))
    async with watches.watch(one, None, "Order", None):
        assert len(watches) == 1
    await watches.close()


class Dying:
    """A connection to listen on that fails in a way that nobody has thought of."""

    def add_termination_listener(self, _: object) -> None:
        pass

    async def add_listener(self, *_: object) -> None:
        pass

    async def execute(self, *_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    def terminate(self) -> None:
        pass


async def test_whoever_watched_is_let_go_whatever_the_listening_died_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connect(*_: object, **__: object) -> Dying:
        return Dying()

    missed: list[bool] = []
    monkeypatch.setattr("db.events.asyncpg.connect", connect)
    monkeypatch.setattr("db.events._PULSE_SECONDS", 0.01)
    listener = Listener("postgresql://", lambda *_: None, lambda: missed.append(True))
    await listener.ready(wait_seconds=1)
    assert missed == []
    await becomes(lambda: listener._work is not None and listener._work.done())
    assert missed == [True], "at once"
    await listener.ready(wait_seconds=1)
    assert missed == [True, True], "and when it is heard again, for who came between"
    await listener.close()


@pytest.mark.parametrize(
    "failure",
    [asyncpg.InternalClientError("the driver is at a loss"), RuntimeError("nobody thought of this")],
)
async def test_nor_does_anybody_watch_in_silence_because_it_cannot_begin_again(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes: list[Exception] = []

    async def connect(*_: object, **__: object) -> Dying:
        if comes:
            raise comes.pop()
        return Dying()

    async def cut(*_: object, **__: object) -> None:
        comes.append(failure)
        raise OSError("cut")

    missed: list[bool] = []
    monkeypatch.setattr("db.events.asyncpg.connect", connect)
    monkeypatch.setattr("db.events._PULSE_SECONDS", 0.01)
    monkeypatch.setattr("db.events._FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Dying, "execute", cut)
    listener = Listener("postgresql://", lambda *_: None, lambda: missed.append(True))
    await listener.ready(wait_seconds=1)
    await becomes(lambda: bool(missed))
    await listener.close()


async def test_the_listening_is_of_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, object]] = []

    async def connect(*_: object, **__: object) -> Dying:
        said.append(structlog.contextvars.get_contextvars())
        return Dying()

    monkeypatch.setattr("db.events.asyncpg.connect", connect)
    listener = Listener("postgresql://", lambda *_: None, lambda: None)
    with structlog.contextvars.bound_contextvars(request_id="of whoever watches first"):
        await listener.ready(wait_seconds=1)
    await listener.close()
    assert said == [{}]


async def test_nothing_is_left_behind_by_a_client_that_vanishes(
    live: Serving, portal: Portal, bea: Client
) -> None:
    tasks = len(asyncio.all_tasks())
    async with watching(live, bea) as socket:
        socket.raw.transport.abort()
        await live.watched(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    body = json.dumps({"query": CHANGED}).encode()
    writer.write(
        f"POST /portals/{portal.slug}/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"accept: text/event-stream\r\nauthorization: Bearer {bea.token}\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await reader.readuntil(b":\n\n")
    await live.watched(1)
    writer.transport.abort()
    await live.watched(0)
    await becomes(lambda: len(asyncio.all_tasks()) <= tasks + 1)  # the listener stays


async def test_on_shutdown_sockets_are_told_to_come_again_and_streams_end(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with (
        serving(settings, world.database, world.passwords) as live,
        watching(live, bea) as socket,
        opened(live, portal.slug) as idle,
        streaming(live, portal.slug, bea.token) as stream,
    ):
        await live.watched(2)
        started = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(live.stop())
        assert (await socket.closed())[0] == 1012
        assert (await idle.closed())[0] == 1012
        assert await stream.event() is None
        await stopping
        assert asyncio.get_running_loop().time() - started < 3


def small_window(port: int) -> socket.socket:
    """A connection whose other end soon notices that nobody reads."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", port))
    return raw


async def test_who_does_not_read_is_ended(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    await order(bea)
    ids = await orders_of(portal)
    wide = (
        "subscription { orderChanged { "
        + " ".join(
            f"a{number}: lines {{ name sku unit quantity product {{ name description }} }}"
            for number in range(90)
        )
        + " } }"
    )
    async with (
        serving(settings, world.database, world.passwords, send_buffer=4096, live_write_seconds=0.3) as live,
        opened(live, portal.slug, max_queue=1, sock=small_window(live.port)) as deaf,
    ):
        await deaf.begin(bea.token)
        await deaf.subscribe(wide)
        await live.watched(1)
        deaf.raw.transport.pause_reading()
        async with asyncio.timeout(15):
            while len(live.watches):
                await tell(portal, *ids)
                await asyncio.sleep(0.005)
        deaf.raw.transport.abort()


def test_what_changes_often_is_told_once_and_what_is_too_much_is_told_so() -> None:
    watch = Watch("Order", None)
    one = uuid.uuid4()
    for _ in range(3 * MOST_PENDING):
        watch.hear("Order", one)
    watch.hear("Customer", uuid.uuid4())
    assert asyncio.run(both(watch)) == (one, None)
    for _ in range(MOST_PENDING + 1):
        watch.hear("Order", uuid.uuid4())
    with pytest.raises(SubscriptionTooSlow):
        asyncio.run(watch.next(1))
    watch.end(Interrupted())
    with pytest.raises(SubscriptionTooSlow):
        asyncio.run(watch.next(1))


async def both(watch: Watch) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    return await watch.next(1), await watch.next(0.01)
