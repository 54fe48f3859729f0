"""supplierDocuments over HTTP: one list over all kinds, and the chain between them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from db.quotation_orders import quotation_orders
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.resolvers.test_documents import KINDS, LINE
from tests.world import Portal, World, put

LIST = """query($filter: SupplierDocumentFilter, $order: [SupplierDocumentOrder!], $first: Int, $after: String,
  $last: Int) { supplierDocuments(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last) {
  totalCount nodes { __typename id number status issuedAt } edges { cursor node { number } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
NEAR = """__typename id ... on SupplierDocument { number } ... on Order { number }
  ... on Payment { number }"""
RELATED = f"""query($id: ID!) {{ node(id: $id) {{ ... on SupplierDocument {{ related {{ {NEAR} }} }}
  ... on Order {{ related {{ {NEAR} }} }} ... on Payment {{ related {{ {NEAR} }} }} }} }}"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea")
    return portal


async def furnish(portal: Portal, tag: str = "1", customer: str = "C1") -> dict[str, UUID]:
    """One document of each kind and a payment, all of one order, and that: their keys by type."""
    order_id = await portal.order(f"SO-{tag}", customer=customer)
    made = {
        kind: key
        for kind, (key, _) in (await documents.one_of_each(portal, tag, customer, order_id, "A")).items()
    }
    made["Quotation"] = await portal.quotation(f"QU-{tag}", customer=customer)
    made["GoodsIssue"] = await portal.goods_issue(f"GI-{tag}", order_id, customer=customer)
    made["Order"] = order_id
    async with portal.writing() as connection:
        await put(connection, quotation_orders, quotation_id=made["Quotation"], order_id=order_id, position=1)
    return made


async def listed(somebody: Client, **filter: Any) -> list[str]:
    """The numbers of what passes the filter, sorted."""
    found = (await somebody.ask(LIST, filter=filter, first=100))["supplierDocuments"]
    numbers = [each["number"] for each in found["nodes"]]
    assert found["totalCount"] == len(numbers)
    return sorted(each or "" for each in numbers)


async def near(somebody: Client, kind: str, key: UUID) -> list[str]:
    found = (await somebody.ask(RELATED, id=global_id(kind, key)))["node"]
    return [each["__typename"] for each in found["related"]]


async def keep_from(portal: Portal, name: str, *words: str) -> None:
    """An account of C1 that does not see documents of these kinds."""
    account_id = await portal.account(name, profile=None)
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    await portal.group(
        f"of {name}",
        account_id,
        modes=Modes(document_kind=RestrictionMode.ALLOW_EXCEPT),
        lists={RestrictionKind.DOCUMENT_KIND: list(words)},
    )


async def test_an_outsider_lists_nothing(portal: Portal, at: At) -> None:
    assert (await at(portal).refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_another_customer_and_another_company_list_none_of_it(
    portal: Portal, world: World, at: At
) -> None:
    made = await furnish(portal)
    await portal.account("cleo", customer="C2")
    elsewhere = await world.portal()
    await elsewhere.account("eve")
    for stranger in (await at(portal).sign_in("cleo"), await at(elsewhere).sign_in("eve")):
        assert await listed(stranger) == []
        assert await listed(stranger, order=global_id("Order", made["Order"])) == []
        assert await listed(stranger, customer=global_id("Customer", portal.customers["C1"])) == []
        assert await listed(stranger, search="SO") == []


async def test_kinds_that_are_not_allowed_are_neither_listed_nor_counted_nor_related(
    portal: Portal, at: At
) -> None:
    made = await furnish(portal)
    await keep_from(portal, "mia", "INVOICE", "QUOTATION")
    mia = await at(portal).sign_in("mia")
    found = (await mia.ask(LIST))["supplierDocuments"]
    assert {each["__typename"] for each in found["nodes"]} == set(KINDS) - {"Invoice", "Quotation"}
    assert found["totalCount"] == 5
    assert await near(mia, "Order", made["Order"]) == ["GoodsIssue"]
    assert await near(mia, "CreditNote", made["CreditNote"]) == ["GoodsReturn"]


async def test_drafts_are_listed_for_the_staff_alone(portal: Portal, at: At) -> None:
    await furnish(portal)
    await portal.quotation(None)
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    assert await listed(await at(portal).sign_in("bea"), status=["DRAFT"]) == []
    assert await listed(olga, status=["DRAFT"]) == [""]
    assert await listed(olga, **{"from": "2000-01-01"}, kinds=["QUOTATION"]) == ["QU-1"]
    for order in ("NUMBER_ASC", "NUMBER_DESC"):
        nodes = (await olga.ask(LIST, order=[order]))["supplierDocuments"]["nodes"]
        assert nodes[0 if order == "NUMBER_ASC" else -1]["number"] == ""


@pytest.mark.parametrize("order", ["ISSUED_AT_ASC", "ISSUED_AT_DESC", "NUMBER_ASC", "NUMBER_DESC"])
async def test_pages_together_are_the_list_in_its_order(order: str, portal: Portal, at: At) -> None:
    await furnish(portal)
    await furnish(portal, "2")
    bea = await at(portal).sign_in("bea")
    numbers, after = [], None
    while True:
        page = (await bea.ask(LIST, order=[order], first=4, after=after))["supplierDocuments"]
        assert [each["node"]["number"] for each in page["edges"]] == [
            each["number"] for each in page["nodes"]
        ]
        numbers += [(each["number"], each["issuedAt"]) for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(numbers) == len(set(numbers)) == 14
    values = [each[0] if "NUMBER" in order else each[1] for each in numbers]
    assert values == sorted(values, reverse="DESC" in order)
    last = (await bea.ask(LIST, order=[order], last=3))["supplierDocuments"]
    assert [each["number"] for each in last["nodes"]] == [each[0] for each in numbers[-3:]]


async def test_each_filter_finds_what_it_names(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    await portal.staff_member("olga")
    await portal.customer("C2")
    await furnish(portal, "2", "C2")
    late = datetime(2026, 5, 1, 12, tzinfo=UTC)
    await documents.invoice(portal, "late", (Sold("B", "100"),), issued_at=late)
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update orders set purchase_order_number = 'PO-7' where id = $1", made["Order"]
        )
    bea, olga = await at(portal).sign_in("bea"), await at(portal).sign_in("olga")
    chain = ["GI-1", "QU-1", "credit-1", "invoice-1", "return-1", "tax-1"]
    assert await listed(bea, kinds=["INVOICE", "CREDIT_NOTE"]) == ["credit-1", "invoice-1", "late"]
    assert await listed(bea, kinds=[]) == []
    assert await listed(bea, number="inv") == ["invoice-1"]
    assert await listed(bea, order=global_id("Order", made["Order"])) == chain
    assert await listed(bea, product=global_id("Product", portal.products["B"])) == ["late"]
    assert await listed(bea, product=global_id("Product", portal.products["A"])) == chain
    assert await listed(bea, **{"from": "2026-05-01", "to": "2026-05-01"}) == ["late"]
    assert await listed(bea, to="2026-03-02") == ["GI-1"]
    assert await listed(bea, status="OVERDUE") == ["invoice-1", "late"]
    assert await listed(bea, status=["PAID", "REVERSED"]) == []
    assert await listed(bea, amount={"currency": "GBP", "min": "1000.001"}) == ["late"]
    assert await listed(bea, amount={"currency": "GBP", "min": "36", "max": "36.009"}) == [
        "invoice-1",
        "statement-1",
        "tax-1",
    ]
    assert await listed(bea, amount={"currency": "EUR"}) == []
    assert await listed(bea, search="PO-") == chain
    assert await listed(bea, search="product b") == ["late"]
    assert await listed(bea, search="b") == ["late"]
    assert await listed(bea, search="100%") == []
    assert await listed(olga, number="invoice") == ["invoice-1", "invoice-2"]
    assert await listed(olga, customer=global_id("Customer", portal.customers["C2"]), search="Product A") == [
        each.replace("1", "2") for each in chain
    ]
    assert await listed(olga, search="Product B") == []  # lines of one customer at a time


async def test_a_filter_that_cannot_be_is_refused_with_its_place(portal: Portal, at: At) -> None:
    bea = await at(portal).sign_in("bea")
    for given, code in (
        ({"amount": {"currency": "pounds"}}, "CURRENCY_INVALID"),
        ({"search": "x" * 201}, "INVALID_INPUT"),
    ):
        assert (await bea.refusal(LIST, filter=given))["extensions"]["code"] == code


async def test_neighbours_are_told_in_both_directions(portal: Portal, at: At) -> None:
    made = await furnish(portal)
    await portal.account("cora", profile=BuiltInProfile.CUSTOMER)
    cora, bea = await at(portal).sign_in("cora"), await at(portal).sign_in("bea")
    expected = {
        "Quotation": ["Order"],
        "Order": ["Quotation", "GoodsIssue", "Invoice"],
        "GoodsIssue": ["Order"],
        "Invoice": ["Order", "TaxInvoice", "GoodsReturn", "CreditNote", "Payment"],
        "TaxInvoice": ["Invoice"],
        "GoodsReturn": ["Invoice", "CreditNote"],
        "CreditNote": ["Invoice", "GoodsReturn"],
        "Payment": ["Invoice"],
        "ReconciliationStatement": [],
    }
    assert {kind: await near(cora, kind, made[kind]) for kind in expected} == expected
    assert "Payment" not in await near(bea, "Invoice", made["Invoice"])  # a buyer reads no balances


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ReconciliationStatement"])
async def test_lines_of_a_hidden_product_keep_their_text(kind: str, portal: Portal, at: At) -> None:
    made = await furnish(portal)
    account_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.PRODUCT)
    await portal.group(
        "not A",
        account_id,
        modes=Modes(product=RestrictionMode.ALLOW_EXCEPT),
        lists={RestrictionKind.PRODUCT: [portal.products["A"]]},
    )
    mia, bea = await at(portal).sign_in("mia"), await at(portal).sign_in("bea")
    asked = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ lines {{ {LINE} }} }} }} }}"
    for somebody, product in ((mia, None), (bea, {"sku": "A"})):
        lines = (await somebody.ask(asked, id=global_id(kind, made[kind])))["node"]["lines"]
        assert [(each["sku"], each["name"], each["product"]) for each in lines] == [
            ("A", "Product A", product)
        ]
    assert await listed(mia, product=global_id("Product", portal.products["A"])) == []
