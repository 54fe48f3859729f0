"""Requests to return goods, over HTTP: who sees which, and what of an invoice can be returned, and why not the rest."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.documents import CreditOperation
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.rma_requests import Resolution, RMAStage
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.rma_requests import LIST, ONE, RETURNABLE, Asked, numbers, one, returnable, rma_request
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.account("carl", customer="C2")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def invoice(portal: Portal) -> Invoice:
    return await documents.invoice(portal, "IN-1", (Sold("A", "10"), Sold("S", "2"), Sold("X", "3")))


@pytest.fixture
def bill(invoice: Invoice) -> str:
    return global_id("Invoice", invoice.id)


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def carl(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("carl")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_an_outsider_sees_no_requests(portal: Portal, bill: str, at: At) -> None:
    for document, given in ((LIST, {}), (ONE, {"number": "RM-1"}), (RETURNABLE, {"invoice": bill})):
        error = await at(portal).refusal(document, **given)
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_another_company_and_another_customer_see_nothing(
    world: World, portal: Portal, invoice: Invoice, bill: str, carl: Client, at: At
) -> None:
    made = await rma_request(portal, "RM-1", invoice)
    other = await world.portal()
    await other.staff_member("otto", role=StaffRole.OWNER)
    for stranger in (await at(other).sign_in("otto"), carl):
        assert await numbers(stranger) == []
        assert await one(stranger, id=global_id("RMARequest", made.id)) is None
        assert await one(stranger, number="RM-1") is None
        assert await returnable(stranger, bill) is None
        asked = "query($id: ID!) { node(id: $id) { id } }"
        assert await stranger.ask(asked, id=global_id("RMARequest", made.id)) == {"node": None}


async def test_a_customer_sees_its_own_and_the_staff_all_that_were_submitted(
    portal: Portal, invoice: Invoice, bea: Client, carl: Client, olga: Client
) -> None:
    theirs = await documents.invoice(portal, "IN-2", customer="C2")
    await rma_request(portal, "RM-1", invoice)
    await rma_request(portal, None, invoice)
    await rma_request(portal, "RM-2", theirs, account="carl")
    assert sorted(await numbers(bea)) == ["", "RM-1"]
    assert await numbers(carl) == ["RM-2"]
    assert sorted(await numbers(olga)) == ["RM-1", "RM-2"]
    assert await numbers(bea, customer=global_id("Customer", portal.customers["C2"])) == []


async def test_requests_are_found_by_stage_number_customer_invoice_product_and_day(
    portal: Portal, invoice: Invoice, olga: Client, bea: Client
) -> None:
    theirs = await documents.invoice(portal, "IN-2", (Sold("X"),), customer="C2")
    await rma_request(portal, "RM-11", invoice)
    await rma_request(portal, "RM-12", invoice, stage=RMAStage.AUTHORISED)
    await rma_request(portal, "RM-21", theirs, stage=RMAStage.CLOSED, account="carl")
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update rma_requests set submitted_at = '2026-03-05' where number = 'RM-12'"
        )
    assert await numbers(olga, stage="SUBMITTED") == ["RM-11"]
    assert sorted(await numbers(olga, stages=["SUBMITTED", "CLOSED"])) == ["RM-11", "RM-21"]
    assert await numbers(olga, stage="CLOSED", stages=["SUBMITTED", "CLOSED"]) == ["RM-21"]
    assert await numbers(olga, stage="AUTHORISED", stages=["SUBMITTED"]) == []
    assert sorted(await numbers(olga, number="RM-1")) == ["RM-11", "RM-12"]
    assert await numbers(olga, customer=global_id("Customer", portal.customers["C2"])) == ["RM-21"]
    assert await numbers(olga, invoice=global_id("Invoice", theirs.id)) == ["RM-21"]
    assert sorted(await numbers(olga, product=global_id("Product", portal.products["A"]))) == [
        "RM-11",
        "RM-12",
    ]
    assert await numbers(olga, product=global_id("Product", portal.products["S"])) == []
    assert await numbers(olga, submittedFrom="2026-03-04") == ["RM-12"]
    assert await numbers(olga, submittedFrom="2026-03-03", submittedTo="2026-03-03", number="RM-1") == [
        "RM-11"
    ]
    reversed_days = {"submittedFrom": "2026-03-04", "submittedTo": "2026-03-03"}
    error = await olga.refusal(LIST, filter=reversed_days)
    assert error["extensions"]["code"] == "PERIOD_REVERSED"
    oldest = await bea.ask(LIST, orderBy=["CREATED_AT_ASC"])
    assert [each["number"] for each in oldest["rmaRequests"]["nodes"]] == ["RM-11", "RM-12"]


async def test_a_request_is_asked_for_by_exactly_one_of_id_and_number(bea: Client) -> None:
    for given in ({}, {"id": "x", "number": "RM-1"}):
        error = await bea.refusal(ONE, **given)
        assert error["extensions"]["code"] == "INVALID_INPUT"


async def test_a_request_tells_what_became_of_each_line(
    portal: Portal, invoice: Invoice, bea: Client, olga: Client
) -> None:
    asked = (Asked(1, "4", Resolution.REFUND, "3"), Asked(3, "2", Resolution.DECLINED))
    made = await rma_request(portal, "RM-1", invoice, asked, stage=RMAStage.RECEIVED)
    back = await documents.goods_return(portal, "GR-1", invoice, quantity="2", rma_request_id=made.id)
    await documents.credit_note(portal, "CN-1", invoice, (Sold("A"),), goods_return_id=back.id)
    for reader in (bea, olga):
        found = await one(reader, number="RM-1")
        assert found is not None
        assert found["stage"] == "RECEIVED"
        first, second = found["lines"]
        assert (first["resolution"], first["authorisedQuantity"], first["state"]) == (
            "REFUND",
            "3",
            "RECEIVED",
        )
        assert (first["receivedQuantity"], first["creditedQuantity"], first["replacedQuantity"]) == (
            "2",
            "1",
            "0",
        )
        assert (second["state"], second["reason"], second["authorisedQuantity"]) == (
            "DECLINED",
            "as it is",
            None,
        )
    expected = {"ALREADY_RETURNED": "2", "IN_ANOTHER_REQUEST": "1"}
    assert await returnable(bea, global_id("Invoice", invoice.id)) == [
        ("7", expected),
        ("0", {"SERVICE": "2"}),
        ("3", {}),
    ]


async def test_a_request_stays_readable_when_its_product_is_restricted(
    portal: Portal, invoice: Invoice, at: At
) -> None:
    mia_id = await portal.account("mia", profile=None)
    lists: dict[RestrictionKind, list[Any]] = {RestrictionKind.PRODUCT: [portal.products["A"]]}
    await portal.group("not A", mia_id, modes=Modes(product=RestrictionMode.ALLOW_EXCEPT), lists=lists)
    await rma_request(portal, "RM-1", invoice, account="mia")
    mia = await at(portal).sign_in("mia")
    await portal.enforce(RestrictionKind.PRODUCT)
    found = await one(mia, number="RM-1")
    assert found is not None
    (line,) = found["lines"]
    assert (line["product"], line["sku"], line["name"]) == (None, "A", "Product A")
    assert line["invoiceLine"] == {"sku": "A", "position": 1}
    # It is neither found by what may not be seen, nor does that tell that it is there.
    assert await numbers(mia, product=global_id("Product", portal.products["A"])) == []
    lines = (await mia.ask(RETURNABLE, invoice=global_id("Invoice", invoice.id)))["returnableLines"]
    assert [(each["sku"], each["product"]) for each in lines] == [
        ("A", None),
        ("S", {"sku": "S"}),
        ("X", None),
    ]


async def test_what_can_be_returned_is_told_line_by_line_with_the_reasons(
    portal: Portal, invoice: Invoice, bill: str, bea: Client, olga: Client
) -> None:
    assert await returnable(bea, bill) == [("10", {}), ("0", {"SERVICE": "2"}), ("3", {})]
    back = await documents.goods_return(portal, "GR-1", invoice, quantity="2")
    await documents.credit_note(portal, "CN-1", invoice, (Sold("A", "2"),), goods_return_id=back.id)
    await documents.credit_note(portal, "CN-2", invoice, (Sold("A", "1"),))
    discount = CreditOperation.DISCOUNT
    await documents.credit_note(portal, "CN-3", invoice, (Sold("A", "10", "0.10"),), operation=discount)
    await rma_request(portal, "RM-1", invoice, (Asked(1, "4"), Asked(3, "3")))
    expected = [
        ("3", {"ALREADY_RETURNED": "2", "ALREADY_CREDITED": "1", "IN_ANOTHER_REQUEST": "4"}),
        ("0", {"SERVICE": "2"}),
        ("0", {"IN_ANOTHER_REQUEST": "3"}),
    ]
    assert await returnable(bea, bill) == await returnable(olga, bill) == expected
    await documents.reverse(portal, invoice)
    assert await returnable(bea, bill) == [
        ("0", {"INVOICE_REVERSED": quantity}) for quantity in ("10", "2", "3")
    ]


async def test_a_document_that_names_the_request_and_one_that_does_not_are_not_both_counted(
    portal: Portal, invoice: Invoice, bill: str, bea: Client
) -> None:
    asked = (Asked(1, "5", Resolution.RETURN, "5"),)
    made = await rma_request(portal, "RM-1", invoice, asked, stage=RMAStage.AUTHORISED)
    back = await documents.goods_return(portal, "GR-1", invoice, quantity="3")
    await documents.credit_note(
        portal, "CN-1", invoice, (Sold("A", "3"),), goods_return_id=back.id, rma_request_id=made.id
    )
    found = await returnable(bea, bill)
    assert found is not None
    assert found[0] == ("5", {"ALREADY_RETURNED": "3", "IN_ANOTHER_REQUEST": "2"})


async def test_a_declined_line_and_a_closed_request_hold_nothing(
    portal: Portal, invoice: Invoice, bill: str, bea: Client
) -> None:
    await rma_request(portal, "RM-1", invoice, (Asked(1, "4", Resolution.DECLINED),), stage=RMAStage.DECLINED)
    await rma_request(
        portal,
        "RM-2",
        invoice,
        (Asked(1, "4", Resolution.REPAIR, "4"),),
        stage=RMAStage.CLOSED,
        closed_at=documents.AT,
    )
    found = await returnable(bea, bill)
    assert found is not None
    assert found[0] == ("10", {})


PORTAL = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
  portal { returnDays version } errors { code path } } }"""


