"""Issuing credit notes and receiving goods returns, over HTTP: never more than was invoiced."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from db.invoices import Invoice
from db.isolation import Mode
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import allowed, invoice_of, ledger, post, posted, refused
from tests.resolvers.test_shipments import levels
from tests.world import Portal, World

CREDIT, RECEIVE, REVERSE = "creditNoteIssue", "goodsReturnReceive", "supplierDocumentReverse"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.product("B", stock_at={"W1": "5"}, unit="kg")
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("ada", role=StaffRole.ACCOUNTANT)
    await portal.staff_member("stan", role=StaffRole.AGENT)
    return portal


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
async def invoice(portal: Portal) -> Invoice:
    """Ten of A for 100.00, a service for 10.00, and something that nobody knows for 5.00; with tax 138.00."""
    lines = (Sold("A", "10"), Sold("S"), Sold("X", "1", "5.00"))
    return await documents.invoice(portal, "IN-1", lines, order_id=await portal.order("SO-1"))


@pytest.fixture
def bill(invoice: Invoice) -> str:
    return global_id("Invoice", invoice.id)


def lines(*given: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Lines of an input: position, quantity, unit price."""
    names = ("position", "quantity", "unitPrice")
    return [dict(zip(names, each, strict=False)) for each in given]


async def test_an_outsider_and_a_customer_credit_and_receive_nothing(
    portal: Portal, bill: str, stan: Client, ada: Client, at: At
) -> None:
    bea = await at(portal).sign_in("bea")
    credit = {"invoice": bill, "operation": "SALES_RETURN"}
    back = {"invoice": bill, "lines": lines((1, "1"))}
    missing: list[tuple[str, list[str]]] = [("MISSING_PERMISSION", [])]
    unknown: list[tuple[str, list[str]]] = [("UNAUTHENTICATED", [])]
    assert await refused(at(portal), CREDIT, **credit) == unknown
    assert await refused(at(portal), RECEIVE, **back) == unknown
    assert await refused(bea, CREDIT, **credit) == await refused(bea, RECEIVE, **back) == missing
    assert await refused(stan, CREDIT, **credit) == missing  # ships and receives, but keeps no books
    assert await refused(ada, RECEIVE, **back) == missing
    assert await ledger(portal) == {"IN-1": 13800}


async def test_what_is_another_companys_is_not_there(world: World, bill: str, portal: Portal, at: At) -> None:
    other = await world.portal()
    await other.staff_member("olga")
    olga = await at(other).sign_in("olga")
    gone = [("NOT_FOUND", ["invoice"])]
    assert await refused(olga, CREDIT, invoice=bill, operation="SALES_RETURN") == gone
    assert await refused(olga, RECEIVE, invoice=bill, lines=lines((1, "1"))) == gone
    place = global_id("Warehouse", portal.warehouse_ids["W1"])
    answer = await refused(olga, RECEIVE, invoice=bill, lines=lines((1, "1")), warehouse=place)
    assert answer == [("NOT_FOUND", ["warehouse"])]


async def test_a_whole_invoice_is_credited_to_nothing(portal: Portal, ada: Client, bill: str) -> None:
    note = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", comment="Sorry")
    assert (note["number"], note["status"], note["comment"]) == ("CN-000001", "ISSUED", "Sorry")
    assert (note["operation"], note["customerName"]) == ("SALES_RETURN", "Customer C1")
    assert note["totals"]["total"] == {"amount": "138.00"}
    assert note["invoice"] == {"number": "IN-1", "status": "PAID", "open": {"amount": "0.00"}}
    assert [(each["sku"], each["invoicePosition"]) for each in note["lines"]] == [
        ("A", 1),
        ("S", 2),
        ("X", 3),
    ]
    assert await ledger(portal) == {"IN-1": 0}
    nothing = [("NOTHING_TO_CREDIT", ["invoice"])]
    assert await refused(ada, CREDIT, invoice=bill, operation="ADJUSTMENT") == nothing
    assert allowed(await invoice_of(ada, bill))["CREDIT"] == "NOTHING_TO_CREDIT"


async def test_parts_are_credited_until_nothing_is_left(portal: Portal, ada: Client, bill: str) -> None:
    for operation, quantity in (("SALES_RETURN", "3"), ("ADJUSTMENT", "6")):
        given = {"invoice": bill, "operation": operation, "lines": lines((1, quantity))}
        await posted(ada, CREDIT, **given)
    too_much = [("MORE_THAN_INVOICED", ["lines", "0", "quantity"])]
    assert await refused(ada, CREDIT, invoice=bill, operation="ADJUSTMENT", lines=lines((1, "2"))) == too_much
    last = await posted(ada, CREDIT, invoice=bill, operation="ADJUSTMENT", lines=lines((1,)))
    assert last["lines"][0]["quantity"] == "1"
    assert await ledger(portal) == {"IN-1": 1800}


