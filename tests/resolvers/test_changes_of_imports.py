"""What an import tells the change feed: each object that it made or changed, once, when all else is done."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from db import exchange
from rules.permissions import StaffRole
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.db.test_exchange import SMALL, as_folder
from tests.resolvers.test_change_feed import make_profiles, read
from tests.resolvers.test_imports_beside_fulfilment import waited_for
from tests.world import Portal, World

Load = Callable[[dict[str, Any]], Coroutine[Any, Any, exchange.Report]]

# What the rows of a table are told as, in the order in which tables go in: by the node's name for people.
NAMES = """
    select c.node_type || ' ' || coalesce(w.code, g.code, p.sku, a.code, u.code, o.number, i.number, k.number, y.number,
        t.slug) as name, c.operation, v.code from changes c
    left join warehouses w on w.id = c.node_id left join categories g on g.id = c.node_id
    left join products p on p.id = c.node_id left join attributes a on a.id = c.node_id
    left join customers u on u.id = c.node_id left join orders o on o.id = c.node_id
    left join invoices i on i.id = c.node_id left join credit_notes k on k.id = c.node_id
    left join payments y on y.id = c.node_id left join portals t on t.tenant_id = c.node_id
    left join customers v on v.id = c.customer_id
    where c.position > $1 order by c.position
"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


@pytest.fixture
def load(world: World, portal: Portal, tmp_path: Path) -> Load:
    """Import files by the table's name."""
    runs = iter(range(100))

    async def run(files: dict[str, Any]) -> exchange.Report:
        folder = as_folder(tmp_path / str(next(runs)), files)
        async with world.database.connect(portal.tenant_id) as connection:
            return await exchange.run(connection, folder, tmp_path, exchange.Silent())

    return run


async def newest(portal: Portal) -> int:
    async with portal.writing() as connection:
        found = await connection.fetch_text("select coalesce(max(position), 0) from feeds")
    return int(found[0][0])


async def told(portal: Portal, after: int = 0) -> list[tuple[str, str, str | None]]:
    async with portal.writing() as connection:
        return [tuple(row) for row in await connection.fetch_text(NAMES, after)]


async def test_another_companys_import_is_told_to_nobody_here(
    world: World, portal: Portal, load: Load, at: At
) -> None:
    other = await world.portal()
    await other.staff_member("oscar", role=StaffRole.OWNER)
    await load(SMALL)
    assert (await read(await at(other).sign_in("oscar")))["changes"] == []


async def test_every_object_of_an_import_is_told_once_with_its_customer(
    portal: Portal, olga: Client, load: Load
) -> None:
    await load(SMALL)
    found = await told(portal)
    expected = [
        ("Warehouse N", "CREATED", None),
        ("Warehouse S", "CREATED", None),
        ("Category mugs", "CREATED", None),
        ("Category kitchen", "CREATED", None),
        ("Product MUG", "CREATED", None),
        ("Product TEA", "CREATED", None),
        ("Product POST", "CREATED", None),
        ("Attribute width", "CREATED", None),
        ("Attribute colour", "CREATED", None),
        ("Attribute washable", "CREATED", None),
        ("Attribute note", "CREATED", None),
        ("Customer C1", "CREATED", "C1"),
        ("Customer C2", "CREATED", "C2"),
        ("Order SO-000007", "CREATED", "C1"),
        ("Order X9", "CREATED", "C2"),
        ("Invoice I1", "CREATED", "C2"),
        ("Invoice I2", "CREATED", "C1"),
        ("CreditNote K1", "CREATED", "C2"),
        ("Payment P1", "CREATED", "C2"),
        ("Payment P2", "CREATED", "C1"),
    ]
    assert sorted(found) == sorted(expected)
    kinds = [name.split()[0] for name, _, _ in found]
    assert list(dict.fromkeys(kinds)) == list(dict.fromkeys(name.split()[0] for name, _, _ in expected))
    assert kinds == sorted(kinds, key=kinds.index)
    page = await read(olga, first=100)
    assert all(each["node"]["id"] == each["id"] for each in page["changes"])
    assert [(each["customer"] or {}).get("code") for each in page["changes"]] == [each[2] for each in found]


async def test_a_second_import_tells_nothing(portal: Portal, load: Load) -> None:
    await load(SMALL)
    before = await newest(portal)
    assert not (await load(SMALL)).changed
    assert (await newest(portal), await told(portal, before)) == (before, [])


