"""graphql-transport-ws on real sockets: whose socket it is, and what closes it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any

import pytest
from starlette.types import Message
from websockets.exceptions import InvalidStatus

from server.answers import Told
from server.callers import COOKIE
from server.settings import Settings
from server.streams import EventStream
from tests.client import Client
from tests.server.live import CHANGED, Serving, is_silent, opened, order, serving, streaming, watching
from tests.world import Portal, World


@pytest.fixture
async def live(world: World, settings: Settings) -> AsyncIterator[Serving]:
    async with serving(settings, world.database, world.passwords, live_most_per_session=3) as running:
        yield running
        await running.watched(0)


async def test_a_cookie_counts_only_for_pages_of_the_same_host(
    live: Serving, portal: Portal, bea: Client
) -> None:
    cookie = {"cookie": f"{COOKIE}={bea.token}"}
    own = f"http://127.0.0.1:{live.port}"
    for origin in (None, "http://evil.example", f"{own}.evil.example", "null"):
        async with opened(live, portal.slug, headers=cookie, origin=origin) as socket:
            await socket.say(type="connection_init")
            assert await socket.closed() == (4403, "Forbidden")
    async with opened(live, portal.slug, headers=cookie, origin=own) as socket:
        await socket.begin()
        await socket.subscribe()
        await live.watched(1)
        number = await order(bea)
        assert await socket.numbers() == [number]


@pytest.mark.parametrize("how", ["authorization", "Authorization", "token", "header"])
async def test_a_token_comes_with_connection_init_or_with_the_handshake(
    live: Serving, portal: Portal, bea: Client, how: str
) -> None:
    bearer = f"Bearer {bea.token}"
    payload = {} if how == "header" else {how: bea.token if how == "token" else bearer}
    headers = {"authorization": bearer} if how == "header" else None
    async with opened(live, portal.slug, headers=headers, origin="http://elsewhere.example") as socket:
        await socket.say(type="connection_init", payload=payload)
        assert await socket.hear() == {"type": "connection_ack"}
        await socket.subscribe()
        await live.watched(1)


async def test_an_address_without_a_portal_is_404(live: Serving) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(live, "nowhere"):
            pass
    assert refused.value.response.status_code == 404
    assert (
        json.loads(refused.value.response.body or b"")["errors"][0]["extensions"]["code"]
        == "PORTAL_NOT_FOUND"
    )


@pytest.mark.parametrize("protocols", [("graphql-ws",), ()])
async def test_the_legacy_protocol_is_refused(
    live: Serving, portal: Portal, protocols: tuple[str, ...]
) -> None:
    async with opened(live, portal.slug, protocols=protocols) as socket:
        assert (await socket.closed())[0] == 4406


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("5", 4400),
        ("null", 4400),
        ("[]", 4400),
        ('"connection_init"', 4400),
        ("{", 4400),
        ("[" * 100_000, 4400),
        ("{}", 4400),
        ('{"type": 5}', 4400),
        ('{"type": "start", "id": "1"}', 4400),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "complete"}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{a}"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{a}"}}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": null}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
    ],
)
async def test_what_is_no_message_closes_the_socket_with_a_code(
    live: Serving, portal: Portal, said: str, code: int
) -> None:
    async with opened(live, portal.slug) as socket:
        await socket.begin()
        await socket.raw.send(said)
        assert (await socket.closed())[0] == code


async def test_binary_messages_and_large_ones_close_the_socket(
    world: World, settings: Settings, portal: Portal
) -> None:
    async with serving(settings, world.database, world.passwords, max_body_bytes=1_000) as live:
        async with opened(live, portal.slug) as socket:
            await socket.raw.send(b'{"type": "connection_init"}')
            assert (await socket.closed())[0] == 4400
        async with opened(live, portal.slug) as socket:
            await socket.say(type="ping", payload={"x": "y" * 1_000})
            assert (await socket.closed())[0] == 1009


async def test_nothing_is_subscribed_before_the_beginning_nor_twice_under_one_id(
    live: Serving, portal: Portal, bea: Client
) -> None:
    async with opened(live, portal.slug) as socket:
        await socket.subscribe()
        assert await socket.closed() == (4401, "Unauthorized")
    async with watching(live, bea) as socket:
        await socket.subscribe()
        assert (await socket.closed())[0] == 4409


async def test_a_socket_that_never_begins_is_closed(world: World, settings: Settings, portal: Portal) -> None:
    async with (
        serving(settings, world.database, world.passwords, live_init_seconds=0.1) as live,
        opened(live, portal.slug) as socket,
    ):
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong", "payload": None}
        assert (await socket.closed())[0] == 4408


async def test_a_socket_on_which_nothing_runs_is_closed_whoever_it_is(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with serving(settings, world.database, world.passwords, live_idle_seconds=0.3) as live:
        closed = (4408, "No subscription was running for too long")
        async with opened(live, portal.slug) as socket:
            await socket.begin()
            await socket.say(type="ping")
            assert await socket.hear() == {"type": "pong", "payload": None}
            assert await socket.closed() == closed
        async with watching(live, bea) as socket:
            assert await is_silent(socket)
            assert await is_silent(socket)
            await bea.ask("mutation { signOut { errors { code } } }")
            assert await socket.code() == "UNAUTHENTICATED"
            assert await socket.closed() == closed


async def test_the_time_without_a_subscription_is_counted_from_the_end_of_the_last(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with (
        serving(settings, world.database, world.passwords, live_idle_seconds=0.5) as live,
        watching(live, bea) as socket,
    ):
        await socket.subscribe(id="2")
        await live.watched(2)
        await socket.say(type="complete", id="1")
        await live.watched(1)
        await asyncio.sleep(0.7)
        number = await order(bea)
        assert await socket.numbers() == [number]
        await socket.say(type="complete", id="2")
        await live.watched(0)
        await asyncio.sleep(0.1)
        await socket.subscribe(id="3")
        await asyncio.sleep(0.7)
        number = await order(bea)
        assert await socket.numbers() == [number]
        await socket.say(type="complete", id="3")
        assert (await socket.closed())[0] == 4408


async def test_a_reason_is_cut_to_the_bytes_that_a_close_frame_has(
    live: Serving, portal: Portal, bea: Client
) -> None:
    long = "\N{TOMATO}" * 90
    async with opened(live, portal.slug) as socket:
        await socket.begin(bea.token)
        await socket.subscribe(id=long)
        await socket.subscribe(id=long)
        code, reason = await socket.closed()
    assert code == 4409
    assert reason.startswith("Subscriber for \N{TOMATO}")
    assert len(reason.encode()) <= 123


async def test_a_ping_that_is_nested_too_deep_to_be_written_gets_a_bare_pong(
    live: Serving, portal: Portal
) -> None:
    async with opened(live, portal.slug) as socket:
        await socket.begin()
        await socket.raw.send('{"type": "ping", "payload": ' + '{"a": ' * 400 + "1" + "}" * 401)
        assert await socket.hear() == {"type": "pong"}


BOMB = "subscription { orderChanged { ...f0 } } fragment f60 on Order { id } " + " ".join(
    f"fragment f{level} on Order {{ a: placedTogether {{ ...f{level + 1} }} b: placedTogether {{ ...f{level + 1} }} }}"
    for level in range(60)
)
DEEP = "{ orderChanged " + "{ placedTogether " * 30 + "{ id }" + " }" * 31


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription {"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": f"subscription {DEEP}"}, "OPERATION_TOO_COMPLEX"),
        ({"query": BOMB}, "OPERATION_TOO_COMPLEX"),
        ({"query": "subscription { " + "a: orderChanged { id } " * 3_000 + "}"}, "OPERATION_TOO_COMPLEX"),
        (
            {"query": "subscription { a: orderChanged { id } b: orderChanged { id } }"},
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ({"query": CHANGED + " query b { viewer { account { id } } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription a { orderChanged { id } } query b { viewer { account { id } } }"}, None),
        ({"query": "subscription a { orderChanged { id } }", "operationName": "b"}, "OPERATION_NOT_FOUND"),
        ({"query": "{ portal { slug } }"}, "OPERATION_NOT_SUPPORTED"),
        ({"query": "mutation { signOut { errors { code } } }"}, "OPERATION_NOT_SUPPORTED"),
        ({"query": 5}, "BAD_REQUEST"),
        ({"query": CHANGED, "variables": []}, "BAD_REQUEST"),
        ({"query": CHANGED, "variables": {"order": "\0"}}, "BAD_REQUEST"),
        ({"query": CHANGED, "variables": {"order": {}}}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_wrong_with_one_operation_leaves_the_others_alone(
    live: Serving, portal: Portal, bea: Client, payload: dict[str, Any], code: str | None
) -> None:
    async with watching(live, bea) as socket:
        await socket.say(type="subscribe", id="2", payload=payload)
        message = await socket.hear()
        assert (message["type"], message["id"]) == ("error", "2")
        if code is not None:
            assert message["payload"][0]["extensions"]["code"] == code
        await socket.say(type="complete", id="unknown")
        await socket.say(type="ping", payload={"at": 1})
        assert await socket.hear() == {"type": "pong", "payload": {"at": 1}}
        number = await order(bea)
        assert await socket.numbers() == [number]


async def test_a_socket_has_only_so_many_operations(live: Serving, portal: Portal, bea: Client) -> None:
    async with opened(live, portal.slug) as socket:
        await socket.begin(bea.token)
        for number in range(3):
            await socket.subscribe(id=str(number))
        await live.watched(3)
        await socket.subscribe(id="3")
        assert await socket.code() == "TOO_MANY_SUBSCRIPTIONS"
        await socket.say(type="complete", id="0")
        await live.watched(2)
        await socket.subscribe(id="0")
        await live.watched(3)


async def test_introspection_is_switched_off_here_too(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with (
        serving(settings, world.database, world.passwords, introspection=False) as live,
        opened(live, portal.slug) as socket,
    ):
        await socket.begin(bea.token)
        await socket.subscribe("subscription { __schema { types { name } } }")
        assert (await socket.hear())["type"] == "error"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, multipart/mixed", "text/event-stream"),
        ("application/json, text/event-stream", "application/json"),
        ("application/graphql-response+json, text/event-stream;q=0.1", "application/graphql-response+json"),
        ("text/event-stream, */*", "application/json"),
        ("text/event-stream;q=0", "application/json"),
    ],
)
async def test_events_are_streamed_only_to_who_takes_nothing_else(
    live: Serving, portal: Portal, accept: str, kind: str
) -> None:
    async with streaming(live, portal.slug, None, accept=accept) as stream:
        assert stream.response.headers["content-type"].startswith(kind)


async def test_a_stream_carries_only_subscriptions_and_beats_while_nothing_happens(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with serving(settings, world.database, world.passwords, live_heartbeat_seconds=0.05) as live:
        async with streaming(live, portal.slug, bea.token, "{ portal { slug } }") as stream:
            assert await stream.code() == "OPERATION_NOT_SUPPORTED"
        async with streaming(live, portal.slug, bea.token) as stream:
            chunks = stream.response.aiter_raw()
            beats = b""
            async with asyncio.timeout(5):
                while beats.count(b":\n\n") < 4:
                    beats += await anext(chunks)
        async with streaming(live, portal.slug, bea.token, "subscription {") as stream:
            assert await stream.code() == "GRAPHQL_PARSE_FAILED"


async def test_nothing_comes_after_the_last_frame_of_a_stream() -> None:
    frames: list[bytes] = []

    async def told() -> AsyncGenerator[Told, None]:
        await asyncio.sleep(0.01)
        yield Told({"data": None}, run=True, codes=[], worst=HTTPStatus.OK)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            frames.append(message["body"] if message["more_body"] else b"last")
        await asyncio.sleep(0)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    stream = EventStream(told(), nullcontext(), heartbeat_seconds=0, write_seconds=5)
    await stream({"type": "http"}, receive, send)
    assert frames.count(b":\n\n") > 1
    assert frames.index(b"last") == len(frames) - 1
