"""The tests' databases: one PostgreSQL for all workers, one clone of a migrated template for each."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import asyncpg
import httpx
import hypothesis
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from db import migrations, roles
from db.connections import Database
from db.embedded import Cluster
from server.app import create
from server.settings import Settings
from tenants.passwords import Passwords
from tests import coverage
from tests.client import Client
from tests.coverage import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown
from tests.world import Portal, World

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

# Random examples without a stopwatch: a busy machine is no failure.
hypothesis.settings.register_profile("kontor", deadline=None)
hypothesis.settings.load_profile("kontor")

ROOT = Path(__file__).parent.parent
HOME = Path(os.environ.get("KONTOR_TEST_HOME", ROOT / ".kontor-test"))
# Another server to test on; without it the embedded one is started.
ADMIN_URL = os.environ.get("TEST_DATABASE_ADMIN_URL")

TEMPLATE = "kontor_template"
CLONE = "kontor_test_"
MOST_UNITS = 2_000_000_000
# For a server of TEST_DATABASE_ADMIN_URL that asks for one; the embedded server does not.
PASSWORD = "kontor-test"

coverage.watch()


@pytest.fixture(scope="session")
def admin_url() -> Iterator[str]:
    """The server as its superuser; it runs as long as any worker of any test run uses it.

    Users hold a shared lock instead of a count in a file: the kernel lets go of it even after a kill -9.
    """
    cluster = Cluster(HOME, fast=True)
    url = ADMIN_URL or cluster.url("postgres", "postgres")
    with _opened("users") as users:
        with _alone():
            fcntl.flock(users, fcntl.LOCK_SH)
            if not ADMIN_URL:
                cluster.up()
            _build_template(url)
        yield url
        with _alone():
            if _is_last(users) and not ADMIN_URL:
                _drop_clones(url)
                cluster.down()


@pytest.fixture(scope="session")
def database(admin_url: str, worker_id: str) -> Iterator[str]:
    """The name of a database of this worker's own, migrated and empty."""
    name = f"{CLONE}{worker_id}_{os.getpid()}"
    with _alone():
        _admin(admin_url, f"create database {name} template {TEMPLATE} owner {roles.OWNER}")
    yield name
    _admin(admin_url, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def database_url(admin_url: str, database: str) -> str:
    """The worker's database as the server sees it: app_rw, held by row-level security."""
    return _as_role(admin_url, roles.SERVER, database)


@pytest.fixture(scope="session")
def migration_url(admin_url: str, database: str) -> str:
    """The worker's database as app_migrate, who sees the rows of every tenant."""
    return _as_role(admin_url, roles.MIGRATION, database)


@contextmanager
def _opened(name: str) -> Iterator[IO[str]]:
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as file:
        yield file


@contextmanager
def _alone() -> Iterator[None]:
    """One worker at a time comes, goes, or touches the template."""
    with _opened("gate") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _build_template(admin_url: str) -> None:
    """Migrate a new template, unless the one there was made by the same migrations: its comment says so."""
    wanted = _fingerprint()
    comment = f"select shobj_description(oid, 'pg_database') from pg_database where datname = '{TEMPLATE}'"
    if _admin(admin_url, comment) == wanted:
        return
    _admin(admin_url, f"drop database if exists {TEMPLATE} with (force)")
    asyncio.run(roles.prepare(admin_url, TEMPLATE, PASSWORD, PASSWORD))
    migrations.upgrade(_as_role(admin_url, roles.MIGRATION, TEMPLATE))
    _admin(admin_url, f"comment on database {TEMPLATE} is '{wanted}'")


def _fingerprint() -> str:
    sources = [ROOT / "db" / "roles.py", *sorted((ROOT / "db" / "migrations").rglob("*.py"))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _drop_clones(admin_url: str) -> None:
    """Drop what workers left behind that were killed."""
    clones = f"select array_agg(datname::text) from pg_database where starts_with(datname, '{CLONE}')"
    for name in _admin(admin_url, clones) or []:
        _admin(admin_url, f'drop database "{name}" with (force)')


def _as_role(admin_url: str, role: str, database: str) -> str:
    password = PASSWORD if ADMIN_URL else None
    url = make_url(admin_url).set(username=role, password=password, database=database)
    return url.render_as_string(hide_password=False)


def _admin(admin_url: str, sql: str) -> Any:
    """Run one statement as the superuser and return its first value."""

    async def run() -> Any:
        connection = await asyncpg.connect(admin_url.replace("+asyncpg", "", 1))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(database_url: str, migration_url: str) -> AsyncIterator[World]:
    """The worker's database, for making portals and what is in them."""
    server = await Database.open(database_url, size=10)
    registry = await Database.open(migration_url, size=2)
    passwords = Passwords()
    yield World(server, registry, passwords)
    passwords.close()
    await server.close()
    await registry.close()


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The server's settings on the worker's database."""
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        DATABASE_URL=database_url,
        home=tmp_path_factory.mktemp("home"),
        webhook_private_targets=True,  # receivers listen on loopback
        # One viewer may ask for more here than a person or an ERP does.
        budget_units=MOST_UNITS,
        portal_budget_units=MOST_UNITS,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The real application behind an HTTP client; faults of ours reach the client, as behind a real server."""
    app = create(settings, world.database, world.passwords)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kontor.test") as client:
        yield client


@pytest.fixture
def at(http: httpx.AsyncClient) -> Callable[[Portal], Client]:
    """`at(portal)`: an outsider at a portal, who may sign in."""
    return lambda portal: Client(http, portal.slug)


At = Callable[[Portal], Client]
