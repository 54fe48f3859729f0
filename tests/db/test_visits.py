"""Visits: a transaction that works for another tenant for a while, and for its own again afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from db.connections import Connection
from db.isolation import Mode
from tests.world import Portal, World

MODES = pytest.mark.parametrize("mode", Mode)
SKUS = "select sku from products order by sku"
SETTING = "select current_setting('app.tenant_id')"


async def sisters(world: World) -> tuple[Portal, Portal]:
    """Two companies of one supplier, with a product each."""
    home = await world.portal()
    sister = await world.portal(supplier=home.slug)
    await home.product("HOME")
    await sister.product("SISTER")
    return home, sister


async def skus(connection: Connection) -> list[str]:
    return [row[0] for row in await connection.fetch_text(SKUS)]


async def setting(connection: Connection) -> str:
    return str((await connection.fetch_text(SETTING))[0][0])


@asynccontextmanager
async def at_home(world: World, home: Portal, mode: Mode = Mode.WRITE) -> AsyncIterator[Connection]:
    async with world.database.transaction(mode, home.tenant_id) as connection:
        yield connection


class Lingering:
    """A driver's connection that has set the tenant, and is slow to say so."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.has_set = asyncio.Event()

    async def execute(self, sql: str, **more: Any) -> Any:
        tag = await self._raw.execute(sql, **more)
        if not self.has_set.is_set():
            self.has_set.set()
            await asyncio.sleep(60)
        return tag

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


@MODES
async def test_a_visitor_sees_the_other_tenant_alone_and_only_as_long_as_the_visit_lasts(
    world: World, mode: Mode
) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home, mode) as connection:
        assert await skus(connection) == ["HOME"]
        async with connection.visiting(sister.tenant_id) as guest:
            assert guest.tenant_id == sister.tenant_id
            assert await skus(guest) == ["SISTER"]
            assert await setting(guest) == str(sister.tenant_id)
        assert await skus(connection) == ["HOME"]
        assert await setting(connection) == str(home.tenant_id)
    async with at_home(world, home, mode) as connection:
        assert await skus(connection) == ["HOME"]


async def test_what_a_visitor_writes_is_the_other_tenants_and_is_kept_with_the_rest(world: World) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home) as connection:
        async with connection.visiting(sister.tenant_id) as guest:
            await guest.fetch_text("update products set sku = 'NEW'")
        await connection.fetch_text("update products set sku = 'OLD'")
    for portal, sku in ((home, "OLD"), (sister, "NEW")):
        async with at_home(world, portal) as connection:
            assert await skus(connection) == [sku]


async def test_what_a_visitor_wrote_goes_with_the_rest_when_the_transaction_fails(world: World) -> None:
    home, sister = await sisters(world)

    async def fail() -> None:
        async with at_home(world, home) as connection:
            async with connection.visiting(sister.tenant_id) as guest:
                await guest.fetch_text("update products set sku = 'NEW'")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with at_home(world, sister) as connection:
        assert await skus(connection) == ["SISTER"]


async def test_a_visitor_cannot_write_rows_of_the_tenant_it_came_from(world: World) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home) as connection, connection.visiting(sister.tenant_id) as guest:
        update = "update products set sku = 'NEW' where tenant_id = $1 returning sku"
        assert await guest.fetch_text(update, home.tenant_id) == []


async def test_a_visitor_of_a_snapshot_writes_nothing(world: World) -> None:
    home, sister = await sisters(world)
    async with world.database.connect(home.tenant_id) as connection:
        await connection.begin(Mode.SNAPSHOT)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with connection.visiting(sister.tenant_id) as guest:
                await guest.fetch_text("update products set sku = 'NEW'")
        await connection.rollback()


async def test_the_tenant_is_restored_after_an_error_of_ours(world: World) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home) as connection:
        with pytest.raises(LookupError):
            async with connection.visiting(sister.tenant_id):
                raise LookupError
        assert await skus(connection) == ["HOME"]


