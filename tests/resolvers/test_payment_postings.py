"""Recording, allocating and reversing, over HTTP: the ledger says the same as the documents at every step."""

import asyncio
from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.postings import allowed, invoice_of, ledger, payment_of, post, posted, refused
from tests.world import Portal, World

RECORD, ALLOCATE, TAKE_BACK, REVERSE = (
    "paymentRecord",
    "paymentAllocate",
    "paymentReverse",
    "supplierDocumentReverse",
)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.customer("C2")
    await portal.staff_member("ada", role=StaffRole.ACCOUNTANT)
    return portal


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


@pytest.fixture
def customer(portal: Portal) -> str:
    return global_id("Customer", portal.customers["C1"])


@pytest.fixture
async def bills(portal: Portal) -> list[str]:
    """Two invoices of 12.00 each."""
    order_id = await portal.order("SO-1")
    found = [await documents.invoice(portal, f"IN-{each}", order_id=order_id) for each in (1, 2)]
    return [key_of(each) for each in found]


def key_of(invoice: Invoice) -> str:
    return global_id("Invoice", invoice.id)


def settles(*given: tuple[str, str]) -> list[dict[str, str]]:
    return [{"invoice": invoice, "amount": amount} for invoice, amount in given]


async def test_an_outsider_a_customer_and_an_agent_record_nothing(
    portal: Portal, ada: Client, customer: str, bills: list[str], at: At
) -> None:
    payment = (await posted(ada, RECORD, customer=customer, amount="1.00"))["id"]
    await portal.staff_member("stan", role=StaffRole.AGENT)
    people = {
        "UNAUTHENTICATED": [at(portal)],
        "MISSING_PERMISSION": [await at(portal).sign_in(each) for each in ("bea", "stan")],
    }
    for code, askers in people.items():
        for asker in askers:
            for mutation, given in (
                (RECORD, {"customer": customer, "amount": "1"}),
                (ALLOCATE, {"payment": payment, "allocations": settles((bills[0], "1"))}),
                (TAKE_BACK, {"payment": payment, "reason": "no"}),
                (REVERSE, {"document": bills[0], "reason": "no"}),
            ):
                assert await refused(asker, mutation, **given) == [(code, [])]
    assert await ledger(portal) == {"IN-1": 1200, "IN-2": 1200, None: -100}


async def test_what_is_another_companys_is_not_there(
    world: World, ada: Client, customer: str, bills: list[str], at: At
) -> None:
    payment = (await posted(ada, RECORD, customer=customer, amount="1.00"))["id"]
    other = await world.portal()
    await other.customer("C1")
    await other.staff_member("olga")
    olga, own = await at(other).sign_in("olga"), global_id("Customer", other.customers["C1"])
    for mutation, given, path in (
        (RECORD, {"customer": customer, "amount": "1"}, ["customer"]),
        (
            RECORD,
            {"customer": own, "amount": "1", "allocations": settles((bills[0], "1"))},
            ["allocations", "0", "invoice"],
        ),
        (ALLOCATE, {"payment": payment, "allocations": settles((bills[0], "1"))}, ["payment"]),
        (TAKE_BACK, {"payment": payment, "reason": "no"}, ["payment"]),
        (REVERSE, {"document": bills[0], "reason": "no"}, ["document"]),
        (REVERSE, {"document": payment, "reason": "no"}, ["document"]),
    ):
        assert await refused(olga, mutation, **given) == [("NOT_FOUND", path)]


