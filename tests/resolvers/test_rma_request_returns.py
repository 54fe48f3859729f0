"""What follows a request, over HTTP: goods that come back, credit notes, refunds; and that the money agrees."""

from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from rules.rma_requests import Resolution
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import ERRORS, allowed, invoice_of, ledger, posted, refused, request_of
from tests.resolvers.test_rma_request_decisions import (
    CLOSE,
    CREDIT,
    DECIDE,
    PAY,
    RECEIVE,
    REPLACE,
    REVERSE,
    asked,
    line,
)
from tests.rma_requests import Asked, returnable
from tests.world import Portal, World

CREATE = f"""mutation($input: RmaRequestCreateInput!) {{ rmaRequestCreate(input: $input) {{
  rmaRequest {{ id stage }} {ERRORS} }} }}"""
RELATED = """query($id: ID!) { node(id: $id) { __typename ... on RMARequest { related { ...Named } }
  ... on SupplierDocument { related { ...Named } } ... on Payment { related { ...Named } rmaRequest { number } }
  ... on Order { related { ...Named } rmaRequest { number } } ... on GoodsReturn { rmaRequest { number } }
  ... on CreditNote { rmaRequest { number } } } }
  fragment Named on Node { __typename ... on RMARequest { number } ... on SupplierDocument { number }
  ... on Payment { number } ... on Order { number } }"""
PREVIEW = """query($id: ID!) { rmaRequest(id: $id) { creditPreview { problems { code }
  totals { net { amount } tax { amount } total { amount } } lines { position sku name unit
  quantity unitPrice { amount } taxRate amount { amount } product { sku } invoicePosition } } } }"""
BALANCE = """query($customer: ID!) { balanceReport(kind: CUSTOMER, customer: $customer) { ... on CustomerBalance {
  balances { debt { amount } prepayments { amount } } } } }"""
REFUND = Resolution.REFUND


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.product("B", stock_at={"W1": "5"})
    await portal.account("bea")
    await portal.staff_member("mia", role=StaffRole.MANAGER)
    return portal


@pytest.fixture
async def mia(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mia")


@pytest.fixture
async def bill(portal: Portal) -> Invoice:
    """Ten of A and five of B, as an import brings it: 150.00 and tax, 180.00."""
    return await documents.invoice(portal, "IN-1", (Sold("A", "10"), Sold("B", "5")))


def lines(*given: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"position": position, "quantity": quantity} for position, quantity in given]


