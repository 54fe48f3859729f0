"""The compiled executor against graphql-core in as many random cases as wanted: `python -m bench.judge --cases N`.

It stops at the first difference and makes its case as small as it can.
"""

import argparse
import asyncio
import logging
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from execution import fallbacks
from tests.execution.dice import Dice, repeated, seeded, smallest
from tests.execution.judge import Different, draw_case, draw_town, judge, valid

OPERATIONS = 20  # of one schema
BATCH = 500


def main() -> None:
    """Judge, in several processes, and say how many cases it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    counted: Counter[str] = Counter()
    begun, seed = time.monotonic(), given.seed
    with ProcessPoolExecutor(given.processes) as processes:
        running: set[Future[tuple[Counter[str], str | None]]] = set()
        while counted["cases"] < given.cases:
            while len(running) < given.processes:
                running.add(processes.submit(batch, seed))
                seed += 1
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                more, difference = future.result()
                counted += more
                if difference is not None:
                    print(difference)
                    processes.shutdown(cancel_futures=True)
                    sys.exit(1)
            _print(counted, time.monotonic() - begun)
        processes.shutdown(cancel_futures=True)


def _print(counted: Counter[str], seconds: float) -> None:
    cases = counted["cases"]
    shares = ", ".join(
        f"{100 * counted[each] / cases:.1f} % {each}"
        for each in ("exact", "waited", "failed", "nulled", "fallbacks")
    )
    print(
        f"{cases} cases of {counted['documents']} documents: {shares}; {cases / seconds:.0f} a second",
        flush=True,
    )


def batch(seed: int) -> tuple[Counter[str], str | None]:
    """Some hundred cases, and the report of one that differs."""
    logging.disable()  # graphql-core leaves tasks and coroutines behind, where a null makes them needless
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _left: None
    counted: Counter[str] = Counter()
    failed = asyncio.run(_batch(seed, counted))
    return counted, None if failed is None else _smallest(*failed)


async def _batch(seed: int, counted: Counter[str]) -> tuple[list[int], str] | None:
    town = 0
    while counted["cases"] < BATCH:
        dice = seeded(seed * 1_000_000 + town)
        town += 1
        difference = await _judged(dice, counted)
        if difference is not None:
            return dice.thrown, difference
    return None


async def _judged(dice: Dice, counted: Counter[str]) -> str | None:
    """Judge the operations of one schema."""
    town = draw_town(dice)
    kept = len(dice.thrown)
    for _ in range(OPERATIONS):
        del dice.thrown[kept:]  # what an earlier operation threw is nothing to the next
        case = draw_case(dice, town)
        document = valid(case)
        if document is None:
            continue
        before = fallbacks.fallbacks.total()
        try:
            verdicts = await judge(case, document)
        except Different as different:
            return str(different)
        counted["documents"] += 1
        counted["fallbacks"] += fallbacks.fallbacks.total() - before
        for verdict in verdicts:
            counted["cases"] += 1
            counted.update(name for name, value in vars(verdict).items() if value)
    return None


def _smallest(thrown: Sequence[int], report: str) -> str:
    """The report of the smallest case like this one."""
    reports = [report]

    async def judged(some: Sequence[int]) -> bool:
        dice = repeated(some)
        try:
            case = draw_case(dice, draw_town(dice))
            document = valid(case)
            if document is not None:
                await judge(case, document)
        except Different as different:
            reports.append(str(different))
            return True
        except Exception:  # not even a schema
            return False
        return False

    smallest(thrown, lambda some: asyncio.run(judged(some)))
    return reports[-1]


if __name__ == "__main__":
    main()
