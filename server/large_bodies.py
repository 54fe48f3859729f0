"""Large bodies: what a portal has of them in the works at once, so that they fill neither the event loop nor the memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from db.failures import Translated
from db.fairness import Bounds, FairQueue
from resolvers.costs import unhurried

# Of one or two hundred rows and more; ordinary requests are smaller, however much they ask for.
LARGE_BYTES = 30_000
_BOUNDS = Bounds(places=8, of_one=1, waiting=32, young=8)
_WAIT_SECONDS = 10.0
_BYTES_PER_UNIT = 8  # a byte takes up to 30 ns, and four million units are a second


def price(size: int) -> int:
    """What it costs to take a large body apart, in units of `execution.limits.ROOT_FIELD`, whatever is in it."""
    return size // _BYTES_PER_UNIT


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
    async def one(self, tenant_id: UUID) -> AsyncIterator[None]:
        """One of them as long as the block lasts. Raises Crowded, a moment later, when too many of the portal's wait
        already, and Unavailable when no turn comes for long."""
        with Translated():
            place = await unhurried(self._turns.enter(tenant_id, _WAIT_SECONDS))
        try:
            yield
        finally:
            self._turns.leave(place)
