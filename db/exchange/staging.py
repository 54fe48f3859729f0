"""Staging: files go by COPY into temporary tables, which are all that the merge statements read."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from db.connections import Connection
from db.exchange.layout import LAYOUT, Layout
from db.exchange.rows import Header, Lines, Rows, header, staged
from db.exchange.sources import Blocks, File


class Progress(Protocol):
    """What wants to know how far an import is."""

    def reading(self, table: str, rows: int, bytes_read: int, bytes_total: int) -> None:
        """So many rows and bytes of a table's file were read."""

    def writing(self, table: str, rows: int) -> None:
        """The staged rows of a table are about to go in."""


class Silent:
    """Progress that nobody looks at."""

    def reading(self, table: str, rows: int, bytes_read: int, bytes_total: int) -> None:
        """Do nothing."""

    def writing(self, table: str, rows: int) -> None:
        """Do nothing."""


async def affect(connection: Connection, sql: str) -> int:
    """Run one statement and return how many rows it touched. `{tenant}` in it is the tenant's id."""
    tag = await connection.execute_text(_for_tenant(connection, sql))
    last = tag.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


async def ask(connection: Connection, sql: str) -> Sequence[Sequence[object]]:
    """The rows of an answer. `{tenant}` in the text is the tenant's id."""
    return await connection.fetch_text(_for_tenant(connection, sql))


async def prepare(connection: Connection) -> None:
    """Make an empty staging table for every table of the layout; they go when the transaction ends."""
    for layout in LAYOUT.values():
        columns = "".join(f', "{column.name}" {column.kind.sql}' for column in layout.columns)
        await affect(
            connection,
            f"create temp table staged_{layout.name} (file_line bigint not null, reason text{columns}) on commit drop",
        )


async def stage(connection: Connection, layout: Layout, file: File, progress: Progress) -> tuple[Header, int]:
    """Copy a file into its staging table; returns its header and how many rows it has. Raises Unreadable."""
    with file.reading() as blocks:
        lines = Lines(blocks)
        rows = Rows(lines)
        # Reading and unpacking block, so they run in a thread, while PostgreSQL works on the block before.
        head = await asyncio.to_thread(header, rows, layout, file.name)
        names = [column.name if column else f"unknown_{n}" for n, column in enumerate(head.columns)]
        for name in names:
            if name.startswith("unknown_"):
                await affect(connection, f"alter table staged_{layout.name} add {name} text")
        source = _in_thread(staged(lines, rows, head), layout.name, lines, blocks, progress)
        tag = await connection.copy_csv(f"staged_{layout.name}", ["file_line", "reason", *names], source)
    await affect(connection, f"analyze staged_{layout.name}")
    return head, int(tag.split()[-1])


async def _in_thread(
    staging: Iterator[bytes], table: str, lines: Lines, blocks: Blocks, progress: Progress
) -> AsyncIterator[bytes]:
    while (block := await asyncio.to_thread(next, staging, b"")) != b"":
        yield block
        progress.reading(table, lines.number - 1, blocks.read, blocks.file.size)


def _for_tenant(connection: Connection, sql: str) -> str:
    """Write the tenant into the text, as isolation.begin does: only a UUID can get there."""
    tenant_id = connection.tenant_id
    if not isinstance(tenant_id, UUID):
        raise TypeError(f"a tenant is named by its UUID, not by {tenant_id!r}")
    return sql.replace("{tenant}", f"'{tenant_id}'::uuid")
