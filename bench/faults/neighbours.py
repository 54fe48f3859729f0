"""A tenant at full load, and those beside it: line 24."""

import asyncio
import multiprocessing
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import httpx

from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.servers import Serving, serving
from bench.peers.data import Portal

_CONNECTIONS = 32
_ROUNDS, _ROUND_SECONDS = 3, 6.0
_MOST = 2.0
_HEAVY = """{ orders(first: 50) { nodes { number customer { code } lines { sku quantity product { sku
  stock { onHand warehouse { code } } } } } } }"""
_LIGHT = "{ orders(first: 5) { nodes { number lines { sku } } } }"


@line(
    24,
    must="one tenant at full load: others' p99 within x2, its own requests throttled with a time to retry",
    done=f"{_CONNECTIONS} connections of one tenant ask a heavy read without pause, two other tenants a light one now "
    f"and then; one server, {_ROUNDS} rounds with and without",
)
async def one_tenant_at_full_load(ground: Ground, claims: Claims) -> str:
    """What others wait for may not hang on what one asks."""
    greedy, *others = ground.portals
    alone, beside, statuses = list[float](), list[float](), Counter[str]()
    spawning = multiprocessing.get_context("spawn")  # who asks without pause has a process of its own
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        async with serving(ground.place) as server:
            await _p99(server, others, 1.0)  # warms up
            for _ in range(_ROUNDS):
                alone.append(await _p99(server, others, _ROUND_SECONDS))
                loop = asyncio.get_running_loop()
                load = loop.run_in_executor(
                    process, _load, server.url(greedy), greedy.token, _ROUND_SECONDS + 3
                )
                await asyncio.sleep(2)
                beside.append(await _p99(server, others, _ROUND_SECONDS))
                statuses += await load
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    throttled = sum(count for told, count in statuses.items() if told.endswith("later"))
    claims.that(ratio <= _MOST, f"others' p99 stays within x{_MOST:.0f}")
    claims.that(throttled > 0, "its own requests are throttled with a time to retry")
    told = ", ".join(f"{count} x {status}" for status, count in statuses.most_common())
    return (
        f"others' p99 {statistics.median(alone) * 1_000:.0f} ms alone, {statistics.median(beside) * 1_000:.0f} ms "
        f"beside, x{ratio:.1f}; the tenant itself: {told}"
    )


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


def _load(url: str, token: str, seconds: float) -> "Counter[str]":
    """Ask without pause, in a process of its own: how often each status came, with the time to retry if there was one."""
    return asyncio.run(_ask_without_pause(url, token, seconds))


async def _ask_without_pause(url: str, token: str, seconds: float) -> "Counter[str]":
    statuses = Counter[str]()
    headers = {"authorization": f"Bearer {token}"}
    until = time.monotonic() + seconds

    async def ask(http: httpx.AsyncClient) -> None:
        while time.monotonic() < until:
            response = await http.post(url, json={"query": _HEAVY}, headers=headers)
            later = " later" if "retry-after" in response.headers or "retryAfter" in response.text else ""
            statuses[f"{response.status_code}{later}"] += 1

    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        await asyncio.gather(*(ask(http) for _ in range(_CONNECTIONS)))
    return statuses
