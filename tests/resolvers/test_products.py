"""The catalogue, over HTTP: finding products, their prices and stock, paging through them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.prices import prices
from rules.permissions import BuiltInProfile
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

FIND = """query($filter: ProductFilter, $orderBy: [ProductOrder!], $first: Int, $after: String, $last: Int,
  $before: String) { products(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last,
  before: $before) { totalCount nodes { sku } edges { cursor node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def skus(client: Client, **given: Any) -> list[str]:
    found = await client.ask(FIND, **given)
    return [node["sku"] for node in found["products"]["nodes"]]


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("LAMP-1", name="Hanging lanterns, blue", stock_at={"W1": "5", "W2": "2"})
    await portal.product("LAMP-2", name="Tischleuchte mit Schirm", stock_at={"W1": "0"})
    await portal.product("MUG-1", name="Stoneware mug", stock_at={})
    await portal.product("HELP", name="Installation by a friendly fitter", kind="SERVICE")
    await portal.product("gift_0001_20", name="Voucher", kind="SERVICE")
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    return portal


@pytest.fixture
async def val(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("val")


async def test_an_outsider_sees_no_catalogue(portal: Portal, at: At) -> None:
    for document in (
        "{ products { nodes { id } } }",
        "{ categories { id } }",
        '{ product(sku: "MUG-1") { id } }',
    ):
        assert (await at(portal).refusal(document))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_somebody_in_no_group_sees_no_catalogue(portal: Portal, at: At) -> None:
    await portal.account("nora", profile=None)
    nora = await at(portal).sign_in("nora")
    assert (await nora.refusal("{ products { nodes { id } } }"))["extensions"]["code"] == "MISSING_PERMISSION"


async def test_another_tenants_products_are_not_there(world: World, val: Client) -> None:
    other = await world.portal()
    await other.product("THEIRS")
    assert await skus(val, filter={"skus": ["THEIRS"]}) == []
    assert await val.ask('{ product(sku: "THEIRS") { id } }') == {"product": None}


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ({"search": "lantern"}, ["LAMP-1"]),  # English stem
        ({"search": "Tischleuchten"}, ["LAMP-2"]),  # German stem
        ({"search": "stonew"}, ["MUG-1"]),  # the beginning of a word
        ({"search": "lamp-"}, ["LAMP-1", "LAMP-2"]),  # the beginning of a SKU
        ({"search": "gift_0"}, ["gift_0001_20"]),  # whatever its case
        ({"search": "hanging blue"}, ["LAMP-1"]),
        ({"search": "blue mug"}, []),
        ({"search": "  "}, ["HELP", "LAMP-1", "LAMP-2", "MUG-1", "gift_0001_20"]),
        ({"search": "'\"!&|():*<>\\%_"}, []),
        ({"kind": "SERVICE"}, ["HELP", "gift_0001_20"]),
        ({"availableOnly": True}, ["HELP", "LAMP-1", "gift_0001_20"]),
        ({"skus": ["MUG-1", "NO", "HELP"]}, ["HELP", "MUG-1"]),
        ({"skus": []}, []),
        ({"search": "lamp", "availableOnly": True}, ["LAMP-1"]),
        ({"categoryCode": "all"}, ["HELP", "LAMP-1", "LAMP-2", "MUG-1", "gift_0001_20"]),
        ({"categoryCode": "nothing"}, []),
        ({"category": "garbage"}, []),
    ],
)
async def test_products_are_found_by(val: Client, filter_: dict[str, Any], found: list[str]) -> None:
    answer = (await val.ask(FIND, filter=filter_))["products"]
    assert [node["sku"] for node in answer["nodes"]] == found
    assert answer["totalCount"] == len(found)


async def test_a_category_contains_those_below_it(portal: Portal, val: Client) -> None:
    from db.categories import categories

    async with portal.writing() as connection:
        below = await put(connection, categories, code="below", name="Below", parent_id=portal.category_id)
        deepest = await put(connection, categories, code="deepest", name="Deepest", parent_id=below)
    await portal.product("DEEP", category_id=deepest)
    tree = await val.ask("{ categories { id code parent { code } children { code } } }")
    assert [(each["code"], each["parent"], each["children"]) for each in tree["categories"]] == [
        ("below", {"code": "all"}, [{"code": "deepest"}]),
        ("deepest", {"code": "below"}, []),
        ("all", None, [{"code": "below"}]),
    ]
    assert "DEEP" in await skus(val, filter={"categoryCode": "all"})
    below_id = tree["categories"][0]["id"]
    assert await skus(val, filter={"category": below_id}) == ["DEEP"]


async def test_a_search_that_is_too_long_is_refused(val: Client) -> None:
    error = await val.refusal(FIND, filter={"search": "x" * 201})
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == (
        "INVALID_INPUT",
        ["filter", "search"],
    )


async def test_a_product_tells_its_stock_and_prices(portal: Portal, val: Client) -> None:
    await portal.price_break("LAMP-1", "10", "9.123456")
    product = (
        await val.ask(
            """{ product(sku: "LAMP-1") { kind unit taxRate category { code } available
            stock { warehouse { code name } onHand reserved available }
            one: price { unitPrice { amount currency } minQuantity taxIncluded }
            ten: price(quantity: "10") { unitPrice { amount } } none: price(quantity: "0") { minQuantity }
            priceBreaks { minQuantity } } }"""
        )
    )["product"]
    assert product == {
        "kind": "GOODS",
        "unit": "pcs",
        "taxRate": "20",
        "category": {"code": "all"},
        "available": "7",
        "stock": [
            {
                "warehouse": {"code": "W1", "name": "Warehouse W1"},
                "onHand": "5",
                "reserved": "0",
                "available": "5",
            },
            {
                "warehouse": {"code": "W2", "name": "Warehouse W2"},
                "onHand": "2",
                "reserved": "0",
                "available": "2",
            },
        ],
        "one": {
            "unitPrice": {"amount": "10.00", "currency": "GBP"},
            "minQuantity": "0.001",
            "taxIncluded": False,
        },
        "ten": {"unitPrice": {"amount": "9.123456"}},
        "none": None,
        "priceBreaks": [{"minQuantity": "0.001"}, {"minQuantity": "10"}],
    }


async def test_a_service_has_no_stock(val: Client) -> None:
    found = await val.ask('{ product(sku: "HELP") { kind available stock { onHand } } }')
    assert found["product"] == {"kind": "SERVICE", "available": None, "stock": []}


async def test_a_price_holds_from_its_first_to_its_last_day(portal: Portal, val: Client) -> None:
    today = datetime.now(UTC).date()
    day = timedelta(days=1)
    spans = [
        ("1.00", today - 9 * day, today - day),
        ("2.00", today - day, today),
        ("3.00", today + day, None),
    ]
    async with portal.writing() as connection:
        for price, first, last in spans:
            await put(
                connection,
                prices,
                product_id=portal.products["MUG-1"],
                price_list_id=portal.price_list_id,
                currency="GBP",
                min_quantity=Decimal("0.001"),
                valid_from=first,
                valid_to=last,
                unit_price=Decimal(price),
            )
    found = await val.ask('{ product(sku: "MUG-1") { price { unitPrice { amount } } } }')
    assert found["product"]["price"]["unitPrice"]["amount"] == "2.00"


async def test_a_product_no_longer_sold_is_not_there(portal: Portal, val: Client) -> None:
    node = (await val.ask('{ product(sku: "MUG-1") { id } }'))["product"]["id"]
    await portal.withdraw("MUG-1")
    found = await val.ask(
        "query($id: ID!) { node(id: $id) { id } product(id: $id) { id } nodes(ids: [$id]) { id } }", id=node
    )
    assert found == {"node": None, "product": None, "nodes": [None]}
    assert "MUG-1" not in await skus(val)


async def test_nodes_answers_in_the_order_of_the_ids(portal: Portal, val: Client) -> None:
    ids = [edge["node"]["id"] for edge in (await val.ask(FIND))["products"]["edges"]]
    asked = [ids[2], "garbage", ids[0], ids[2]]
    found = await val.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Product { sku } } }", ids=asked
    )
    assert [node and node["sku"] for node in found["nodes"]] == ["LAMP-2", None, "HELP", "LAMP-2"]
    assert (await val.refusal("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids * 26))["extensions"][
        "code"
    ] == "INVALID_INPUT"


@pytest.mark.parametrize(
    "order", [["SKU_ASC"], ["SKU_DESC"], ["NAME_ASC", "SKU_DESC"], ["NAME_DESC", "SKU_DESC"], []]
)
async def test_paging_forwards_and_backwards_visits_every_product_once(
    portal: Portal, val: Client, order: list[str]
) -> None:
    for number in range(5):
        await portal.product(f"TWIN-{number}", name="Twin")
    whole = await skus(val, orderBy=order, first=100)
    assert len(whole) == 10
    forwards: list[str] = []
    after = None
    while True:
        page = (await val.ask(FIND, orderBy=order, first=2, after=after))["products"]
        forwards += [node["sku"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backwards: list[str] = []
    before = None
    while True:
        page = (await val.ask(FIND, orderBy=order, last=2, before=before))["products"]
        backwards = [node["sku"] for node in page["nodes"]] + backwards
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert forwards == whole
    assert backwards == whole


async def test_a_window_can_lie_between_two_cursors(val: Client) -> None:
    edges = (await val.ask(FIND))["products"]["edges"]
    assert await skus(val, after=edges[0]["cursor"], before=edges[3]["cursor"]) == ["LAMP-1", "LAMP-2"]


async def test_a_cursor_of_another_order_or_one_that_was_changed_is_refused(val: Client) -> None:
    cursor = (await val.ask(FIND, orderBy=["NAME_ASC"]))["products"]["edges"][0]["cursor"]
    changed = cursor[:-6] + ("A" if cursor[-6] != "A" else "B") + cursor[-5:]
    for after in (cursor, changed, "", "garbage", "####", cursor + "A"):
        error = await val.refusal(FIND, orderBy=["SKU_ASC"], after=after)
        assert error["extensions"] == {"code": "INVALID_CURSOR", "argument": ["after"]}


@pytest.mark.parametrize(
    "window", [{"first": 0}, {"first": -1}, {"first": 101}, {"last": 0}, {"last": 1_000_000}]
)
async def test_windows_of_no_or_too_many_rows_are_refused(val: Client, window: dict[str, int]) -> None:
    assert (await val.refusal(FIND, **window))["extensions"]["code"] == "OPERATION_TOO_COMPLEX"


async def test_first_and_last_together_are_refused(val: Client) -> None:
    assert (await val.refusal(FIND, first=1, last=1))["extensions"]["code"] == "INVALID_PAGE"


async def test_staff_see_prices_of_the_portals_own_list(portal: Portal, at: At) -> None:
    await portal.staff_member("stan")
    stan = await at(portal).sign_in("stan")
    found = await stan.ask('{ product(sku: "MUG-1") { price { unitPrice { amount } } } }')
    assert found["product"]["price"]["unitPrice"]["amount"] == "10.00"
