"""Imports while orders are placed, shipped, changed and closed: nothing is lost, and nobody waits in a circle."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import db
from db import exchange, isolation
from db.lifecycle_statuses import lifecycle_statuses
from db.stock import stock
from resolvers import mutations
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_fulfilments import do, statuses
from tests.resolvers.test_orders import place
from tests.resolvers.test_reserved_stock import DRIFTED, LEFT_OPEN, MISDELIVERED
from tests.resolvers.test_shipments import codes, levels, ship
from tests.world import Portal, World, put

Load = Callable[[dict[str, list[str]]], Coroutine[Any, Any, exchange.Report]]

HEADS = {
    "products": "sku,name,kind,category,unit,tax_rate",
    "stock": "warehouse,sku,quantity",
    "customers": "code,name,country,currency,price_list,email",
    "orders": "number,customer,ordered_at,status,currency",
    "order_lines": "order,line,sku,quantity,shipped_quantity,unit_price,warehouse",
    "invoices": "number,customer,order,issued_at,due_on,currency",
    "invoice_lines": "invoice,line,sku,name,quantity,unit_price,tax_rate",
    "credit_notes": "number,customer,invoice,issued_at,currency",
    "credit_note_lines": "credit_note,line,sku,name,quantity,unit_price,tax_rate,invoice,invoice_line",
    "payments": "number,customer,paid_at,amount,currency,invoice",
}
X1 = "X1,C1,2026-01-30T10:00:00,IN_PROGRESS,GBP"
ISSUED_MORE = """
    select i.order_id from (
        select g.order_id, l.order_position, sum(l.quantity) as quantity from goods_issue_lines l
        join goods_issues g on g.tenant_id = l.tenant_id and g.id = l.goods_issue_id group by 1, 2
    ) i
    join order_lines l on l.order_id = i.order_id and l.position = i.order_position
    where i.quantity > l.shipped_quantity
"""
GAPS = """
    select kind from (
        select left(number, 2) as kind, count(*) as many, max(substr(number, 4)::integer) as last from (
            select number from goods_issues union all select number from orders where number ^@ 'SO-'
        ) numbers group by 1
    ) found where many <> last
"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("B", stock_at={"W1": "500", "W2": "500"})
    await portal.product("A", stock_at={"W1": "500", "W2": "500"})
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
def load(world: World, portal: Portal, tmp_path: Path) -> Load:
    """Import rows by the table's name."""
    runs = iter(range(1_000))

    async def run(files: dict[str, list[str]]) -> exchange.Report:
        folder = tmp_path / str(next(runs))
        folder.mkdir()
        for table, rows in files.items():
            (folder / f"{table}.csv").write_text("\n".join([HEADS[table], *rows, ""]))
        async with world.database.connect(portal.tenant_id) as connection:
            return await exchange.run(connection, folder, folder, exchange.Silent())

    return run


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again: whoever waits in a circle fails."""
    monkeypatch.setattr(exchange, "_TRIES", 1)
    monkeypatch.setattr(mutations, "_TRIES", 1)


async def order_id(stan: Client, number: str) -> str:
    found = await stan.ask("{ orders(first: 100) { nodes { id number } } }")
    return next(str(each["id"]) for each in found["orders"]["nodes"] if each["number"] == number)


async def waiting(portal: Portal) -> int:
    async with portal.writing() as connection:
        found = await connection.fetch_text(
            """select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'"""
        )
    return int(str(found[0][0]))


@asynccontextmanager
async def waited_for(portal: Portal, run: Coroutine[Any, Any, Any]) -> AsyncIterator[Any]:
    """Inside of the block an import, or whoever waits for one, waits for a lock that the caller holds."""
    before = await waiting(portal)
    task = asyncio.create_task(run)
    async with asyncio.timeout(10):
        while not task.done() and await waiting(portal) == before:  # noqa: ASYNC110 (PostgreSQL tells nobody)
            await asyncio.sleep(0.01)
    assert not task.done(), "it does not wait"
    yield task


