"""Restricted carts and orders: what may be ordered, from where, and what stays when it is restricted later."""

from typing import Any

import pytest

from rules.permissions import BuiltInProfile
from rules.restrictions import RestrictionKind
from tests.client import Client
from tests.conftest import At
from tests.tenants.shops import Shop, add, broken, but, only, open_shop, skus
from tests.world import World

CART = """{ cart { items { id sku name quantity product { sku } warehouse { code } unitPrice { amount }
  amount { amount } problem { __typename code message path ... on InsufficientStockError { available } } }
  totals { net { amount } total { amount } } } }"""
UPDATE = """mutation($input: CartUpdateItemInput!) { cartUpdateItem(input: $input) {
  cart { items { sku warehouse { code } problem { code } } } errors { code path message } } }"""
REMOVE = "mutation($input: CartRemoveItemInput!) { cartRemoveItem(input: $input) { errors { code path } } }"
PLACE = """mutation { orderPlace(input: {}) { orders { id number warehouse { code }
  lines { sku name product { sku } warehouse { code } } } errors { code path message } } }"""
ORDER = """query($id: ID!) { order(id: $id) { number warehouse { code } totals { net { amount } total { amount } }
  lines { position sku name unit quantity shippedQuantity outstandingQuantity taxRate unitPrice { amount }
    amount { amount } product { sku } warehouse { code } } } }"""


@pytest.fixture
async def shop(world: World) -> Shop:
    return await open_shop(world)


@pytest.fixture
async def bea(shop: Shop, at: At) -> Client:
    """A buyer whose only group, `g`, restricts nothing yet."""
    account_id = await shop.portal.account("bea", profile=None)
    await shop.group("g", account_id)
    return await at(shop.portal).sign_in("bea")


async def cart(client: Client) -> dict[str, dict[str, Any]]:
    """The lines of somebody's cart by SKU."""
    return {each["sku"]: each for each in (await client.ask(CART))["cart"]["items"]}


async def place(client: Client) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(PLACE))["orderPlace"]
    return answer


async def chosen(client: Client, item: str, warehouse: str) -> dict[str, Any]:
    """The answer to choosing a warehouse for a line."""
    answer = await client.ask(UPDATE, input={"item": item, "warehouse": warehouse})
    payload: dict[str, Any] = answer["cartUpdateItem"]
    return payload


async def test_an_outsider_and_who_may_only_look_order_nothing(shop: Shop, at: At) -> None:
    await shop.portal.account("val", profile=BuiltInProfile.VIEWER)
    for client, code in (
        (at(shop.portal), "UNAUTHENTICATED"),
        (await at(shop.portal).sign_in("val"), "MISSING_PERMISSION"),
    ):
        assert broken(await add(client, {"sku": "MUG"})) == [(code, [])]
        assert broken(await place(client)) == [(code, [])]


async def test_a_colleague_and_another_company_order_what_their_own_groups_allow(
    world: World, shop: Shop, bea: Client, at: At
) -> None:
    await shop.portal.account("oscar")
    oscar = await at(shop.portal).sign_in("oscar")
    other = await open_shop(world)
    await other.portal.account("bea")
    theirs = await at(other.portal).sign_in("bea")
    for client in (bea, oscar, theirs):
        await add(client, {"sku": "MUG"})
    await shop.restrict("g", category=only("bowls"), warehouse=only())
    assert (await cart(bea))["MUG"]["problem"]["code"] == "PRODUCT_UNAVAILABLE"
    for client in (oscar, theirs):
        assert (await cart(client))["MUG"]["problem"] is None
        placed = await place(client)
        assert placed["errors"] == []
        assert [each["warehouse"] for each in placed["orders"]] == [{"code": "W2"}]


