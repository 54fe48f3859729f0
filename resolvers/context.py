"""The context of one operation: its portal, its viewer, its one connection, and what was loaded already."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry

import resolvers.enums
import resolvers.events
import resolvers.rma_stages  # noqa: F401  (likewise)
from db.connections import Connection, Database
from db.isolation import Mode
from db.portals import Portal
from resolvers.costs import Costs, unhurried
from resolvers.loaders import Loader, MissingKey
from rules.broken import Language
from rules.events import Event
from rules.permissions import Unauthenticated
from rules.viewers import Viewer
from tenants.beside import Beside
from tenants.budgets import Budgets
from tenants.passwords import Passwords
from tenants.sessions import Client, recognize
from tenants.storage import Storage
from tenants.watches import Watches
from tenants.webhooks import recognize_webhook

Key = TypeVar("Key")
Row = TypeVar("Row")
Result = TypeVar("Result")

# A batched read: the rows of many keys at once, as far as the viewer may see them.
BatchedRead: TypeAlias = Callable[[Connection, Viewer, Sequence[Key]], Awaitable[Mapping[Key, Row]]]


@dataclass(slots=True, frozen=True)
class Facilities:
    """What every operation of this process shares."""

    database: Database
    passwords: Passwords
    watches: Watches
    budgets: Budgets
    beside: Beside
    storage: Storage
    cursor_key: bytes
    session_minutes: int
    base_domain: str  # portals are reached at <slug>.<base domain>, and at hosts of their own
    portal_address: str  # what mails lead to, with {host} for the portal's host name
    private_targets: bool = False  # whether webhooks may lead to http and to private addresses
    compiled: bool = True  # whether operations run from plans that are compiled once


@dataclass(slots=True, frozen=True)
class Actor:
    """Who did something: an account or a staff member; and for which customer."""

    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None


@dataclass(slots=True, frozen=True)
class Change:
    """What a mutation did to one object: its facts before and after; None for what was not, or is no more."""

    node_type: str
    node_id: UUID
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    customer_id: UUID | None
    event: Event | None
    subject_id: UUID


class Context:
    """One operation at one portal.

    A query runs in one read-only snapshot. A mutation field runs in a write transaction of its own, and
    what its payload selects is read in a fresh snapshot after the commit. Every transaction starts by
    asking who the viewer is, so that a session that has ended is refused at once. A subscription does the same
    for every event, and holds no connection while it waits (resolvers/subscriptions.py).
    """

    def __init__(
        self,
        facilities: Facilities,
        tenant_id: UUID,
        *,
        token: str | None,
        language: Language | None,
        request_id: str,
        client: Client | None = None,
        cookies_allowed: bool = False,
        introspection_allowed: bool = True,
        webhook_id: UUID | None = None,
    ) -> None:
        self.facilities = facilities
        self.tenant_id = tenant_id
        self.token = token
        self.webhook_id = webhook_id  # whose operation it is, when nobody asks and a webhook tells
        self.request_id = request_id
        self.client = client or Client()
        self.cookies_allowed = cookies_allowed  # whether the client may be given its token as a cookie
        self.introspection_allowed = introspection_allowed
        self.compiled = facilities.compiled
        self.operation_name: str | None = None  # what the document calls it, once that was found
        self.executed: str | None = None  # how it ran, once it has: compiled, or why not
        self.mutation: bool | None = None  # None: nothing has run yet
        self.new_cookie: str | None = None  # the token to set as a cookie; "" takes the cookie away
        self.looked_up: set[str] = set()  # names on the internet that were asked for already
        self.looked_at: dict[str, Any] = {}  # what came of texts that are to be documents
        self.statements = 0
        self.viewer: Viewer | None = None
        self.changes: list[Change] | None = None  # of the mutation at work; None: it has said nothing yet
        self.costs = Costs(
            facilities.budgets,
            tenant_id,
            token=token,
            address=self.client.address,
            free=webhook_id is not None,
        )
        self._actor: Actor | None = None
        self._asked_language = language
        self._portal: Portal | None = None
        self._connection: Connection | None = None
        self._borrowed = AsyncExitStack()
        self._loaders: dict[Any, Loader[Any, Any]] = {}
        self._batches: set[asyncio.Task[Any]] = set()

    @property
    def connection(self) -> Connection:
        """The connection of the current transaction."""
        assert self._connection is not None, "the context is not open"
        return self._connection

    @property
    def portal(self) -> Portal:
        """The portal at which the operation runs."""
        assert self._portal is not None, "no transaction has begun"
        return self._portal

    @property
    def known_portal(self) -> Portal | None:
        """The portal, if a transaction has begun already."""
        return self._portal

    @property
    def signed_in(self) -> Viewer:
        """The viewer. Raises Unauthenticated when nobody is signed in."""
        if self.viewer is None:
            raise Unauthenticated
        return self.viewer

    @property
    def actor(self) -> Actor:
        """Who is acting: the viewer, whoever looks through its eyes, or who has just shown who they are."""
        if self._actor is not None:
            return self._actor
        viewer = self.signed_in
        if viewer.viewed_by is not None:
            return Actor(None, viewer.viewed_by, viewer.customer_id)
        return Actor(viewer.account_id, viewer.staff_member_id, viewer.customer_id)

    def act_as(self, actor: Actor) -> None:
        """From here on somebody acts who had no session when the mutation began."""
        self._actor = actor

    def record(
        self,
        node_type: str,
        node_id: UUID,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        customer_id: UUID | None = None,
        event: Event | None = None,
        subject_id: UUID | None = None,
    ) -> None:
        """Note what a mutation did to an object, for the audit and the change feed. `customer_id` says for whom,
        where that is not the viewer's own customer; `event` what happened, where the company's own systems are told;
        and `subject_id` to what, where that is not the object itself: what happens to a subject is told in its order.
        """
        self.record_nothing()
        assert self.changes is not None
        change = Change(node_type, node_id, before, after, customer_id, event, subject_id or node_id)
        self.changes.append(change)

    def begin_record(self) -> None:
        """A mutation begins: it has said nothing yet."""
        self.changes = None
        self._actor = None

    def record_nothing(self) -> None:
        """Say that all is as it was: a mutation has to say what it did."""
        self.changes = self.changes or []

    @property
    def language(self) -> Language:
        """What the client asked for, or else the portal's own language."""
        if self._asked_language is None and self._portal is not None:
            return Language(self._portal.locale)
        return self._asked_language or Language.ENGLISH

    @asynccontextmanager
    async def running(self, *, mutation: bool) -> AsyncIterator[None]:
        """Borrow a connection for the operation; a query's snapshot begins at once."""
        self.mutation = mutation
        try:
            await self._borrow()
            if not mutation:
                await self.begin(Mode.SNAPSHOT)
            yield
            await self.end(keep=not mutation)  # what a mutation field did, it has committed itself
        finally:
            await self._give_back()

    async def _borrow(self) -> None:
        lent = self.facilities.database.connect(self.tenant_id)
        self._connection = await unhurried(self._borrowed.enter_async_context(lent))

    async def beside(self, work: Callable[[], Result]) -> Result:
        """Do what keeps a core busy and waits for nothing where it holds up nobody, in the portal's turn."""
        return await unhurried(self.facilities.beside.do(self.tenant_id, work))

    async def _stop_batches(self) -> None:
        """A loader's batch is a task of its own: it must not outlive what asked for it, nor the transaction."""
        for batch in self._batches:
            batch.cancel()
        while self._batches:
            await asyncio.wait(self._batches)

    async def _give_back(self) -> None:
        await self._stop_batches()
        self.forget()
        if self._connection is not None:
            self.statements += self._connection.statements
            self._connection = None
        await self._borrowed.aclose()

    async def begin(self, mode: Mode) -> None:
        """Begin a transaction and learn who is asking; nothing loaded before counts any more."""
        self.forget()
        if self._connection is None:
            await self._borrow()
        await self.connection.begin(mode)
        if self.webhook_id is not None:
            self._portal, self.viewer = await recognize_webhook(self.connection, self.webhook_id)
        else:
            self._portal, self.viewer = await recognize(self.connection, self.token)
            self.costs.recognized(self.viewer)

    async def end(self, *, keep: bool = True) -> None:
        """End the current transaction, if there is one."""
        await self._stop_batches()
        if self._connection is None or not self._connection.in_transaction:
            return
        if keep:
            await self.connection.commit()
        else:
            await self.connection.rollback()

    @asynccontextmanager
    async def pause(self) -> AsyncIterator[None]:
        """Commit, do without a connection while something else takes time, then write on."""
        await self.rest()
        yield
        await self.begin(Mode.WRITE)

    async def rest(self) -> None:
        """Commit what is open, and do without a connection until a transaction begins again."""
        try:
            await self.end()
        finally:
            await self._give_back()

    async def wake(self) -> None:
        """Begin a snapshot for an event; so many at once as this process lets read."""
        await self._borrowed.enter_async_context(self.facilities.watches.reading(self.tenant_id))
        await self.begin(Mode.SNAPSHOT)

    def forget(self) -> None:
        """Nothing loaded before counts any more: something was waited for, and is read as it is since."""
        for loader in self._loaders.values():
            loader.forget()
        self._loaders.clear()

    async def load(self, read: BatchedRead[Key, Row], key: Key) -> Row | None:
        """The row of a key. All keys that are asked for at once are read with one statement, each of them once."""
        return await self._loader(read).one(key)

    async def load_list(self, read: BatchedRead[Key, list[Row]], key: Key) -> list[Row]:
        """The rows that belong to a key, batched like `load`. Raises MissingKey if the read leaves it out."""
        rows = await self.load(read, key)
        if rows is None:
            raise MissingKey(read, key)
        return rows

    async def load_level(self, read: BatchedRead[Key, Row], keys: Sequence[Key | None]) -> list[Row | None]:
        """The rows of many keys in their order, batched with whatever else is asked of this read; None for None, and
        where the read leaves a key out."""
        there = [key for key in keys if key is not None]
        rows = await self._loader(read).level(there)
        if len(there) == len(keys):
            return rows
        found = iter(rows)
        return [None if key is None else next(found) for key in keys]

    async def load_each(self, read: BatchedRead[Key, Row], keys: Sequence[Key]) -> list[Row]:
        """The rows of many keys, like `load_level`, where each has one. Raises MissingKey for a key that the read
        leaves out."""
        rows = []
        for key, row in zip(keys, await self.load_level(read, keys), strict=True):
            if row is None:
                raise MissingKey(read, key)
            rows.append(row)
        return rows

    async def load_lists(
        self, read: BatchedRead[Key, list[Row]], keys: Sequence[Key | None]
    ) -> list[list[Row]]:
        """The rows that belong to each of many keys, like `load_level`; none belong to None. Raises MissingKey for
        a key that the read leaves out."""
        lists = await self.load_level(read, keys)
        for key, rows in zip(keys, lists, strict=True):
            if rows is None and key is not None:
                raise MissingKey(read, key)
        return [rows or [] for rows in lists]

    async def load_any(self, asked: Sequence[tuple[BatchedRead[Any, Any], Any] | None]) -> list[Any]:
        """The rows of many keys, each with the read that knows it, like `load_level`: one level a read."""
        places: defaultdict[BatchedRead[Any, Any], list[int]] = defaultdict(list)
        keys: defaultdict[BatchedRead[Any, Any], list[Any]] = defaultdict(list)
        for place, each in enumerate(asked):
            if each is not None:
                read, key = each
                places[read].append(place)
                keys[read].append(key)
        levels = await asyncio.gather(*(self.load_level(read, group) for read, group in keys.items()))
        found: list[Any] = [None] * len(asked)
        for group, rows in zip(places.values(), levels, strict=True):
            for place, row in zip(group, rows, strict=True):
                found[place] = row
        return found

    def _loader(self, read: BatchedRead[Any, Any]) -> Loader[Any, Any]:
        loader = self._loaders.get(read)
        if loader is None:
            loader = self._loaders[read] = Loader(self._batched(read))
        return loader

    def _batched(
        self, read: BatchedRead[Any, Any]
    ) -> Callable[[Sequence[Any]], Awaitable[Mapping[Any, Any]]]:
        async def load_all(keys: Sequence[Any]) -> Mapping[Any, Any]:
            batch = asyncio.current_task()
            assert batch is not None
            self._batches.add(batch)
            try:
                return await read(self.connection, self.signed_in, keys)
            finally:
                self._batches.discard(batch)

        return load_all


Info: TypeAlias = strawberry.Info[Context, None]
