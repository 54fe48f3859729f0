"""Large bodies: what a portal has of them in the works at once, so that they fill neither the event loop nor the memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from db.failures import Translated
from db.fairness import Bounds, FairQueue
from resolvers.costs import unhurried

# Of one or two hundred rows and more; ordinary requests are smaller, however much they ask for.
LARGE_BYTES = 30_000
_BOUNDS = Bounds(places=8, of_one=2, waiting=32, young=8)
_WAIT_SECONDS = 10.0


class LargeBodies:
    """Turns of the portals. A megabyte of JSON becomes tens of thousands of objects, through which the garbage collector
    goes as well: whoever waits, waits with the bytes as they came."""

    def __init__(self) -> None:
        self._turns = FairQueue(_BOUNDS)

    @property
    def waiting(self) -> int:
        """How many wait for their portal's turn."""
        return self._turns.waiting

    @asynccontextmanager
    async def one(self, tenant_id: UUID, size: int) -> AsyncIterator[None]:
        """One of so many bytes as long as the block lasts. Raises Crowded, a moment later, when too many of the portal's
        wait already, and Unavailable when no turn comes for long."""
        if size < LARGE_BYTES:
            yield
            return
        with Translated():
            place = await unhurried(self._turns.enter(tenant_id, _WAIT_SECONDS))
        try:
            yield
        finally:
            self._turns.leave(place)