async def test_the_company_says_for_how_long_goods_can_be_returned(
    portal: Portal, bea: Client, olga: Client
) -> None:
    async def update(**given: Any) -> Any:
        return (await olga.ask(PORTAL, input=given))["portalUpdate"]

    now = datetime.now(UTC)
    fresh = global_id("Invoice", (await documents.invoice(portal, "IN-7", issued_at=now)).id)
    old = global_id("Invoice", (await documents.invoice(portal, "IN-8")).id)
    assert (await bea.ask("{ portal { returnDays } }")) == {"portal": {"returnDays": None}}
    assert await returnable(bea, old) == [("1", {})]
    for days in (-1, 3_651):
        assert (await update(returnDays=days))["errors"] == [
            {"code": "RETURN_DAYS_INVALID", "path": ["returnDays"]}
        ]
    assert (await update(returnDays=14))["portal"] == {"returnDays": 14, "version": 2}
    assert (await update(returnDays=14))["portal"] == {"returnDays": 14, "version": 2}
    assert (await update(name="Renamed"))["portal"] == {"returnDays": 14, "version": 3}
    assert await returnable(bea, fresh) == [("1", {})]
    assert await returnable(bea, old) == [("0", {"RETURN_PERIOD_OVER": "1"})]
    (line,) = (await bea.ask(RETURNABLE, invoice=old))["returnableLines"]
    assert line["obstacles"] == [
        {
            "code": "RETURN_PERIOD_OVER",
            "message": "The last day for returns was 2026-03-17.",
            "quantity": "1",
            "lastDay": "2026-03-17",
        }
    ]
    german = Client(bea.http, bea.slug, bea.token, {"accept-language": "de"})
    (line,) = (await german.ask(RETURNABLE, invoice=old))["returnableLines"]
    assert line["obstacles"][0]["message"] == "Die Rückgabefrist endete am 2026-03-17."
    assert (await update(returnDays=None))["portal"] == {"returnDays": None, "version": 4}
    assert (await update(returnDays=None))["portal"] == {"returnDays": None, "version": 4}
    assert await returnable(bea, old) == [("1", {})]
    assert (await update(returnDays=0))["portal"]["returnDays"] == 0
    assert await returnable(bea, fresh) == [("1", {})]