async def test_a_viewer_of_everything_who_buys_one_category_sees_all_and_orders_only_that(
    shop: Shop, at: At
) -> None:
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("looks", account_id, profile=BuiltInProfile.VIEWER)
    await shop.group("buys", account_id, category=only("mugs"))
    mia = await at(shop.portal).sign_in("mia")
    assert await skus(mia) == ["BLUE", "BOWL", "LOOSE", "MUG", "WASH"]
    refused = await add(
        mia, {"sku": "MUG"}, {"sku": "BOWL"}, {"product": shop.id_of("LOOSE")}, {"sku": "NEVER"}
    )
    assert refused["cart"] is None
    assert [
        (*each, error["message"]) for each, error in zip(broken(refused), refused["errors"], strict=True)
    ] == [
        ("PRODUCT_UNAVAILABLE", ["items", "1", "sku"], "BOWL cannot be ordered."),
        ("PRODUCT_UNAVAILABLE", ["items", "2", "product"], "LOOSE cannot be ordered."),
        ("PRODUCT_NOT_FOUND", ["items", "3", "sku"], "There is no product NEVER."),
    ]
    added = await add(mia, {"sku": "MUG"}, {"sku": "BLUE"}, {"sku": "WASH"})
    assert [each["sku"] for each in added["cart"]["items"]] == ["MUG", "BLUE", "WASH"]
    assert [each["problem"] for each in (await cart(mia)).values()] == [None, None, None]
    assert (await place(mia))["errors"] == []


async def test_a_viewer_of_every_warehouse_who_buys_from_one_is_given_only_that(shop: Shop, at: At) -> None:
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("looks", account_id, profile=BuiltInProfile.VIEWER)
    await shop.group("buys", account_id, warehouse=only("W1"))
    mia = await at(shop.portal).sign_in("mia")
    assert (await mia.ask('{ product(sku: "MUG") { available } }'))["product"] == {"available": "12"}
    await add(
        mia, {"sku": "MUG"}, {"sku": "BOWL", "warehouse": shop.id_of("W2")}, {"sku": "BLUE", "quantity": "6"}
    )
    lines = await cart(mia)
    assert (lines["MUG"]["warehouse"], lines["MUG"]["problem"]) == ({"code": "W1"}, None)
    assert lines["BOWL"]["problem"]["code"] == "WAREHOUSE_MISSING"
    assert (lines["BLUE"]["problem"]["code"], lines["BLUE"]["problem"]["available"]) == (
        "INSUFFICIENT_STOCK",
        "5",
    )
    assert broken(await place(mia)) == [
        ("WAREHOUSE_MISSING", ["cart", "items", "1"]),
        ("INSUFFICIENT_STOCK", ["cart", "items", "2"]),
    ]


async def test_a_line_whose_product_is_restricted_later_stays_and_says_so(shop: Shop, bea: Client) -> None:
    await add(bea, {"sku": "MUG", "quantity": "2"}, {"sku": "BOWL"})
    before = await cart(bea)
    await shop.restrict("g", category=but("mugs"))
    lines = await cart(bea)
    assert lines["BOWL"] == before["BOWL"]
    assert lines["MUG"] == before["MUG"] | {
        "product": None,
        "warehouse": None,
        "unitPrice": None,
        "amount": None,
        "problem": {
            "__typename": "PlainUserError",
            "code": "PRODUCT_UNAVAILABLE",
            "message": "MUG cannot be ordered.",
            "path": [],
        },
    }
    assert (await bea.ask(CART))["cart"]["totals"] == {
        "net": {"amount": "10.00"},
        "total": {"amount": "12.00"},
    }
    refused = await place(bea)
    assert refused["orders"] is None
    assert broken(refused) == [("PRODUCT_UNAVAILABLE", ["cart", "items", "0"])]
    assert broken(await add(bea, {"sku": "MUG"})) == [("PRODUCT_NOT_FOUND", ["items", "0", "sku"])]
    assert list(await cart(bea)) == ["MUG", "BOWL"]


async def test_a_line_whose_product_was_restricted_can_be_taken_out_or_waits_for_better_days(
    shop: Shop, bea: Client
) -> None:
    await add(bea, {"sku": "MUG"}, {"sku": "BOWL"})
    before = await cart(bea)
    await shop.restrict("g", product=but("MUG", "BOWL"))
    assert broken(await place(bea)) == [
        ("PRODUCT_UNAVAILABLE", ["cart", "items", "0"]),
        ("PRODUCT_UNAVAILABLE", ["cart", "items", "1"]),
    ]
    removed = (await bea.ask(REMOVE, input={"item": before["MUG"]["id"]}))["cartRemoveItem"]
    assert removed["errors"] == []
    await shop.portal.enforce(RestrictionKind.WAREHOUSE)
    assert await cart(bea) == {"BOWL": before["BOWL"]}
    placed = await place(bea)
    assert [line["sku"] for order in placed["orders"] for line in order["lines"]] == ["BOWL"]


