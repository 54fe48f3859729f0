"""What the change feed costs: `python -m bench.change_feed [FOLDER]`.

Eight writers change a row and the audit each, as fast as they can: of one company with the feed and without, and of
eight companies. With a folder in the exchange layout also its import, with the feed and without, in turns.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import asyncpg
import uuid_utils.compat as uuid

from bench.import_exchange import import_once, new_tenant, plain
from db import audit, change_feed, customers, migrations, roles
from db.connections import Connection, Database
from db.customers import Customer
from db.embedded import Cluster
from db.exchange import catalogue, merge, orders, payments, posted, told
from db.exchange.staging import affect
from db.isolation import Mode
from rules.events import Operation

_DATABASE = "bench"
_WRITERS = 8
_SECONDS = 3.0
_ROUNDS = 5
_TELLING = (catalogue, merge, orders, payments, posted)


def main(folder: Path | None) -> None:
    """Make a server, measure, throw the server away."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    cluster = Cluster(home)
    try:
        cluster.up()
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), _DATABASE))
        migrations.upgrade(cluster.url(roles.MIGRATION, _DATABASE))
        asyncio.run(_measure(cluster, folder))
    finally:
        cluster.destroy()
        shutil.rmtree(home)


async def _measure(cluster: Cluster, folder: Path | None) -> None:
    admin = await asyncpg.connect(plain(cluster.url("postgres", _DATABASE)))
    database = await Database.open(cluster.url(roles.SERVER, _DATABASE))
    tenants = [await new_tenant(admin, database) for _ in range(_WRITERS)]
    await _writers(database, tenants)
    if folder is not None:
        await _imports(admin, database, folder)
    await database.close()
    await admin.close()


async def _writers(database: Database, tenants: Sequence[UUID]) -> None:
    places = [(tenant_id, await _customer(database, tenant_id)) for tenant_id in tenants]
    mine = [(tenants[0], await _customer(database, tenants[0])) for _ in range(_WRITERS)]
    cases = (
        ("one company, without the feed", mine, False),
        ("one company, with the feed", mine, True),
        ("eight companies, without the feed", places, False),
        ("eight companies, with the feed", places, True),
    )
    done: dict[str, list[float]] = {name: [] for name, *_ in cases}
    for _ in range(_ROUNDS):
        for name, where, fed in cases:
            done[name].append(await _busy(database, where, fed=fed))
    for name, all_rates in done.items():
        print(f"{name:35} {statistics.median(all_rates):7.0f} transactions/s")
    for whose in ("one company", "eight companies"):
        pairs = zip(done[f"{whose}, without the feed"], done[f"{whose}, with the feed"], strict=True)
        print(f"{whose}: {statistics.median(bare / fed for bare, fed in pairs):.2f} x the time with the feed")


async def _customer(database: Database, tenant_id: UUID) -> UUID:
    customer = Customer(
        id=uuid.uuid7(),
        code=str(uuid.uuid7()),
        name="Bench",
        country="",
        currency="GBP",
        email="",
        price_list_id=None,
        phone="",
        credit_limit=None,
        version=1,
    )
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        await customers.upsert(connection, [customer])
    return customer.id


async def _busy(database: Database, places: Sequence[tuple[UUID, UUID]], *, fed: bool) -> float:
    """Transactions a second of one writer a place."""
    end = time.perf_counter() + _SECONDS
    counts = await asyncio.gather(*(_write(database, *place, end, fed=fed) for place in places))
    return sum(counts) / _SECONDS


async def _write(database: Database, tenant_id: UUID, customer_id: UUID, end: float, *, fed: bool) -> int:
    done = 0
    while time.perf_counter() < end:
        async with database.transaction(Mode.WRITE, tenant_id) as connection:
            await customers.lock(connection, customer_id)
            await affect(
                connection,
                f"update customers set name = '{done}' where tenant_id = {{tenant}} and id = '{customer_id}'",
            )
            await audit.add_of_command_line(connection, "bench", "Customer", customer_id, {"name": done})
            if fed:
                change = change_feed.Change(
                    "Customer", customer_id, Operation.UPDATED, None, customer_id, customer_id
                )
                await change_feed.add(connection, [change])
        done += 1
    return done


async def _imports(admin: asyncpg.Connection, database: Database, folder: Path) -> None:
    bare: list[float] = []
    fed: list[float] = []
    held: list[float] = []

    async def tell(connection: Connection) -> None:
        start = time.perf_counter()
        await told_tell(connection)
        held.append(time.perf_counter() - start)

    told_tell = told.tell
    for _ in range(_ROUNDS):
        with patch.object(told, "tell", _silent):
            patches = [patch.object(module, "change", _untold) for module in _TELLING]
            for each in patches:
                each.start()
            bare.append((await import_once(database, await new_tenant(admin, database), folder))[0])
            for each in patches:
                each.stop()
        with patch.object(told, "tell", tell):
            fed.append((await import_once(database, await new_tenant(admin, database), folder))[0])
        print(f"import without {bare[-1]:.2f} s, with {fed[-1]:.2f} s, of which telling {held[-1]:.2f} s")
    ratio = statistics.median(f / b for b, f in zip(bare, fed, strict=True))
    print(f"import {ratio:.2f} x; telling, medians: {statistics.median(held):.2f} s")


async def _silent(_connection: Connection) -> None: ...


async def _untold(connection: Connection, sql: str, _told: object, *, is_new: bool) -> int:
    del is_new
    return await affect(connection, sql)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
