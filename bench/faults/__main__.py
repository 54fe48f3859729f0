"""The command: `python -m bench.faults`; see --help."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from bench.faults import (
    clocks,
    connections,
    contention,
    disks,
    ends,
    neighbours,
    outages,
    releases,
    report,
    slow_clients,
)
from bench.faults.lines import EVERY_ONE, Claims, Line, Outcome, Skipped
from bench.faults.places import Ground
from bench.peers import data, database, processes
from bench.peers.data import Size

_MODULES = (
    slow_clients,
    neighbours,
    disks,
    connections,
    outages,
    ends,
    clocks,
    contention,
    releases,
)  # importing them makes their lines known
_PORTALS = 3
_SIZE = Size(orders=400, products=200, customers=20)
# No line may take longer, whatever hangs.
_LONGEST_SECONDS = 180


def main() -> None:
    """Try the lines, print and write what came of them; 1 when one falls short."""
    given = _arguments()
    processes.unwind_when_told()
    every_one = sorted(EVERY_ONE, key=lambda each: each.number)
    chosen = [each for each in every_one if not given.numbers or each.number in given.numbers]
    if not chosen:
        sys.exit(f"lines are {', '.join(dict.fromkeys(each.number for each in every_one))}")
    with database.running() as place:
        portals = asyncio.run(data.fill_many(place, _SIZE, 0, _PORTALS))
        outcomes = [_tried(each, Ground(place, portals)) for each in chosen]
    print()
    print(report.table(outcomes))
    if not given.dry and len(chosen) == len(every_one):
        report.write(outcomes)
    sys.exit(any(each.word == report.SHORT for each in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults", description="Try what must hold when something fails."
    )
    parser.add_argument("numbers", nargs="*", help="of the lines to try; all of them when left out")
    parser.add_argument(
        "--dry", action="store_true", help="leave docs/safety-faults.md alone, as a choice of lines does"
    )
    return parser.parse_args()


def _tried(line: Line, ground: Ground) -> Outcome:
    """Try one line, and say in a line what came of it."""
    started, claims = time.monotonic(), Claims()
    try:
        figure = asyncio.run(_bounded(line, ground, claims))
    except Skipped as why:
        outcome = Outcome(line, report.SKIPPED, str(why))
    except Exception as failed:
        outcome = Outcome(line, report.SHORT, f"{type(failed).__name__}: {failed}")
    else:
        outcome = Outcome(line, report.SHORT if claims.broken else report.HOLDS, _told(figure, claims.broken))
    print(
        f"{line.number}: {line.must}: {outcome.word} ({time.monotonic() - started:.0f} s): {outcome.figure}",
        flush=True,
    )
    return outcome


async def _bounded(line: Line, ground: Ground, claims: Claims) -> str:
    async with asyncio.timeout(_LONGEST_SECONDS):
        return await line.run(ground, claims)


def _told(figure: str, broken: Sequence[str]) -> str:
    return f"{figure}; not: {', '.join(broken)}" if broken else figure


if __name__ == "__main__":
    main()
