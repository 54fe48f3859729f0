"""Connections: a bounded pool, transactions for one tenant, statements one after the other."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from db.isolation import Mode, begin, set_tenant
from db.statements import Statement, TenantForgotten
from db.tracing import TracedConnection, TracedPool, Tracer

Row = TypeVar("Row")
Key = TypeVar("Key")


_DAY_ZERO, _LAST_DAY = date(2000, 1, 1).toordinal(), date.max.toordinal()


class Unavailable(Exception):
    """The database cannot be reached, or no connection became free in time."""


class TooSlow(Exception):
    """A statement ran into its deadline and was ended."""


class Unstorable(Exception):
    """A value cannot be kept in the database, e.g. text with a NUL character."""


class Contended(Exception):
    """Another transaction stood in the way (deadlock, serialization, a key that it took or a row that it deleted);
    the same work may succeed again, or find out what is wrong."""


class Connection:
    """A connection on loan, working for one tenant.

    A connection runs one statement at a time while sibling fields ask at once: a lock puts them in line.
    `statements` counts what was run, transactions and tenant setting not included. `deadline` is in seconds
    a statement; None, as it begins, leaves it at the pool's.
    """

    __slots__ = ("_lock", "_open", "_raw", "deadline", "statements", "tenant_id")

    def __init__(self, raw: Any, tenant_id: UUID | None) -> None:
        self._raw = raw
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
        """Open a transaction that sees this tenant alone."""
        opening = begin(mode, self.tenant_id)
        self._open = True  # before it is: whoever is cancelled here rolls back what may have begun
        with _Translated():
            await self._raw.execute(opening)

    async def commit(self) -> None:
        """End the transaction and keep what it wrote."""
        with _Translated():
            await self._raw.execute("commit")
        self._open = False

    async def rollback(self) -> None:
        """End the transaction, if one is open, and keep nothing. A broken connection has done so itself."""
        if self._open:
            self._open = False
            if not self._raw.is_closed():
                with _Translated():
                    await self._raw.execute("rollback")

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
                if self.tenant_id is not None and not self._raw.is_closed():
                    with suppress(Exception):  # a transaction that has failed can only be rolled back
                        await guest.execute_text(set_tenant(self.tenant_id))

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
            with _Translated():
                cursor = await self._raw.cursor(sql, *given, timeout=self.deadline)
        while True:
            async with self._lock:
                with _Translated():
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
            with _Translated():
                records: Sequence[Any] = await self._raw.fetch(sql, *values, timeout=self.deadline)
                return records

    async def execute_text(self, sql: str) -> str:
        """Run SQL text without parameters (several statements are allowed); returns the command tag."""
        async with self._lock:
            with _Translated():
                tag: str = await self._raw.execute(sql, timeout=self.deadline)
                return tag

    async def copy_csv(self, table: str, columns: Sequence[str], source: AsyncIterator[bytes]) -> str:
        """COPY CSV bytes into a table; returns the command tag, `COPY <rows>`."""
        async with self._lock:
            with _Translated():
                tag: str = await self._raw.copy_to_table(
                    table, source=source, columns=columns, format="csv", timeout=self.deadline
                )
                return tag


@dataclass(slots=True, frozen=True)
class Use:
    """How much of a pool is in use: the connections on loan, and how many there may be at most."""

    borrowed: int
    most: int


class Database:
    """The server's connections to PostgreSQL."""

    def __init__(self, pool: Any, *, wait_seconds: float) -> None:
        self._pool = pool
        self._wait_seconds = wait_seconds

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        size: int = 10,
        wait_seconds: float = 2.0,
        statement_timeout_ms: int = 15_000,
        tracer: Tracer | None = None,
    ) -> "Database":
        """Open a pool of up to `size` connections. The timeouts apply to every session of the pool. A tracer is told
        of what they do."""
        with _Translated():
            pool = await asyncpg.create_pool(
                url.replace("postgresql+asyncpg://", "postgresql://", 1),
                min_size=0,
                max_size=size,
                statement_cache_size=1_000,
                command_timeout=statement_timeout_ms / 1_000 + 5,
                init=_keep_values,
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
        return cls(pool if tracer is None else TracedPool(pool, tracer), wait_seconds=wait_seconds)

    @property
    def use(self) -> Use:
        """How much of the pool is in use at this moment."""
        return Use(self._pool.get_size() - self._pool.get_idle_size(), self._pool.get_max_size())

    async def close(self) -> None:
        """Give all connections back; those still at work are ended."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connect(self, tenant_id: UUID | None) -> AsyncIterator[Connection]:
        """Borrow a connection that works for one tenant, or with None for the registry alone.

        Raises Unavailable when none is free within the pool's waiting time.
        """
        with _Translated():
            raw = await self._pool.acquire(timeout=self._wait_seconds)
        connection = Connection(raw, tenant_id)
        try:
            yield connection
        finally:
            try:
                await connection.rollback()
            finally:
                await self._pool.release(raw)

    @asynccontextmanager
    async def transaction(self, mode: Mode, tenant_id: UUID | None) -> AsyncIterator[Connection]:
        """Borrow a connection for the length of one transaction."""
        async with self.connect(tenant_id) as connection, connection.transaction(mode):
            yield connection


async def _keep_values(raw: Any) -> None:
    """Days are what they are, the first and the last that there is too: left alone, the driver makes them infinity.
    Decimals come as text: that is read in half the time, and most of it was read before."""
    await raw.set_type_codec(
        "date", schema="pg_catalog", encoder=_as_days, decoder=_from_days, format="tuple"
    )
    await raw.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_from_numeric, format="text"
    )


@lru_cache(maxsize=10_000)
def _from_numeric(text: str) -> Decimal:
    return Decimal(text)


def _as_days(day: date) -> tuple[int]:
    """A date as PostgreSQL counts it: days since 2000-01-01."""
    return (day.toordinal() - _DAY_ZERO,)


def _from_days(counted: tuple[int]) -> date:
    """A date, of PostgreSQL's infinities and of years that nothing here counts the nearest one."""
    return date.fromordinal(min(max(counted[0] + _DAY_ZERO, 1), _LAST_DAY))


async def _nothing_to_reset(_raw: Any) -> None:
    """Settings are local to a transaction and nothing else is left behind, so the round trip is saved."""


class _Translated:
    """Turns the driver's errors into this floor's: what callers can act on, no SQL and nobody's values: PostgreSQL's
    details are keys and whole rows, and the driver tells what it could not send."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        if isinstance(error, (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)):
            raise TooSlow(str(error)) from error
        if isinstance(error, _CONTENDED):
            raise Contended(str(error)) from error
        if isinstance(error, _NOT_STORABLE) or str(error).startswith("invalid input for query argument"):
            raise Unstorable(str(error).partition(":")[0]) from None
        if isinstance(error, _UNREACHABLE):
            raise Unavailable(str(error) or type(error).__name__) from error


# A key that is taken, or a row that has gone, since it was looked at: the second time one sees it.
_CONTENDED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
)
_NOT_STORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.NumericValueOutOfRangeError)
_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
)


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
