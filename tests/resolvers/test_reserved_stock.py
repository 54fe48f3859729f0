"""What is reserved, after whatever happens: it always is what open orders are still to get."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rules.stock import StockPolicy
from server.importing import import_folder
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_fulfilments import do, statuses
from tests.resolvers.test_orders import place
from tests.resolvers.test_shipments import ship
from tests.world import Portal, World

SKUS = ("A", "B", "S")
# What open orders need, and what the columns say of it: by lines and states alone.
DRIFTED = """
    select p.sku, w.code, s.reserved, coalesce(n.quantity, 0) as needed
    from stock s
    join products p on p.tenant_id = s.tenant_id and p.id = s.product_id
    join warehouses w on w.tenant_id = s.tenant_id and w.id = s.warehouse_id
    left join (
        select l.product_id, l.warehouse_id, sum(l.quantity - l.shipped_quantity - l.cancelled_quantity) as quantity
        from order_lines l join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id
        join lifecycle_statuses t on t.tenant_id = o.tenant_id and t.id = o.lifecycle_status_id
        join products p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where t.processing_state in ('NOT_STARTED', 'IN_PROGRESS') and p.kind = 'GOODS'
        group by l.product_id, l.warehouse_id
    ) n on n.product_id = s.product_id and n.warehouse_id = s.warehouse_id
    where s.reserved <> coalesce(n.quantity, 0)
"""
LEFT_OPEN = """
    select o.number from order_lines l join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id
    join lifecycle_statuses t on t.tenant_id = o.tenant_id and t.id = o.lifecycle_status_id
    where t.processing_state in ('COMPLETED', 'CANCELLED')
    and l.quantity <> l.shipped_quantity + l.cancelled_quantity
"""
MISDELIVERED = """
    select o.number, o.delivery_state from orders o where o.delivery_state <> (
        select case when sum(shipped_quantity) = 0 then 'NONE'
            when bool_and(shipped_quantity = quantity) then 'FULL' else 'PARTIAL' end
        from order_lines l where l.order_id = o.id
    )
"""
SHIPPED_WITHOUT_PAPER = """
    select l.order_id from order_lines l
    left join (
        select g.order_id, i.order_position, sum(i.quantity) as quantity
        from goods_issue_lines i join goods_issues g on g.tenant_id = i.tenant_id and g.id = i.goods_issue_id
        group by 1, 2
    ) i on i.order_id = l.order_id and i.order_position = l.position
    join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id
    where o.number ^@ 'SO-' and l.shipped_quantity <> coalesce(i.quantity, 0)
"""


class Trade:
    """A company at which everything happens that may happen to orders, in an order that chance makes."""

    def __init__(self, portal: Portal, bea: Client, stan: Client, chance: random.Random) -> None:
        self.portal, self.bea, self.stan, self.chance = portal, bea, stan, chance
        self.orders: list[str] = []
        self.done: dict[str, int] = {}

    async def happen(self) -> None:
        acts = [self.order, self.ship, self.ship, self.begin, self.close, self.cancel]
        act = self.chance.choice(acts)
        if act == self.order or self.orders:
            answer = await act()
            if not answer["errors"]:
                self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def some_order(self) -> str:
        """One of the last few: what came before has mostly ended."""
        return self.chance.choice(self.orders[-4:])

    async def order(self) -> dict[str, Any]:
        for sku in self.chance.sample(SKUS, self.chance.randint(1, 3)):
            await add(self.bea, {"sku": sku, "quantity": str(self.chance.randint(1, 6))})
        answer = await place(self.bea)
        self.orders += [each["id"] for each in answer["orders"] or []]
        return answer

    async def ship(self) -> dict[str, Any]:
        order = self.some_order()
        if self.chance.random() < 0.3:
            return await ship(self.stan, order)
        quantity = str(self.chance.randint(1, 3))
        return await ship(self.stan, order, {"position": self.chance.randint(1, 2), "quantity": quantity})

    async def begin(self) -> dict[str, Any]:
        status = (await statuses(self.stan))["in-progress"]
        return await do(self.stan, "orderUpdate", self.some_order(), status=status)

    async def close(self) -> dict[str, Any]:
        return await do(self.stan, "orderClose", self.some_order())

    async def cancel(self) -> dict[str, Any]:
        who = self.chance.choice([self.bea, self.stan])
        return await do(who, "orderCancel", self.some_order(), reason="Chance")

    async def check(self) -> None:
        async with self.portal.writing() as connection:
            for query in (DRIFTED, LEFT_OPEN, MISDELIVERED, SHIPPED_WITHOUT_PAPER):
                assert await connection.fetch_text(query) == []


async def company(world: World, at: At, chance: random.Random) -> Trade:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("A", stock_at={"W1": "60"})
    await portal.product("B", stock_at={"W1": "5", "W2": "40"})
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("stan")
    people = [await at(portal).sign_in(name) for name in ("bea", "stan")]
    return Trade(portal, people[0], people[1], chance)


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_reserved_is_what_open_orders_still_need(seed: int, world: World, at: At) -> None:
    trade = await company(world, at, random.Random(seed))
    for _ in range(60):
        await trade.happen()
        await trade.check()
    assert set(trade.done) == {"order", "ship", "begin", "close", "cancel"}, "chance left something out"


async def test_what_leaves_the_warehouse_is_what_goods_issues_say(world: World, at: At) -> None:
    trade = await company(world, at, random.Random(9))
    for _ in range(60):
        await trade.happen()
    assert trade.done["ship"] > 3
    async with trade.portal.writing() as connection:
        found = await connection.fetch_text(
            """select (select sum(on_hand) from stock), (select sum(quantity) from goods_issue_lines l
            join products p on p.tenant_id = l.tenant_id and p.id = l.product_id where p.kind = 'GOODS')"""
        )
    assert found[0][0] + found[0][1] == Decimal(105)


async def test_an_import_after_all_that_leaves_it_so(
    world: World, at: At, settings: Settings, tmp_path: Path
) -> None:
    trade = await company(world, at, random.Random(3))
    for _ in range(40):
        await trade.happen()
    states = ("NOT_STARTED", "IN_PROGRESS", "COMPLETED", "CANCELLED")
    for round_ in range(2):  # the second one gives each imported order another state
        numbers = range(4)
        orders = [f"X{n},C1,2026-01-30T10:00:00,{states[(n + round_) % 4]},GBP" for n in numbers]
        lines = [f"X{n},1,A,5,{n},10,W1" for n in numbers]
        (tmp_path / "orders.csv").write_text(
            "\n".join(["number,customer,ordered_at,status,currency", *orders])
        )
        (tmp_path / "order_lines.csv").write_text(
            "\n".join(["order,line,sku,quantity,shipped_quantity,unit_price,warehouse", *lines])
        )
        console = Console(quiet=True)
        assert await import_folder(settings, tmp_path, trade.portal.slug, tmp_path, console) == 0
        await trade.check()
    for _ in range(20):
        await trade.happen()
        await trade.check()
