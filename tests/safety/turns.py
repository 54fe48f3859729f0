"""Turns of the event loop, each with the CPU time that it took: as long as one lasts, everybody else waits.

CPU and not the clock, because a busy machine stops a turn in its middle. Threads that hash or print are not counted:
they hold nobody up.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

LONGEST_MS = 50.0


@contextmanager
def turns() -> Iterator[list[float]]:
    """The milliseconds of CPU of every turn that begins while the block lasts, as soon as it has ended.

    The turn in which the block begins is not there: what is to be measured runs in tasks of its own.
    """
    spent: list[float] = []
    run = asyncio.Handle._run

    def measured(handle: asyncio.Handle) -> None:
        started = time.thread_time()
        run(handle)
        spent.append((time.thread_time() - started) * 1_000)

    gc.collect()
    gc.freeze()  # as the server does: what all tests have left behind is not its garbage
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(asyncio.Handle, "_run", measured)
            yield spent
    finally:
        gc.unfreeze()
