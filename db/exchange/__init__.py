"""The exchange: a folder or zip of CSV files goes into a tenant's tables, as often as one likes."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from db import audit
from db.connections import Connection
from db.exchange import attributes, catalogue, orders, payments, posted, posting_locks, reservations, told
from db.exchange.amounts import minor_units
from db.exchange.layout import LAYOUT
from db.exchange.report import Counts, RejectedFiles, Report, count
from db.exchange.sources import File, Unreadable, opened
from db.exchange.staging import Progress, Silent, affect, prepare, stage
from db.failures import Contended
from db.isolation import Mode

__all__ = ["Counts", "Progress", "Report", "Silent", "Unreadable", "run"]

_Merge = Callable[[Connection, Collection[str]], Awaitable[Counts | tuple[Counts, Counts]]]

# In the order in which they go in. Documents go in with their lines.
_MERGES: Mapping[tuple[str, ...], _Merge] = {
    ("warehouses",): catalogue.warehouses,
    ("categories",): catalogue.categories,
    ("products",): catalogue.products,
    ("attribute_definitions",): attributes.definitions,
    ("attribute_choices",): attributes.choices,
    ("attributes",): attributes.values,
    ("prices",): catalogue.prices,
    ("stock",): catalogue.stock,
    ("customers",): catalogue.customers,
    ("orders", "order_lines"): orders.orders,
    ("invoices", "invoice_lines"): posted.invoices,
    ("credit_notes", "credit_note_lines"): posted.credit_notes,
    ("payments",): payments.payments,
}

_RESERVING = {"stock", "orders", "order_lines"}

# An import takes as long as it takes. What it sorts and hashes is worth some memory. Sets are joined by
# hashing: tables that were just filled have no statistics yet, and nested loops chosen without them took
# a hundred times as long.
_SETTINGS = """
    set local statement_timeout = 0;
    set local lock_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local work_mem = '64MB';
    set local enable_nestloop = off;
    set local enable_mergejoin = off;
    set local timezone = 'UTC';
    set local default_statistics_target = 10;
    set local client_min_messages = warning
"""
_DEADLINE_SECONDS = 24 * 3600.0
# Somebody else may add what an import is about to add: the next time it is there. As often as a mutation is tried.
_TRIES = 3
# Two imports of one tenant would meet in every table: the second one waits for the first.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('kontor exchange ' || {tenant}, 0))"
# The planner takes tables of which it knows nothing for small ones, and would until autovacuum comes by. Where this is
# not allowed (before PostgreSQL 17), it is left out with a warning.
_STATISTICS = """
    set local default_statistics_target to default;
    analyze warehouses, categories, products, attributes, attribute_choices, product_attributes, price_lists, prices,
        stock, customers, orders, order_lines, invoices, invoice_lines, credit_notes, credit_note_lines, payments,
        movements
"""


async def run(connection: Connection, source: Path, report_folder: Path, progress: Progress) -> Report:
    """Import a folder or zip in the exchange layout for the connection's tenant, in one transaction.

    Rows that cannot be taken are written to `rejected/<table>.csv` in the report's folder. Raises Unreadable
    when a file cannot be read at all; then nothing is changed, nor is anything after any other error.
    """
    rejected = RejectedFiles(report_folder)
    connection.deadline = _DEADLINE_SECONDS
    try:
        with opened(source, LAYOUT) as (files, ignored_files):
            tries = 1
            while True:
                rejected.discard()  # what a run that was killed, or a try that failed, has left
                report = Report(rejected.folder, ignored_files=ignored_files)
                try:
                    await _run(connection, files, report, rejected, progress)
                    break
                except Contended:
                    if tries == _TRIES:
                        raise
                    tries += 1
        rejected.publish()
        return report
    finally:
        connection.deadline = None
        rejected.discard()


async def _run(
    connection: Connection,
    files: Mapping[str, File],
    report: Report,
    rejected: RejectedFiles,
    progress: Progress,
) -> None:
    async with connection.transaction(Mode.WRITE):
        await affect(connection, _SETTINGS)
        await affect(connection, _LOCK)
        columns, rows = await _stage(connection, files, report, progress)
        await _merge(connection, columns, report, lambda table: progress.writing(table, rows[table]))
        for table, counts in report.tables.items():
            if counts.rejected:
                await rejected.write(connection, table, files[table])
        if report.changed:
            await _write_down(connection, report)
            await affect(connection, _STATISTICS)
        await told.tell(connection)


async def _write_down(connection: Connection, report: Report) -> None:
    """One entry in the audit for all of an import: by table, how many rows are new, changed and removed."""
    assert connection.tenant_id is not None
    after = {
        table: {"new": counts.inserted, "changed": counts.updated, "removed": counts.removed}
        for table, counts in report.tables.items()
        if counts.inserted or counts.updated or counts.removed
    }
    await audit.add_of_command_line(connection, "import", "Portal", connection.tenant_id, after)


async def _stage(
    connection: Connection, files: Mapping[str, File], report: Report, progress: Progress
) -> tuple[dict[str, Collection[str]], dict[str, int]]:
    """Stage all files; returns each one's columns and how many rows it has. Nothing is locked meanwhile."""
    await prepare(connection)
    columns: dict[str, Collection[str]] = {}
    rows: dict[str, int] = {}
    for table, layout in LAYOUT.items():
        if table in files:
            head, rows[table] = await stage(connection, layout, files[table], progress)
            columns[table] = head.names
            if head.unknown:
                report.ignored_columns[files[table].name] = head.unknown
    return columns, rows


async def _merge(
    connection: Connection,
    columns: Mapping[str, Collection[str]],
    report: Report,
    tell: Callable[[str], None],
) -> None:
    await told.prepare(connection)
    await posting_locks.lock(connection)
    if _RESERVING & columns.keys():
        await reservations.lock(connection)
    await minor_units(connection)
    for tables, merge in _MERGES.items():
        present = [table for table in tables if table in columns]
        if present:
            for table in present:
                tell(table)
            changes = await merge(connection, columns.get(tables[0], ()))
            both = changes if isinstance(changes, tuple) else (changes,)
            for table, counts in zip(tables, both, strict=True):
                if table in present:
                    report.tables[table] = await count(connection, table, counts)
    if _RESERVING & columns.keys():
        await reservations.correct(connection)
