"""Watches: who in this process waits for which events of which portal. They carry ids, and decide nothing."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from db import fairness
from db.events import Listener
from db.failures import Translated, Unavailable
from rules.subscriptions import SubscriptionTooSlow, TooManySubscriptions
from tenants.counts import counted

# A subscriber that has not read of so many changed objects is not keeping up.
MOST_PENDING = 1_000
# How long a turn to read may be waited for: then its event waits for a moment more, as when the database is away.
_TURN_SECONDS = 60.0


def share(most: int) -> int:
    """How many of all there may be are one portal's at most, so that it does not shut the others out."""
    return max(1, most // 4)


class Interrupted(Exception):
    """The process ends or may have missed events: whoever watches has to connect anew, and to read anew."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be watched, and how often a watcher is asked whether it still may."""

    check_seconds: float = 5.0
    listen_seconds: float = 2.0
    most_per_session: int = 20
    most: int = 2_000
    readers: int = 3  # so many watchers may read at once, which leaves the other connections to requests

    @property
    def most_per_tenant(self) -> int:
        """How many one portal may have."""
        return share(self.most)


class Watch:
    """What one subscriber waits for. Changes to one object are one until they are read."""

    def __init__(self, kind: str, id: UUID | None) -> None:
        self._kind = kind
        self._id = id
        self._pending: dict[UUID, None] = {}
        self._ended: Exception | None = None
        self._woken = asyncio.Event()

    def hear(self, kind: str, id: UUID) -> None:
        """Something has changed."""
        if kind != self._kind or (self._id is not None and id != self._id) or self._ended is not None:
            return
        self._pending[id] = None
        if len(self._pending) > MOST_PENDING:
            self.end(SubscriptionTooSlow())
        self._woken.set()

    def end(self, reason: Exception) -> None:
        """Nothing more is to be delivered."""
        self._ended = self._ended or reason
        self._pending.clear()
        self._woken.set()

    async def next(self, wait_seconds: float) -> UUID | None:
        """The object that changed first of those not read yet; None when nothing has changed for so long.

        Raises what the watch was ended with.
        """
        try:
            async with asyncio.timeout(wait_seconds):
                await self._woken.wait()
        except TimeoutError:
            return None
        if self._ended is not None:
            raise self._ended
        first = next(iter(self._pending))
        del self._pending[first]
        if not self._pending:
            self._woken.clear()
        return first


class Watches:
    """All watches of this process, and the listener that wakes them."""

    def __init__(self, url: str, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        readers, most = self.bounds.readers, self.bounds.most
        # Whoever reads waits for a connection too, whose turns look after what is young.
        self._readers = fairness.FairQueue(
            fairness.Bounds(places=readers, of_one=max(1, readers - 1), waiting=most, young=most)
        )
        self._listener = Listener(url, self._heard, self._missed)
        self._by_tenant: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._count: Counter[UUID] = Counter()  # of each tenant, with those that do not hear events yet
        self._by_session: Counter[UUID | None] = Counter()
        self._closed = False

    def __len__(self) -> int:
        return self._by_session.total()

    @property
    def awake(self) -> int:
        """How many of them hear events already."""
        return sum(len(watches) for watches in self._by_tenant.values())

    @property
    def waiting(self) -> int:
        """How many wait for their portal's turn to read for an event."""
        return self._readers.waiting

    @asynccontextmanager
    async def watch(
        self, tenant_id: UUID, session_id: UUID | None, kind: str, id: UUID | None
    ) -> AsyncIterator[Watch]:
        """Watch objects of a kind at a portal, or the one with the id.

        Raises TooManySubscriptions, Unavailable when the process is full or does not hear events, and
        Interrupted when it is about to end.
        """
        self._check_room(tenant_id, session_id)
        watch = Watch(kind, id)
        with counted(self._count, tenant_id), counted(self._by_session, session_id):
            try:
                await self._listener.ready(wait_seconds=self.bounds.listen_seconds)
                if self._closed:
                    raise Interrupted
                self._by_tenant[tenant_id].add(watch)
                yield watch
            finally:
                self._forget(tenant_id, watch)

    @asynccontextmanager
    async def reading(self, tenant_id: UUID) -> AsyncIterator[None]:
        """Read for an event: so many at once as this process lets, in turns of the portals, none of which has all of
        them. Raises Unavailable when no turn comes for long."""
        with Translated():
            place = await self._readers.enter(tenant_id, _TURN_SECONDS)
        try:
            yield
        finally:
            self._readers.leave(place)

    async def close(self) -> None:
        """End all watches, let in no more, and stop listening."""
        self._closed = True
        self._missed()
        await self._listener.close()

    def _check_room(self, tenant_id: UUID, session_id: UUID | None) -> None:
        if self._closed:
            raise Interrupted
        if self._by_session[session_id] >= self.bounds.most_per_session:
            raise TooManySubscriptions(most=self.bounds.most_per_session)
        if self._count[tenant_id] >= self.bounds.most_per_tenant:
            raise TooManySubscriptions(most=self.bounds.most_per_tenant)
        if len(self) >= self.bounds.most:
            raise Unavailable("this process has as many subscriptions as it may have")

    def _forget(self, tenant_id: UUID, watch: Watch) -> None:
        watching = self._by_tenant.get(tenant_id, set())
        watching.discard(watch)
        if not watching:
            self._by_tenant.pop(tenant_id, None)

    def _heard(self, tenant_id: UUID, kind: str, id: UUID) -> None:
        for watch in self._by_tenant.get(tenant_id, ()):
            watch.hear(kind, id)

    def _missed(self) -> None:
        for watches in self._by_tenant.values():
            for watch in watches:
                watch.end(Interrupted())