@pytest.mark.parametrize(
    ("table", "old", "new", "expected"),
    [
        ("warehouses", "North", "Far north", ["Warehouse N"]),
        ("categories", "Kitchen", "Kitchens", ["Category kitchen"]),
        ("products", "Postage", "Parcel", ["Product POST"]),
        ("attribute_definitions", "Width", "Wide", ["Attribute width"]),
        ("attribute_choices", "Blue", "Navy", ["Attribute colour"]),
        ("attributes", "08.50", "9", ["Product MUG"]),
        ("prices", "2.10", "2.20", ["Product MUG"]),
        ("stock", "-2.5", "7", ["Product TEA"]),
        ("customers", "Two", "Zwei", ["Customer C2"]),
        ("orders", "IN_PROGRESS", "COMPLETED", ["Order SO-000007"]),
        ("order_lines", "MUG,10,4", "MUG,11,4", ["Order SO-000007"]),
        ("order_lines", "X9,2,TEA,0.5,0.5,7.123456,S\n", "", ["Order X9"]),
        ("order_lines", "SO-000007,2,POST", "SO-000007,3,POST", ["Order SO-000007"]),
        ("payments", "P2,C1", "P3,C1", ["Payment P3"]),
    ],
)
async def test_what_differs_in_a_file_is_told_of_the_object_it_belongs_to(
    table: str, old: str, new: str, expected: list[str], portal: Portal, load: Load
) -> None:
    await load(SMALL)
    before = await newest(portal)
    tables = ("orders", "order_lines") if table in ("orders", "order_lines") else (table,)
    assert old in SMALL[table]
    await load({name: SMALL[name] for name in tables} | {table: SMALL[table].replace(old, new)})
    assert [name for name, _, _ in await told(portal, before)] == expected
    assert {each[1] for each in await told(portal, before)} == {
        "CREATED" if table == "payments" else "UPDATED"
    }


async def test_what_changes_in_several_tables_is_told_once(portal: Portal, load: Load) -> None:
    await load(SMALL)
    before = await newest(portal)
    changed = {
        "products": SMALL["products"].replace("Tea", "Green tea"),
        "prices": SMALL["prices"].replace("7.123456", "8"),
        "stock": SMALL["stock"].replace("-2.5", "7"),
        "attributes": SMALL["attributes"].replace("Keep dry", "Keep cool"),
    }
    await load(changed)
    assert await told(portal, before) == [("Product TEA", "UPDATED", None)]


async def test_the_portal_whose_price_list_an_import_chooses_is_told(portal: Portal, load: Load) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update portals set price_list_id = null where tenant_id = $1", portal.tenant_id
        )
    await load({"products": SMALL["products"], "prices": SMALL["prices"]})
    assert (f"Portal {portal.slug}", "UPDATED", None) in await told(portal)


async def test_rows_that_are_not_taken_are_not_told(portal: Portal, load: Load) -> None:
    bad = SMALL["customers"].replace("Two,,GBP", "Two,,???")
    report = await load({"customers": bad})
    assert report.tables["customers"].rejected == 1
    assert [name for name, _, _ in await told(portal)] == ["Customer C1"]


async def test_an_import_that_fails_tells_nothing(portal: Portal, load: Load) -> None:
    with pytest.raises(exchange.Unreadable):
        await load({"customers": SMALL["customers"], "products": "nothing\n"})
    assert await told(portal) == []


async def test_nobody_waits_for_the_feed_while_an_import_is_at_work(
    portal: Portal, olga: Client, load: Load
) -> None:
    """It comes to the feed last: whoever changes something meanwhile, and commits, is told first."""
    await load(SMALL)
    before = await newest(portal)
    async with portal.writing() as connection:
        await connection.fetch_text("select from stock for update")
        changed = {
            "customers": SMALL["customers"].replace("Two", "Zwei"),
            "products": SMALL["products"].replace("Tea", "Green tea"),
            "stock": SMALL["stock"].replace("-2.5", "7"),
        }
        async with waited_for(portal, load(changed)) as task:
            await make_profiles(olga, 1)
            await connection.commit()
            await task
    assert [each[:2] for each in await told(portal, before)] == [
        (None, "CREATED"),
        ("Product TEA", "UPDATED"),
        ("Customer C2", "UPDATED"),
    ]
