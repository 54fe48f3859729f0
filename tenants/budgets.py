"""Budgets: what the operations of each portal and of each viewer may cost in a time.

The buckets are in PostgreSQL. A process takes more from one than an operation needs, and spends the rest without asking
again: what it was given is gone from the bucket, so that all processes together never spend more than there was.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias, TypeVar
from uuid import UUID

import db
from db.connections import Database
from db.failures import Contended, TooSlow, Unavailable
from db.isolation import Mode
from rules.budgets import Budget, RateLimited
from rules.viewers import Viewer
from tenants.sessions import hashed
from tenants.throttles import network, subject

Known = TypeVar("Known")
Whose: TypeAlias = Literal["viewer", "portal"]

_PORTAL = subject("portal")
# How many portals, viewers and tokens a process remembers; whoever is forgotten is asked after again.
_MOST_REMEMBERED = 20_000
# What was given is spent within this time, or counts no more: the bucket has filled up without it.
_LEASE_SECONDS = 300.0
# A bucket that had too little is not asked again before it can have enough; but then the clock that counts is the
# database's, and it is asked after so long in any case.
_QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Balance:
    """How much there may be at most, what is left, and when all of it will be there again."""

    limit: int
    remaining: int
    per_second: int
    reset_at: datetime


class _Purse:
    """What this process has of one bucket, and what it knows of the rest."""

    __slots__ = ("_asked", "_budget", "_clock", "_failed", "_known", "_left", "_lock", "_taken_at", "_wanted")

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget = budget
        self._clock = clock
        self._lock = asyncio.Lock()
        self._left = 0  # to be spent here
        self._known = 0.0  # in the bucket, when it was asked
        self._asked = -_LEASE_SECONDS
        self._taken_at: datetime | None = None  # the same moment by the database's clock
        self._wanted = 0  # by those who wait
        self._failed: Exception | None = None  # how asking went wrong the last time that it did

    async def spend(self, database: Database, tenant_id: UUID, holder: bytes, cost: int) -> None:
        """Raises RateLimited, and what the database raises; then nothing is spent."""
        cost = self._budget.takes(cost)
        if self._left >= cost and self._clock() - self._asked < _LEASE_SECONDS:
            self._left -= cost
            return
        self._wanted += cost
        failed = self._failed
        try:
            async with self._lock:  # the first of those who wait asks for all of them
                if self._clock() - self._asked >= _LEASE_SECONDS:
                    self._left = 0
                if self._left < cost:
                    if self._failed is not None and self._failed is not failed:  # it asked in vain
                        raise type(self._failed)(*self._failed.args)
                    await self._ask(database, tenant_id, holder, cost)
                self._left -= cost
        finally:
            self._wanted -= cost

    def put_back(self, cost: int) -> None:
        """What was spent was not used."""
        self._left += self._budget.takes(cost)

    async def _ask(self, database: Database, tenant_id: UUID, holder: bytes, cost: int) -> None:
        needed = cost - self._left
        missing = needed - self._there()
        if missing > 0 and self._clock() - self._asked < _QUIET_SECONDS:
            raise RateLimited(retry_after=self._budget.seconds_for(missing))
        mine, self._left = self._left, 0  # counted on: nobody else may spend it until there is an answer
        try:
            async with database.transaction(Mode.COUNT, tenant_id) as connection:
                taken = await db.budgets.take(
                    connection, holder, self._budget, cost=cost, needed=needed, awaited=self._wanted - cost
                )
        except (Unavailable, TooSlow, Contended) as failed:
            self._failed = type(failed)(*failed.args)  # without what it holds on to
            raise
        finally:
            self._left += mine
        self._asked, self._taken_at = self._clock(), taken.taken_at
        self._known = taken.units
        self._left += taken.granted
        if self._left < cost:
            raise RateLimited(retry_after=self._budget.seconds_for(cost - self._left - taken.units))

    def _there(self) -> float:
        """What is in the bucket at most, unless the database's clock has jumped."""
        since = self._clock() - self._asked
        return min(self._budget.units, self._known + since * self._budget.per_second)

    def balance(self) -> Balance | None:
        """As far as this process knows; None: it could not ask yet."""
        if self._taken_at is None:
            return None
        limit, per_second = self._budget.units, self._budget.per_second
        remaining = min(limit, int(self._there()) + self._left)
        since = self._clock() - self._asked
        full = self._taken_at + timedelta(seconds=since + (limit - remaining) / per_second)
        return Balance(limit, remaining, per_second, full.astimezone(UTC))


class Budgets:
    """The budgets of all portals and viewers, as one process spends them."""

    def __init__(
        self,
        database: Database,
        *,
        viewer: Budget,
        portal: Budget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._viewer, self._portal = viewer, portal
        self._clock = clock
        self._purses: OrderedDict[tuple[UUID, bytes], _Purse] = OrderedDict()
        self._holders: OrderedDict[tuple[UUID, bytes], bytes] = OrderedDict()  # by token
        self.refused: Counter[Whose] = Counter()

    def holder(self, tenant_id: UUID, token: str | None, address: str) -> bytes:
        """Whose budget an operation takes from: that of whoever the token was seen to be of; else the address's."""
        if token is not None:
            known = self._holders.get((tenant_id, hashed(token)))
            if known is not None:
                return known
        return _of_address(address)

    def recognized(self, tenant_id: UUID, token: str, viewer: Viewer | None) -> None:
        """Remember whose a token is, or that it is nobody's any more."""
        key = (tenant_id, hashed(token))
        if viewer is None:
            self._holders.pop(key, None)
        else:
            _remember(self._holders, key, subject("viewer", str(viewer.viewed_by or viewer.actor_id)))

    async def spend(self, tenant_id: UUID, holder: bytes, cost: int) -> None:
        """Pay for an operation before it runs, from the viewer's budget and from the portal's. Raises RateLimited, and
        what the database raises; then it has cost nothing."""
        own = self._purse(tenant_id, holder, self._viewer)
        await self._pay("viewer", own, tenant_id, holder, cost)
        try:
            everybodys = self._purse(tenant_id, _PORTAL, self._portal)
            await self._pay("portal", everybodys, tenant_id, _PORTAL, cost)
        except BaseException:
            own.put_back(cost)
            raise

    def balance(self, tenant_id: UUID, holder: bytes) -> Balance | None:
        """What a viewer has left; None: nobody could ask yet."""
        return self._purse(tenant_id, holder, self._viewer).balance()

    def balance_of_portal(self, tenant_id: UUID) -> Balance | None:
        """What a portal has left; None: nobody could ask yet."""
        return self._purse(tenant_id, _PORTAL, self._portal).balance()

    async def _pay(self, whose: Whose, purse: _Purse, tenant_id: UUID, holder: bytes, cost: int) -> None:
        try:
            await purse.spend(self._database, tenant_id, holder, cost)
        except RateLimited:
            self.refused[whose] += 1
            raise

    def _purse(self, tenant_id: UUID, holder: bytes, budget: Budget) -> _Purse:
        purse = self._purses.get((tenant_id, holder))
        if purse is None:
            purse = _Purse(budget, self._clock)
        _remember(self._purses, (tenant_id, holder), purse)
        return purse


@lru_cache(maxsize=10_000)
def _of_address(address: str) -> bytes:
    return subject("address", network(address))


def _remember(known: OrderedDict[tuple[UUID, bytes], Known], key: tuple[UUID, bytes], value: Known) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _MOST_REMEMBERED:
        known.popitem(last=False)
