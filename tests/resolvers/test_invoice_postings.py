"""Issuing invoices and tax invoices, over HTTP: from what was shipped, never more than that, once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import db
from resolvers.nodes import global_id, key_of
from rules.contacts import Address, AddressKind
from rules.permissions import StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import allowed, invoice_of, ledger, posted, refused, ship
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100"})
    await portal.product("B", stock_at={"W1": "50"}, unit="kg", price="3.33", tax_rate="7")
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("ada", role=StaffRole.ACCOUNTANT)
    await portal.staff_member("stan", role=StaffRole.AGENT)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
async def order(bea: Client) -> str:
    """Three of A, 2.5 kg of B and a service, placed."""
    for sku, quantity in (("A", "3"), ("B", "2.5"), ("S", "1")):
        await add(bea, {"sku": sku, "quantity": quantity})
    return str((await place(bea))["orders"][0]["id"])


async def test_an_outsider_a_customer_and_an_agent_issue_nothing(
    portal: Portal, bea: Client, stan: Client, order: str, at: At
) -> None:
    await ship(stan, order)
    for somebody, code in (
        (at(portal), "UNAUTHENTICATED"),
        (bea, "MISSING_PERMISSION"),
        (stan, "MISSING_PERMISSION"),
    ):
        assert await refused(somebody, "invoiceIssue", order=order) == [(code, [])]
        assert await refused(somebody, "taxInvoiceIssue", invoice=order) == [(code, [])]
    assert await ledger(portal) == {}


async def test_what_is_another_companys_is_not_there(
    world: World, stan: Client, ada: Client, order: str, at: At
) -> None:
    issue = await ship(stan, order)
    invoice = (await posted(ada, "invoiceIssue", order=order))["id"]
    other = await world.portal()
    await other.staff_member("olga")
    olga = await at(other).sign_in("olga")
    assert await refused(olga, "invoiceIssue", order=order) == [("NOT_FOUND", ["order"])]
    assert await refused(olga, "invoiceIssue", goodsIssues=[issue]) == [("NOT_FOUND", ["goodsIssues", "0"])]
    assert await refused(olga, "taxInvoiceIssue", invoice=invoice) == [("NOT_FOUND", ["invoice"])]


async def test_all_that_was_shipped_of_an_order_is_charged_at_its_prices(
    portal: Portal, bea: Client, stan: Client, ada: Client, order: str
) -> None:
    async with portal.writing() as connection:
        billed = [
            Address(kind=AddressKind.SHIPPING, city="Hull"),
            Address(kind=AddressKind.BILLING, city="Leeds"),
        ]
        await db.contacts.replace_addresses(connection, {portal.customers["C1"]: billed})
        await connection.fetch_text("update prices set unit_price = 99")
    await ship(stan, order)
    found = await posted(ada, "invoiceIssue", order=order, comment="Thank you")
    today = datetime.now(UTC).date()
    assert (found["number"], found["status"], found["comment"]) == ("IN-000001", "UNPAID", "Thank you")
    assert date.fromisoformat(found["dueOn"]) == today + timedelta(days=30)
    assert (found["customerName"], found["billTo"]) == ("Customer C1", {"city": "Leeds"})
    assert [(each["sku"], each["quantity"], each["amount"]["amount"]) for each in found["lines"]] == [
        ("A", "3", "30.00"),
        ("B", "2.5", "8.33"),
        ("S", "1", "10.00"),
    ]
    assert found["totals"] == {
        "net": {"amount": "48.33"},
        "tax": {"amount": "8.58"},
        "total": {"amount": "56.91"},
    }
    assert found["open"] == {"amount": "56.91"}
    assert await ledger(portal) == {"IN-000001": 5691}
    assert (await invoice_of(ada, found["id"])) == found
    seen = await invoice_of(bea, found["id"])
    assert seen["actions"] == []
    assert {**seen, "actions": found["actions"]} == found
    payment = await bea.ask(
        "query($id: ID!) { order(id: $id) { payment { state open { amount } } } }", id=order
    )
    assert payment["order"]["payment"] == {"state": "UNPAID", "open": {"amount": "56.91"}}


async def test_an_order_is_charged_as_it_is_shipped_and_each_part_once(
    stan: Client, ada: Client, order: str
) -> None:
    asked = "query($id: ID!) { order(id: $id) { actions { name reason { code } } } }"
    nothing = [("NOTHING_TO_INVOICE", ["order"])]
    assert await refused(ada, "invoiceIssue", order=order) == nothing
    assert allowed((await ada.ask(asked, id=order))["order"])["INVOICE"] == "NOTHING_TO_INVOICE"
    first = await ship(stan, order, {"position": 1, "quantity": "2"})
    assert allowed((await ada.ask(asked, id=order))["order"])["INVOICE"] is None
    assert allowed((await stan.ask(asked, id=order))["order"])["INVOICE"] == "MISSING_PERMISSION"
    part = {"goodsIssue": first, "position": 1, "quantity": "1"}
    assert (await posted(ada, "invoiceIssue", order=order, lines=[part]))["lines"][0]["quantity"] == "1"
    second = await ship(stan, order)
    found = await posted(ada, "invoiceIssue", goodsIssues=[first, second])
    assert [(each["sku"], each["quantity"]) for each in found["lines"]] == [
        ("A", "1"),
        ("A", "1"),
        ("B", "2.5"),
        ("S", "1"),
    ]
    assert await refused(ada, "invoiceIssue", order=order) == nothing
    assert await refused(ada, "invoiceIssue", goodsIssues=[first]) == [
        ("NOTHING_TO_INVOICE", ["goodsIssues"])
    ]


async def test_what_cannot_be_charged_is_told_line_by_line_and_nothing_is_posted(
    portal: Portal, stan: Client, ada: Client, order: str, bea: Client
) -> None:
    issue = await ship(stan, order)
    await add(bea, {"sku": "A", "quantity": "1"})
    foreign = await ship(stan, (await place(bea))["orders"][0]["id"])

    def lines(*given: tuple[str, int, str | None]) -> dict[str, Any]:
        return {"lines": [{"goodsIssue": a, "position": b, "quantity": c} for a, b, c in given]}

    for given, errors in (
        ({}, [("INVALID_INPUT", ["order"])]),
        ({"order": order, "goodsIssues": [issue]}, [("INVALID_INPUT", ["order"])]),
        ({"goodsIssues": []}, [("LINES_MISSING", ["goodsIssues"])]),
        ({"goodsIssues": [issue, foreign]}, [("SEVERAL_ORDERS", ["goodsIssues"])]),
        ({"order": order, "lines": []}, [("LINES_MISSING", ["lines"])]),
        ({"order": order, "dueOn": "2020-01-01"}, [("DUE_DATE_PAST", ["dueOn"])]),
        ({"order": order, "comment": "x" * 2001}, [("TEXT_TOO_LONG", ["comment"])]),
        ({"order": order} | lines(*[(issue, 1, None)] * 1001), [("LIST_TOO_LONG", ["lines"])]),
        (
            {"order": order}
            | lines(
                (issue, 1, "4"),
                (issue, 9, None),
                (foreign, 1, None),
                (issue, 1, "1"),
                ("x", 1, "1"),
                (issue, 3, "0.5"),
            ),
            [
                ("MORE_THAN_SHIPPED", ["lines", "0", "quantity"]),
                ("NOT_FOUND", ["lines", "1", "position"]),
                ("NOT_FOUND", ["lines", "2", "goodsIssue"]),
                ("LINE_TWICE", ["lines", "3", "position"]),
                ("NOT_FOUND", ["lines", "4", "goodsIssue"]),
                ("QUANTITY_NOT_DIVISIBLE", ["lines", "5", "quantity"]),
            ],
        ),
        ({"order": order} | lines((issue, 1, "0")), [("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"])]),
        ({"order": order} | lines((issue, 1, "-1")), [("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"])]),
    ):
        assert await refused(ada, "invoiceIssue", **given) == errors, given
    assert await ledger(portal) == {}
    assert (await posted(ada, "invoiceIssue", order=order))["number"] == "IN-000001"


async def test_an_imported_order_that_was_shipped_elsewhere_has_nothing_to_invoice(
    portal: Portal, ada: Client
) -> None:
    order_id = await portal.order("SO-900001")
    async with portal.writing() as connection:
        await connection.fetch_text("update order_lines set shipped_quantity = quantity")
    answer = await refused(ada, "invoiceIssue", order=global_id("Order", order_id))
    assert answer == [("NOTHING_TO_INVOICE", ["order"])]


async def test_what_an_erp_has_invoiced_of_what_was_shipped_here_is_not_charged_again(
    portal: Portal, stan: Client, ada: Client, order: str
) -> None:
    await ship(stan, order, {"position": 1, "quantity": "1"})
    await ship(stan, order)
    key = key_of(order, "Order")
    wrong = await documents.invoice(portal, "X-1", (Sold("A", "3"), Sold("S")), order_id=key)
    await documents.reverse(portal, wrong)
    await documents.invoice(portal, "X-2", (Sold("A", "2"), Sold("S")), order_id=key)
    bill = await posted(ada, "invoiceIssue", order=order)
    assert [(each["sku"], each["quantity"]) for each in bill["lines"]] == [("A", "1"), ("B", "2.5")]
    assert await refused(ada, "invoiceIssue", order=order) == [("NOTHING_TO_INVOICE", ["order"])]


async def test_what_an_erp_has_shipped_and_invoiced_takes_nothing_from_what_is_shipped_here(
    portal: Portal, stan: Client, ada: Client, order: str
) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text("update order_lines set shipped_quantity = 2 where sku = 'A'")
    await documents.invoice(portal, "X-1", (Sold("A", "2"),), order_id=key_of(order, "Order"))
    await ship(stan, order)
    bill = await posted(ada, "invoiceIssue", order=order)
    assert [(each["sku"], each["quantity"]) for each in bill["lines"]] == [
        ("A", "1"),
        ("B", "2.5"),
        ("S", "1"),
    ]


async def test_prices_with_tax_make_an_invoice_with_tax(world: World, at: At) -> None:
    portal = await world.portal(tax_included=True)
    await portal.product("A", price="12.00")
    await portal.account("bea")
    await portal.staff_member("olga")
    bea, olga = await at(portal).sign_in("bea"), await at(portal).sign_in("olga")
    await add(bea, {"sku": "A", "quantity": "1"})
    order = (await place(bea))["orders"][0]["id"]
    await ship(olga, order)
    found = await posted(olga, "invoiceIssue", order=order)
    assert found["taxIncluded"] is True
    assert [each["amount"] for each in found["totals"].values()] == ["10.00", "2.00", "12.00"]


async def test_the_portal_says_in_how_many_days_an_invoice_is_due(
    portal: Portal, stan: Client, ada: Client, order: str, at: At
) -> None:
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    change = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
      portal { paymentDays } errors { code path } } }"""
    answer = (await olga.ask(change, input={"paymentDays": 366}))["portalUpdate"]
    assert answer["errors"] == [{"code": "PAYMENT_DAYS_INVALID", "path": ["paymentDays"]}]
    answer = (await olga.ask(change, input={"paymentDays": 14}))["portalUpdate"]
    assert answer["portal"] == {"paymentDays": 14}
    await ship(stan, order)
    found = await posted(ada, "invoiceIssue", order=order)
    assert date.fromisoformat(found["dueOn"]) == datetime.now(UTC).date() + timedelta(days=14)