async def test_another_companys_import_waits_for_nobody_here(
    world: World, portal: Portal, load: Load, tmp_path: Path
) -> None:
    await load({"orders": [X1], "order_lines": ["X1,1,A,5,0,10,W1"]})
    other = await world.portal()
    (tmp_path / "stock.csv").write_text(HEADS["stock"] + "\n")
    async with portal.writing() as connection:
        await connection.fetch_text("select from stock for update")
        await connection.fetch_text("select from orders for update")
        async with world.database.connect(other.tenant_id) as theirs, asyncio.timeout(5):
            await exchange.run(theirs, tmp_path, tmp_path, exchange.Silent())


async def test_an_import_writes_over_nothing_that_happened_while_it_waited(
    portal: Portal, load: Load
) -> None:
    """A service has no stock whose lock would keep the two apart."""
    files = {"orders": [X1], "order_lines": ["X1,1,S,2,0,10,"]}
    await load(files)
    async with portal.writing() as connection:
        packing = await put(
            connection,
            lifecycle_statuses,
            subject="ORDER",
            code="packing",
            name_en="Packing",
            name_de="Packen",
            processing_state="IN_PROGRESS",
            predefined=False,
            position=9,
        )
    async with portal.writing() as connection:
        await connection.fetch_text("select from orders where number = 'X1' for no key update")
        await connection.fetch_text("update order_lines set shipped_quantity = 1")
        await connection.fetch_text(
            "update orders set lifecycle_status_id = $1, delivery_state = 'PARTIAL', version = version + 1",
            packing,
        )
        changed = {"orders": [X1], "order_lines": ["X1,1,S,2,1,11,"]}
        async with waited_for(portal, load(changed)) as task:
            await connection.commit()
            await task
    async with portal.writing() as connection:
        assert await connection.fetch_text(MISDELIVERED) == []
        found = await connection.fetch_text(
            """select s.code, l.shipped_quantity, l.unit_price, o.version from orders o
            join lifecycle_statuses s on s.id = o.lifecycle_status_id join order_lines l on l.order_id = o.id"""
        )
    assert [tuple(row) for row in found] == [("packing", 1, 11, 3)]


@pytest.mark.usefixtures("once")
async def test_an_import_waits_for_a_customer_who_is_ordering_before_it_takes_the_stock(
    portal: Portal, load: Load
) -> None:
    async with portal.writing() as connection:
        await db.customers.lock(connection, portal.customers["C1"])
        run = load({"customers": ["C1,New name,,GBP,,"], "stock": ["W1,A,400"]})
        async with waited_for(portal, run) as task:
            await connection.fetch_text("select from stock for update")
            await connection.commit()
            assert (await task).tables["customers"].updated == 1


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(("act", "delivered"), [("orderShip", 5), ("orderClose", 0), ("orderCancel", 0)])
async def test_what_an_import_gives_another_warehouse_ships_from_there_for_whoever_waited(
    act: str, delivered: int, portal: Portal, stan: Client, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "LOCK_SECONDS", 60)
    await load({"orders": [X1], "order_lines": ["X1,1,A,5,0,10,W1"]})
    order = await order_id(stan, "X1")
    moved = load({"orders": [X1], "order_lines": ["X1,1,A,5,0,10,W2"]})
    given = {"reason": "Chance"} if act == "orderCancel" else {}
    async with portal.writing() as connection:
        await connection.fetch_text("select from orders for update")
        doing = ship(stan, order) if act == "orderShip" else do(stan, act, order, **given)
        async with waited_for(portal, moved) as importing, waited_for(portal, doing) as waited:
            await connection.commit()
            assert (await importing).tables["orders"].updated == 1
            assert codes(await waited) == []
    assert [(await levels(portal))["A", place_] for place_ in ("W1", "W2")] == [
        (500, 0),
        (500 - delivered, 0),
    ]


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    "files",
    [
        {"payments": ["P1,C1,2026-03-02T08:00:00,1,GBP,I1"]},
        {"invoices": ["I2,C1,,2026-02-01T08:00:00,2026-02-28,GBP"], "invoice_lines": ["I2,1,A,A,1,10,20"]},
        {
            "credit_notes": ["K1,C1,I1,2026-03-01T08:00:00,GBP"],
            "credit_note_lines": ["K1,1,A,A,1,10,20,I1,1"],
        },
    ],
    ids=["payments", "invoices", "credit notes"],
)
async def test_an_import_waits_for_whoever_posts_for_the_same_customer(
    files: dict[str, list[str]], portal: Portal, load: Load
) -> None:
    """Who settles or credits an invoice has read what is open of it."""
    first = {"invoices": ["I1,C1,,2026-02-01T08:00:00,2026-02-28,GBP"], "invoice_lines": ["I1,1,A,A,1,10,20"]}
    await load(first)
    async with portal.writing() as connection:
        await db.customers.lock(connection, portal.customers["C1"])
        async with waited_for(portal, load(files)) as task:
            await connection.commit()
            assert (await task).changed


