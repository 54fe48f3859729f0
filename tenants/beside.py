"""Beside: what keeps a core busy and waits for nothing, done in a thread beside the event loop, in turns of the portals."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from db.failures import Translated
from db.fairness import Bounds, FairQueue

# Threads take turns with the event loop on one core: a second one would only take more turns.
_THREADS = 1
_WAITING = 1_000  # of one portal
_WAIT_SECONDS = 10.0

Result = TypeVar("Result")


class Beside:
    """One thread, and whose turn it is."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="beside")
        self._turns = FairQueue(Bounds(places=_THREADS, of_one=_THREADS, waiting=_WAITING, young=_THREADS))

    @property
    def waiting(self) -> int:
        """How many wait for their portal's turn."""
        return self._turns.waiting

    async def do(self, tenant_id: UUID, work: Callable[[], Result]) -> Result:
        """What the work gives. Raises what it raises, Crowded when too much of the portal's waits already, and
        Unavailable when no turn comes for long."""
        with Translated():
            place = await self._turns.enter(tenant_id, _WAIT_SECONDS)
        working = asyncio.get_running_loop().run_in_executor(self._pool, work)
        working.add_done_callback(lambda _: self._turns.leave(place))  # whoever is cancelled does not stop it
        return await asyncio.shield(working)