async def test_an_order_keeps_its_own_names_and_numbers_when_product_and_warehouse_are_restricted(
    shop: Shop, bea: Client, at: At
) -> None:
    await shop.portal.account("oscar")
    oscar = await at(shop.portal).sign_in("oscar")
    await add(bea, {"sku": "MUG", "quantity": "3"}, {"sku": "BOWL"})
    (placed,) = (await place(bea))["orders"]
    before = (await bea.ask(ORDER, id=placed["id"]))["order"]
    assert before["lines"][0] == {
        "position": 1,
        "sku": "MUG",
        "name": "Product MUG",
        "unit": "pcs",
        "quantity": "3",
        "shippedQuantity": "0",
        "outstandingQuantity": "3",
        "taxRate": "20",
        "unitPrice": {"amount": "10.00"},
        "amount": {"amount": "30.00"},
        "product": {"sku": "MUG"},
        "warehouse": {"code": "W2"},
    }
    await shop.restrict("g", category=but("mugs"), warehouse=but("W2"))
    mug, bowl = before["lines"]
    assert (await bea.ask(ORDER, id=placed["id"]))["order"] == before | {
        "warehouse": None,
        "lines": [mug | {"product": None, "warehouse": None}, bowl | {"warehouse": None}],
    }
    assert (await bea.ask("{ orders { totalCount } }"))["orders"] == {"totalCount": 1}
    assert (await oscar.ask(ORDER, id=placed["id"]))["order"] == before


async def test_a_warehouse_that_is_not_allowed_is_not_chosen_and_cannot_be(shop: Shop, bea: Client) -> None:
    await shop.restrict("g", warehouse=but("W2"))
    hidden, never = shop.id_of("W2"), shop.id_of("MUG")
    for each in (hidden, never):
        refused = await add(bea, {"sku": "BOWL"}, {"sku": "MUG", "warehouse": each})
        assert broken(refused) == [("NOT_FOUND", ["items", "1", "warehouse"])]
    await add(bea, {"sku": "MUG"}, {"sku": "BOWL", "quantity": "6"})
    lines = await cart(bea)
    assert (lines["MUG"]["warehouse"], lines["MUG"]["problem"]) == ({"code": "W1"}, None)
    assert (lines["BOWL"]["problem"]["code"], lines["BOWL"]["problem"]["available"]) == (
        "INSUFFICIENT_STOCK",
        "5",
    )
    for each in (hidden, never):
        assert broken(await chosen(bea, lines["MUG"]["id"], each)) == [("NOT_FOUND", ["warehouse"])]
    assert broken(await place(bea)) == [("INSUFFICIENT_STOCK", ["cart", "items", "1"])]
    await bea.ask(REMOVE, input={"item": lines["BOWL"]["id"]})
    assert [each["warehouse"] for each in (await place(bea))["orders"]] == [{"code": "W1"}]


async def test_a_chosen_warehouse_that_is_restricted_later_is_not_shipped_from(
    shop: Shop, bea: Client
) -> None:
    await add(bea, {"sku": "MUG", "warehouse": shop.id_of("W2")})
    assert (await cart(bea))["MUG"]["warehouse"] == {"code": "W2"}
    await shop.restrict("g", warehouse=but("W2"))
    line = (await cart(bea))["MUG"]
    assert (line["warehouse"], line["problem"]["code"]) == (None, "WAREHOUSE_MISSING")
    assert broken(await place(bea)) == [("WAREHOUSE_MISSING", ["cart", "items", "0"])]
    changed = await chosen(bea, line["id"], shop.id_of("W1"))
    assert changed["cart"]["items"] == [{"sku": "MUG", "warehouse": {"code": "W1"}, "problem": None}]
    assert (await place(bea))["errors"] == []


