"""Supplier documents over HTTP: each kind by its id, for whom it was issued."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

LINE = "position sku name unit quantity product { sku }"
PRICED = f"{LINE} unitPrice {{ amount currency }} taxRate amount {{ amount }}"
SUMS = "taxIncluded totals { net { amount } tax { amount } total { amount } } rates { rate net { amount } tax { amount } }"
ASKED = f"""
query($id: ID!) {{ supplierDocument(id: $id) {{
  __typename id kind number status issuedAt customer {{ code }} total {{ amount currency }}
  ... on Quotation {{ validUntil }}
  ... on GoodsIssue {{ shippedAt lines {{ {LINE} }} }}
  ... on Invoice {{ dueOn customerName comment billTo {{ city }} order {{ number }} open {{ amount }} {SUMS} lines {{ {PRICED} }} }}
  ... on TaxInvoice {{ invoice {{ number }} {SUMS} lines {{ {PRICED} }} }}
  ... on GoodsReturn {{ receivedAt comment invoice {{ number }} warehouse {{ code }} lines {{ invoicePosition {LINE} }} }}
  ... on CreditNote {{ operation comment customerName billTo {{ city }} invoice {{ number }} goodsReturn {{ number }} {SUMS}
    lines {{ {PRICED} invoicePosition invoice {{ number }} }} }}
  ... on ReconciliationStatement {{ periodFrom periodTo opening {{ amount }} debit {{ amount }} credit {{ amount }}
    closing {{ amount }} comment disputeReason answeredAt version }}
}} }}"""
KINDS = [
    "Quotation",
    "GoodsIssue",
    "Invoice",
    "TaxInvoice",
    "GoodsReturn",
    "CreditNote",
    "ReconciliationStatement",
]


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    return portal


async def furnish(portal: Portal) -> dict[str, str]:
    """One document of each kind for C1: their global ids by type."""
    order_id = await portal.order("SO-1")
    made: dict[str, UUID] = {
        kind: key
        for kind, (key, _) in (await documents.one_of_each(portal, "1", "C1", order_id, "A")).items()
    }
    made["Quotation"] = await portal.quotation("QU-1")
    made["GoodsIssue"] = await portal.goods_issue("GI-1", order_id)
    return {kind: global_id(kind, key) for kind, key in made.items()}


async def seen(somebody: Client, id: str) -> Any:
    return (await somebody.ask(ASKED, id=id))["supplierDocument"]


async def test_an_outsider_reads_no_document(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    assert (await at(portal).refusal(ASKED, id=made["Invoice"]))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_document_is_there_for_nobody_else(kind: str, portal: Portal, world: World, at: At) -> None:
    made = await furnish(portal)
    await portal.account("cleo", customer="C2")
    elsewhere = await world.portal()
    await elsewhere.account("eve")
    assert await seen(await at(portal).sign_in("cleo"), made[kind]) is None
    assert await seen(await at(elsewhere).sign_in("eve"), made[kind]) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_that_is_not_allowed_is_not_there(kind: str, portal: Portal, at: At) -> None:
    made = await furnish(portal)
    word = "".join(f"_{each}" if each.isupper() else each.upper() for each in kind).strip("_")
    account_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    modes = Modes(document_kind=RestrictionMode.ALLOW_EXCEPT)
    lists: dict[RestrictionKind, list[Any]] = {RestrictionKind.DOCUMENT_KIND: [word]}
    await portal.group("kept away", account_id, modes=modes, lists=lists)
    bea = await at(portal).sign_in("mia")
    assert {each: await seen(bea, key) is None for each, key in made.items() if each in KINDS} == {
        each: each == kind for each in KINDS
    }


async def test_the_staff_and_the_customer_read_each_kind(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    await portal.staff_member("olga")
    bea, olga = await at(portal).sign_in("bea"), await at(portal).sign_in("olga")
    for kind in KINDS:
        found = await seen(bea, made[kind])
        assert found == await seen(olga, made[kind])
        assert found["__typename"] == kind
        assert found["kind"].replace("_", "") == kind.upper()
        assert found["customer"] == {"code": "C1"}
        assert found["issuedAt"]


async def test_a_draft_is_the_staffs_alone(portal: Portal, at: At) -> None:
    await furnish(portal)
    draft = global_id("Quotation", await portal.quotation(None))
    await portal.staff_member("olga")
    assert await seen(await at(portal).sign_in("bea"), draft) is None
    found = await seen(await at(portal).sign_in("olga"), draft)
    assert (found["status"], found["number"], found["issuedAt"]) == ("DRAFT", "", None)


async def test_an_invoice_says_what_is_open_and_where_it_stands(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    found = await seen(await at(portal).sign_in("bea"), made["Invoice"])
    # 36.00 less a credit note of 12.00 and a payment of 1.00; due in April 2026
    assert (found["total"]["amount"], found["open"]["amount"], found["status"]) == (
        "36.00",
        "23.00",
        "OVERDUE",
    )
    assert found["rates"] == [{"rate": "20", "net": {"amount": "30.00"}, "tax": {"amount": "6.00"}}]
    assert found["order"] == {"number": "SO-1"}


async def test_a_payment_is_its_customers(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    asked = """query($id: ID!) { node(id: $id) { ... on Payment {
      number kind status paidAt amount { amount currency } reference customer { code } } } }"""
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.ACCOUNTANT)
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    for name in ("cleo", "bea"):  # another customer; and a buyer, who reads no balances
        somebody = await at(portal).sign_in(name)
        assert (await somebody.ask(asked, id=made["Payment"]))["node"] is None
    ada = await at(portal).sign_in("ada")
    found = (await ada.ask(asked, id=made["Payment"]))["node"]
    assert (found["kind"], found["amount"]["amount"], found["status"]) == ("PAYMENT", "1.00", "ISSUED")
