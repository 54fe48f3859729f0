"""Clients that send or read so slowly that a connection would never end: line 13."""

import asyncio
import multiprocessing
import socket
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.servers import Serving, serving
from bench.peers.data import Portal
from bench.peers.load import connected, request

_HEAD_SECONDS, _BODY_SECONDS, _READ_SECONDS = 7, 7, 8
_SETTINGS = {
    "head_seconds": _HEAD_SECONDS,
    "request_deadline_seconds": _BODY_SECONDS,
    "read_seconds": _READ_SECONDS,
}
_HEADS, _BODIES, _READERS = 150, 100, 20
_EVERY_SECONDS = 0.5  # a byte
_ROUNDS, _ROUND_SECONDS = 3, 4.0
_SETTLED_SECONDS = 3.0  # until all slow ones are there, and what they asked for is answered
_MOST = 1.5  # by how much the slow ones may slow down the others' slowest hundredth
_LARGE = """{ orders(first: 50) { nodes { number customer { code name } lines { position sku name quantity
  product { sku name description stock { onHand warehouse { code name } } } } } } }"""
_LIGHT = "{ orders(first: 5) { nodes { number lines { sku } } } }"
_END = b"\r\n\r\n"


@line(
    13,
    must="slow headers, bodies, readers: closed by a deadline, honest p99 unchanged",
    done=f"{_HEADS} heads and {_BODIES} bodies byte by byte, {_READERS} clients that do not read, "
    f"beside 4 honest ones; {_ROUNDS} rounds with and without",
)
async def slow_clients(ground: Ground, claims: Claims) -> str:
    """Each kind is cut by its own deadline; what honest clients wait for does not change."""
    portal = ground.portal
    alone, beside, lasted = list[float](), list[float](), defaultdict[str, list[float]](list)
    # The slow ones have a process of their own, so that honest ones do not wait for whoever only plays them.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        async with serving(ground.place, _SETTINGS) as server:
            await _honest(server, portal, 1.0)  # warms up
            for _ in range(_ROUNDS):
                alone.append(await _honest(server, portal, _ROUND_SECONDS))
                slow = asyncio.get_running_loop().run_in_executor(process, _slow_ones, server.port, portal)
                await asyncio.sleep(_SETTLED_SECONDS)
                beside.append(await _honest(server, portal, _ROUND_SECONDS))
                for kind, seconds in await slow:
                    lasted[kind].append(seconds)
            alive = await server.at("/healthz")
    limits = {"heads": _HEAD_SECONDS, "bodies": _BODY_SECONDS + _HEAD_SECONDS, "readers": _READ_SECONDS}
    for kind, seconds in limits.items():
        claims.that(max(lasted[kind]) < seconds + 2, f"slow {kind} are cut within {seconds + 2} s")
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    claims.that(ratio < _MOST, f"the honest p99 stays within x{_MOST}")
    claims.that(alive == 200, "the server lives")
    longest = ", ".join(f"{kind} {max(seconds):.1f} s" for kind, seconds in lasted.items())
    return f"open for at most: {longest}; honest p99 {_ms(alone)} alone, {_ms(beside)} beside, x{ratio:.2f}"


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1_000:.0f} ms"


async def _honest(server: Serving, portal: Portal, seconds: float) -> float:
    """The slowest hundredth of what four clients wait for who ask now and then. Raises WrongAnswer."""
    asked = request(server.port, f"/portals/{portal.slug}/graphql", portal.token, {"query": _LIGHT})
    waited: list[float] = []
    lines = await connected(server.port, 4)

    async def ask(number: int) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.perf_counter()
            await lines[number].ask(asked)
            waited.append(time.perf_counter() - started)
            await asyncio.sleep(0.02)

    try:
        await asyncio.gather(*map(ask, range(len(lines))))
    finally:
        for each in lines:
            each.close()
    return statistics.quantiles(waited, n=100)[98]


def _slow_ones(port: int, portal: Portal) -> list[tuple[str, float]]:
    """What all slow clients do: of each its kind, and after how many seconds its connection was cut."""
    return asyncio.run(_all_at_once(port, portal))


async def _all_at_once(port: int, portal: Portal) -> list[tuple[str, float]]:
    large = request(port, f"/portals/{portal.slug}/graphql", portal.token, {"query": _LARGE})
    head = large.partition(_END)[0].replace(b"content-length: ", b"content-length: 9")

    async def timed(kind: str, work: Awaitable[None]) -> tuple[str, float]:
        started = time.monotonic()
        with suppress(OSError):
            await work
        return kind, time.monotonic() - started

    return await asyncio.gather(
        *(timed("heads", _drip(port, b"", head)) for _ in range(_HEADS)),
        *(timed("bodies", _drip(port, head + _END, b"x" * 1_000)) for _ in range(_BODIES)),
        *(timed("readers", _not_read(port, large)) for _ in range(_READERS)),
    )


async def _drip(port: int, first: bytes, then: bytes) -> None:
    """Send something, then byte by byte, until the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(first)
        for each in then:
            writer.write(bytes([each]))
            await writer.drain()
            await asyncio.sleep(_EVERY_SECONDS)
            if reader.at_eof() or reader.exception() or writer.is_closing():
                return
    finally:
        writer.close()


async def _not_read(port: int, asked: bytes) -> None:
    """Ask for more than fits on the way and read nothing, until the connection is cut."""
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        await loop.sock_sendall(raw, asked)
        # Nothing tells who does not read of the end but a failing write.
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await loop.sock_sendall(raw, b"\r\n")
