"""Replacing what a request returns, over HTTP: an order at the invoice's price, from stock, and what it moves."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

import db
from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.contacts import Address, AddressKind
from rules.permissions import StaffRole
from rules.rma_requests import Resolution
from rules.stock import StockPolicy
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import post, posted, refused, request_of
from tests.resolvers.test_rma_request_decisions import CLOSE, CREDIT, RECEIVE, REPLACE, asked
from tests.resolvers.test_shipments import levels
from tests.rma_requests import Asked
from tests.world import Portal, World

BOTH = (Asked(1, "5", Resolution.REPLACE, "3"), Asked(2, "2", Resolution.REFUND, "2"))
END = """mutation($input: {}Input!) {{ {}(input: $input) {{ order {{ number }} errors {{ code }} }} }}"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", price="12.00", stock_at={"W1": "2", "W2": "4"})
    await portal.product("B", stock_at={"W1": "5"})
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("mia", role=StaffRole.MANAGER)
    return portal


@pytest.fixture
async def mia(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mia")


@pytest.fixture
async def bill(portal: Portal) -> Invoice:
    """Ten of A at 9.50 and 7 % of tax, B, something that nobody knows, a service, and A once more."""
    lines = (Sold("A", "10", "9.50", "7"), Sold("B", "5"), Sold("X"), Sold("S"), Sold("A", "4", "8.00"))
    return await documents.invoice(portal, "IN-1", lines)


async def replaced(client: Client, key: str) -> tuple[str, list[str], list[str]]:
    """The stage of a request, how much of each line is replaced, and by which orders."""
    found = await request_of(client, key)
    orders = [each["number"] for each in found["replacementOrders"]]
    return found["stage"], [each["replacedQuantity"] for each in found["lines"]], orders


async def ordered(client: Client, **given: Any) -> list[Any]:
    """The orders of a replacement that has to work."""
    answer = await post(client, REPLACE, **given)
    assert answer["errors"] == [], answer
    orders: list[Any] = answer["orders"]
    return orders


async def end(client: Client, mutation: str, order: str, **more: Any) -> None:
    kind = f"{mutation[0].upper()}{mutation[1:]}"
    answer = await client.ask(END.format(kind, mutation), input={"order": order, **more})
    assert answer[mutation]["errors"] == []


async def test_a_replacement_is_ordered_at_the_price_of_the_invoice_from_where_most_is(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    town = Address(kind=AddressKind.SHIPPING, city="Leith")
    async with portal.writing() as connection:
        await db.contacts.replace_addresses(connection, {bill.customer_id: [town]})
        await connection.fetch_text("update customers set credit_limit = 1")  # no obstacle
    this = {"rmaRequest": await asked(portal, bill, *BOTH)}
    (order,) = await ordered(mia, **this, comment="With apologies")
    assert order | {"id": "", "lines": []} == {
        "id": "",
        "number": "SO-000001",
        "comment": "With apologies",
        "shipTo": {"city": "Leith"},
        "warehouse": {"code": "W2"},
        "rmaRequest": {"number": "RM-1"},
        "customer": {"code": "C1"},
        "totals": {"total": {"amount": "30.50"}},
        "lines": [],
    }
    (line,) = order["lines"]
    assert (line["sku"], line["quantity"], line["taxRate"]) == ("A", "3", "7")
    assert (line["unitPrice"], line["amount"]) == ({"amount": "9.50"}, {"amount": "28.50"})
    assert (await levels(portal))["A", "W2"] == (4, 3)
    bea = await at(portal).sign_in("bea")
    assert await replaced(bea, this["rmaRequest"]) == ("AUTHORISED", ["3", "0"], ["SO-000001"])
    found = await bea.ask("{ orders { nodes { number related { __typename } } } }")
    assert found["orders"]["nodes"] == [{"number": "SO-000001", "related": [{"__typename": "RMARequest"}]}]
    assert await refused(mia, REPLACE, **this) == [("NOTHING_AUTHORISED", ["rmaRequest"])]


async def test_what_was_discounted_since_is_not_charged_for_the_replacement(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    discount = {
        "invoice": global_id("Invoice", bill.id),
        "operation": "DISCOUNT",
        "lines": [{"position": 1, "quantity": "10", "unitPrice": "1.25"}],
    }
    await posted(mia, CREDIT, **discount)
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", Resolution.REPLACE, "3"))}
    (order,) = await ordered(mia, **this)
    (line,) = order["lines"]
    assert (line["unitPrice"], line["amount"]) == ({"amount": "8.25"}, {"amount": "24.75"})
    note = await posted(mia, CREDIT, **this)
    assert note["totals"]["total"] == order["totals"]["total"]


async def test_systems_are_told_that_an_order_was_placed(portal: Portal, bill: Invoice, mia: Client) -> None:
    await ordered(mia, rmaRequest=await asked(portal, bill, *BOTH))
    async with portal.writing() as connection:
        told = await connection.fetch_text("select node_type, event, customer_id from changes")
    assert ("Order", "order.placed", bill.customer_id) in [tuple(each) for each in told]


async def test_a_line_is_done_when_it_is_credited_and_replaced(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    key = await asked(portal, bill, BOTH[0])
    await posted(mia, RECEIVE, rmaRequest=key)
    await posted(mia, CREDIT, rmaRequest=key)
    assert (await replaced(mia, key))[0] == "RECEIVED"
    (order,) = await ordered(mia, rmaRequest=key, lines=[{"position": 1, "quantity": "3"}])
    assert await replaced(mia, key) == ("COMPLETED", ["3"], ["SO-000001"])
    await end(mia, "orderCancel", order["id"], reason="Out of stock")
    assert await replaced(mia, key) == ("RECEIVED", ["0"], ["SO-000001"])
    found = await request_of(mia, key)
    assert found["status"]["processingState"] == "IN_PROGRESS"
    (again,) = await ordered(mia, rmaRequest=key, warehouse=place(portal, "W2"))
    ship = "mutation($input: OrderShipInput!) { orderShip(input: $input) { errors { code } } }"
    some = {"order": again["id"], "lines": [{"position": 1, "quantity": "1"}]}
    assert (await mia.ask(ship, input=some))["orderShip"]["errors"] == []
    await end(mia, "orderClose", again["id"])
    assert await replaced(mia, key) == ("RECEIVED", ["1"], ["SO-000001", "SO-000002"])


async def test_a_customer_who_cancels_a_replacement_moves_its_request_too(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    key = await asked(portal, bill, BOTH[0])
    await posted(mia, CREDIT, rmaRequest=key)
    (order,) = await ordered(mia, rmaRequest=key)
    assert (await replaced(mia, key))[0] == "COMPLETED"
    bea = await at(portal).sign_in("bea")
    await end(bea, "orderCancel", order["id"], reason="Not wanted")
    assert await replaced(bea, key) == ("AUTHORISED", ["0"], ["SO-000001"])


def place(portal: Portal, code: str) -> str:
    return global_id("Warehouse", portal.warehouse_ids[code])


async def test_it_ships_from_where_it_is_said_when_there_is_enough(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, *BOTH)}
    short = [("INSUFFICIENT_STOCK", ["lines", "0", "quantity"])]
    assert await refused(mia, REPLACE, **this, warehouse=place(portal, "W1")) == short
    assert await refused(mia, REPLACE, **this, warehouse="x") == [("NOT_FOUND", ["warehouse"])]
    two = [{"position": 1, "quantity": "2"}]
    (order,) = await ordered(mia, **this, warehouse=place(portal, "W1"), lines=two)
    assert order["warehouse"] == {"code": "W1"}
    (rest,) = await ordered(mia, **this)
    assert (rest["lines"][0]["quantity"], rest["warehouse"]) == ("1", {"code": "W2"})


async def test_two_lines_of_one_product_take_from_the_same_stock(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    granted = (Asked(1, "3", Resolution.REPLACE, "3"), Asked(5, "3", Resolution.REPLACE, "3"))
    this = {"rmaRequest": await asked(portal, bill, *granted)}
    here = {"warehouse": place(portal, "W2")}
    assert await refused(mia, REPLACE, **this, **here) == [("INSUFFICIENT_STOCK", ["lines", "1", "quantity"])]
    some = [{"position": 1, "quantity": "2"}, {"position": 2, "quantity": "2"}]
    (order,) = await ordered(mia, **this, **here, lines=some)
    assert [each["unitPrice"]["amount"] for each in order["lines"]] == ["9.50", "8.00"]
    assert (await levels(portal))["A", "W2"] == (4, 4)


async def test_what_is_not_there_is_promised_where_the_company_sells_it_nevertheless(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    async with portal.writing() as connection:
        await db.portals.change(connection, portal.tenant_id, stock_policy=StockPolicy.ALLOW_BACKORDER)
    key = await asked(portal, bill, Asked(1, "9", Resolution.REPLACE, "9"))
    (order,) = await ordered(mia, rmaRequest=key)
    assert Decimal(order["lines"][0]["quantity"]) == 9


async def test_a_service_ships_from_nowhere_and_what_is_not_sold_is_not_replaced(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    granted = (Asked(4, "1", Resolution.REPLACE, "1"), Asked(3, "1", Resolution.REPLACE, "1"))
    this = {"rmaRequest": await asked(portal, bill, *granted, Asked(2, "1", Resolution.REPLACE, "1"))}
    await portal.withdraw("B")
    gone = [("PRODUCT_UNAVAILABLE", ["lines", "1"]), ("PRODUCT_UNAVAILABLE", ["lines", "2"])]
    assert await refused(mia, REPLACE, **this) == gone
    (order,) = await ordered(mia, **this, lines=[{"position": 1}])
    assert (order["warehouse"], order["lines"][0]["sku"]) == (None, "S")


async def test_what_cannot_be_replaced_is_told_line_by_line(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, *BOTH)}
    at_line = ["lines", "0"]
    for lines, errors in (
        ([], [("LINES_MISSING", ["lines"])]),
        ([{"position": 1, "quantity": "4"}], [("MORE_THAN_AUTHORISED", [*at_line, "quantity"])]),
        ([{"position": 1, "quantity": "0"}], [("QUANTITY_NOT_POSITIVE", [*at_line, "quantity"])]),
        ([{"position": 1, "quantity": "0.5"}], [("QUANTITY_NOT_DIVISIBLE", [*at_line, "quantity"])]),
        (
            [{"position": 2}, {"position": 1}, {"position": 1}, {"position": 9}],
            [
                ("RESOLUTION_DIFFERS", [*at_line, "position"]),
                ("LINE_TWICE", ["lines", "2", "position"]),
                ("NOT_FOUND", ["lines", "3", "position"]),
            ],
        ),
        ([{"position": 1}] * 1_001, [("LIST_TOO_LONG", ["lines"])]),
    ):
        assert await refused(mia, REPLACE, **this, lines=lines) == errors, lines
    assert await refused(mia, REPLACE, **this, comment="x" * 2_001) == [("TEXT_TOO_LONG", ["comment"])]
    assert await refused(mia, REPLACE, **this, version=7) == [("VERSION_CONFLICT", ["version"])]
    await posted(mia, CLOSE, **this, outcome="COMPLETED")
    assert await refused(mia, REPLACE, **this) == [("RMA_REQUEST_ENDED", ["rmaRequest"])]


async def test_of_five_who_replace_and_cancel_at_once_each_is_served(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, *BOTH)}
    one = [{"position": 1, "quantity": "1"}]
    (first,) = await ordered(mia, **this, lines=one)
    answers, _ = await asyncio.gather(
        asyncio.gather(*(post(mia, REPLACE, **this, lines=one) for _ in range(4))),
        end(mia, "orderCancel", first["id"], reason="Wrong"),
    )
    placed = sum(len(each["orders"] or []) for each in answers)
    _, (quantity, _), _ = await replaced(mia, this["rmaRequest"])
    assert placed in (2, 3)
    assert quantity == str(placed)
    assert (await levels(portal))["A", "W2"][1] + (await levels(portal))["A", "W1"][1] == placed
