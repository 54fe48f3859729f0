"""Connections: a bounded pool, transactions for one tenant, statements one after the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from db.codecs import keep_values
from db.failures import UNREACHABLE, Translated, Unavailable
from db.fairness import Bounds, FairQueue, Place
from db.isolation import Mode, begin, set_tenant
from db.statements import Statement, TenantForgotten
from db.tracing import TracedConnection, TracedPool, Tracer

Row = TypeVar("Row")
Key = TypeVar("Key")

# So many requests of one tenant may wait for each connection that there is.
_WAITING_PER_CONNECTION = 50
# So many requests at once keep one event loop nearly busy, where several tenants have some.
_YOUNG = 2
# Beginning and undoing take no time: a connection that says nothing for so long is taken for dead.
_SILENT_SECONDS = 2.0
_UNDOING_SECONDS = 1.0
_TRIES = 3


class Connection:
    """A connection on loan, working for one tenant.

    A connection runs one statement at a time while sibling fields ask at once: a lock puts them in line.
    `statements` counts what was run, transactions and tenant setting not included. `deadline` is in seconds
    a statement; None, as it begins, leaves it at the pool's. `exchange` gives another connection for one that is broken.
    """

    __slots__ = ("_exchange", "_lock", "_open", "_raw", "deadline", "statements", "tenant_id")

    def __init__(
        self, raw: Any, tenant_id: UUID | None, exchange: Callable[[Any], Awaitable[Any]] | None = None
    ) -> None:
        self._raw = raw
        self._exchange = exchange
        self._lock = asyncio.Lock()
        self._open = False
        self.tenant_id = tenant_id
        self.statements = 0
        self.deadline: float | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._open

    @property
    def carried(self) -> dict[str, str] | None:
        """What a job keeps of what asks for it, where that is traced."""
        return self._raw.tracer.carry() if isinstance(self._raw, TracedConnection) else None

    @asynccontextmanager
    async def transaction(self, mode: Mode) -> AsyncIterator[None]:
        """Commits when the block ends, rolls back when it raises."""
        await self.begin(mode)
        try:
            yield
        except BaseException:
            await self.rollback()
            raise
        await self.commit()

    async def begin(self, mode: Mode) -> None:
        """Open a transaction that sees this tenant alone.

        A connection may have ended, or fallen silent, since it was last used: nothing was said on it yet that
        counts, so that another takes its place and nobody notices.
        """
        opening = begin(mode, self.tenant_id)
        self._open = True  # before it is: whoever is cancelled here rolls back what may have begun
        tries = 1
        while True:
            try:
                with Translated():
                    await self._raw.execute(opening, timeout=_SILENT_SECONDS)
                return
            except Unavailable:
                if self._exchange is None or tries == _TRIES:
                    raise
            tries += 1
            self._raw = await self._exchange(self._raw)

    async def commit(self) -> None:
        """End the transaction and keep what it wrote."""
        with Translated():
            await self._raw.execute("commit")
        self._open = False

    async def rollback(self) -> None:
        """End the transaction, if one is open, and keep nothing. A broken connection has done so itself, and one that
        does not say that it has is broken: what it was to undo, PostgreSQL undoes when it is gone."""
        if self._open:
            self._open = False
            try:
                await self._raw.execute("rollback", timeout=_UNDOING_SECONDS)
            except (*UNREACHABLE, asyncpg.PostgresError):
                _break(self._raw)
            except BaseException:  # cancelled once more: nobody knows what it is at
                _break(self._raw)
                raise

    @asynccontextmanager
    async def visiting(self, tenant_id: UUID) -> AsyncIterator["Connection"]:
        """The same transaction for another tenant, as long as the block lasts; siblings wait for its end.

        For the staff of a supplier, who may enter several of its companies: who uses it has to ask first.
        """
        async with self._lock:
            guest = Connection(self._raw, tenant_id)
            guest._open = self._open
            guest.deadline = self.deadline
            try:
                await guest.execute_text(set_tenant(tenant_id))
                yield guest
            finally:
                self.statements += guest.statements
                if self.tenant_id is not None:
                    await guest._go_home(self.tenant_id)

    async def _go_home(self, tenant_id: UUID) -> None:
        self.deadline = _UNDOING_SECONDS
        with suppress(Exception):  # a transaction that has failed can only be rolled back
            try:
                await self.execute_text(set_tenant(tenant_id))
            except Unavailable:  # whose rows the connection shows is not known any more
                _break(self._raw)

    async def rows(self, statement: Statement[Row], **values: Any) -> list[Row]:
        """All rows of the answer, as the statement's row objects."""
        make = statement.make
        assert make is not None, "this statement returns no rows"
        return [make(*record) for record in await self._fetch(statement, values)]

    async def row(self, statement: Statement[Row], **values: Any) -> Row | None:
        """The first row of the answer, or None."""
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def value(self, statement: Statement[Any], **values: Any) -> Any:
        """The first column of the first row, or None."""
        records = await self._fetch(statement, values)
        return records[0][0] if records else None

    async def column(self, statement: Statement[Any], **values: Any) -> list[Any]:
        """The first column of every row."""
        return [record[0] for record in await self._fetch(statement, values)]

    async def run(self, statement: Statement[Any], **values: Any) -> None:
        """Run a statement for its effect."""
        await self._fetch(statement, values)

    async def chunks(self, statement: Statement[Row], size: int, **values: Any) -> AsyncIterator[list[Row]]:
        """The rows of the answer, up to `size` at a time: what is not asked for stays in the database."""
        make, (sql, given) = statement.make, self._asked(statement, values)
        assert make is not None, "this statement returns no rows"
        async with self._lock:
            self.statements += 1
            with Translated():
                cursor = await self._raw.cursor(sql, *given, timeout=self.deadline)
        while True:
            async with self._lock:
                with Translated():
                    records = await cursor.fetch(size, timeout=self.deadline)
            if records:
                yield [make(*record) for record in records]
            if len(records) < size:
                return

    async def _fetch(self, statement: Statement[Any], values: dict[str, Any]) -> Sequence[Any]:
        sql, given = self._asked(statement, values)
        return await self.fetch_text(sql, *given)

    def _asked(self, statement: Statement[Any], values: dict[str, Any]) -> tuple[str, list[Any]]:
        if statement.names_tenant:
            if self.tenant_id is None:
                raise TenantForgotten(statement.sql)
            values["tenant_id"] = self.tenant_id
        return statement.asked(values)

    async def fetch_text(self, sql: str, *values: Any) -> Sequence[Any]:
        """Run SQL text (the exchange writes its own); inside a transaction only."""
        if not self._open:
            raise RuntimeError("statements run inside a transaction")
        async with self._lock:
            self.statements += 1
            with Translated():
                records: Sequence[Any] = await self._raw.fetch(sql, *values, timeout=self.deadline)
                return records

    async def execute_text(self, sql: str) -> str:
        """Run SQL text without parameters (several statements are allowed); returns the command tag."""
        async with self._lock:
            with Translated():
                tag: str = await self._raw.execute(sql, timeout=self.deadline)
                return tag

    async def copy_csv(self, table: str, columns: Sequence[str], source: AsyncIterator[bytes]) -> str:
        """COPY CSV bytes into a table; returns the command tag, `COPY <rows>`."""
        async with self._lock:
            with Translated():
                tag: str = await self._raw.copy_to_table(
                    table, source=source, columns=columns, format="csv", timeout=self.deadline
                )
                return tag


