"""Servers that are killed, and servers that are told to stop: lines 42 and 43."""

import asyncio
import json
import signal
import time
from contextlib import suppress

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench.faults import places
from bench.faults.asking import ADD, NO_ANSWER, Answer, asking, sku
from bench.faults.lines import Claims, line
from bench.faults.outages import Ordering
from bench.faults.places import Ground
from bench.faults.proxy import before_postgres
from bench.faults.servers import Serving, serving
from bench.peers.data import Portal

_ROUNDS = 4
_GRACE_SECONDS = 10  # server.serving's
_HELD_SECONDS = 1.5
_LOCK = "lock table orders in exclusive mode"
_WATCH = "subscription { orderChanged { number } }"
_PLACED = "select count(distinct order_id) from order_lines where tenant_id = $1 and sku = $2"


@line(
    42,
    must="kill -9 of the server before commit: a retry gives one order, the right number",
    done="an order made to wait inside its transaction, its server killed, the order repeated at another under its key",
)
async def killed_before_commit(ground: Ground, claims: Claims) -> str:
    """PostgreSQL undoes what the server did not commit, and the key is free again."""
    place, portal = ground.place, ground.portal
    async with (
        serving(place) as first,
        serving(place) as second,
        asking(first, portal, portal.buyers[0]) as buyer,
    ):
        before = await places.asked(place, _PLACED, portal.tenant_id, sku(20))
        await buyer.ask(ADD, sku=sku(20))
        async with places.held(place, _LOCK):
            asked = asyncio.create_task(buyer.place("before"))
            await places.waiting(place, 1)
            first.kill()
            lost = await asked
        return await _repeated(ground, second, "before", lost, before, claims)


@line(
    42,
    must="kill -9 of the server after commit: a retry gives one order, the right number",
    done="a proxy lets the COMMIT of an order arrive and swallows the answer, the server killed, the order repeated at another",
)
async def killed_after_commit(ground: Ground, claims: Claims) -> str:
    """What was committed is what a repeat is told."""
    place, portal = ground.place, ground.portal
    async with (
        before_postgres(place) as (proxy, url),
        serving(place, database_url=url) as first,
        serving(place) as second,
        asking(first, portal, portal.buyers[0]) as buyer,
    ):
        before = await places.asked(place, _PLACED, portal.tenant_id, sku(21))
        await buyer.ask()  # then it is known who pays: the next commit is the order's, not that of a budget
        await buyer.ask(ADD, sku=sku(21))
        proxy.mute_after = b"commit\0"
        asked = asyncio.create_task(buyer.place("after"))
        await asyncio.wait_for(proxy.muted.wait(), 10)
        await _is_kept(ground, "after")
        first.kill()
        return await _repeated(ground, second, "after", await asked, before, claims, sku(21))


async def _is_kept(ground: Ground, key: str) -> None:
    """Wait until what was answered under a key is committed."""
    question = "select count(*) from idempotency_keys where key = $1 and answer is not null"
    async with asyncio.timeout(10):
        while not await places.asked(ground.place, question, key):  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)


async def _repeated(
    ground: Ground,
    server: Serving,
    key: str,
    lost: Answer,
    before: int,
    claims: Claims,
    bought: str = sku(20),
) -> str:
    """Repeat an order three times at once, and count."""
    portal = ground.portal
    async with asking(server, portal, portal.buyers[0]) as buyer:
        again = await asyncio.gather(*(buyer.place(key) for _ in range(3)))
    count = await places.asked(ground.place, _PLACED, portal.tenant_id, bought) - before
    numbers = {each.number for each in again}
    claims.that(lost.status == NO_ANSWER, "whoever asked the killed server gets no answer")
    claims.that(len(numbers) == 1 and None not in numbers, "all repeats answer the same order")
    claims.that(count == 1, "there is one order")
    claims.that(await places.orders_are_whole(ground.place, portal), "numbers are unique and without gaps")
    return f"3 repeats at once: {', '.join(map(str, numbers))}, {count} order"


