"""Lets slowhttptest hold on to the real server's connections in each way that it knows; run by `make audits-slow`.

Each way has to end by a deadline of ours, and an honest client beside it has to get its answers as before.
"""

import asyncio
import csv
import os
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.faults.asking import Answer, Client, client
from bench.faults.servers import Serving, serving
from bench.peers import database, processes
from bench.peers.data import Portal, Size, fill
from server.settings import ROOT
from tests.audits.outside import Verdict, console, found, row

_SIZE = Size(orders=400, products=200, customers=20)
_QUERY = "{ orders(first: 5) { nodes { number lines { sku } } } }"
_CONNECTIONS, _PER_SECOND = 200, 100
_LONGEST_SECONDS = 45
# Shorter than as they are set, so that a run is short. What they are is counted, not how long.
_HEAD_SECONDS, _BODY_SECONDS, _READ_SECONDS = 5, 6, 8
_SETTINGS = {
    "head_seconds": _HEAD_SECONDS,
    "request_deadline_seconds": _BODY_SECONDS,
    "read_seconds": _READ_SECONDS,
    "introspection": "true",  # the schema's text is long, and asked for without a token
}
# uvicorn closes what is quiet after an answer.
_QUIET_SECONDS = 5
_SLACK_SECONDS = 4
_MOST_SLOWER = 2.0
_HONEST_SECONDS, _PAUSE_SECONDS = 4.0, 0.02
_WIDTHS = (14, 14, 18, 10, 10, 10, 10)
# Of the honest clients and of slowhttptest's probe.
_OTHERS = 4
# TCP's states: established, closed here with bytes on the way, closed there.
_HELD = {"01", "04", "08"}