async def test_what_waits_for_a_decision_is_counted_for_the_staff(
    portal: Portal, invoice: Invoice, bea: Client, olga: Client
) -> None:
    await rma_request(portal, None, invoice)
    for number, stage in enumerate(each for each in RMAStage if each is not RMAStage.DRAFT):
        await rma_request(portal, f"RM-{number}", invoice, stage=stage)
    waiting = "{ portal { waiting { rmaRequests } } }"
    assert await olga.ask(waiting) == {"portal": {"waiting": {"rmaRequests": 2}}}
    assert await bea.ask(waiting) == {"portal": {"waiting": None}}


async def test_who_may_not_read_requests_finds_no_node(portal: Portal, invoice: Invoice, at: At) -> None:
    made = await rma_request(portal, "RM-1", invoice)
    await portal.account("nick", profile=None)
    nick = await at(portal).sign_in("nick")
    assert (await nick.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
    asked = "query($id: ID!) { node(id: $id) { id } }"
    assert await nick.ask(asked, id=global_id("RMARequest", made.id)) == {"node": None}


async def test_a_customers_accountant_reads_what_its_buyers_ask(
    portal: Portal, invoice: Invoice, at: At
) -> None:
    await rma_request(portal, "RM-1", invoice)
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    assert await numbers(await at(portal).sign_in("ada")) == ["RM-1"]