@line(
    42,
    must="kill -9 of the server at any moment: retries give one order each, numbers without gaps",
    done=f"8 buyers order without pause, their server killed at some moment, {_ROUNDS} times; all repeated at another under their keys",
)
async def killed_at_any_moment(ground: Ground, claims: Claims) -> str:
    """Whatever the moment hits, a key is one order."""
    place, portal = ground.place, ground.portal
    orders = repeated = 0
    async with serving(place) as other:
        for round_ in range(_ROUNDS):
            async with serving(place) as server:
                ordering = Ordering(server, portal)
                buying = ordering.run()
                await asyncio.sleep(1.0 + 0.137 * round_)
                ordering.stop.set()
                server.kill()
                await asyncio.gather(*buying)
            again = await ordering.repeat_all(other)
            repeated += ordering.agrees(again, claims)
            orders += len(again)
    claims.that(repeated > 0, "some were under way")
    claims.that(await places.orders_are_whole(place, portal), "numbers are unique and without gaps")
    return f"{orders} orders, {repeated} of them under way when a server was killed: each there once"


@line(
    43,
    must="SIGTERM: answers what is in flight, closes sockets with 1012, exits in its grace time",
    done=f"SIGTERM with a read that ends {_HELD_SECONDS} s later, a socket and a stream that watch, an idle connection, a worker",
)
async def told_to_stop(ground: Ground, claims: Claims) -> str:
    """What has begun is finished, what would never end is ended so that clients come again, nothing new is taken."""
    place, portal = ground.place, ground.portal
    async with serving(place, {"worker": "true"}) as server, asking(server, portal) as viewer:
        idle = await _held_open(server)
        await viewer.ask()
        watching = asyncio.create_task(_watch_socket(server, portal))
        streaming = asyncio.create_task(_watch_stream(server, portal))
        await asyncio.sleep(1)
        async with places.held(place, "lock table orders in access exclusive mode"):
            asked = asyncio.create_task(viewer.ask())
            await places.waiting(place, 1)
            server.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            await asyncio.sleep(_HELD_SECONDS)
            refused = await server.at("/healthz")
        answer, code, ended = await asyncio.gather(asked, watching, streaming)
        exit_code = await asyncio.to_thread(server.process.wait, 2 * _GRACE_SECONDS)
        took = time.monotonic() - started
        idle.close()
    claims.that(answer.right, "what is in flight is answered")
    claims.that(refused == 0, "nothing new is taken")
    claims.that(code == 1012, "the socket is closed with 1012")
    claims.that(ended, "the stream ends without complete")
    claims.that(took < _GRACE_SECONDS and exit_code == 0, f"it exits with 0 in {_GRACE_SECONDS} s")
    return f"200, closed with {code}, exit {exit_code} after {took:.1f} s of which {_HELD_SECONDS} s were the read's"


@line(
    43,
    must="SIGTERM while something does not end: exits in its grace time",
    done="SIGTERM with an order that waits for a lock for longer than the grace time, and a client that sends half a head",
)
async def told_to_stop_while_something_hangs(ground: Ground, claims: Claims) -> str:
    """The grace time is the end of it, and what had not been committed is undone."""
    place, portal = ground.place, ground.portal
    async with serving(place) as server, asking(server, portal) as viewer:
        half = await _held_open(server)
        half.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\n")
        async with places.held(place, "lock table orders in access exclusive mode"):
            asked = [asyncio.create_task(viewer.ask()) for _ in range(3)]
            await places.waiting(place, 3)
            server.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(server.process.wait, 25), 26)
            took = time.monotonic() - started
            await asyncio.gather(*asked)
        half.close()
    limit = _GRACE_SECONDS + 3
    claims.that(took < limit, f"it exits in {limit} s")
    return f"exit after {took:.1f} s of {_GRACE_SECONDS} s"


async def _held_open(server: Serving) -> asyncio.StreamWriter:
    """A connection on which nothing is asked."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    return writer


async def _watch_socket(server: Serving, portal: Portal) -> int:
    """Watch orders over a WebSocket; the code with which it is closed."""
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(server.url(portal, "ws"), subprotocols=[protocol], proxy=None) as socket:
        said = {"type": "connection_init", "payload": {"authorization": f"Bearer {portal.token}"}}
        await socket.send(json.dumps(said))
        await socket.recv()
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": _WATCH}}))
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
        return socket.close_code or 0


async def _watch_stream(server: Serving, portal: Portal) -> bool:
    """Watch orders as server-sent events; whether the stream ends without `complete`, as an interrupted one does."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {portal.token}"}
    heard = b""
    async with (
        httpx.AsyncClient(timeout=60, trust_env=False) as http,
        http.stream("POST", server.url(portal), json={"query": _WATCH}, headers=headers) as response,
    ):
        async for chunk in response.aiter_raw():
            heard += chunk
    return response.status_code == 200 and b"complete" not in heard and b"errors" not in heard