async def test_a_payment_settles_invoices_and_the_rest_lies_on_account(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    paid = await posted(
        ada,
        RECORD,
        customer=customer,
        amount="20.00",
        paidAt="2026-03-09T08:00:00Z",
        reference="SEPA 1",
        allocations=settles((bills[0], "12.00"), (bills[1], "5.00")),
    )
    assert (paid["number"], paid["kind"], paid["status"]) == ("PA-000001", "PAYMENT", "ISSUED")
    assert (paid["reference"], paid["customer"]) == ("SEPA 1", {"code": "C1"})
    assert (paid["paidAt"], paid["onAccount"]) == ("2026-03-09T08:00:00Z", {"amount": "3.00"})
    assert await ledger(portal) == {"IN-1": 0, "IN-2": 700, None: -300}
    assert (await invoice_of(ada, bills[0]))["status"] == "PAID"
    assert allowed(await invoice_of(ada, bills[0]))["PAY"] == "NOTHING_OPEN"
    assert (await invoice_of(ada, bills[1]))["open"] == {"amount": "7.00"}
    later = await posted(ada, ALLOCATE, payment=paid["id"], allocations=settles((bills[1], "2.00")))
    assert later["onAccount"] == {"amount": "1.00"}
    assert await ledger(portal) == {"IN-1": 0, "IN-2": 500, None: -100}
    over = [("MORE_THAN_AMOUNT", ["allocations"])]
    given = {"payment": paid["id"], "allocations": settles((bills[1], "1.01"))}
    assert await refused(ada, ALLOCATE, **given) == over
    await posted(ada, ALLOCATE, payment=paid["id"], allocations=settles((bills[1], "1")))
    assert allowed(await payment_of(ada, paid["id"])) == {"ALLOCATE": "NOTHING_ON_ACCOUNT", "REVERSE": None}
    nothing = [("NOTHING_ON_ACCOUNT", ["payment"])]
    assert await refused(ada, ALLOCATE, **given) == nothing


async def test_what_cannot_be_settled_is_told_and_nothing_is_recorded(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    foreign = key_of(await documents.invoice(portal, "IN-3", customer="C2"))
    euros = key_of(await documents.invoice(portal, "IN-4", currency="EUR"))
    gone = key_of(await documents.invoice(portal, "IN-5"))
    await posted(ada, REVERSE, document=gone, reason="Wrong")
    before = await ledger(portal)
    first = bills[0]
    for given, errors in (
        ({"amount": "0"}, [("AMOUNT_INVALID", ["amount"])]),
        ({"amount": "-1"}, [("AMOUNT_INVALID", ["amount"])]),
        ({"amount": "1.001"}, [("AMOUNT_INVALID", ["amount"])]),
        ({"amount": "1" + "0" * 20}, [("AMOUNT_INVALID", ["amount"])]),
        ({"amount": "1", "currency": "pound"}, [("CURRENCY_INVALID", ["currency"])]),
        ({"amount": "1", "paidAt": "2999-01-01T00:00:00Z"}, [("PAID_IN_FUTURE", ["paidAt"])]),
        ({"amount": "1", "reference": "x" * 201}, [("TEXT_TOO_LONG", ["reference"])]),
        ({"amount": "1", "allocations": settles((first, "2"))}, [("MORE_THAN_AMOUNT", ["allocations"])]),
        (
            {
                "amount": "90",
                "allocations": settles(
                    (first, "12.01"), (foreign, "1"), (euros, "1"), (gone, "1"), (bills[1], "0"), ("x", "1")
                ),
            },
            [
                ("MORE_THAN_OPEN", ["allocations", "0", "amount"]),
                ("INVOICE_OF_ANOTHER", ["allocations", "1", "invoice"]),
                ("INVOICE_CURRENCY_DIFFERS", ["allocations", "2", "invoice"]),
                ("INVOICE_REVERSED", ["allocations", "3", "invoice"]),
                ("AMOUNT_INVALID", ["allocations", "4", "amount"]),
                ("NOT_FOUND", ["allocations", "5", "invoice"]),
            ],
        ),
        (
            {"amount": "9", "allocations": settles((first, "1"), (first, "1"))},
            [("INVOICE_TWICE", ["allocations", "1", "invoice"])],
        ),
        ({"amount": "1", "kind": "REFUND"}, [("MORE_THAN_PREPAID", ["amount"])]),
        (
            {"amount": "1", "kind": "REFUND", "allocations": settles((first, "1"))},
            [("MORE_THAN_PREPAID", ["allocations", "0", "amount"])],
        ),
    ):
        assert await refused(ada, RECORD, customer=customer, **given) == errors, given
    assert await ledger(portal) == before
    assert (await posted(ada, RECORD, customer=customer, amount="1"))["number"] == "PA-000001"


async def test_no_more_is_paid_back_than_was_paid_too_much(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    paid = await posted(ada, RECORD, customer=customer, amount="15", allocations=settles((bills[0], "12.00")))
    note = await posted(ada, "creditNoteIssue", invoice=bills[0], operation="ADJUSTMENT")
    assert await ledger(portal) == {"IN-1": -1200, "IN-2": 1200, None: -300}
    refund = {"customer": customer, "kind": "REFUND"}
    back = await posted(ada, RECORD, **refund, amount="14", allocations=settles((bills[0], "12")))
    assert (back["kind"], back["onAccount"]) == ("REFUND", {"amount": "2.00"})
    assert await ledger(portal) == {"IN-1": 0, "IN-2": 1200, None: -100}
    assert (await payment_of(ada, paid["id"]))["onAccount"] == {"amount": "1.00"}
    over = [("MORE_THAN_AMOUNT", ["allocations"])]
    assert await refused(ada, ALLOCATE, payment=paid["id"], allocations=settles((bills[1], "2"))) == over
    assert allowed(await payment_of(ada, paid["id"]))["REVERSE"] == "REFUNDS_UNCOVERED"
    uncovered = [("REFUNDS_UNCOVERED", ["payment"])]
    assert await refused(ada, TAKE_BACK, payment=paid["id"], reason="Bounced") == uncovered
    await posted(ada, TAKE_BACK, payment=back["id"], reason="Never sent")
    gone = await posted(ada, TAKE_BACK, payment=paid["id"], reason="Bounced")
    assert (gone["status"], gone["onAccount"]) == ("REVERSED", {"amount": "0.00"})
    await posted(ada, REVERSE, document=note["id"], reason="Wrong")
    assert await ledger(portal) == {"IN-1": 1200, "IN-2": 1200, None: 0}


async def test_a_reversed_payment_settles_nothing_any_more(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    paid = await posted(ada, RECORD, customer=customer, amount="15", allocations=settles((bills[0], "5")))
    await posted(ada, ALLOCATE, payment=paid["id"], allocations=settles((bills[1], "4")))
    empty = [("TEXT_MISSING", ["reason"])]
    assert await refused(ada, TAKE_BACK, payment=paid["id"], reason=" ") == empty
    await posted(ada, TAKE_BACK, payment=paid["id"], reason="Bounced")
    assert await ledger(portal) == {"IN-1": 1200, "IN-2": 1200, None: 0}
    assert await refused(ada, TAKE_BACK, payment=paid["id"], reason="x") == [
        ("ALREADY_REVERSED", ["payment"])
    ]
    given = {"payment": paid["id"], "allocations": settles((bills[0], "1"))}
    assert await refused(ada, ALLOCATE, **given) == [("PAYMENT_REVERSED", ["payment"])]
    assert await refused(ada, ALLOCATE, **given | {"allocations": []}) == [("LINES_MISSING", ["allocations"])]


async def test_what_paid_a_reversed_invoice_lies_on_account(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    paid = await posted(ada, RECORD, customer=customer, amount="12", allocations=settles((bills[0], "12")))
    tax = await posted(ada, "taxInvoiceIssue", invoice=bills[0])
    in_use = [("DOCUMENT_IN_USE", ["document"])]
    assert allowed(await invoice_of(ada, bills[0]))["REVERSE"] == "DOCUMENT_IN_USE"
    assert await refused(ada, REVERSE, document=bills[0], reason="Wrong") == in_use
    await posted(ada, REVERSE, document=tax["id"], reason="Wrong")
    gone = await posted(ada, REVERSE, document=bills[0], reason="Wrong")
    assert (gone["status"], gone["open"]) == ("REVERSED", {"amount": "0.00"})
    assert allowed(gone) == {
        "TAX_INVOICE": "INVOICE_REVERSED",
        "CREDIT": "INVOICE_REVERSED",
        "RECEIVE": "MISSING_PERMISSION",
        "PAY": "INVOICE_REVERSED",
        "REVERSE": "ALREADY_REVERSED",
    }
    assert await ledger(portal) == {"IN-1": 0, "IN-2": 1200, None: -1200}
    await posted(ada, ALLOCATE, payment=paid["id"], allocations=settles((bills[1], "12")))
    await posted(ada, TAKE_BACK, payment=paid["id"], reason="Bounced")
    assert await ledger(portal) == {"IN-1": 0, "IN-2": 1200, None: 0}


async def settled(client: Client, mutation: str, **given: Any) -> str | None:
    errors = (await post(client, mutation, **given))["errors"]
    return errors[0]["code"] if errors else None


async def test_two_who_settle_refund_allocate_or_reverse_the_same_at_once_do_it_once(
    portal: Portal, ada: Client, customer: str, bills: list[str]
) -> None:
    async def at_once(mutation: str, **given: Any) -> list[str | None]:
        found = await asyncio.gather(*(settled(ada, mutation, **given) for _ in range(5)))
        return sorted(found, key=str)

    given = {"customer": customer, "amount": "8", "allocations": settles((bills[0], "8"))}
    assert await at_once(RECORD, **given) == ["MORE_THAN_OPEN"] * 4 + [None]
    paid = await posted(ada, RECORD, customer=customer, amount="8")
    allocation = {"payment": paid["id"], "allocations": settles((bills[1], "5"))}
    assert await at_once(ALLOCATE, **allocation) == ["MORE_THAN_AMOUNT"] * 4 + [None]
    refund = {"customer": customer, "kind": "REFUND", "amount": "2"}
    assert await at_once(RECORD, **refund) == ["MORE_THAN_PREPAID"] * 4 + [None]
    assert await ledger(portal) == {"IN-1": 400, "IN-2": 700, None: -100}
    assert await at_once(REVERSE, document=bills[1], reason="Wrong") == ["ALREADY_REVERSED"] * 4 + [None]
    assert await ledger(portal) == {"IN-1": 400, "IN-2": 0, None: -600}


async def test_the_same_key_pays_once(portal: Portal, ada: Client, customer: str) -> None:
    for _ in range(2):
        await posted(ada, RECORD, customer=customer, amount="8", idempotencyKey="once")
    assert await ledger(portal) == {None: -800}