async def test_what_a_reversed_invoice_charged_can_be_charged_again(
    portal: Portal, stan: Client, ada: Client, order: str
) -> None:
    await ship(stan, order)
    bill = await posted(ada, "invoiceIssue", order=order)
    assert await refused(ada, "invoiceIssue", order=order) == [("NOTHING_TO_INVOICE", ["order"])]
    gone = await posted(ada, "supplierDocumentReverse", document=bill["id"], reason="Wrong order")
    assert (gone["number"], gone["status"]) == ("IN-000001", "REVERSED")
    again = await posted(ada, "invoiceIssue", order=order)
    assert (again["number"], again["lines"]) == ("IN-000002", bill["lines"])
    assert await ledger(portal) == {"IN-000001": 0, "IN-000002": 5691}


async def test_five_who_charge_the_same_at_once_charge_it_once(
    portal: Portal, stan: Client, ada: Client, order: str
) -> None:
    issue = await ship(stan, order)
    part = {"goodsIssue": issue, "position": 1, "quantity": "2"}
    answers = await asyncio.gather(
        *(invoice(ada, order=order, lines=[part]) for _ in range(5)), return_exceptions=True
    )
    assert sorted(map(str, answers)) == ["IN-000001", *["MORE_THAN_SHIPPED"] * 4]
    rest = await asyncio.gather(*(invoice(ada, order=order) for _ in range(5)))
    assert sorted(rest) == ["IN-000002", *["NOTHING_TO_INVOICE"] * 4]