async def test_without_any_warehouse_goods_cannot_be_had_and_services_can(shop: Shop, bea: Client) -> None:
    await shop.restrict("g", warehouse=only())
    await add(bea, {"sku": "WASH"}, {"sku": "MUG"})
    lines = await cart(bea)
    assert lines["WASH"]["problem"] is None
    assert (lines["MUG"]["warehouse"], lines["MUG"]["problem"]["code"]) == (None, "WAREHOUSE_MISSING")
    assert broken(await place(bea)) == [("WAREHOUSE_MISSING", ["cart", "items", "1"])]


async def test_goods_of_groups_for_different_warehouses_ship_each_from_its_own(shop: Shop, at: At) -> None:
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("mugs", account_id, category=only("mugs"), warehouse=only("W1"))
    await shop.group("bowls", account_id, category=only("bowls"), warehouse=only("W2"))
    mia = await at(shop.portal).sign_in("mia")
    await add(mia, {"sku": "MUG"}, {"sku": "BOWL"}, {"sku": "BLUE", "warehouse": shop.id_of("W2")})
    lines = await cart(mia)
    assert lines["BLUE"]["problem"]["code"] == "WAREHOUSE_MISSING"
    await mia.ask(REMOVE, input={"item": lines["BLUE"]["id"]})
    orders = (await place(mia))["orders"]
    assert sorted((each["warehouse"]["code"], each["lines"][0]["sku"]) for each in orders) == [
        ("W1", "MUG"),
        ("W2", "BOWL"),
    ]


@pytest.fixture
async def mia(shop: Shop, at: At) -> Client:
    """Somebody who looks by one group, `looks`, and orders by another, `buys`."""
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("looks", account_id, profile=BuiltInProfile.VIEWER)
    await shop.group("buys", account_id)
    return await at(shop.portal).sign_in("mia")


async def test_who_may_order_and_look_at_nothing_finds_nothing_to_order(shop: Shop, bea: Client) -> None:
    await add(bea, {"sku": "MUG"})
    await shop.permit("g", "ORDERS_PLACE")
    refused = await add(bea, {"sku": "MUG"}, {"product": shop.id_of("BOWL")})
    assert broken(refused) == [
        ("PRODUCT_NOT_FOUND", ["items", "0", "sku"]),
        ("PRODUCT_NOT_FOUND", ["items", "1", "product"]),
    ]
    line = (await cart(bea))["MUG"]
    assert (line["product"], line["warehouse"], line["problem"]["code"]) == (
        None,
        None,
        "PRODUCT_UNAVAILABLE",
    )
    assert broken(await place(bea)) == [("PRODUCT_UNAVAILABLE", ["cart", "items", "0"])]


async def test_who_may_read_orders_and_look_at_no_product_reads_the_orders_own_words(
    shop: Shop, bea: Client
) -> None:
    await add(bea, {"sku": "MUG"})
    (order,) = (await place(bea))["orders"]
    await shop.permit("g", "ORDERS_READ")
    (line,) = (await bea.ask(ORDER, id=order["id"]))["order"]["lines"]
    assert (line["name"], line["quantity"], line["product"], line["warehouse"]) == (
        "Product MUG",
        "1",
        None,
        None,
    )


async def test_what_is_no_longer_seen_is_not_ordered_either(shop: Shop, mia: Client) -> None:
    await add(mia, {"sku": "MUG"})
    await shop.permit("buys", "ORDERS_PLACE")
    await shop.restrict("looks", product=but("MUG"))
    assert await skus(mia) == ["BLUE", "BOWL", "LOOSE", "WASH"]
    line = (await cart(mia))["MUG"]
    assert (line["product"], line["unitPrice"], line["warehouse"]) == (None, None, None)
    assert line["problem"]["code"] == "PRODUCT_UNAVAILABLE"
    assert broken(await place(mia)) == [("PRODUCT_UNAVAILABLE", ["cart", "items", "0"])]


async def test_nothing_is_promised_from_a_warehouse_that_is_not_seen(shop: Shop, mia: Client) -> None:
    await add(mia, {"sku": "MUG"})
    await shop.permit("buys", "ORDERS_PLACE")
    await shop.restrict("looks", warehouse=but("W2"))
    await place(mia)
    async with shop.portal.writing() as connection:
        promised = await connection.fetch_text(
            "select distinct w.code from stock s join warehouses w on w.id = s.warehouse_id where s.reserved > 0"
        )
    assert "W2" not in {row[0] for row in promised}
