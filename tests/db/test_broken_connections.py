"""Connections that end or fall silent: nobody notices where nothing was lost, and nobody waits for what never comes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from bench.faults.proxy import Proxy
from db import connections
from db.connections import Connection, Database
from db.failures import Unavailable
from db.isolation import Mode
from tests.networks import between
from tests.world import Portal, World

MODES = pytest.mark.parametrize("mode", Mode)


@pytest.fixture
async def portal(world: World) -> Portal:
    return await world.portal()


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection."""
    database = await Database.open(database_url, size=1)
    yield database
    await database.close()


@asynccontextmanager
async def over_a_network(url: str, size: int = 1) -> AsyncIterator[tuple[Proxy, Database]]:
    """A pool whose network can go wrong."""
    async with between(url) as (proxy, through):
        database = await Database.open(through, size=size)
        yield proxy, database
        await database.close()


async def pid(connection: Connection) -> int:
    found: int = (await connection.fetch_text("select pg_backend_pid()"))[0][0]
    return found


async def ask(database: Database, portal: Portal, *, pause: float = 0.0) -> int:
    """Which connection a transaction is on, that stays open for a moment."""
    async with database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
        await asyncio.sleep(pause)
        return await pid(connection)


async def terminate(world: World, backend: int) -> None:
    """End a connection as an administrator does, and wait until it has gone."""
    async with world.registry.transaction(Mode.WRITE, None) as connection:
        await connection.fetch_text("select pg_terminate_backend($1, 5000)", backend)


@pytest.fixture
async def may_terminate(admin_url: str) -> AsyncIterator[None]:
    """Only who is a member of a role, or of this one, may end its connections."""

    admin = await asyncpg.connect(admin_url.replace("+asyncpg", "", 1))
    await admin.execute("grant pg_signal_backend to app_migrate")
    yield
    await admin.execute("revoke pg_signal_backend from app_migrate")
    await admin.close()


@MODES
@pytest.mark.usefixtures("may_terminate")
async def test_a_connection_that_has_ended_is_exchanged_before_anything_is_said(
    mode: Mode, world: World, portal: Portal, one: Database
) -> None:
    async with one.connect(portal.tenant_id) as connection:
        async with connection.transaction(mode):
            first = await pid(connection)
        await terminate(world, first)
        async with connection.transaction(mode):
            assert await pid(connection) != first
    assert one.use.borrowed == 0


@pytest.mark.usefixtures("may_terminate")
async def test_a_connection_that_ends_in_the_middle_is_unavailable_and_the_next_works(
    world: World, portal: Portal, one: Database
) -> None:
    backend = 0

    async def be_ended() -> None:
        nonlocal backend
        async with one.transaction(Mode.WRITE, portal.tenant_id) as connection:
            backend = await pid(connection)
            sleeping = asyncio.create_task(connection.fetch_text("select pg_sleep(10)"))
            await terminate(world, backend)
            await sleeping

    with pytest.raises(Unavailable):
        await be_ended()
    async with one.transaction(Mode.WRITE, portal.tenant_id) as connection:
        assert await pid(connection) != backend
    assert one.use.borrowed == 0


async def test_a_connection_that_is_silent_is_exchanged_before_anything_is_said(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_SILENT_SECONDS", 0.5)
    async with over_a_network(database_url, size=4) as (proxy, database):
        first = set(await asyncio.gather(*(ask(database, portal, pause=0.1) for _ in range(4))))
        assert len(first) == 4
        proxy.black_hole()
        proxy.mend()  # for those who connect anew
        started = time.monotonic()
        assert await ask(database, portal) not in first
        took = time.monotonic() - started
        for _ in range(4):  # and the others that were idle are known to be dead
            assert await ask(database, portal) not in first
        assert took < 2
        assert time.monotonic() - started < took + 0.5


async def test_whoever_gives_up_does_not_wait_for_a_connection_that_never_answers(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_UNDOING_SECONDS", 0.3)
    async with over_a_network(database_url) as (proxy, database):

        async def never_answered() -> None:
            async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
                proxy.black_hole()
                await pid(connection)

        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(never_answered(), 0.3)
        assert time.monotonic() - started < 3
        assert database.use.borrowed == 0
        proxy.mend()
        async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
            assert await pid(connection)


async def test_whoever_gives_up_again_while_it_is_undone_leaves_no_connection_that_nobody_knows(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_UNDOING_SECONDS", 30)
    async with over_a_network(database_url) as (proxy, database):
        under_way = asyncio.Event()

        async def never_answered() -> None:
            async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
                proxy.black_hole()
                under_way.set()
                await pid(connection)

        asking = asyncio.create_task(never_answered())
        await under_way.wait()
        for _ in range(2):
            await asyncio.sleep(0.1)
            asking.cancel()
        done, _ = await asyncio.wait({asking}, timeout=10)
        assert done == {asking}
        assert asking.cancelled()
        assert database.use.borrowed == 0
        proxy.mend()
        async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
            assert await pid(connection)


async def test_whose_connection_fell_silent_on_a_visit_never_reads_as_the_sister(
    portal: Portal, world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_UNDOING_SECONDS", 0.3)
    sister = await world.portal()
    async with over_a_network(database_url) as (proxy, database):

        async def visit() -> None:
            async with database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
                async with connection.visiting(sister.tenant_id):
                    proxy.black_hole()
                await connection.fetch_text("select current_setting('app.tenant_id')")

        with pytest.raises(Unavailable):
            await visit()


async def test_a_connection_that_has_heard_a_farewell_is_exchanged_too(
    portal: Portal, one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's last word has come, the end of the connection not yet: the driver trips over that."""
    execute, said = asyncpg.Connection.execute, list[str]()

    async def trip_once(connection: Any, sql: str, *given: Any, **more: Any) -> Any:
        said.append(sql)
        if len(said) == 1:
            raise asyncpg.InternalClientError(
                "cannot switch to state 15; another operation (2) is in progress"
            )
        return await execute(connection, sql, *given, **more)

    async with one.connect(portal.tenant_id) as connection:
        monkeypatch.setattr(asyncpg.Connection, "execute", trip_once)
        async with connection.transaction(Mode.SNAPSHOT):
            assert await pid(connection)
    assert [each.split()[0] for each in said] == ["begin", "begin", "commit"]