async def invoice(client: Client, **given: Any) -> str:
    """The number of an invoice, or why there is none."""
    document = """mutation($input: InvoiceIssueInput!) { invoiceIssue(input: $input) {
      invoice { number } errors { code } } }"""
    answer = (await client.ask(document, input=given))["invoiceIssue"]
    return str(answer["invoice"]["number"] if answer["invoice"] else answer["errors"][0]["code"])


async def test_the_same_key_charges_once(stan: Client, ada: Client, order: str) -> None:
    await ship(stan, order)
    answers = [await posted(ada, "invoiceIssue", order=order, idempotencyKey="once") for _ in range(2)]
    assert answers[0] == answers[1]


async def test_numbers_have_no_gaps_when_issuing_fails(
    portal: Portal, stan: Client, ada: Client, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_given: object) -> None:
        raise RuntimeError("a fault of ours")

    await ship(stan, order)
    with monkeypatch.context() as patched:
        patched.setattr(db.movements, "post", fails)
        document = "mutation($input: InvoiceIssueInput!) { invoiceIssue(input: $input) { errors { code } } }"
        body = (await ada.post(document, {"input": {"order": order}})).json()
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert await ledger(portal) == {}
    assert (await posted(ada, "invoiceIssue", order=order))["number"] == "IN-000001"


