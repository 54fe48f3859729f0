"""Lets wrk ask the real server a real query, signed in, over more and more connections; run by `make audits-load`.

Nothing may go wrong but what is told: 429 and 503 with a code and a time to retry. What it costs to ask is in docs/performance.md.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.faults.servers import Serving, serving
from bench.peers import database, processes
from bench.peers.data import Portal, Size, fill
from tests.audits.outside import Verdict, console, found, row

_SIZE = Size(orders=400, products=200, customers=20)
_QUERY = "{ orders(first: 10) { nodes { number placedAt totals { net { amount } } lines { sku name quantity } } } }"
_CONNECTIONS = (1, 4, 16, 64)
_SECONDS = 5
# More than wrk can ask for; and less than it does, so that much has to be refused.
_AMPLE = dict.fromkeys(
    ("budget_units", "budget_per_second", "portal_budget_units", "portal_budget_per_second"), 2_000_000_000
)
_SCARCE = {**_AMPLE, "budget_units": 50_000, "budget_per_second": 50_000}
_WIDTHS = (22, 12, 8, 8, 8, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What wrk counted: answers by kind, connections that failed, and milliseconds of latency."""

    right: int
    told: int
    wrong: int
    failed: int
    seconds: float
    p50: float
    p90: float
    p99: float
    most: float

    @property
    def per_second(self) -> float:
        """Answers with what was asked for."""
        return self.right / self.seconds


def main() -> int:
    """Ask at each number of connections with room for all, then once with little."""
    wrk = found("wrk", "`apt-get install wrk` brings it (Debian, Ubuntu).")
    processes.unwind_when_told()
    verdict = Verdict()
    with database.running() as place:
        portal = asyncio.run(fill(place, _SIZE))
        console.print(
            row(
                ("connections", "requests/s", "x", "p50 ms", "p90 ms", "p99 ms", "most ms", "429, 503"),
                _WIDTHS,
            )
        )
        asyncio.run(_judge(wrk, place, portal, verdict))
    return verdict.told("wrk")


async def _judge(wrk: str, place: database.Place, portal: Portal, verdict: Verdict) -> None:
    async with serving(place, _AMPLE) as server:
        await _asked(wrk, server, portal, 4, 2)  # warms up
        first, *others = [await _asked(wrk, server, portal, each, _SECONDS) for each in _CONNECTIONS]
        for connections, outcome in zip(_CONNECTIONS, (first, *others), strict=True):
            _tell(f"{connections}", outcome, first, verdict)
        verdict.that(await server.at("/healthz") == 200, "the server lives after the load")
    async with serving(place, _SCARCE) as server:
        refused = await _asked(wrk, server, portal, 16, _SECONDS)
        _tell("16, little budget", refused, first, verdict)
        verdict.that(refused.told > 0, "who asks for more than the budget is told so")


def _tell(name: str, outcome: Outcome, first: Outcome, verdict: Verdict) -> None:
    ratio = f"x{outcome.per_second / first.per_second:.2f}" if first.right else ""
    latencies = (f"{each:.1f}" for each in (outcome.p50, outcome.p90, outcome.p99, outcome.most))
    console.print(row((name, f"{outcome.per_second:.0f}", ratio, *latencies, outcome.told), _WIDTHS))
    verdict.that(outcome.right > 0, f"{name}: something is answered")
    verdict.that(outcome.wrong == 0, f"{name}: {outcome.wrong} answers are neither right nor told")
    verdict.that(outcome.failed == 0, f"{name}: {outcome.failed} connections broke or heard nothing")


async def _asked(wrk: str, server: Serving, portal: Portal, connections: int, seconds: int) -> Outcome:
    """What one run of wrk counts."""
    process = await asyncio.create_subprocess_exec(
        wrk,
        "--threads=1",
        f"--connections={connections}",
        f"--duration={seconds}s",
        "--timeout=10s",
        f"--script={Path(__file__).with_name('load.lua')}",
        server.url(portal),
        env={
            "PATH": os.environ["PATH"],
            "KONTOR_LOAD_BODY": json.dumps({"query": _QUERY}),
            "KONTOR_LOAD_TOKEN": portal.token,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), seconds + 30)
    except TimeoutError:
        process.kill()
        raise
    lines = said.decode(errors="replace").splitlines()
    for wrong in (line for line in lines if line.startswith("wrong: ")):
        console.print(wrong, markup=False)
    told = next((line for line in lines if line.startswith("load: ")), None)
    if told is None:
        sys.exit(f"wrk says nothing of use: {said.decode(errors='replace')[-500:]}")
    return Outcome(**json.loads(told.removeprefix("load: ")))


if __name__ == "__main__":
    sys.exit(main())