async def test_an_error_of_the_database_comes_through_and_the_next_transaction_is_at_home(
    world: World,
) -> None:
    home, sister = await sisters(world)
    async with world.database.connect(home.tenant_id) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connection.transaction(Mode.WRITE), connection.visiting(sister.tenant_id) as guest:
                await guest.fetch_text("select 1 / 0")
        async with connection.transaction(Mode.WRITE):
            assert await skus(connection) == ["HOME"]


async def test_the_tenant_is_restored_when_the_visitor_is_cancelled(world: World) -> None:
    home, sister = await sisters(world)
    there = asyncio.Event()

    async def visit(connection: Connection) -> None:
        async with connection.visiting(sister.tenant_id):
            there.set()
            await asyncio.sleep(60)

    async with at_home(world, home) as connection:
        visiting = asyncio.create_task(visit(connection))
        await there.wait()
        visiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visiting
        assert await setting(connection) == str(home.tenant_id)
        assert await skus(connection) == ["HOME"]


async def test_the_tenant_is_restored_when_the_visitor_is_cancelled_at_the_door(world: World) -> None:
    home, sister = await sisters(world)

    async def visit(connection: Connection) -> None:
        async with connection.visiting(sister.tenant_id):
            raise AssertionError("never came in")

    async with at_home(world, home) as connection:
        raw = connection._raw
        connection._raw = lingering = Lingering(raw)
        visiting = asyncio.create_task(visit(connection))
        await lingering.has_set.wait()
        visiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visiting
        connection._raw = raw
        assert await setting(connection) == str(home.tenant_id)


async def test_a_visitor_cancelled_in_the_middle_of_a_statement_leaves_a_connection_that_works(
    world: World,
) -> None:
    home, sister = await sisters(world)

    async def visit(connection: Connection) -> None:
        async with connection.transaction(Mode.WRITE), connection.visiting(sister.tenant_id) as guest:
            await guest.fetch_text("select pg_sleep(60)")

    async with world.database.connect(home.tenant_id) as connection:
        visiting = asyncio.create_task(visit(connection))
        await asyncio.sleep(0.1)
        visiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visiting
        async with connection.transaction(Mode.SNAPSHOT):
            assert await skus(connection) == ["HOME"]


async def test_siblings_wait_for_the_end_of_the_visit_and_see_their_own_tenant(world: World) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home, Mode.SNAPSHOT) as connection:
        async with connection.visiting(sister.tenant_id) as guest:
            sibling = asyncio.create_task(skus(connection))
            for _ in range(5):
                assert await skus(guest) == ["SISTER"]
                await asyncio.sleep(0)
            assert not sibling.done()
        assert await sibling == ["HOME"]


async def test_many_visitors_and_siblings_at_once_each_see_what_is_theirs(world: World) -> None:
    home, sister = await sisters(world)

    async def visit(connection: Connection) -> list[str]:
        async with connection.visiting(sister.tenant_id) as guest:
            await asyncio.sleep(0)
            return await skus(guest)

    async with at_home(world, home, Mode.SNAPSHOT) as connection:
        asked = [visit(connection) if number % 2 else skus(connection) for number in range(20)]
        seen = await asyncio.gather(*asked)
    assert seen == [["HOME"], ["SISTER"]] * 10


async def test_what_a_visitor_asked_is_counted_where_it_came_from(world: World) -> None:
    home, sister = await sisters(world)
    async with at_home(world, home) as connection:
        connection.deadline = 3.0
        async with connection.visiting(sister.tenant_id) as guest:
            assert guest.deadline == 3.0
            await skus(guest)
            await skus(guest)
        await skus(connection)
        assert connection.statements == 3


async def test_without_a_transaction_there_is_nothing_to_visit_with(world: World) -> None:
    home, sister = await sisters(world)
    async with world.database.connect(home.tenant_id) as connection:
        async with connection.visiting(sister.tenant_id) as guest:
            with pytest.raises(RuntimeError):
                await skus(guest)
        async with connection.transaction(Mode.SNAPSHOT):
            assert await skus(connection) == ["HOME"]