async def test_a_discount_lowers_the_price_and_not_what_can_come_back(
    portal: Portal, ada: Client, bill: str
) -> None:
    note = await posted(ada, CREDIT, invoice=bill, operation="DISCOUNT", lines=lines((1, None, "2.50")))
    assert note["lines"][0]["amount"] == {"amount": "25.00"}
    dear = [("CREDIT_TOO_LARGE", ["lines", "0", "unitPrice"])]
    assert (
        await refused(ada, CREDIT, invoice=bill, operation="DISCOUNT", lines=lines((1, "10", "7.51"))) == dear
    )
    half = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", lines=lines((1, "5")))
    assert (half["lines"][0]["unitPrice"], half["lines"][0]["amount"]) == (
        {"amount": "7.50"},
        {"amount": "37.50"},
    )
    rest = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", lines=lines((1,)))
    assert rest["lines"][0]["amount"] == {"amount": "37.50"}
    assert await ledger(portal) == {"IN-1": 1800}


async def test_what_is_discounted_to_nothing_has_nothing_left_to_credit(
    portal: Portal, ada: Client, bill: str
) -> None:
    await posted(ada, CREDIT, invoice=bill, operation="DISCOUNT", lines=lines((1, None, "10")))
    spent = [("CREDIT_TOO_LARGE", ["lines", "0", "quantity"])]
    assert await refused(ada, CREDIT, invoice=bill, operation="SALES_RETURN", lines=lines((1, "1"))) == spent
    rest = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN")
    assert [each["sku"] for each in rest["lines"]] == ["S", "X"]
    assert allowed(await invoice_of(ada, bill))["CREDIT"] == "NOTHING_TO_CREDIT"
    assert await ledger(portal) == {"IN-1": 0}


async def test_what_cannot_be_credited_is_told_line_by_line_and_nothing_is_posted(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    other = await documents.invoice(portal, "IN-2")
    back = (await posted(stan, RECEIVE, invoice=global_id("Invoice", other.id), lines=lines((1,))))["id"]
    at_line = ["lines", "0"]
    for operation, more, errors in (
        ("DISCOUNT", {}, [("VALUE_MISSING", ["lines"])]),
        ("DISCOUNT", {"lines": lines((1,))}, [("CREDIT_PRICE_INVALID", [*at_line, "unitPrice"])]),
        ("DISCOUNT", {"lines": lines((1, "11", "1"))}, [("MORE_THAN_INVOICED", [*at_line, "quantity"])]),
        ("ADJUSTMENT", {"lines": []}, [("LINES_MISSING", ["lines"])]),
        (
            "ADJUSTMENT",
            {"lines": lines((1, "1", "10.01"))},
            [("CREDIT_PRICE_INVALID", [*at_line, "unitPrice"])],
        ),
        ("ADJUSTMENT", {"lines": lines((1, "1", "0"))}, [("CREDIT_PRICE_INVALID", [*at_line, "unitPrice"])]),
        (
            "ADJUSTMENT",
            {"lines": lines((1, "0"), (7, "1"), (2, "1"), (2, "1"), (3, "0.5"))},
            [
                ("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"]),
                ("NOT_FOUND", ["lines", "1", "position"]),
                ("LINE_TWICE", ["lines", "3", "position"]),
                ("QUANTITY_NOT_DIVISIBLE", ["lines", "4", "quantity"]),
            ],
        ),
        ("ADJUSTMENT", {"lines": lines(*[(1, "1")] * 1001)}, [("LIST_TOO_LONG", ["lines"])]),
        ("ADJUSTMENT", {"goodsReturn": back}, [("GOODS_RETURN_NOT_FOR_OPERATION", ["goodsReturn"])]),
        ("SALES_RETURN", {"goodsReturn": back}, [("GOODS_RETURN_OF_ANOTHER", ["goodsReturn"])]),
        ("SALES_RETURN", {"goodsReturn": "x"}, [("NOT_FOUND", ["goodsReturn"])]),
    ):
        given = {"invoice": bill, "operation": operation, **more}
        assert await refused(ada, CREDIT, **given) == errors, given
    assert (await ledger(portal))["IN-1"] == 13800
    assert (await posted(ada, CREDIT, invoice=bill, operation="ADJUSTMENT"))["number"] == "CN-000001"