@pytest.mark.usefixtures("once")
async def test_an_import_takes_products_in_the_order_in_which_an_upsert_does(
    portal: Portal, load: Load
) -> None:
    skus = [f"P{number:03}" for number in reversed(range(400))]
    await load({"products": [f"{sku},Name,GOODS,all,pcs,20" for sku in skus]})
    async with portal.writing() as connection:
        await db.products.lock_by_skus(connection, [skus[-1]])
        run = load({"products": [f"{sku},New name,GOODS,all,pcs,20" for sku in skus]})
        async with waited_for(portal, run) as task:
            await db.products.lock_by_skus(connection, skus)
            await connection.commit()
            assert (await task).tables["products"].updated == 400


async def test_an_import_changes_what_somebody_else_adds_while_it_adds_the_same(
    portal: Portal, load: Load
) -> None:
    new = await portal.product("N", stock_at={})
    async with portal.writing() as connection:
        await put(
            connection, stock, product_id=new, warehouse_id=portal.warehouse_ids["W1"], on_hand=Decimal(1)
        )
        async with waited_for(portal, load({"stock": ["W1,N,5", "W9,N,5"]})) as task:
            await connection.commit()
            report = await task
    assert (report.tables["stock"].updated, report.tables["stock"].rejected) == (1, 1)
    assert (await levels(portal))["N", "W1"] == (5, 0)


@pytest.mark.parametrize(
    "lines", [["X1,1,A,5,1,10,W1"], ["X1,1,B,5,2,10,W1"], ["X1,2,A,5,5,10,W1"]], ids=["less", "other", "gone"]
)
async def test_a_file_that_knows_less_than_was_shipped_here_is_told_so(
    lines: list[str], portal: Portal, stan: Client, load: Load
) -> None:
    await load({"orders": [X1], "order_lines": ["X1,1,A,5,0,10,W1"]})
    assert codes(await ship(stan, await order_id(stan, "X1"), {"position": 1, "quantity": "2"})) == []
    report = await load({"orders": [X1], "order_lines": lines})
    assert report.tables["orders"].reasons == {"ALREADY_SHIPPED": 1}
    assert not report.changed
    assert "ALREADY_SHIPPED: goods issues say 2 of line 1" in (report.rejected / "orders.csv").read_text()
    assert (await levels(portal))["A", "W1"] == (498, 3)
    assert (await load({"orders": [X1], "order_lines": ["X1,1,A,6,2,10,W2"]})).tables["orders"].updated == 1
    assert [(await levels(portal))["A", place_] for place_ in ("W1", "W2")] == [(498, 0), (500, 4)]


async def test_a_service_that_was_goods_once_is_delivered_without_stock(
    portal: Portal, stan: Client, load: Load
) -> None:
    await portal.product("T", stock_at={"W1": "0"})
    await load({"products": ["T,Was goods,SERVICE,all,pcs,20"]})
    report = await load({"orders": [X1], "order_lines": ["X1,1,T,2,0,10,W1"], "stock": ["W1,T,5"]})
    assert report.tables["stock"].reasons == {"SERVICE_WITHOUT_STOCK": 1}
    answer = await ship(stan, await order_id(stan, "X1"))
    assert codes(answer) == []
    assert answer["order"]["status"]["processingState"] == "COMPLETED"
    assert (await levels(portal))["T", "W1"] == (0, 0)


