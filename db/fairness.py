"""Fairness: who of those who wait for a connection has the next one, so that no tenant keeps the others waiting."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from db.failures import Crowded

# Whose a place is; None: the registry's, which is asked for everybody.
Tenant = UUID | None

# Whoever has a place for longer waits for PostgreSQL, mostly; until then it keeps the event loop busy.
_YOUNG_SECONDS = 0.25
# A tenant that has asked so recently may ask again: the others leave it room.
_ACTIVE_SECONDS = 1.0


class Full(Crowded):
    """As many of one tenant wait already as may wait."""


@dataclass(slots=True, eq=False)
class Place:
    """A place on loan."""

    tenant: Tenant
    since: float
    young: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many places there are, how many of them one tenant may have, how many of it may wait, and how many places
    that are not old yet all tenants share, while there are several."""

    places: int
    of_one: int
    waiting: int
    young: int


class FairQueue:
    """Places, each of which goes to the tenant that has the fewest, and of those to whoever was served longest ago: a
    tenant with a hundred requests is served as often as one with a single request.

    While several tenants are active, each has only its share of places that are young: what runs on the event loop of
    one, the others wait for at every step of theirs.
    """

    def __init__(self, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._free = bounds.places
        self._held: Counter[Tenant] = Counter()
        self._young: Counter[Tenant] = Counter()
        self._by_age: deque[Place] = deque()  # those that are young, or were when they were given back
        self._active: OrderedDict[Tenant, float] = OrderedDict()  # when each asked last
        # By tenant, the one first that was served longest ago.
        self._waiting: dict[Tenant, deque[asyncio.Future[Place]]] = {}
        self._waking: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many are waiting at this moment; the thread that sends figures asks it too."""
        return sum(map(len, list(self._waiting.values())))

    async def enter(self, tenant: Tenant, wait_seconds: float) -> Place:
        """Take a place, or wait for one. Raises TimeoutError, and Full."""
        self._grow_older(tenant)
        if self._free and tenant not in self._waiting and self._may_have_one(tenant):
            return self._give(tenant)
        line = self._waiting.setdefault(tenant, deque())
        if len(line) >= self._bounds.waiting:
            raise Full("too much of one tenant waits already")
        turn: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        line.append(turn)
        self._wake_later()
        try:
            async with asyncio.timeout(wait_seconds):
                return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was given in the very moment
                self.leave(turn.result())
            else:
                self._go(tenant, line, turn)
            raise

    def leave(self, place: Place) -> None:
        """Give a place back."""
        self._free += 1
        self._held[place.tenant] -= 1
        if not self._held[place.tenant]:
            del self._held[place.tenant]
        self._is_old(place)
        if self._waiting:
            self._serve()

    def _give(self, tenant: Tenant) -> Place:
        place = Place(tenant, self._clock())
        self._is_active(tenant, place.since)
        self._free -= 1
        self._held[tenant] += 1
        self._young[tenant] += 1
        self._by_age.append(place)
        return place

    def _may_have_one(self, tenant: Tenant) -> bool:
        if tenant is None:
            return True
        if self._held[tenant] >= self._bounds.of_one:
            return False
        several = len(self._active)
        return several <= 1 or self._young[tenant] < max(1, self._bounds.young // several)

    def _grow_older(self, asking: Tenant = None) -> None:
        """See what is young and who is active at this moment."""
        now = self._clock()
        while self._by_age and self._by_age[0].since <= now - _YOUNG_SECONDS:
            self._is_old(self._by_age.popleft())
        self._is_active(asking, now)
        while self._active and next(iter(self._active.values())) <= now - _ACTIVE_SECONDS:
            self._active.popitem(last=False)

    def _is_active(self, tenant: Tenant, now: float) -> None:
        if tenant is not None:
            self._active[tenant] = now
            self._active.move_to_end(tenant)

    def _is_old(self, place: Place) -> None:
        if place.young:
            place.young = False
            self._young[place.tenant] -= 1
            if not self._young[place.tenant]:
                del self._young[place.tenant]

    def _go(self, tenant: Tenant, line: deque[asyncio.Future[Place]], turn: asyncio.Future[Place]) -> None:
        with suppress(ValueError):  # it was passed over already
            line.remove(turn)
        if not line and self._waiting.get(tenant) is line:
            del self._waiting[tenant]

    def _serve(self) -> None:
        self._grow_older()
        while self._free:
            there = [each for each in self._waiting if self._may_have_one(each)]
            if not there:
                break
            tenant = min(there, key=self._held.__getitem__)  # the first of several
            line = self._waiting.pop(tenant)
            turn = line.popleft()
            if line:
                self._waiting[tenant] = line  # and now the last
            if not turn.cancelled():
                turn.set_result(self._give(tenant))
        self._wake_later()

    def _wake_later(self) -> None:
        """Look again when the oldest of the young has grown old, if anybody waits."""
        if self._waiting and self._free and self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(_YOUNG_SECONDS, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._serve()
