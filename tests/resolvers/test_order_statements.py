"""Order statements, over HTTP: what is outstanding, by product, by order and added up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from db.orders import order_lines
from resolvers.nodes import global_id
from rules.lifecycle import ProcessingState
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

QUANTITIES = "ordered shipped outstanding"
STATEMENT = f"""query($filter: OrderStatementFilter, $first: Int) {{ orderStatement(filter: $filter) {{
  generatedAt lineCount totals {{ unit {QUANTITIES} }}
  outstandingAmounts {{ taxIncluded amount {{ amount currency }} }}
  products(first: 100) {{ totalCount nodes {{ sku name unit product {{ sku }} {QUANTITIES} orderCount
    orders(first: $first) {{ number placedAt order {{ number }} customer {{ code }} {QUANTITIES} }} }} }}
  orders(first: 100) {{ totalCount nodes {{ number placedAt purchaseOrderNumber order {{ number }} customer {{ code }}
    quantities {{ unit {QUANTITIES} }} outstandingAmount {{ amount currency }} taxIncluded lineCount
    lines(first: $first) {{ position sku name unit product {{ sku }} {QUANTITIES}
      outstandingAmount {{ amount currency }} }} }} }} }} }}"""


async def line(
    portal: Portal,
    order_id: Any,
    position: int,
    sku: str,
    quantity: str,
    *,
    shipped: str = "0",
    price: str = "10",
    unit: str = "pcs",
    name: str | None = None,
) -> None:
    """Another line of an order."""
    async with portal.writing() as connection:
        await put(
            connection,
            order_lines,
            order_id=order_id,
            position=position,
            product_id=portal.products.get(sku),
            sku=sku,
            name=name or f"Product {sku}",
            unit=unit,
            quantity=Decimal(quantity),
            shipped_quantity=Decimal(shipped),
            unit_price=Decimal(price),
            tax_rate=Decimal(20),
            amount=0,
        )


async def statement(client: Client, first: int = 20, **filter: Any) -> dict[str, Any]:
    found = await client.ask(STATEMENT, filter=filter, first=first)
    answer: dict[str, Any] = found["orderStatement"]
    return answer


def day(number: int) -> datetime:
    return datetime(2026, 3, number, 12, tzinfo=UTC)


@pytest.fixture
async def portal(world: World) -> Portal:
    """Two customers: bea's has two orders in progress and others, cleo's one."""
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    first = await portal.order("SO-1", skus=("A",), placed_at=day(1))
    await line(portal, first, 2, "B", "4", shipped="1", price="2.505")
    await line(portal, first, 3, "OIL", "2.500", shipped="0.5", unit="l", price="3")
    second = await portal.order("SO-2", skus=("B",), placed_at=day(2))
    await line(portal, second, 2, "A", "6", shipped="6", name="A, renamed")
    await portal.order("TO-3", customer="C2", skus=("A",), placed_at=day(3))
    for state in ProcessingState:
        if state is not ProcessingState.IN_PROGRESS:
            await portal.order(f"SO-{state}", state=state)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def test_an_outsider_gets_no_statement(portal: Portal, at: At) -> None:
    assert (await at(portal).refusal(STATEMENT))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_who_may_not_read_orders_gets_no_statement(portal: Portal, at: At) -> None:
    await portal.account("nora", profile=None)
    nora = await at(portal).sign_in("nora")
    assert (await nora.refusal(STATEMENT))["extensions"]["code"] == "MISSING_PERMISSION"


async def test_another_tenants_orders_are_in_no_statement(world: World, portal: Portal, at: At) -> None:
    other = await world.portal(supplier=portal.slug)
    await other.account("bea")
    found = await statement(await at(other).sign_in("bea"))
    assert (found["lineCount"], found["totals"], found["outstandingAmounts"]) == (0, [], [])
    assert found["products"] == found["orders"] == {"totalCount": 0, "nodes": []}


async def test_a_customer_sees_its_own_orders_in_progress_by_product(bea: Client) -> None:
    products = (await statement(bea))["products"]
    assert products["totalCount"] == 3
    a, b, oil = products["nodes"]
    assert {name: a[name] for name in ("sku", "unit", "ordered", "shipped", "outstanding", "orderCount")} == {
        "sku": "A",
        "unit": "pcs",
        "ordered": "7",
        "shipped": "6",
        "outstanding": "1",
        "orderCount": 2,
    }
    assert a["name"] == "A, renamed"
    assert a["product"] == {"sku": "A"}
    assert a["orders"] == [
        {
            "number": number,
            "placedAt": f"2026-03-0{number[-1]}T12:00:00Z",
            "order": {"number": number},
            "customer": {"code": "C1"},
            "ordered": ordered,
            "shipped": shipped,
            "outstanding": outstanding,
        }
        for number, ordered, shipped, outstanding in (("SO-1", "1", "0", "1"), ("SO-2", "6", "6", "0"))
    ]
    assert (b["ordered"], b["shipped"], b["outstanding"]) == ("5", "1", "4")
    assert (oil["ordered"], oil["shipped"], oil["outstanding"], oil["unit"]) == ("2.5", "0.5", "2", "l")
    assert oil["product"] is None


async def test_the_same_by_order(bea: Client) -> None:
    orders = (await statement(bea))["orders"]
    assert orders["totalCount"] == 2
    first, second = orders["nodes"]
    assert first["quantities"] == [
        {"unit": "l", "ordered": "2.5", "shipped": "0.5", "outstanding": "2"},
        {"unit": "pcs", "ordered": "5", "shipped": "1", "outstanding": "4"},
    ]
    assert (first["number"], first["order"], first["customer"]) == (
        "SO-1",
        {"number": "SO-1"},
        {"code": "C1"},
    )
    assert (first["lineCount"], first["taxIncluded"], first["purchaseOrderNumber"]) == (3, False, None)
    amounts = [each["outstandingAmount"]["amount"] for each in first["lines"]]
    assert amounts == ["10.00", "7.52", "6.00"], "3 x 2.505 is 7.515, rounded half up"
    assert first["outstandingAmount"] == {"amount": "23.52", "currency": "GBP"}
    assert [each["position"] for each in first["lines"]] == [1, 2, 3]
    assert [each["product"] for each in first["lines"]] == [{"sku": "A"}, {"sku": "B"}, None]
    assert second["outstandingAmount"]["amount"] == "10.00"


async def test_and_added_up_without_mixing_units(bea: Client) -> None:
    found = await statement(bea)
    assert found["lineCount"] == 5
    assert found["totals"] == [
        {"unit": "l", "ordered": "2.5", "shipped": "0.5", "outstanding": "2"},
        {"unit": "pcs", "ordered": "12", "shipped": "7", "outstanding": "5"},
    ]
    assert found["outstandingAmounts"] == [
        {"taxIncluded": False, "amount": {"amount": "33.52", "currency": "GBP"}}
    ]


async def test_currencies_and_prices_with_tax_are_never_added_up(portal: Portal, stan: Client) -> None:
    for number, currency, included in (("X-1", "JPY", False), ("X-2", "KWD", False), ("X-3", "GBP", True)):
        order_id = await portal.order(number, skus=())
        await line(portal, order_id, 1, "A", "1", price="2.0005")
        async with portal.writing() as connection:
            await connection.fetch_text(
                "update orders set currency = $1, tax_included = $2 where id = $3",
                currency,
                included,
                order_id,
            )
    found = (await statement(stan, number="X-"))["outstandingAmounts"]
    assert [
        (each["amount"]["amount"], each["amount"]["currency"], each["taxIncluded"]) for each in found
    ] == [
        ("2.00", "GBP", True),
        ("2", "JPY", False),
        ("2.001", "KWD", False),
    ]


async def test_staff_see_all_customers_or_one(portal: Portal, stan: Client, bea: Client) -> None:
    assert [each["number"] for each in (await statement(stan))["orders"]["nodes"]] == ["SO-1", "SO-2", "TO-3"]
    for code, numbers in (("C1", ["SO-1", "SO-2"]), ("C2", ["TO-3"])):
        customer = global_id("Customer", portal.customers[code])
        found = await statement(stan, customer=customer)
        assert [each["number"] for each in found["orders"]["nodes"]] == numbers
        own = await statement(bea, customer=customer)
        assert [each["number"] for each in own["orders"]["nodes"]] == (numbers if code == "C1" else [])


async def test_a_statement_is_held_to_period_product_and_order(portal: Portal, bea: Client) -> None:
    order = (await bea.ask('{ order(number: "SO-2") { id } }'))["order"]["id"]
    product = global_id("Product", portal.products["A"])

    async def numbers(**filter: Any) -> list[tuple[str, int]]:
        found = await statement(bea, **filter)
        orders = found["orders"]
        assert orders["totalCount"] == len(orders["nodes"])
        assert found["products"]["totalCount"] == len(found["products"]["nodes"])
        shown = [(each["number"], each["lineCount"]) for each in orders["nodes"]]
        assert [len(each["lines"]) for each in orders["nodes"]] == [count for _, count in shown]
        assert found["lineCount"] == sum(count for _, count in shown)
        assert sum(each["orderCount"] for each in found["products"]["nodes"]) == found["lineCount"]
        return shown

    assert await numbers() == [("SO-1", 3), ("SO-2", 2)]
    assert await numbers(**{"from": "2026-03-02"}) == [("SO-2", 2)]
    assert await numbers(to="2026-03-01") == [("SO-1", 3)]
    assert await numbers(to="9999-12-31") == [("SO-1", 3), ("SO-2", 2)]
    assert await numbers(product=product) == [("SO-1", 1), ("SO-2", 1)]
    assert await numbers(sku="OIL") == [("SO-1", 1)]
    assert await numbers(sku="OI") == []
    assert await numbers(product=product, sku="A") == [("SO-1", 1), ("SO-2", 1)]
    assert await numbers(product=product, sku="B") == []
    assert await numbers(order=order) == [("SO-2", 2)]
    assert await numbers(number="SO-1") == [("SO-1", 3)]
    assert await numbers(number="%") == []
    assert await numbers(order="garbage") == []
    assert await numbers(product="garbage") == []


async def test_a_hidden_products_line_keeps_its_text_and_cannot_be_asked_for(portal: Portal, at: At) -> None:
    account_id = await portal.account("rita", profile=None)
    modes = Modes(product=RestrictionMode.ALLOW_EXCEPT)
    hidden = portal.products["A"]
    await portal.group("All but A", account_id, modes=modes, lists={RestrictionKind.PRODUCT: [hidden]})
    await portal.enforce(RestrictionKind.PRODUCT)
    rita = await at(portal).sign_in("rita")
    found = await statement(rita, sku="A")
    (product,) = found["products"]["nodes"]
    assert (product["name"], product["outstanding"], product["product"]) == ("A, renamed", "1", None)
    assert [each["product"] for order in found["orders"]["nodes"] for each in order["lines"]] == [None, None]
    assert (await statement(rita, product=global_id("Product", hidden)))["lineCount"] == 0


async def test_lists_inside_give_the_first_of_many(bea: Client) -> None:
    found = await statement(bea, first=1)
    assert [len(each["orders"]) for each in found["products"]["nodes"]] == [1, 1, 1]
    assert [each["orderCount"] for each in found["products"]["nodes"]] == [2, 2, 1]
    assert [len(each["lines"]) for each in found["orders"]["nodes"]] == [1, 1]


PAGE = """query($after: String, $orderBy: [{2}!]) {{ orderStatement {{
  {0}(first: 1, after: $after, orderBy: $orderBy) {{ nodes {{ {1} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
ORDERS = PAGE.format("orders", "number", "StatementOrderOrder")
PRODUCTS = PAGE.format("products", "sku", "StatementProductOrder")


@pytest.mark.parametrize(
    ("name", "order", "expected"),
    [
        ("orders", "PLACED_AT_ASC", ["SO-1", "SO-2"]),
        ("orders", "PLACED_AT_DESC", ["SO-2", "SO-1"]),
        ("products", "SKU_ASC", ["A", "B", "OIL"]),
        ("products", "SKU_DESC", ["OIL", "B", "A"]),
    ],
)
async def test_pages_follow_one_another(name: str, order: str, expected: list[str], bea: Client) -> None:
    own, other = (ORDERS, PRODUCTS) if name == "orders" else (PRODUCTS, ORDERS)
    found: list[str] = []
    cursor, more = None, True
    while more:
        page = (await bea.ask(own, after=cursor, orderBy=[order]))["orderStatement"][name]
        found += [next(iter(each.values())) for each in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == expected
    assert (await bea.refusal(other, after=cursor))["extensions"]["code"] == "INVALID_CURSOR"


async def test_two_statements_in_one_operation_keep_their_filters_apart(bea: Client) -> None:
    both = """{ a: orderStatement(filter: {sku: "A"}) { lineCount orders { nodes { lineCount lines { sku } } } }
      b: orderStatement { lineCount orders { nodes { lineCount lines { sku } } } } }"""
    found = await bea.ask(both)
    assert found["a"] == {
        "lineCount": 2,
        "orders": {"nodes": [{"lineCount": 1, "lines": [{"sku": "A"}]}] * 2},
    }
    assert [each["lineCount"] for each in found["b"]["orders"]["nodes"]] == [3, 2]


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ('{ orderStatement(filter: {from: "2026-03-02", to: "2026-03-01"}) { lineCount } }', "to"),
        ('{ orders(filter: {placedFrom: "2026-03-02", placedTo: "2026-03-01"}) { totalCount } }', "placedTo"),
        (
            '{ auditLog(filter: {since: "2026-03-02T00:00:00Z", until: "2026-03-01T00:00:00Z"}) { totalCount } }',
            "until",
        ),
    ],
)
async def test_a_period_that_ends_before_it_begins_is_refused(query: str, end: str, stan: Client) -> None:
    assert (await stan.refusal(query))["extensions"] == {
        "code": "PERIOD_REVERSED",
        "argument": ["filter", end],
    }