async def test_what_an_erp_credited_without_naming_a_line_counts(
    portal: Portal, ada: Client, invoice: Invoice, bill: str
) -> None:
    await documents.credit_note(portal, "CN-1", invoice, (Sold("A", "8"), Sold("?", "1", "4.00")))
    async with portal.world.registry.transaction(Mode.WRITE, portal.tenant_id) as connection:
        await connection.fetch_text(
            "update credit_note_lines set invoice_id = null, invoice_position = null where tenant_id = $1",
            portal.tenant_id,
        )
    too_much = [("MORE_THAN_INVOICED", ["lines", "0", "quantity"])]
    assert await refused(ada, CREDIT, invoice=bill, operation="ADJUSTMENT", lines=lines((1, "3"))) == too_much
    note = await posted(ada, CREDIT, invoice=bill, operation="ADJUSTMENT")
    assert note["totals"]["net"] == {"amount": "31.00"}  # 115.00 less 80.00 and 4.00
    assert await ledger(portal) == {"IN-1": 0}


async def test_goods_that_come_back_are_stocked_and_credited(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    place = global_id("Warehouse", portal.warehouse_ids["W2"])
    given = lines((1, "4"), (2, "1"), (3, "1"))
    back = await posted(stan, RECEIVE, invoice=bill, lines=given, warehouse=place, comment="Unopened")
    assert (back["number"], back["warehouse"], back["comment"]) == ("GR-000001", {"code": "W2"}, "Unopened")
    assert [(each["sku"], each["invoicePosition"], each["quantity"]) for each in back["lines"]] == [
        ("A", 1, "4"),
        ("S", 2, "1"),
        ("X", 3, "1"),
    ]
    held = {("A", "W1"): (10, 0), ("B", "W1"): (5, 0), ("A", "W2"): (4, 0)}
    assert await levels(portal) == held
    assert await ledger(portal) == {"IN-1": 13800}
    note = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", goodsReturn=back["id"])
    assert note["goodsReturn"] == {"number": "GR-000001"}
    assert [each["quantity"] for each in note["lines"]] == ["4", "1", "1"]
    too_much = [("MORE_THAN_INVOICED", ["lines", "0", "quantity"])]
    assert await refused(stan, RECEIVE, invoice=bill, lines=lines((1, "7"))) == too_much
    nowhere = await posted(stan, RECEIVE, invoice=bill, lines=lines((1,)))
    assert (nowhere["warehouse"], nowhere["lines"][0]["quantity"]) == (None, "6")
    assert await levels(portal) == held
    nothing = [("NOTHING_TO_RETURN", ["invoice"])]
    assert await refused(stan, RECEIVE, invoice=bill, lines=lines((1, "1"))) == nothing
    assert allowed(await invoice_of(stan, bill))["RECEIVE"] == "NOTHING_TO_RETURN"
    for document, reason in ((back, "DOCUMENT_IN_USE"), (note, None)):
        answer = await post(ada, REVERSE, document=document["id"], reason="Wrong")
        assert [each["code"] for each in answer["errors"]] == ([reason] if reason else [])


async def test_a_return_is_credited_once_and_no_more_than_came_back(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    back = (await posted(stan, RECEIVE, invoice=bill, lines=lines((1, "4"), (2, "1"))))["id"]
    given = {"invoice": bill, "operation": "SALES_RETURN", "goodsReturn": back}
    at_line = ["lines", "0", "quantity"]
    too_much = [("MORE_THAN_RETURNED", at_line)]
    assert await refused(ada, CREDIT, **given, lines=lines((1, "5"))) == too_much
    assert await refused(ada, CREDIT, **given, lines=lines((3, "1"))) == too_much
    assert await refused(ada, CREDIT, **given, lines=lines((1, "11"))) == [("MORE_THAN_INVOICED", at_line)]
    first = await posted(ada, CREDIT, **given, lines=lines((1, "3")))
    assert await refused(ada, CREDIT, **given, lines=lines((1, "2"))) == too_much
    rest = await posted(ada, CREDIT, **given)
    assert [(each["sku"], each["quantity"]) for each in rest["lines"]] == [("A", "1"), ("S", "1")]
    spent = [("RETURN_CREDITED", ["goodsReturn"])]
    assert await refused(ada, CREDIT, **given) == spent
    assert await refused(ada, CREDIT, **given, lines=lines((1, "1"))) == spent
    await posted(ada, REVERSE, document=first["id"], reason="Wrong")
    again = await posted(ada, CREDIT, **given, lines=lines((1, "2", "1.00")))
    assert again["totals"]["net"] == {"amount": "2.00"}
    assert await ledger(portal) == {"IN-1": 13800 - 2400 - 240}


async def test_of_two_who_credit_the_same_return_at_once_one_does(
    ada: Client, stan: Client, bill: str
) -> None:
    back = (await posted(stan, RECEIVE, invoice=bill, lines=lines((1, "2"))))["id"]
    given = {"invoice": bill, "operation": "SALES_RETURN", "goodsReturn": back}
    answers = await asyncio.gather(*(post(ada, CREDIT, **given) for _ in range(3)))
    assert [each["code"] for answer in answers for each in answer["errors"]] == ["RETURN_CREDITED"] * 2


async def test_what_was_kept_back_of_some_is_not_given_back_with_the_others(
    portal: Portal, ada: Client, bill: str
) -> None:
    """Nine come back used, for 1.00 each; the tenth is worth what it cost, and not 91.00."""
    await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", lines=lines((1, "9", "1.00")))
    last = await posted(ada, CREDIT, invoice=bill, operation="SALES_RETURN", lines=lines((1,)))
    assert last["lines"][0]["unitPrice"] == last["lines"][0]["amount"] == {"amount": "10.00"}
    await posted(ada, CREDIT, invoice=bill, operation="DISCOUNT", lines=lines((1, None, "8.10")))
    assert await ledger(portal) == {"IN-1": 1800}


async def test_a_return_that_is_reversed_goes_out_of_stock_again(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    place = global_id("Warehouse", portal.warehouse_ids["W1"])
    backs = [
        await posted(stan, RECEIVE, invoice=bill, lines=lines((1, "4")), warehouse=place) for _ in range(2)
    ]
    assert (await levels(portal))["A", "W1"] == (18, 0)
    gone = await posted(ada, REVERSE, document=backs[0]["id"], reason="Counted twice")
    assert (gone["status"], allowed(gone)) == ("REVERSED", {"REVERSE": "ALREADY_REVERSED"})
    assert (await levels(portal))["A", "W1"] == (14, 0)
    twice = [("ALREADY_REVERSED", ["document"])]
    assert await refused(ada, REVERSE, document=backs[0]["id"], reason="Again") == twice
    async with portal.writing() as connection:
        await connection.fetch_text("update stock set on_hand = 3")
    short = [("INSUFFICIENT_STOCK", ["document"])]
    assert await refused(ada, REVERSE, document=backs[1]["id"], reason="Wrong") == short
    assert (await posted(stan, RECEIVE, invoice=bill, lines=lines((1,))))["lines"][0]["quantity"] == "6"


async def test_nothing_is_credited_of_or_returned_for_a_reversed_invoice(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    await posted(ada, REVERSE, document=bill, reason="Wrong")
    gone = [("INVOICE_REVERSED", ["invoice"])]
    assert await refused(ada, CREDIT, invoice=bill, operation="ADJUSTMENT") == gone
    assert await refused(stan, RECEIVE, invoice=bill, lines=lines((1,))) == gone
    assert await refused(ada, "taxInvoiceIssue", invoice=bill) == gone


@pytest.mark.parametrize(
    ("who", "mutation", "given"),
    [
        ("ada", CREDIT, {"operation": "ADJUSTMENT", "lines": lines((1, "6"))}),
        ("stan", RECEIVE, {"lines": lines((1, "6"))}),
    ],
)
async def test_of_five_who_give_back_the_same_at_once_one_does(
    who: str, mutation: str, given: dict[str, Any], ada: Client, stan: Client, bill: str
) -> None:
    somebody = ada if who == "ada" else stan
    answers = await asyncio.gather(*(post(somebody, mutation, invoice=bill, **given) for _ in range(5)))
    codes = [each["code"] for answer in answers for each in answer["errors"]]
    assert codes == ["MORE_THAN_INVOICED"] * 4


async def test_the_same_key_credits_and_receives_once(
    portal: Portal, ada: Client, stan: Client, bill: str
) -> None:
    given = {"invoice": bill, "lines": lines((1, "1")), "idempotencyKey": "once"}
    notes = [await posted(ada, CREDIT, operation="ADJUSTMENT", **given) for _ in range(2)]
    assert notes[0]["number"] == notes[1]["number"]
    place = global_id("Warehouse", portal.warehouse_ids["W1"])
    for _ in range(2):
        await posted(stan, RECEIVE, warehouse=place, **given)
    assert await ledger(portal) == {"IN-1": 12600}
    assert (await levels(portal))["A", "W1"] == (Decimal(11), 0)
