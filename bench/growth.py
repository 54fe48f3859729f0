"""Cost as it grows: `python -m bench.growth`; see --help.

Two questions to this server: what do operations A and C of bench.peers cost a request, server and PostgreSQL, when a
portal has a thousand order lines or a million; and when there is one company or a thousand? And one more: how much do two
processes answer that one does not?
"""

import argparse
import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from bench.peers import data, database, machine, plots, processes, report, servers
from bench.peers.data import LINES, Portal, Size
from bench.peers.database import SERVER_CORE, Place
from bench.peers.load import under_load
from bench.peers.meter import Cost, Meter, cost
from bench.peers.operations import A, C, Operation
from bench.peers.servers import COMPILED, CONNECTIONS, Running
from server.settings import ROOT

_WARM_SECONDS = 2.0
_LINES = (1_000, 10_000, 100_000, 1_000_000)
_MANY_LINES = 10_000_000
_TENANTS = (1, 10, 100, 1_000)
_SMALL = Size(orders=200, products=200, customers=20, documents=False)
_WORKERS = (1, 2)
_OPERATIONS = (A, C)
_PROCESSES = "processes"
_PLOT = ROOT / "docs" / "performance-growth.png"


@dataclass(frozen=True, slots=True)
class Step:
    """A cost of an operation where there is so much of something."""

    how_many: int
    operation: Operation
    cost: Cost


def main() -> None:
    """Make everything, measure, write it down, throw everything away."""
    given = _arguments()
    processes.unwind_when_told()
    os.sched_setaffinity(0, {database.OTHER_CORE})
    sizes = [*_LINES, _MANY_LINES] if given.ten_million else list(_LINES)
    with database.running() as place:
        lines = _by_lines(place, sizes, given.seconds)
    with database.running() as place:
        tenants = _by_tenants(place, given.seconds)
        workers = _by_workers(place, given.seconds)
    _write({"order lines of a portal": lines, "companies": tenants, _PROCESSES: workers}, dry=given.dry)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load, for each operation at each step")
    parser.add_argument(
        "--ten-million", action="store_true", help="go on to 10^7 order lines: 10 GB, minutes more"
    )
    parser.add_argument(
        "--dry", action="store_true", help="print the tables and leave docs/performance.md alone"
    )
    return parser.parse_args()


def _by_lines(place: Place, sizes: Sequence[int], seconds: float) -> list[Step]:
    """A portal for each number of lines, measured when it is there, before the next."""
    steps = []
    for number, lines in enumerate(sizes):
        portal = asyncio.run(data.fill(place, Size(orders=lines // LINES, documents=False), number))
        print(f"{lines:,} order lines")
        steps += _steps(place, [portal], lines, seconds)
    return steps


def _by_tenants(place: Place, seconds: float) -> list[Step]:
    """Small portals, more and more of them, all asked in turns."""
    steps: list[Step] = []
    portals: list[Portal] = []
    for count in _TENANTS:
        portals += asyncio.run(data.fill_many(place, _SMALL, len(portals), count))
        print(f"{count:,} companies")
        steps += _steps(place, portals, count, seconds)
    return steps


def _by_workers(place: Place, seconds: float) -> list[Step]:
    """One process or two, on whatever core is free: they share both with PostgreSQL and with whoever asks."""
    portal = asyncio.run(data.fill(place, Size(documents=False), number=_TENANTS[-1]))
    steps = []
    for count in _WORKERS:
        print(f"{count} processes")
        steps += _steps(place, [portal], count, seconds, count=count, core=None)
    return steps


def _steps(
    place: Place,
    portals: Sequence[Portal],
    how_many: int,
    seconds: float,
    *,
    count: int = 1,
    core: int | None = SERVER_CORE,
) -> list[Step]:
    with servers.running([COMPILED] * count, place, portals[0], core=core) as running:
        return [
            Step(how_many, each, uvloop.run(_cost(running, each, place, portals, seconds)))
            for each in _OPERATIONS
        ]


async def _cost(
    running: Sequence[Running], operation: Operation, place: Place, portals: Sequence[Portal], seconds: float
) -> Cost:
    """All portals asked in turns, the connections spread over the servers."""
    connections = CONNECTIONS // len(running)

    async def ask(for_seconds: float) -> Any:
        return await asyncio.gather(
            *(
                under_load(
                    server.port,
                    [server.request(operation, portal) for portal in portals],
                    _is_right,
                    seconds=for_seconds,
                    connections=connections,
                )
                for server in running
            )
        )

    await ask(_WARM_SECONDS)
    meter = Meter(running, place)
    loads = await ask(seconds)
    meter.stop()
    whole = loads[0]
    for other in loads[1:]:
        whole.latencies += other.latencies
    return cost(whole, meter)


def _is_right(answer: bytes) -> bool:
    return b'"errors"' not in answer


def _write(found: Mapping[str, Sequence[Step]], *, dry: bool) -> None:
    tables = "\n\n".join("\n".join(_table(what, steps)) for what, steps in found.items())
    print(tables)
    if dry:
        return
    report.replace("growth", f"{machine.described()}.\n\n{tables}\n")
    raw = {what: [_raw(each) for each in steps] for what, steps in found.items()}
    report.keep("growth", {"machine": machine.described(), "figures": raw})
    plots.lines({what: _curves(steps) for what, steps in found.items() if what != _PROCESSES}, _PLOT)


def _table(what: str, steps: Sequence[Step]) -> list[str]:
    """CPU of the server and of PostgreSQL a request, and how many requests a second."""
    head = [what]
    for each in _OPERATIONS:
        head += [f"{each.name} server ms", f"{each.name} PostgreSQL ms", f"{each.name} requests/s"]
    rows: dict[int, list[str]] = {}
    for step in steps:
        row = rows.setdefault(step.how_many, [f"{step.how_many:,}"])
        row += [f"{step.cost.server_ms:.2f}", f"{step.cost.postgres_ms:.2f}", f"{step.cost.per_second:,.0f}"]
    return report.as_table(head, list(rows.values()))


def _curves(steps: Sequence[Step]) -> dict[str, list[tuple[int, float]]]:
    return {
        f"{each.name}: {each.title}": [
            (step.how_many, step.cost.both_ms) for step in steps if step.operation is each
        ]
        for each in _OPERATIONS
    }


def _raw(step: Step) -> dict[str, Any]:
    return {"how_many": step.how_many, "operation": step.operation.name, **asdict(step.cost)}


if __name__ == "__main__":
    main()
