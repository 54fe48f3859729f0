"""A tenant at full load, and those beside it: number 24."""

import asyncio
import itertools
import multiprocessing
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeAlias

import httpx

from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.servers import Serving, serving
from bench.peers.data import Portal
from bench.peers.operations import new_document

_CONNECTIONS = 32
_ROUNDS, _ROUND_SECONDS = 5, 6.0
_MOST = 2.0
_MANY = 1_000_000  # more than are asked in a round
_HEAVY = """{ orders(first: 50) { nodes { number customer { code } lines { sku quantity product { sku
  stock { onHand warehouse { code } } } } } } }"""
_LIGHT = "{ orders(first: 5) { nodes { number lines { sku } } } }"


Document: TypeAlias = Callable[[int], str]

_OTHERS = "one tenant at full load: others' p99 within x2"
_BESIDE = f"two other tenants a light one now and then; one server, {_ROUNDS} rounds with and without"


@line(
    24,
    must=f"{_OTHERS}, its own requests throttled with a time to retry",
    done=f"{_CONNECTIONS} connections of one tenant ask a heavy read without pause, {_BESIDE}",
)
async def heavy_reads(ground: Ground, claims: Claims) -> str:
    """What others wait for may not hang on what one asks."""
    figure, statuses = await _beside(ground, claims, _heavy)
    claims.that(statuses["429 later"] > 0, "its own requests are throttled")
    return figure


@line(
    24,
    must=_OTHERS,
    done=f"{_CONNECTIONS} connections of one tenant send a large document without pause, each time another one, {_BESIDE}",
)
async def new_documents(ground: Ground, claims: Claims) -> str:
    """Nor on how much there is to be looked at before anything is asked: few of them are, one after the other."""
    figure, _ = await _beside(ground, claims, new_document)
    return figure


async def _beside(ground: Ground, claims: Claims, document: Document) -> "tuple[str, Counter[str]]":
    greedy, *others = ground.portals
    alone, beside, statuses = list[float](), list[float](), Counter[str]()
    spawning = multiprocessing.get_context("spawn")  # who asks without pause has a process of its own
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        async with serving(ground.place) as server:
            await _p99(server, others, 1.0)  # warms up
            for each in range(_ROUNDS):
                alone.append(await _p99(server, others, _ROUND_SECONDS))
                given = server.url(greedy), greedy.token, document, each * _MANY, _ROUND_SECONDS + 3
                load = asyncio.get_running_loop().run_in_executor(process, _load, *given)
                await asyncio.sleep(2)
                beside.append(await _p99(server, others, _ROUND_SECONDS))
                statuses += await load
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    claims.that(ratio <= _MOST, f"others' p99 stays within x{_MOST:.0f}")
    claims.that(set(statuses) <= {"200", "429 later"}, "what is refused is 429 with a time to retry")
    told = ", ".join(f"{count} x {status}" for status, count in statuses.most_common())
    figure = (
        f"others' p99 {statistics.median(alone) * 1_000:.0f} ms alone, {statistics.median(beside) * 1_000:.0f} ms "
        f"beside, x{ratio:.1f}; the tenant itself: {told}"
    )
    return figure, statuses


async def _p99(server: Serving, portals: Sequence[Portal], seconds: float) -> float:
    """The slowest hundredth of what a client of each of some tenants waits for, that asks now and then."""
    waited: list[float] = []

    async def ask(http: httpx.AsyncClient, portal: Portal) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.perf_counter()
            response = await http.post(
                server.url(portal),
                json={"query": _LIGHT},
                headers={"authorization": f"Bearer {portal.token}"},
            )
            waited.append(time.perf_counter() - started)
            response.raise_for_status()
            await asyncio.sleep(0.03)

    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        await asyncio.gather(*(ask(http, portal) for portal in portals))
    return statistics.quantiles(waited, n=100)[98]


def _heavy(_number: int) -> str:
    return _HEAVY


def _load(url: str, token: str, document: Document, first: int, seconds: float) -> "Counter[str]":
    """Ask without pause, in a process of its own: how often each status came, with the time to retry if there was one."""
    return asyncio.run(_ask_without_pause(url, token, document, first, seconds))


async def _ask_without_pause(
    url: str, token: str, document: Document, first: int, seconds: float
) -> "Counter[str]":
    statuses, numbers = Counter[str](), itertools.count(first)
    headers = {"authorization": f"Bearer {token}"}
    until = time.monotonic() + seconds

    async def ask(http: httpx.AsyncClient) -> None:
        while time.monotonic() < until:
            response = await http.post(url, json={"query": document(next(numbers))}, headers=headers)
            later = " later" if "retry-after" in response.headers or "retryAfter" in response.text else ""
            statuses[f"{response.status_code}{later}"] += 1

    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        await asyncio.gather(*(ask(http) for _ in range(_CONNECTIONS)))
    return statuses
