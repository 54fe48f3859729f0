"""The import on the command line: a progress bar while it runs, then what went in and what did not."""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

import db
from db import exchange
from db.exchange import Report, Unreadable
from db.failures import Contended, TooSlow, Unavailable
from db.isolation import Mode
from server import serving
from server.settings import Settings

_FAILED = 2


async def import_folder(
    settings: Settings, source: Path, slug: str, report_folder: Path, console: Console
) -> int:
    """Import an exchange folder or zip into a portal; the exit code: 0, or 2 when nothing could be done.

    Rejected rows are no failure: they stand in `report_folder`/rejected, the rest went in.
    """
    database = await serving.open_database(settings)
    try:
        async with database.transaction(Mode.SNAPSHOT, None) as registry:
            tenant_id = await db.portals.tenant_by_slug(registry, slug)
        if tenant_id is None:
            console.print(f"There is no portal {slug!r}.", style="red")
            return _FAILED
        async with database.connect(tenant_id) as connection:
            with _Bars(console) as bars:
                report = await exchange.run(connection, source, report_folder, bars)
    except Unreadable as unreadable:
        console.print(f"Nothing was imported. {unreadable}", style="red", highlight=False)
        return _FAILED
    except (Unavailable, TooSlow, Contended) as failed:
        console.print(f"Nothing was imported. The database: {failed}", style="red", highlight=False)
        console.print("`make up` starts the embedded one.")
        return _FAILED
    finally:
        await database.close()
    _tell(report, console)
    return 0


class _Bars:
    """A bar a file, with rows and rows per second."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:18}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rows]:>9,} rows"),
            TextColumn("{task.fields[speed]:>9,.0f} rows/s"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,  # in a file, bars are rubbish
        )
        self._tasks: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def reading(self, table: str, rows: int, bytes_read: int, bytes_total: int) -> None:
        """So many rows and bytes of a table's file were read."""
        if table not in self._tasks:
            task = self._progress.add_task(table, total=bytes_total, rows=0, speed=0.0)
            self._tasks[table] = task, time.monotonic()
        task, started = self._tasks[table]
        speed = rows / max(time.monotonic() - started, 0.001)
        self._progress.update(task, completed=bytes_read, rows=rows, speed=speed)

    def writing(self, table: str, rows: int) -> None:
        """The rows of a table are about to go in."""
        self._progress.console.print(f"{table}: putting {rows:,} rows in", style="dim", highlight=False)


def _tell(report: Report, console: Console) -> None:
    table = Table()
    table.add_column("table")
    for name in ("rows", "new", "changed", "removed", "equal", "rejected"):
        table.add_column(name, justify="right")
    for name, counts in report.tables.items():
        numbers = (
            counts.rows,
            counts.inserted,
            counts.updated,
            counts.removed,
            counts.unchanged,
            counts.rejected,
        )
        table.add_row(name, *(f"{number:,}" if number else "" for number in numbers))
    console.print(table)
    for name, counts in report.tables.items():
        for reason, number in counts.reasons.items():
            console.print(f"{name}: {number:,} rejected, {reason}", highlight=False)
    if any(counts.rejected for counts in report.tables.values()):
        console.print(f"Rejected rows, with line and reason: {report.rejected}", highlight=False)
    for name in report.ignored_files:
        console.print(f"Ignored, not part of the layout: {name}", highlight=False)
    for name, columns in report.ignored_columns.items():
        console.print(f"Ignored columns of {name}: {', '.join(columns)}", highlight=False)
    if not report.changed:
        console.print("Nothing was changed: everything is there already.")