@dataclass(slots=True, frozen=True)
class Use:
    """How much of a pool is in use: the connections on loan, how many there may be at most, and how many wait for
    one."""

    borrowed: int
    most: int
    waiting: int


class Database:
    """The server's connections to PostgreSQL, lent fairly: decision 37."""

    def __init__(
        self, pool: Any, queue: FairQueue, *, wait_seconds: float, tracer: Tracer | None = None
    ) -> None:
        self._pool = pool if tracer is None else TracedPool(pool, tracer)
        self._waiting = nullcontext if tracer is None else tracer.waiting
        self._queue = queue
        self._wait_seconds = wait_seconds

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        size: int = 10,
        wait_seconds: float = 2.0,
        statement_timeout_ms: int = 15_000,
        shared: bool = False,
        tracer: Tracer | None = None,
    ) -> "Database":
        """Open a pool of up to `size` connections. The timeouts apply to every session of the pool. `shared`: by many
        tenants at once, so that none may have all of them. A tracer is told of what the connections do."""
        with Translated():
            pool = await asyncpg.create_pool(
                url.replace("postgresql+asyncpg://", "postgresql://", 1),
                min_size=0,
                max_size=size,
                statement_cache_size=1_000,
                command_timeout=statement_timeout_ms / 1_000 + 5,
                init=keep_values,
                reset=_nothing_to_reset,
                server_settings={
                    "application_name": "kontor",
                    "jit": "off",
                    "lock_timeout": str(statement_timeout_ms),
                    "idle_in_transaction_session_timeout": str(statement_timeout_ms * 2),
                    "statement_timeout": str(statement_timeout_ms),
                    "timezone": "UTC",
                },
            )
        of_one = max(1, size - max(1, size // 4)) if shared else size
        bounds = Bounds(
            places=size,
            of_one=of_one,
            waiting=_WAITING_PER_CONNECTION * size,
            young=_YOUNG if shared else size * size,
        )
        return cls(pool, FairQueue(bounds), wait_seconds=wait_seconds, tracer=tracer)

    @property
    def use(self) -> Use:
        """How much of the pool is in use at this moment."""
        borrowed = self._pool.get_size() - self._pool.get_idle_size()
        return Use(borrowed, self._pool.get_max_size(), self._queue.waiting)

    async def close(self) -> None:
        """Give all connections back; those still at work are ended."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connect(self, tenant_id: UUID | None) -> AsyncIterator[Connection]:
        """Borrow a connection that works for one tenant, or with None for the registry alone.

        Raises Unavailable when none is free within the pool's waiting time, and Crowded when too many of the same
        tenant wait already.
        """
        place, raw = await self._lend(tenant_id)
        connection = Connection(raw, tenant_id, self._exchange)
        try:
            yield connection
        finally:
            try:
                await connection.rollback()
            finally:
                try:
                    await self._pool.release(connection._raw)
                finally:
                    self._queue.leave(place)

    async def _lend(self, tenant_id: UUID | None) -> tuple[Place, Any]:
        """A connection when it is the tenant's turn, and the place that it takes up."""
        with self._waiting():
            with Translated():
                place = await self._queue.enter(tenant_id, self._wait_seconds)
            try:
                return place, await self._borrow()
            except BaseException:
                self._queue.leave(place)
                raise

    async def _borrow(self) -> Any:
        with Translated():
            return await self._pool.acquire(timeout=self._wait_seconds)

    async def _exchange(self, broken: Any) -> Any:
        """Another connection for one that is broken, newly made: what happened to one may have happened to all that
        lie idle. Raises Unavailable like `connect`."""
        _break(broken)
        await self._pool.expire_connections()
        await self._pool.release(broken)
        return await self._borrow()

    @asynccontextmanager
    async def transaction(self, mode: Mode, tenant_id: UUID | None) -> AsyncIterator[Connection]:
        """Borrow a connection for the length of one transaction."""
        async with self.connect(tenant_id) as connection, connection.transaction(mode):
            yield connection


def _break(raw: Any) -> None:
    """End a connection without a word: whoever is at its other end may not hear it."""
    with suppress(asyncpg.InterfaceError):  # it has ended, and the pool knows
        raw.terminate()


async def _nothing_to_reset(_raw: Any) -> None:
    """Settings are local to a transaction and nothing else is left behind, so the round trip is saved."""


def one_each(rows: Iterable[Row], key: str) -> dict[Any, Row]:
    """The rows by a key that is unique among them."""
    return {getattr(row, key): row for row in rows}


def many_each(rows: Iterable[Row], keys: Iterable[Key], key: str) -> Mapping[Key, list[Row]]:
    """The rows grouped by a key; every key asked for is there, if only with an empty list."""
    groups: dict[Key, list[Row]] = {each: [] for each in keys}
    rows = list(rows)
    for of, row in zip(map(attrgetter(key), rows), rows, strict=True):
        groups[of].append(row)
    return groups
