"""Isolation below the API: code that forgets the tenant gets an error, and a crowd leaks nothing."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pytest
import uuid_utils.compat as uuid

import db
from db.connections import Connection, Database
from db.failures import Contended
from db.isolation import Mode, begin
from db.prices import prices
from db.statements import TenantForgotten
from server.app import create
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

MODES = pytest.mark.parametrize("mode", Mode)


async def neighbours(world: World) -> tuple[Portal, Portal]:
    """Two portals with a product each."""
    a, b = await world.portal(), await world.portal()
    await a.product("A")
    await b.product("B")
    return a, b


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Any]:
    """A connection as the server's role, without any of our code between."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        yield connection
    finally:
        await connection.close()


@MODES
async def test_a_connection_without_a_tenant_gets_an_error_and_no_empty_list(
    mode: Mode, world: World
) -> None:
    await neighbours(world)
    async with world.database.transaction(mode, None) as connection:
        with pytest.raises(TenantForgotten):
            await connection.rows(db.categories._every(None))


@MODES
async def test_sql_without_a_tenant_gets_an_error_on_every_table(
    mode: Mode, world: World, database_url: str
) -> None:
    await neighbours(world)
    async with raw(database_url) as connection:
        for table in ("products", "prices", "stock", "price_lists", "lifecycle_statuses"):
            with pytest.raises(asyncpg.UndefinedObjectError):  # the setting was never there
                await connection.fetch(f"select * from {table}")
        await connection.execute(f"{begin(mode, uuid.uuid7())}; commit")
        for table in ("products", "prices", "stock", "price_lists", "lifecycle_statuses"):
            with pytest.raises(asyncpg.InvalidTextRepresentationError):  # it was there, and is empty
                await connection.fetch(f"select * from {table}")


async def test_a_statement_outside_a_transaction_is_refused(world: World) -> None:
    portal = await world.portal()
    async with world.database.connect(portal.tenant_id) as connection:
        with pytest.raises(RuntimeError):
            await connection.rows(db.categories._every(None))
        async with connection.transaction(Mode.SNAPSHOT):
            assert len(await connection.rows(db.categories._every(None))) == 1
        with pytest.raises(RuntimeError):
            await connection.rows(db.categories._every(None))


@pytest.mark.parametrize("name", ["'; select 1", "00000000-0000-0000-0000-000000000000", 5])
def test_a_tenant_is_named_by_its_uuid_alone(name: Any) -> None:
    with pytest.raises(TypeError):
        begin(Mode.WRITE, name)


async def test_a_query_cannot_write(world: World) -> None:
    portal = await world.portal()
    async with world.database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await db.portals.change(connection, portal.tenant_id, open=False)


async def test_the_rows_of_another_tenant_are_not_there_for_any_sql(world: World) -> None:
    a, b = await neighbours(world)
    async with a.writing() as connection:
        for sql in (
            "select id from products where tenant_id = $1",
            "update products set name = 'mine' where tenant_id = $1 returning id",
            "delete from prices where tenant_id = $1 returning product_id",
            "update portals set name = 'mine' where tenant_id = $1 returning slug",
        ):
            assert await connection.fetch_text(sql, b.tenant_id) == []
        assert await connection.fetch_text("select distinct tenant_id from products") == [(a.tenant_id,)]


async def add_price(connection: Connection, portal: Portal, product: str, tenant_id: Any) -> None:
    await connection.fetch_text(
        """insert into prices (tenant_id, product_id, price_list_id, currency, min_quantity, unit_price,
           valid_from) values ($1, $2, $3, 'EUR', 1, 1, '2026-01-01')""",
        tenant_id,
        portal.products[product],
        portal.price_list_id,
    )


