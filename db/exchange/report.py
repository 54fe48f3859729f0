"""The report of an import: what went in, what did not and why."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

import asyncio
import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.connections import Connection
from db.exchange.layout import LAYOUT
from db.exchange.rows import Lines, Rows
from db.exchange.sources import File
from db.exchange.staging import ask

_BATCH = 10_000


@dataclass(slots=True)
class Counts:
    """What became of a table's rows. `removed` are lines of orders that the file no longer has."""

    inserted: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows the file had."""
        return self.inserted + self.updated + self.unchanged + self.rejected


@dataclass(slots=True)
class Report:
    """What an import did, by table, and what it ignored; `rejected` holds a file a table with bad rows."""

    rejected: Path
    tables: dict[str, Counts] = field(default_factory=dict)
    ignored_files: list[str] = field(default_factory=list)
    ignored_columns: dict[str, list[str]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything in the database is other than before."""
        return any(counts.inserted or counts.updated or counts.removed for counts in self.tables.values())


async def count(connection: Connection, table: str, changes: Counts) -> Counts:
    """Fill in what the staging table knows: rejected rows by reason, and those that were equal."""
    rows: Any = await ask(
        connection,
        f"""
        select split_part(reason, ':', 1), count(*) from staged_{table}
        group by split_part(reason, ':', 1) order by 2 desc, 1
        """,
    )
    counted: dict[Any, Any] = dict(rows)
    accepted = counted.pop(None, 0)
    changes.reasons = counted
    changes.rejected = sum(counted.values())
    changes.unchanged = accepted - changes.inserted - changes.updated
    return changes


class RejectedFiles:
    """Files of rejected rows, written aside first: they replace the last run's when the import is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rejected"
        self._new = folder / "rejected.new"

    async def write(self, connection: Connection, table: str, file: File) -> None:
        """Write the rejected rows of a table as they stand in its file, each with its line and reason."""
        with ExitStack() as stack:
            blocks = stack.enter_context(file.reading())
            rows = Rows(Lines(blocks))
            names = await asyncio.to_thread(next, rows)
            self._new.mkdir(parents=True, exist_ok=True)
            out = stack.enter_context((self._new / f"{table}.csv").open("w", encoding="utf-8", newline=""))
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["line", "reason", *names])
            last = 0
            while batch := await _rejected(connection, table, last):
                last = batch[-1][0]
                await asyncio.to_thread(writer.writerows, _originals(rows, batch))

    def publish(self) -> None:
        """Put the new files in the place of the last run's."""
        for table in LAYOUT:
            (self.folder / f"{table}.csv").unlink(missing_ok=True)
        if self._new.exists():
            self.folder.mkdir(exist_ok=True)
            for path in self._new.iterdir():
                path.replace(self.folder / path.name)
        self.discard()

    def discard(self) -> None:
        """Forget the new files."""
        shutil.rmtree(self._new, ignore_errors=True)


async def _rejected(connection: Connection, table: str, after: int) -> Sequence[tuple[int, str]]:
    rows: Any = await ask(
        connection,
        f"""
        select file_line, reason from staged_{table} where reason is not null and file_line > {after:d}
        order by file_line limit {_BATCH}
        """,
    )
    return [(row[0], row[1]) for row in rows]


def _originals(rows: Rows, batch: Sequence[tuple[int, str]]) -> Iterator[list[str]]:
    """The rows of a batch, found by going on through the file."""
    for line, reason in batch:
        for values in rows:
            if rows.line == line:
                yield [str(line), reason, *values]
                break