async def test_an_invoice_has_one_tax_invoice_which_moves_nothing(
    portal: Portal, stan: Client, ada: Client, order: str
) -> None:
    await ship(stan, order)
    bill = await posted(ada, "invoiceIssue", order=order)
    before = await ledger(portal)
    found = await posted(ada, "taxInvoiceIssue", invoice=bill["id"])
    assert (found["number"], found["status"], found["totals"]) == ("TI-000001", "ISSUED", bill["totals"])
    assert [each["sku"] for each in found["lines"]] == ["A", "B", "S"]
    assert await ledger(portal) == before
    again = [("TAX_INVOICE_ISSUED", ["invoice"])]
    assert await refused(ada, "taxInvoiceIssue", invoice=bill["id"]) == again
    assert allowed(await invoice_of(ada, bill["id"]))["TAX_INVOICE"] == "TAX_INVOICE_ISSUED"
    await posted(ada, "supplierDocumentReverse", document=found["id"], reason="Wrong")
    results = await asyncio.gather(*(tax_invoice(ada, bill["id"]) for _ in range(5)))
    assert sorted(results) == ["TAX_INVOICE_ISSUED"] * 4 + ["TI-000002"]


async def tax_invoice(client: Client, id: str) -> str:
    document = """mutation($input: TaxInvoiceIssueInput!) { taxInvoiceIssue(input: $input) {
      taxInvoice { number } errors { code } } }"""
    answer = (await client.ask(document, input={"invoice": id}))["taxInvoiceIssue"]
    return str(answer["taxInvoice"]["number"] if answer["taxInvoice"] else answer["errors"][0]["code"])
