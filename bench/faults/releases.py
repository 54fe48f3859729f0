"""A new release's migration while the old one serves: line 46."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from bench.faults.asking import Answer, Client, asking, sku
from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.servers import Serving, serving
from bench.import_exchange import plain
from bench.peers.data import Portal
from bench.peers.database import NAME, Place
from db import migrations, roles

_CLONE = "bench_release"
_HELD_SECONDS = 3.0
_VIEWERS = 4
_LONGEST_SECONDS = 1.5
# What a release adds: a column with its default and constraint, an index, a table; each an own step of ALTER.
_MIGRATION = '''"""A release's migration."""

from alembic import op

revision = "next_release"
down_revision = "{newest}"

def upgrade() -> None:
    op.execute("alter table portals add column next_note text not null default ''")
    op.execute("alter table orders add column next_note text not null default ''")
    op.execute("alter table orders add constraint orders_next_note_check check (length(next_note) < 100)")
    op.execute("create index orders_next_note_idx on orders (tenant_id, next_note)")
    op.execute("create table next_things (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))")
'''


@line(
    46,
    must="migration under load: both versions answer",
    done="columns, a constraint, an index and a table added while 8 buyers order and 4 read; "
    f"a report reads all orders for {_HELD_SECONDS:.0f} s meanwhile; then a server of the next release beside the old one",
)
async def migration_under_load(ground: Ground, claims: Claims) -> str:
    """The migration waits in small steps, so that nobody waits long behind it; the old servers go on, and are ready."""
    place, portal = ground.place, ground.portal
    async with _clone(place) as admin:
        url = place.cluster.url(roles.SERVER, _CLONE)
        async with serving(place, database_url=url) as old, _busy(old, portal) as answers:
            report = asyncio.create_task(_report(admin))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            await asyncio.to_thread(_migrate, place.cluster.url(roles.MIGRATION, _CLONE))
            took = time.monotonic() - started
            await report
            ready = await old.at("/readyz")
            async with serving(place, database_url=url) as new, asking(new, portal) as other:
                claims.that((await other.ask()).right, "a server that is started after it answers")
                claims.that(await new.at("/readyz") == 200, "and is ready")
    longest = max(each.seconds for each in answers)
    wrong = [(each.status, each.codes) for each in answers if not each.right]
    claims.that(not wrong, f"every request is answered ({wrong[:3]})")
    claims.that(longest < _LONGEST_SECONDS, f"nobody waits for {_LONGEST_SECONDS} s")
    claims.that(ready == 200, "the old server is ready after the migration")
    return f"{len(answers)} requests, {len(wrong)} failed, the longest {longest:.2f} s; the migration took {took:.1f} s"


@asynccontextmanager
async def _busy(server: Serving, portal: Portal) -> AsyncIterator[list[Answer]]:
    """Buyers who order and viewers who read as long as the block lasts; what they are answered."""
    stop, answers = asyncio.Event(), list[Answer]()
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as working:
        for number, buyer in enumerate(portal.buyers, 1):
            client = await opened.enter_async_context(asking(server, portal, buyer))
            working.create_task(_order(client, number, stop, answers))
        for _ in range(_VIEWERS):
            client = await opened.enter_async_context(asking(server, portal))
            working.create_task(_read(client, stop, answers))
        try:
            await asyncio.sleep(1)
            yield answers
            await asyncio.sleep(1)
        finally:
            stop.set()


async def _read(asker: Client, stop: asyncio.Event, answers: list[Answer]) -> None:
    while not stop.is_set():
        answers.append(await asker.ask())
        await asyncio.sleep(0.05)


async def _order(asker: Client, number: int, stop: asyncio.Event, answers: list[Answer]) -> None:
    while not stop.is_set():
        answers.append(await asker.order(sku(number)))
        await asyncio.sleep(0.05)


async def _report(admin: asyncpg.Connection) -> None:
    """Read all orders in a transaction that lasts, as a large download does."""
    async with admin.transaction(readonly=True, isolation="repeatable_read"):
        await admin.fetchval("select count(*) from orders")
        await asyncio.sleep(_HELD_SECONDS)


def _migrate(url: str) -> None:
    """Bring the database to the next release, whose migrations are ours and one more."""
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder, "migrations")
        shutil.copytree(migrations.FOLDER, release)
        (release / "versions" / "next_release.py").write_text(_MIGRATION.format(newest=migrations.newest()))
        migrations.upgrade(url, release)


@asynccontextmanager
async def _clone(place: Place) -> AsyncIterator[asyncpg.Connection]:
    """A copy of the database as long as the block lasts, and a connection of the superuser to it."""
    admin = await asyncpg.connect(plain(place.cluster.url("postgres", "postgres")))
    try:
        await admin.execute(
            f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{NAME}'"
        )
        await admin.execute(f"create database {_CLONE} template {NAME}")
        inside = await asyncpg.connect(plain(place.cluster.url("postgres", _CLONE)))
        try:
            yield inside
        finally:
            await inside.close()
    finally:
        await admin.execute(f"drop database if exists {_CLONE} with (force)")
        await admin.close()