@dataclass(frozen=True, slots=True)
class Attack:
    """A way to be slow: slowhttptest's arguments, where to, and after how many seconds a connection has to be closed."""

    name: str
    arguments: Sequence[str]
    path: str
    deadline: float
    holds: bool = True  # or only asks for what costs much, and is answered


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many connections were held at once at most, after how many seconds the last one ended, and whether slowhttptest's
    own probe was always answered. What is held is held by the server or, with bytes that nobody takes, by the kernel for it;
    slowhttptest counts those too that only its own end still has."""

    most_held: int
    seconds: float
    served: bool


def _attacks(portal: Portal) -> list[Attack]:
    graphql, text = f"/portals/{portal.slug}/graphql", f"/portals/{portal.slug}/schema.graphql"
    attacks = [
        Attack("slow headers", ("-H", "-i", "1", "-x", "8"), graphql, _HEAD_SECONDS),
        Attack(
            "slow body",
            ("-B", "-i", "1", "-x", "8", "-s", "8192", "-t", "POST", "-f", "application/json"),
            graphql,
            _BODY_SECONDS + _HEAD_SECONDS,  # what comes after its refusal is the next head
        ),
        Attack(
            "slow read",
            ("-X", "-w", "8", "-y", "16", "-n", "1", "-z", "8", "-k", "3"),
            text,
            _READ_SECONDS + _QUIET_SECONDS,
        ),
    ]
    pages = sorted(
        (ROOT / "frontend" / "graphiql" / "dist").rglob("*.js"), key=lambda each: each.stat().st_size
    )
    if pages:
        asset = f"/graphiql/{pages[-1].relative_to(ROOT / 'frontend' / 'graphiql' / 'dist')}"
        attacks.append(
            Attack(
                "many ranges", ("-R", "-t", "GET", "-a", "5", "-b", "3000"), asset, _READ_SECONDS, holds=False
            )
        )
    else:
        console.print(
            "many ranges: left out, since only GraphiQL's files have ranges and it is not built here."
        )
    return attacks


def main() -> int:
    """Try each way, and say what came of it."""
    program = found("slowhttptest", "`apt-get install slowhttptest` brings it (Debian, Ubuntu).")
    processes.unwind_when_told()
    verdict = Verdict()
    with database.running() as place:
        portal = asyncio.run(fill(place, _SIZE))
        asyncio.run(_judge(program, place, portal, verdict))
    return verdict.told("slowhttptest")


async def _judge(program: str, place: database.Place, portal: Portal, verdict: Verdict) -> None:
    attacks = _attacks(portal)
    console.print(
        row(("", "held at most", "all ended after", "allowed", "median", "p99", "answers"), _WIDTHS)
    )
    async with serving(place, _SETTINGS) as server, client(server.url(portal), portal.token) as honest:
        await _asked(honest, 2.0)  # warms up
        for attack in attacks:
            alone = await _asked(honest, _HONEST_SECONDS)
            running = asyncio.create_task(_slow(program, server, attack, place.home))
            await asyncio.sleep(1)
            beside = await _asked(honest, _HONEST_SECONDS)
            _tell(attack, await running, alone, beside, verdict)
        verdict.that(await server.at("/healthz") == 200, "the server lives")


def _tell(
    attack: Attack, outcome: Outcome, alone: Sequence[Answer], beside: Sequence[Answer], verdict: Verdict
) -> None:
    allowed = _CONNECTIONS / _PER_SECOND + attack.deadline + _SLACK_SECONDS
    slower = _median(beside) / _median(alone)
    cells = (
        attack.name,
        outcome.most_held,
        f"{outcome.seconds:.1f} s",
        f"{allowed:.0f} s",
        f"x{slower:.2f}",
        f"x{_p99(beside) / _p99(alone):.2f}",
        len(beside),
    )
    console.print(row(cells, _WIDTHS))
    verdict.that(
        not attack.holds or outcome.most_held >= _CONNECTIONS / 2,
        f"{attack.name}: slowhttptest gets hold of connections",
    )
    verdict.that(outcome.seconds <= allowed, f"{attack.name}: all have ended within {allowed:.0f} s")
    verdict.that(outcome.served, f"{attack.name}: slowhttptest's own probe is answered all the time")
    verdict.that(
        all(each.right for each in [*alone, *beside]), f"{attack.name}: honest requests are answered"
    )
    verdict.that(slower <= _MOST_SLOWER, f"{attack.name}: the honest median stays within x{_MOST_SLOWER}")


async def _asked(honest: Client, seconds: float) -> list[Answer]:
    """What two honest clients are answered who ask now and then."""
    until, answers = time.monotonic() + seconds, list[Answer]()

    async def ask() -> None:
        while time.monotonic() < until:
            answers.append(await honest.ask(_QUERY))
            await asyncio.sleep(_PAUSE_SECONDS)

    await asyncio.gather(ask(), ask())
    return answers


def _median(answers: Sequence[Answer]) -> float:
    return statistics.median(each.seconds for each in answers)


def _p99(answers: Sequence[Answer]) -> float:
    return statistics.quantiles((each.seconds for each in answers), n=100)[98]


async def _slow(program: str, server: Serving, attack: Attack, home: Path) -> Outcome:
    """Let slowhttptest hold on until nothing is held any more, or for the longest time."""
    kept = home / attack.name.replace(" ", "-")
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        program,
        *attack.arguments,
        *("-c", str(_CONNECTIONS), "-r", str(_PER_SECOND), "-l", str(_LONGEST_SECONDS), "-p", "3"),
        *("-u", server.address(attack.path), "-g", "-o", str(kept)),
        env={"PATH": os.environ["PATH"], "TERM": "dumb"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    most = 0
    try:
        await asyncio.sleep(_CONNECTIONS / _PER_SECOND)
        while (held := _held(server.port)) > _OTHERS and time.monotonic() - started < _LONGEST_SECONDS:
            most = max(most, held)
            await asyncio.sleep(0.25)
        seconds = time.monotonic() - started
        # It ends by itself when its connections have ended for it too, and writes down what it saw when it is told to end.
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 15)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    with kept.with_suffix(".csv").open(newline="") as file:
        served = all(int(each["Service Available"]) for each in csv.DictReader(file))
    return Outcome(most, seconds, served)


def _held(port: int) -> int:
    """How many connections of a port wait for something of their other end."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(int(own.rpartition(":")[2], 16) == port and state in _HELD for _, own, _, state, *_ in lines)


if __name__ == "__main__":
    sys.exit(main())
