"""Fairness: who of those who wait for a connection has the next one, so that no tenant keeps the others waiting."""

import asyncio
from collections import Counter, deque
from contextlib import suppress
from uuid import UUID

# Whose a place is; None: the registry's.
Tenant = UUID | None


class Crowded(Exception):
    """As many of one tenant wait already as may wait."""


class FairQueue:
    """So many places, of which one tenant may have `most_of_one`, and has so many waiting at most.

    A place that becomes free goes to the tenant that has the fewest, and of those to whoever has waited longest: a
    tenant with a hundred requests is served as often as one with a single request.
    """

    def __init__(self, places: int, *, most_of_one: int, most_waiting: int) -> None:
        self._free = places
        self._most_of_one = most_of_one
        self._most_waiting = most_waiting
        self._held: Counter[Tenant] = Counter()
        # By tenant, the one first that was served longest ago.
        self._waiting: dict[Tenant, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many are waiting at this moment."""
        return sum(len(each) for each in self._waiting.values())

    async def enter(self, tenant: Tenant, wait_seconds: float) -> None:
        """Take a place, or wait for one. Raises TimeoutError, and Crowded."""
        if self._free and tenant not in self._waiting and self._held[tenant] < self._most_of_one:
            self._free -= 1
            self._held[tenant] += 1
            return
        line = self._waiting.setdefault(tenant, deque())
        if len(line) >= self._most_waiting:
            raise Crowded
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(wait_seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was given in the very moment
                self.leave(tenant)
            else:
                self._go(tenant, line, turn)
            raise

    def leave(self, tenant: Tenant) -> None:
        """Give the place back."""
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        if self._waiting:
            self._serve()

    def _go(self, tenant: Tenant, line: deque[asyncio.Future[None]], turn: asyncio.Future[None]) -> None:
        with suppress(ValueError):  # it was passed over already
            line.remove(turn)
        if not line and self._waiting.get(tenant) is line:
            del self._waiting[tenant]

    def _serve(self) -> None:
        while self._free:
            there = [each for each in self._waiting if self._held[each] < self._most_of_one]
            if not there:
                return
            tenant = min(there, key=self._held.__getitem__)  # the first of several
            line = self._waiting.pop(tenant)
            turn = line.popleft()
            if line:
                self._waiting[tenant] = line  # and now the last
            if turn.cancelled():
                continue
            self._free -= 1
            self._held[tenant] += 1
            turn.set_result(None)