class Day:
    """What staff and a customer do, at random, to orders that imports change meanwhile."""

    def __init__(self, stan: Client, bea: Client, orders: list[str], status: str) -> None:
        self.stan, self.bea, self.orders, self.status = stan, bea, orders, status

    async def act(self, chance: random.Random) -> None:
        """Any of it may be refused by a rule; what fails for other reasons fails the test."""
        order = chance.choice(self.orders)
        match chance.randrange(7):
            case 0 | 1:
                await ship(self.stan, order, {"position": chance.randint(1, 3), "quantity": "1"})
            case 2:
                await ship(self.stan, order)
            case 3:
                await do(self.stan, "orderUpdate", order, status=self.status, note="Soon")
            case 4:
                await do(self.stan, "orderClose", order)
            case 5:
                await do(self.stan, "orderCancel", order, reason="Chance")
            case _:
                await self.count_and_order(chance)

    async def count_and_order(self, chance: random.Random) -> None:
        rows = [{"sku": sku, "warehouse": at, "onHand": "450"} for sku in "AB" for at in ("W2", "W1")]
        upsert = "mutation($input: StockUpsertInput!) { stockUpsert(input: $input) { errors { code } } }"
        assert (await self.stan.ask(upsert, input={"rows": rows}))["stockUpsert"]["errors"] == []
        await add(self.bea, *({"sku": sku, "quantity": "1"} for sku in chance.sample("ABS", 2)))
        self.orders += [each["id"] for each in (await place(self.bea))["orders"] or []]


async def an_erps_files(portal: Portal, chance: random.Random) -> dict[str, list[str]]:
    """Orders in any state, as far shipped as they are here or further: an ERP that keeps up."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            """select o.number, l.position, l.shipped_quantity from orders o
            join order_lines l on l.order_id = o.id where o.number ^@ 'X'"""
        )
    known = {(row[0], row[1]): row[2] for row in rows}
    states = ("NOT_STARTED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED", "CANCELLED")
    orders = [f"X{n},C1,2026-01-30T10:00:00,{chance.choice(states)},GBP" for n in range(6)]
    lines = []
    for number in range(6):
        for position, sku in enumerate("SSS" if number == 5 else "ABS", start=1):
            shipped = known.get((f"X{number}", position), Decimal(0)) + chance.choice((0, 0, 0, 1))
            at = chance.choice(("W1", "W2"))
            lines.append(f"X{number},{position},{sku},{shipped + chance.randint(1, 4)},{shipped},10,{at}")
    return {
        "orders": orders,
        "order_lines": lines,
        "stock": [f"{at},{sku},{chance.randint(400, 500)}" for at in ("W1", "W2") for sku in "AB"],
        "customers": [f"C1,Name {chance.random()},,GBP,,"],
        "products": [f"{sku},Name {chance.random()},GOODS,all,pcs,20" for sku in "BA"],
    }


@pytest.mark.usefixtures("once")
async def test_imports_beside_a_busy_day_lose_and_bend_nothing(
    portal: Portal, bea: Client, stan: Client, load: Load
) -> None:
    chance = random.Random(1)
    await load(await an_erps_files(portal, chance))
    ids = [await order_id(stan, f"X{number}") for number in range(6)]
    day = Day(stan, bea, ids, (await statuses(stan))["in-progress"])

    async def work(seed: int) -> None:
        mine = random.Random(seed)
        for _ in range(25):
            await day.act(mine)

    async def keep_up() -> None:
        for _ in range(8):
            report = await load(await an_erps_files(portal, chance))
            assert report.tables["orders"].reasons.keys() <= {"ALREADY_SHIPPED"}

    await asyncio.gather(keep_up(), *(work(seed) for seed in range(4)))
    async with portal.writing() as connection:
        negative = "select from stock where on_hand < 0"
        for query in (DRIFTED, LEFT_OPEN, MISDELIVERED, ISSUED_MORE, GAPS, negative):
            assert await connection.fetch_text(query) == [], query