async def test_a_row_for_another_tenant_is_refused(world: World) -> None:
    a, b = await neighbours(world)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with a.writing() as connection:
            await add_price(connection, b, "B", b.tenant_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with a.writing() as connection:
            await connection.fetch_text("update categories set tenant_id = $1", b.tenant_id)


async def test_a_row_that_refers_to_another_tenant_is_refused(world: World) -> None:
    a, b = await neighbours(world)
    with pytest.raises(Contended, match="foreign key"):
        async with a.writing() as connection:
            await put(
                connection,
                prices,
                product_id=b.products["B"],
                price_list_id=a.price_list_id,
                currency="GBP",
                min_quantity=Decimal(1),
                unit_price=Decimal(1),
                valid_from=date(2026, 1, 1),
            )


async def test_the_staff_of_another_supplier_is_not_there(world: World) -> None:
    a, b = await neighbours(world)
    await a.staff_member("ann")
    await b.staff_member("bob")
    async with a.writing() as connection:
        found = await connection.fetch_text("select user_name from staff_members")
        assert [row[0] for row in found] == ["ann"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch_text("update staff_members set supplier_id = $1", b.supplier_id)


async def test_the_server_may_not_make_itself_somebody_else(database_url: str) -> None:
    async with raw(database_url) as connection:
        for sql in (
            "set role app_owner",
            "set role app_migrate",
            "alter table products disable row level security",
            "drop policy products_tenant on products",
            "truncate products",
            "create table mine (id int)",
            "set session_replication_role = replica",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)


# What each request of the crowd asks for: a query with loaders, and a mutation with several statements.
QUERY = "{ portal { slug } viewer { account { userName } } products(first: 50) { nodes { sku stock { warehouse { id } } } } }"
MUTATION = """mutation($input: CartAddItemsInput!) { cartAddItems(input: $input) {
  cart { items { sku } } errors { code } } }"""


# graphql-core drops the fields that an operation had still before it when it is cancelled.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_a_crowd_of_a_thousand_on_two_connections_sees_nothing_of_each_other_even_when_it_hangs_up(
    world: World, at: At, settings: Settings, database_url: str
) -> None:
    dice = random.Random(7)
    portals = [await world.portal() for _ in range(4)]
    tokens = {}
    for number, portal in enumerate(portals):
        for each in range(5):
            await portal.product(f"{number}-{each}")
        await portal.account("bea")
        tokens[portal.slug] = (await at(portal).sign_in("bea")).token
    pool = await Database.open(database_url, size=2, wait_seconds=60)
    transport = httpx.ASGITransport(create(settings, pool, world.passwords), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kontor.test") as http:

        async def ask(number: int) -> tuple[int, Any]:
            client = Client(http, portals[number].slug, tokens[portals[number].slug])
            if dice.random() < 0.7:
                return number, (await client.post(QUERY)).json()
            items = [{"sku": f"{dice.randrange(4)}-{each}", "quantity": "1"} for each in range(5)]
            return number, (await client.post(MUTATION, {"input": {"items": items}})).json()

        few = asyncio.Semaphore(8)  # who hangs up is to hold a connection as often as to wait for one

        async def come(number: int, patience: float | None) -> tuple[int, Any]:
            async with few, asyncio.timeout(patience):
                return await ask(number)

        told = await asyncio.gather(
            *(
                come(dice.randrange(4), dice.random() / 30 if dice.random() < 0.4 else None)
                for _ in range(1_000)
            ),
            return_exceptions=True,
        )
        answers = [each for each in told if isinstance(each, tuple)]
        hung_up = sum(isinstance(each, TimeoutError) for each in told)
        assert len(answers) + hung_up == len(told)
        assert len(answers) > 500
        assert hung_up > 75
        told.clear()
        # The pool has healed: all its connections work, at once, and none is stuck in a transaction.
        answers += await asyncio.wait_for(asyncio.gather(*(ask(number) for number in range(4))), 10)
        for number, body in answers:
            assert "errors" not in body, body
            assert foreign(number, body["data"]) == []
    async with world.registry.transaction(Mode.SNAPSHOT, None) as connection:
        stuck = """select count(*) from pg_stat_activity
            where datname = current_database() and usename = 'app_rw' and state <> 'idle'"""
        assert await connection.fetch_text(stuck) == [(0,)]
    await pool.close()
    await asyncio.sleep(0.05)
    gc.collect()  # so that what was dropped is warned of here and not in the next test


def foreign(number: int, data: dict[str, Any]) -> list[str]:
    """The SKUs in an answer that do not belong to the portal with this number."""
    if "products" in data:
        assert len(data["products"]["nodes"]) == 5
        skus = [each["sku"] for each in data["products"]["nodes"]]
    else:
        cart = data["cartAddItems"]["cart"]
        skus = [each["sku"] for each in cart["items"]] if cart else []
    return [sku for sku in skus if not sku.startswith(f"{number}-")]
