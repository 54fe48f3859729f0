"""Beside: what keeps a core busy and waits for nothing, done in a thread beside the event loop, in turns of the portals."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from db.failures import Crowded, Unavailable
from db.fairness import Bounds, FairQueue, Full

# Threads take turns with the event loop on one core: a second one would only take more turns.
_THREADS = 1
# After each work the thread rests for so many times as long: the event loop is alone for two thirds of the time at least.
_REST = 2.0
_WAITING = 200  # of one portal
_WAIT_SECONDS = 10.0

Result = TypeVar("Result")


class Beside:
    """One thread, and whose turn it is."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="beside")
        self._turns = FairQueue(Bounds(places=_THREADS, of_one=_THREADS, waiting=_WAITING, young=_THREADS))

    async def do(self, tenant_id: UUID, work: Callable[[], Result]) -> Result:
        """What the work gives. Raises what it raises, Crowded when too much of the portal's waits already, and
        Unavailable when no turn comes for long."""
        try:
            place = await self._turns.enter(tenant_id, _WAIT_SECONDS)
        except Full:
            raise Crowded("too much of one portal waits to be done") from None
        except TimeoutError:
            raise Unavailable("others take too long") from None
        loop = asyncio.get_running_loop()
        began = loop.time()
        working = loop.run_in_executor(self._pool, work)
        # When it has ended: whoever is cancelled meanwhile does not stop it.
        working.add_done_callback(
            lambda _: loop.call_later(_REST * (loop.time() - began), self._turns.leave, place)
        )
        return await asyncio.shield(working)