async def done(client: Client, id: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Where a request stands: its stage, its processing state, and of each line what came back and was credited."""
    found = await request_of(client, id)
    told = [(each["receivedQuantity"], each["creditedQuantity"]) for each in found["lines"]]
    return found["stage"], found["status"]["processingState"], told


async def opened(client: Client, bill: Invoice) -> tuple[str, str, str, str]:
    """What the invoice says, and what the customer owes and has prepaid."""
    found = await invoice_of(client, global_id("Invoice", bill.id))
    report = await client.ask(BALANCE, customer=global_id("Customer", bill.customer_id))
    (sums,) = report["balanceReport"]["balances"] or [
        {"debt": {"amount": "0.00"}, "prepayments": {"amount": "0.00"}}
    ]
    return found["status"], found["open"]["amount"], sums["debt"]["amount"], sums["prepayments"]["amount"]


async def test_a_return_from_the_request_to_the_refund_and_back_again(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    settled, prepaid = ("PAID", "0.00", "0.00", "0.00"), ("PAID", "0.00", "0.00", "36.00")
    bea, of_bill = await at(portal).sign_in("bea"), global_id("Invoice", bill.id)
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    wanted = {
        "invoice": of_bill,
        "submit": True,
        "lines": [{"invoicePosition": 1, "quantity": "5", "problem": "Loud"}],
    }
    made = (await bea.ask(CREATE, input=wanted))["rmaRequestCreate"]
    assert made["errors"] == []
    key = made["rmaRequest"]["id"]
    this = {"rmaRequest": key}
    assert await done(mia, key) == ("SUBMITTED", "NOT_STARTED", [("0", "0")])

    await posted(mia, DECIDE, **this, lines=[line(1, "REFUND", "3", "Two are worn")])
    assert await done(bea, key) == ("AUTHORISED", "IN_PROGRESS", [("0", "0")])
    assert await refused(mia, DECIDE, **this, lines=[line(1, "REFUND", "6")]) == [
        ("MORE_THAN_ASKED", ["lines", "0", "authorisedQuantity"])
    ]

    first = await posted(mia, RECEIVE, **this, lines=lines((1, "2")))
    assert await done(bea, key) == ("RECEIVED", "IN_PROGRESS", [("2", "0")])
    at_line = ["lines", "0", "position"]
    under_way = [("RMA_LINE_UNDER_WAY", at_line)]
    assert await refused(mia, DECIDE, **this, lines=[line(1, "REFUND", "5")]) == under_way
    too_much = [("MORE_THAN_AUTHORISED", ["lines", "0", "quantity"])]
    assert await refused(mia, RECEIVE, **this, lines=lines((1, "2"))) == too_much
    second = await posted(mia, RECEIVE, **this)
    assert [each["quantity"] for each in second["lines"]] == ["1"]
    assert await done(bea, key) == ("RECEIVED", "IN_PROGRESS", [("3", "0")])
    assert await refused(mia, RECEIVE, **this) == [("NOTHING_AUTHORISED", ["rmaRequest"])]
    assert await opened(mia, bill) == settled

    assert await refused(mia, CREDIT, **this, lines=lines((1, "4"))) == too_much
    nothing = [("NOTHING_TO_REFUND", ["rmaRequest"])]
    money = {"customer": global_id("Customer", bill.customer_id), "kind": "REFUND", **this}
    assert await refused(mia, PAY, **money, amount="1") == nothing
    note = await posted(mia, CREDIT, **this)
    assert (note["operation"], note["totals"]["total"]) == ("SALES_RETURN", {"amount": "36.00"})
    assert [each["quantity"] for each in note["lines"]] == ["3"]
    assert await done(bea, key) == ("COMPLETED", "COMPLETED", [("3", "3")])
    assert (await opened(mia, bill), await ledger(portal)) == (prepaid, {"IN-1": -3600})

    assert await refused(mia, PAY, **money, amount="36.01") == [("MORE_THAN_CREDITED", ["amount"])]
    paid = await posted(mia, PAY, **money, amount="36")  # of what was paid too much of the invoice
    assert await refused(mia, PAY, **money, amount="0.01") == nothing
    assert (await opened(mia, bill), await ledger(portal)) == (settled, {"IN-1": 0})
    assert set(allowed(await request_of(mia, key)).values()) == {
        *("RMA_REQUEST_ENDED", "NOTHING_AUTHORISED", "NOTHING_TO_REFUND")
    }

    uncovered = [("REFUNDS_UNCOVERED", ["document"])]
    assert await refused(mia, REVERSE, document=note["id"], reason="Wrong") == uncovered
    await posted(mia, "paymentReverse", payment=paid["id"], reason="Bounced")
    assert await done(bea, key) == ("COMPLETED", "COMPLETED", [("3", "3")])
    assert await ledger(portal) == {"IN-1": -3600}
    await posted(mia, REVERSE, document=note["id"], reason="Wrong")
    assert await done(bea, key) == ("RECEIVED", "IN_PROGRESS", [("3", "0")])
    assert (await opened(mia, bill), await ledger(portal)) == (settled, {"IN-1": 0})
    await posted(mia, REVERSE, document=second["id"], reason="Wrong")
    assert await done(bea, key) == ("RECEIVED", "IN_PROGRESS", [("2", "0")])
    await posted(mia, REVERSE, document=first["id"], reason="Wrong")
    assert await done(bea, key) == ("AUTHORISED", "IN_PROGRESS", [("0", "0")])
    again = await posted(mia, DECIDE, **this, lines=[line(1, "REFUND", "5")])
    assert again["lines"][0]["authorisedQuantity"] == "5"


async def test_a_goods_return_passes_its_request_on_to_the_credit_note(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"), Asked(2, "2", REFUND, "2"))}
    back = await posted(mia, RECEIVE, **this, lines=lines((1, "2"), (2, "1")))
    given = {"invoice": global_id("Invoice", bill.id), "operation": "SALES_RETURN", "goodsReturn": back["id"]}
    note = await posted(mia, CREDIT, **given)
    assert [(each["sku"], each["quantity"]) for each in note["lines"]] == [("A", "2"), ("B", "1")]
    chain = await mia.ask(RELATED, id=note["id"])
    assert chain["node"]["rmaRequest"] == {"number": "RM-1"}
    assert await done(mia, this["rmaRequest"]) == ("RECEIVED", "IN_PROGRESS", [("2", "2"), ("1", "1")])
    # nothing more has come back, and what is still to come is credited only when its line is named
    assert await refused(mia, CREDIT, **this) == [("NOTHING_AUTHORISED", ["rmaRequest"])]
    await posted(mia, CREDIT, **this, lines=lines((1, "1")))
    assert (await request_of(mia, this["rmaRequest"]))["lines"][0]["state"] == "COMPLETED"


async def test_what_came_back_for_a_closed_request_is_still_credited(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"))}
    back = await posted(mia, RECEIVE, **this, lines=lines((1, "2")))
    await posted(mia, CLOSE, **this, outcome="CANCELLED", reason="The third never came")
    assert await refused(mia, CREDIT, **this) == [("RMA_REQUEST_ENDED", ["rmaRequest"])]
    given = {"invoice": global_id("Invoice", bill.id), "operation": "SALES_RETURN", "goodsReturn": back["id"]}
    await posted(mia, CREDIT, **given)
    assert await done(mia, this["rmaRequest"]) == ("CLOSED", "CANCELLED", [("2", "2")])


async def test_what_was_credited_for_a_closed_request_is_still_paid_back(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"))}
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    note = await posted(mia, CREDIT, **this, lines=lines((1, "2")))
    closed = await posted(mia, CLOSE, **this, outcome="CANCELLED", reason="The third never came")
    assert allowed(closed)["REFUND"] is None
    money = {"customer": global_id("Customer", bill.customer_id), "kind": "REFUND", **this}
    of_bill = [{"invoice": global_id("Invoice", bill.id), "amount": "24"}]
    assert await refused(mia, PAY, **money, amount="24.01", allocations=of_bill) == [
        ("MORE_THAN_CREDITED", ["amount"])
    ]
    paid = await posted(mia, PAY, **money, amount="24", allocations=of_bill)
    assert await done(mia, this["rmaRequest"]) == ("CLOSED", "CANCELLED", [("0", "2")])
    chain = (await mia.ask(RELATED, id=this["rmaRequest"]))["node"]["related"]
    assert ("Payment", paid["number"]) in [(each["__typename"], each["number"]) for each in chain]
    uncovered = [("REFUNDS_UNCOVERED", ["document"])]
    assert await refused(mia, REVERSE, document=note["id"], reason="Wrong") == uncovered


async def test_goods_that_were_credited_before_they_came_back_count_once(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"))}
    await posted(mia, CREDIT, **this)
    assert await done(mia, this["rmaRequest"]) == ("COMPLETED", "COMPLETED", [("0", "3")])
    of_bill = global_id("Invoice", bill.id)
    left = await returnable(mia, of_bill)
    assert left is not None
    assert left[0] == ("7", {"ALREADY_CREDITED": "3"})
    back = await posted(mia, RECEIVE, **this)
    assert [each["quantity"] for each in back["lines"]] == ["3"]
    assert await done(mia, this["rmaRequest"]) == ("COMPLETED", "COMPLETED", [("3", "3")])
    left = await returnable(mia, of_bill)
    assert left is not None
    assert left[0] == ("7", {"ALREADY_RETURNED": "3"})
    assert await refused(mia, RECEIVE, **this) == [("NOTHING_AUTHORISED", ["rmaRequest"])]


async def test_lines_of_which_no_money_is_left_keep_nobody_from_crediting_the_others(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"), Asked(2, "2", REFUND, "2"))}
    whole = {"operation": "DISCOUNT", "lines": [{"position": 2, "unitPrice": "10"}]}
    await posted(mia, CREDIT, invoice=global_id("Invoice", bill.id), **whole)
    preview = (await mia.ask(PREVIEW, id=this["rmaRequest"]))["rmaRequest"]["creditPreview"]
    note = await posted(mia, CREDIT, **this)
    assert [(each["sku"], each["quantity"]) for each in note["lines"]] == [("A", "3")]
    assert preview == {"problems": [], "totals": note["totals"], "lines": note["lines"]}
    assert await refused(mia, CREDIT, **this) == [("CREDIT_TOO_LARGE", ["lines", "0", "quantity"])]


async def test_nothing_follows_a_request_whose_invoice_was_taken_back(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", Resolution.REPLACE, "3"))}
    await posted(mia, REVERSE, document=global_id("Invoice", bill.id), reason="Wrong")
    weighed = allowed(await request_of(mia, this["rmaRequest"]))
    for act, mutation in (("RECEIVE", RECEIVE), ("CREDIT", CREDIT), ("REPLACE", REPLACE)):
        assert await refused(mia, mutation, **this) == [("INVOICE_REVERSED", ["rmaRequest"])]
        assert weighed[act] == "INVOICE_REVERSED"
    await posted(mia, DECIDE, **this, lines=[line(1, "DECLINED", None, "The invoice was wrong")])


async def test_where_nothing_comes_back_all_that_was_granted_is_credited(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    granted = (Asked(1, "5", REFUND, "3"), Asked(2, "2", Resolution.DECLINED))
    this = {"rmaRequest": await asked(portal, bill, *granted)}
    note = await posted(mia, CREDIT, **this, operation="ADJUSTMENT")
    assert [(each["sku"], each["quantity"]) for each in note["lines"]] == [("A", "3")]
    assert await done(mia, this["rmaRequest"]) == ("COMPLETED", "COMPLETED", [("0", "3"), ("0", "0")])


async def test_a_draft_of_a_credit_note_keeps_its_request(portal: Portal, bill: Invoice, mia: Client) -> None:
    draft = """mutation($input: CreditNoteIssueInput!) { creditNoteIssue(input: $input) { draft { id
      rmaRequest { number } invoice { number } operation totals { total { amount } } } errors { code path } } }"""
    this = {"rmaRequest": await asked(portal, bill, Asked(1, "5", REFUND, "3"))}
    kept = (await mia.ask(draft, input={**this, "draft": True}))["creditNoteIssue"]["draft"]
    assert kept | {"id": ""} == {
        "id": "",
        "rmaRequest": {"number": "RM-1"},
        "invoice": {"number": "IN-1"},
        "operation": "SALES_RETURN",
        "totals": {"total": {"amount": "36.00"}},
    }
    await posted(mia, CREDIT, **this, lines=lines((1, "3")))
    spent = [("RMA_REQUEST_ENDED", ["documentDraft", "rmaRequest"])]
    assert await refused(mia, CREDIT, documentDraft=kept["id"]) == spent


async def test_what_does_not_belong_to_a_request_is_refused(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    granted = (Asked(1, "5", REFUND, "3"), Asked(2, "2", Resolution.REPAIR, "2"))
    this = {"rmaRequest": await asked(portal, bill, *granted)}
    other = await documents.invoice(portal, "IN-2", (Sold("A", "3"), Sold("B"), Sold("A")))
    theirs = {"rmaRequest": await asked(portal, other, Asked(1, "3", REFUND, "3"), number="RM-2")}
    back = await posted(mia, RECEIVE, **theirs)
    of_other = {"invoice": global_id("Invoice", other.id)}
    elsewhere = [("RMA_REQUEST_OF_ANOTHER", ["rmaRequest"])]
    assert await refused(mia, RECEIVE, **this, **of_other) == elsewhere
    assert await refused(mia, CREDIT, **this, **of_other) == elsewhere
    assert await refused(mia, CREDIT, **this, goodsReturn=back["id"]) == [
        ("GOODS_RETURN_OF_ANOTHER", ["goodsReturn"])
    ]
    loose = await posted(mia, RECEIVE, invoice=global_id("Invoice", bill.id), lines=lines((1, "1")))
    assert await refused(mia, CREDIT, **this, goodsReturn=loose["id"]) == elsewhere
    gone = [("NOT_FOUND", ["invoice"])]
    assert await refused(mia, RECEIVE, **this, invoice="x") == gone
    assert await refused(mia, CREDIT, **this, invoice="x") == gone
    at_line = ["lines", "0", "position"]
    repaired = [("RESOLUTION_DIFFERS", at_line)]
    assert await refused(mia, RECEIVE, **this, lines=lines((2, "1"))) == repaired
    assert await refused(mia, CREDIT, **this, lines=lines((2, "1"))) == repaired
    assert await refused(mia, RECEIVE, **theirs, lines=[]) == [("NOTHING_AUTHORISED", ["rmaRequest"])]
    assert await refused(mia, RECEIVE, **this, lines=[]) == [("LINES_MISSING", ["lines"])]
    assert await refused(mia, RECEIVE) == [("VALUE_MISSING", ["invoice"]), ("VALUE_MISSING", ["lines"])]
    assert await refused(mia, CREDIT, **theirs, lines=lines((3, "1"))) == [("NOT_FOUND", at_line)]
    cheaper = {"operation": "DISCOUNT", "lines": [{"position": 1, "unitPrice": "1"}]}
    no_discount = [("RMA_REQUEST_NOT_FOR_OPERATION", ["operation"])]
    assert await refused(mia, CREDIT, **this, **cheaper) == no_discount


async def test_only_a_refund_of_its_own_customer_is_made_for_a_request(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    granted = (Asked(1, "5", REFUND, "3"), Asked(2, "2", Resolution.RETURN, "2"))
    this = {"rmaRequest": await asked(portal, bill, *granted)}
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    await posted(mia, CREDIT, **this)
    own, other = bill.customer_id, await portal.customer("C2")
    money = {**this, "amount": "1", "kind": "REFUND"}
    here = ["rmaRequest"]
    for customer, more, errors in (
        (own, {"kind": "PAYMENT"}, [("RMA_REQUEST_NOT_FOR_PAYMENT", here)]),
        (other, {}, [("RMA_REQUEST_OF_ANOTHER", here)]),
        (own, {"currency": "EUR"}, [("INVOICE_CURRENCY_DIFFERS", ["currency"])]),
        (
            own,
            {"amount": "36.01"},
            [("MORE_THAN_CREDITED", ["amount"])],
        ),  # and not 60.00: two are only returned
        (own, {"rmaRequest": "x"}, [("NOT_FOUND", here)]),
    ):
        given = {"customer": global_id("Customer", customer), **money, **more}
        assert await refused(mia, PAY, **given) == errors, more


async def test_what_a_request_would_be_credited_is_told_and_nothing_posted(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    bea = await at(portal).sign_in("bea")
    key = await asked(portal, bill)

    async def shown(client: Client) -> tuple[list[str], str | None, list[tuple[str, str]]]:
        found = (await client.ask(PREVIEW, id=key))["rmaRequest"]["creditPreview"]
        total = found["totals"] and found["totals"]["total"]["amount"]
        told = [(each["sku"], each["quantity"]) for each in found["lines"]]
        return [each["code"] for each in found["problems"]], total, told

    (line_of_a, _) = (await bea.ask(PREVIEW, id=key))["rmaRequest"]["creditPreview"]["lines"]
    assert line_of_a == {
        "position": 1,
        "sku": "A",
        "name": "Product A",
        "unit": "pcs",
        "quantity": "5",
        "unitPrice": {"amount": "10.00"},
        "taxRate": "20",
        "amount": {"amount": "50.00"},
        "product": {"sku": "A"},
        "invoicePosition": 1,
    }
    whole: Any = ([], "84.00", [("A", "5"), ("B", "2")])
    assert await shown(bea) == await shown(mia) == whole
    await posted(mia, DECIDE, rmaRequest=key, lines=[line(1, "REFUND", "3"), line(2, "DIAGNOSE", "1")])
    assert await shown(bea) == ([], "60.00", [("A", "3"), ("B", "2")])
    note = await posted(mia, CREDIT, rmaRequest=key, lines=lines((1, "3")))
    assert note["totals"]["total"] == {"amount": "36.00"}
    assert await shown(bea) == ([], "24.00", [("B", "2")])
    await posted(mia, DECIDE, rmaRequest=key, lines=[line(2, "REPAIR")])
    assert await shown(bea) == (["NOTHING_WOULD_BE_CREDITED"], None, [])
    assert await ledger(portal) == {"IN-1": 18_000 - 3_600}


async def test_a_draft_leads_to_no_credit_note(portal: Portal, bill: Invoice, at: At) -> None:
    bea = await at(portal).sign_in("bea")
    wanted = {"invoice": global_id("Invoice", bill.id), "lines": [{"invoicePosition": 1, "quantity": "5"}]}
    made = (await bea.ask(CREATE, input=wanted))["rmaRequestCreate"]["rmaRequest"]
    found = (await bea.ask(PREVIEW, id=made["id"]))["rmaRequest"]["creditPreview"]
    assert found == {"problems": [{"code": "RMA_REQUEST_NOT_SUBMITTED"}], "totals": None, "lines": []}


async def test_a_request_and_what_follows_it_lead_to_each_other(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    key = await asked(portal, bill, Asked(1, "5", REFUND, "3"))
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    back = await posted(mia, RECEIVE, rmaRequest=key)
    note = await posted(mia, CREDIT, rmaRequest=key)
    money = {"customer": global_id("Customer", bill.customer_id), "kind": "REFUND", "amount": "36"}
    settled = [{"invoice": global_id("Invoice", bill.id), "amount": "36"}]
    paid = await posted(mia, PAY, rmaRequest=key, **money, allocations=settled)
    bea = await at(portal).sign_in("bea")
    for client in (mia, bea):
        chain = (await client.ask(RELATED, id=key))["node"]["related"]
        told = [(each["__typename"], each["number"]) for each in chain]
        expected = [("Invoice", "IN-1"), ("GoodsReturn", back["number"]), ("CreditNote", note["number"])]
        seen = [("Payment", paid["number"])] if client is mia else []  # a buyer reads no balances
        assert told == expected + seen
        for each in (global_id("Invoice", bill.id), back["id"], note["id"]):
            found = (await client.ask(RELATED, id=each))["node"]["related"]
            assert ("RMARequest", "RM-1") in [(one["__typename"], one["number"]) for one in found]
    of_payment = (await mia.ask(RELATED, id=paid["id"]))["node"]
    assert of_payment["rmaRequest"] == {"number": "RM-1"}
    assert [each["__typename"] for each in of_payment["related"]] == ["Invoice", "RMARequest"]


async def test_whoever_may_not_read_requests_finds_none_in_a_chain(
    portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    await asked(portal, bill, Asked(1, "5", REFUND, "3"))
    account = await portal.account("rob", profile=None)
    made = await mia.ask(
        """mutation($input: ProfileCreateInput!) { profileCreate(input: $input) { profile { id } errors { code } } }""",
        input={"name": "Documents", "permissions": ["DOCUMENTS_READ"]},
    )
    group = {
        "name": "Readers",
        "profile": made["profileCreate"]["profile"]["id"],
        "members": [{"account": global_id("Account", account)}],
    }
    answer = await mia.ask(
        """mutation($input: AccessGroupCreateInput!) { accessGroupCreate(input: $input) { errors { code path } } }""",
        input=group,
    )
    assert answer["accessGroupCreate"]["errors"] == []
    rob = await at(portal).sign_in("rob")
    found = (await rob.ask(RELATED, id=global_id("Invoice", bill.id)))["node"]
    assert found["related"] == []
