"""The import against a bare COPY of the same files: `python -m bench.import_exchange FOLDER [ROUNDS]`.

Both run on one embedded server, in turns. Bare means plain tables with the columns of the files, typed and
logged, without keys, constraints or indexes; the files are unpacked in a thread as the import does it.
"""

import asyncio
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

import db.exchange
from db import lifecycle_statuses, migrations, roles
from db.connections import Database
from db.embedded import Cluster
from db.exchange.layout import LAYOUT
from db.exchange.rows import Lines, Rows, header
from db.exchange.sources import Blocks, File, opened
from db.isolation import Mode

_DATABASE = "bench"


def main(folder: Path, rounds: int) -> None:
    """Make a server, measure, throw the server away."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    cluster = Cluster(home)
    try:
        cluster.up()
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), _DATABASE))
        migrations.upgrade(cluster.url(roles.MIGRATION, _DATABASE))
        asyncio.run(_measure(cluster, folder, rounds))
    finally:
        cluster.destroy()
        shutil.rmtree(home)


async def _measure(cluster: Cluster, folder: Path, rounds: int) -> None:
    admin = await asyncpg.connect(plain(cluster.url("postgres", _DATABASE)))
    database = await Database.open(cluster.url(roles.SERVER, _DATABASE))
    bare: list[float] = []
    first: list[float] = []
    again: list[float] = []
    rows = 0
    before = _peak()
    for number in range(1, rounds + 1):
        tenant_id = await new_tenant(admin, database)
        bare.append(await _bare_copy(admin, folder))
        seconds, report = await import_once(database, tenant_id, folder)
        first.append(seconds)
        again.append((await import_once(database, tenant_id, folder))[0])
        rows = sum(counts.rows for counts in report.tables.values())
        print(f"round {number}: COPY {bare[-1]:.2f} s, import {first[-1]:.2f} s, again {again[-1]:.2f} s")
    print(f"\n{rows:,} rows, medians of {rounds} rounds")
    for name, all_seconds in (("bare COPY", bare), ("import", first), ("import again", again)):
        median = statistics.median(all_seconds)
        ratio = statistics.median(each / base for each, base in zip(all_seconds, bare, strict=True))
        print(f"{name:13} {median:7.2f} s {rows / median:10,.0f} rows/s {ratio:7.1f} x COPY")
    print(f"peak memory of this process: {_peak():.0f} MB, {_peak() - before:.0f} MB more than before")
    await database.close()
    await admin.close()


async def new_tenant(admin: asyncpg.Connection, database: Database) -> UUID:
    """A portal with nothing in it."""
    tenant_id = uuid4()
    await admin.execute("insert into suppliers values ($1, $2, 'Bench')", tenant_id, str(tenant_id))
    await admin.execute(
        """
        insert into portals (tenant_id, supplier_id, slug, name, legal_name, currency, locale, support_email)
        values ($1, $1, $2, 'Bench', 'Bench', 'GBP', 'en', 'bench@kontor.example')
        """,
        tenant_id,
        str(tenant_id),
    )
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        await lifecycle_statuses.add_predefined(connection)
    return tenant_id


async def import_once(database: Database, tenant_id: UUID, folder: Path) -> tuple[float, db.exchange.Report]:
    """Import a folder; how many seconds it took, and its report."""
    with tempfile.TemporaryDirectory() as reports:
        async with database.connect(tenant_id) as connection:
            start = time.perf_counter()
            report = await db.exchange.run(connection, folder, Path(reports), db.exchange.Silent())
            return time.perf_counter() - start, report


async def _bare_copy(admin: asyncpg.Connection, folder: Path) -> float:
    with opened(folder, LAYOUT) as (files, _):
        tables = {f"bare_{table}": file for table, file in files.items()}
        for table, file in tables.items():
            await admin.execute(f"drop table if exists {table}")
            await admin.execute(f"create table {table} ({_columns(table.removeprefix('bare_'), file)})")
        start = time.perf_counter()
        async with admin.transaction():
            for table, file in tables.items():
                with file.reading() as blocks:
                    await admin.copy_to_table(table, source=_in_thread(blocks), format="csv", header=True)
        return time.perf_counter() - start


def _columns(table: str, file: File) -> str:
    with file.reading() as blocks:
        head = header(Rows(Lines(blocks)), LAYOUT[table], file.name)
    types = [column.kind.sql if column else "text" for column in head.columns]
    return ", ".join(f'"{name}" {kind}' for name, kind in zip(head.names, types, strict=True))


async def _in_thread(blocks: Blocks) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block


def plain(url: str) -> str:
    """An address as the driver alone takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
