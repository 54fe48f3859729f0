"""Migrations while servers work: whoever stands in the way is waited for in small steps, and nobody waits behind."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from db import migrations, roles

TEMPLATE, NAME = "kontor_template", "kontor_test_release"
RELEASE = """
from alembic import op
revision = "next_release"
down_revision = "{newest}"
def upgrade():
    op.execute("alter table orders add column more text not null default ''")
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        yield connection
    finally:
        await connection.close()


def _there(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture
async def urls(admin_url: str, worker_id: str, migration_url: str) -> AsyncIterator[tuple[str, str]]:
    """A migrated database of this test's own: as its superuser, and as who migrates."""
    name = f"{NAME}_{worker_id}"
    async with connected(admin_url) as admin:
        await admin.execute(f"create database {name} template {TEMPLATE} owner {roles.OWNER}")
        yield _there(admin_url, name), _there(migration_url, name)
        await admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The migrations of the next release: ours, and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "next_release.py").write_text(RELEASE.format(newest=migrations.newest()))
    return folder


async def test_nobody_waits_long_behind_a_migration_that_waits_for_a_report(
    urls: tuple[str, str], release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_url, migration_url = urls
    monkeypatch.setattr(migrations, "_PAUSE_SECONDS", 0.2)
    async with connected(admin_url) as report, connected(admin_url) as reader:
        async with report.transaction():
            await report.fetch("select from orders")
            migrating = asyncio.create_task(asyncio.to_thread(migrations.upgrade, migration_url, release))
            until, longest = time.monotonic() + 2.5, 0.0
            while time.monotonic() < until:
                started = time.monotonic()
                await reader.fetch("select from orders")
                longest = max(longest, time.monotonic() - started)
                await asyncio.sleep(0.01)
            assert not migrating.done()
        await asyncio.wait_for(migrating, 20)
        assert await reader.fetchval("select version_num from alembic_version") == "next_release"
        assert await reader.fetch("select more from orders") == []
    assert 0.2 < longest < 1.5, "somebody waited, and not long"


async def test_a_migration_gives_up_when_somebody_stands_in_its_way_for_ever(
    urls: tuple[str, str], release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_url, migration_url = urls
    monkeypatch.setattr(migrations, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(migrations, "_MOST_TRIES", 2)
    async with connected(admin_url) as report, report.transaction():
        await report.fetch("select from orders")
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(migrations.upgrade, migration_url, release)
        assert await report.fetchval("select version_num from alembic_version") == migrations.newest()
