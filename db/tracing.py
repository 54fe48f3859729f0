"""Tracing: what a process that is traced is told of the database's work. In one that is not, nothing of this is in the way."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID


class Tracer(Protocol):
    """Whoever is told. What the methods return lasts as long as what they are told of."""

    def waiting(self) -> AbstractContextManager[object]:
        """Somebody waits for a connection."""

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """A statement runs. The text may hold constants, and the values of nobody's parameters."""

    def job(
        self, name: str, tenant_id: UUID, carried: Mapping[str, object] | None
    ) -> AbstractContextManager[object]:
        """A job is done, for which `carry` gave this when it was asked for."""

    def carry(self) -> dict[str, str] | None:
        """What a job keeps of what asks for it; None when that is not traced."""


class TracedPool:
    """A pool whose connections tell; all else is the pool's own."""

    def __init__(self, pool: Any, tracer: Tracer) -> None:
        self._pool = pool
        self._tracer = tracer

    async def acquire(self, **given: Any) -> "TracedConnection":
        """Borrow a connection."""
        return TracedConnection(await self._pool.acquire(**given), self._tracer)

    async def release(self, connection: "TracedConnection") -> None:
        """Give it back."""
        await self._pool.release(connection.raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class TracedConnection:
    """A driver's connection that tells of its statements; all else is the driver's own."""

    def __init__(self, raw: Any, tracer: Tracer) -> None:
        self.raw = raw
        self.tracer = tracer

    async def fetch(self, sql: str, *values: Any, **given: Any) -> Any:
        """The rows of a statement."""
        with self.tracer.statement(sql):
            return await self.raw.fetch(sql, *values, **given)

    async def execute(self, sql: str, **given: Any) -> Any:
        """Statements without parameters."""
        with self.tracer.statement(sql):
            return await self.raw.execute(sql, **given)

    async def cursor(self, sql: str, *values: Any, **given: Any) -> Any:
        """The beginning of a statement whose rows are read bit by bit."""
        with self.tracer.statement(sql):
            return await self.raw.cursor(sql, *values, **given)

    async def copy_to_table(self, table: str, **given: Any) -> Any:
        """Rows on their way into a table."""
        with self.tracer.statement(f"COPY {table} FROM STDIN"):
            return await self.raw.copy_to_table(table, **given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)
