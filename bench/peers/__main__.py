"""The command: `python -m bench.peers`; see --help."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import uvloop

from bench.peers import data, database, measure, postgraphile, processes, real, report, servers
from bench.peers.load import WrongAnswer
from bench.peers.servers import Kind


def main() -> None:
    """Run, and say in one line what stood in the way."""
    try:
        _run(_arguments())
    except (measure.AnswersDiffer, real.NothingToMeasure, servers.NotStarted, WrongAnswer) as failed:
        sys.exit(f"{type(failed).__name__}: {failed}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(given: argparse.Namespace) -> None:
    """Make everything, measure, write it down, throw everything away."""
    processes.unwind_when_told()
    os.sched_setaffinity(0, {database.OTHER_CORE})
    kinds = _kinds()
    with database.running() as place:
        print(f"filling: {given.orders} orders of {data.LINES} lines")
        portal = asyncio.run(data.fill(place, data.Size(orders=given.orders)))
        asyncio.run(postgraphile.prepare(place))
        _measure(place, portal, kinds, given, "generated")
        if given.exchange is None or not given.exchange.is_dir():
            print("no exchange folder: the real portal is left out")
        else:
            print(f"importing {given.exchange.name}")
            imported = asyncio.run(real.import_real(place, given.exchange))
            _measure(place, imported, kinds, given, "imported")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument(
        "exchange", nargs="?", type=Path, help="a portal in the exchange layout, to be measured too"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of load, for each operation, server and round"
    )
    parser.add_argument("--orders", type=int, default=data.Size().orders)
    parser.add_argument(
        "--dry", action="store_true", help="print the table and leave docs/performance.md alone"
    )
    return parser.parse_args()


def _kinds() -> list[Kind]:
    try:
        postgraphile.install()
    except postgraphile.NotInstalled as missing:
        print(f"PostGraphile is left out: {missing}")
        return [kind for kind in servers.EVERY_ONE if kind not in servers.PEERS]
    return list(servers.EVERY_ONE)


def _measure(
    place: database.Place, portal: data.Portal, kinds: list[Kind], given: argparse.Namespace, name: str
) -> None:
    with servers.running(kinds, place, portal) as running:
        uvloop.run(measure.check(running, portal))
        print("all answers are equal")
        figures = uvloop.run(
            measure.measure(running, place, portal, rounds=given.rounds, seconds=given.seconds)
        )
    report.write(name, figures, rounds=given.rounds, dry=given.dry)


if __name__ == "__main__":
    main()
