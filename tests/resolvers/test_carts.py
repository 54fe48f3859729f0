"""The cart, over HTTP: who has one, what goes in, what is refused, what it says of itself."""

import asyncio
from typing import Any

import pytest

from rules.permissions import BuiltInProfile
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

CART = """{ cart { id version items { id sku name unit quantity product { sku } warehouse { code }
  unitPrice { amount currency } amount { amount }
  problem { __typename code message path ... on InsufficientStockError { available product { sku } } } }
  totals { net { amount } tax { amount } total { amount currency } } } }"""
CHANGE = """cart { id version items { id sku quantity warehouse { code } } } errors { code message path
  ... on VersionConflictError { current } ... on MissingPermissionError { permissions } }"""
ADD = f"mutation($input: CartAddItemsInput!) {{ cartAddItems(input: $input) {{ {CHANGE} }} }}"
UPDATE = f"mutation($input: CartUpdateItemInput!) {{ cartUpdateItem(input: $input) {{ {CHANGE} }} }}"
REMOVE = f"mutation($input: CartRemoveItemInput!) {{ cartRemoveItem(input: $input) {{ {CHANGE} }} }}"
CLEAR = f"mutation($input: CartClearInput!) {{ cartClear(input: $input) {{ {CHANGE} }} }}"


async def add(client: Client, *lines: dict[str, str], **more: object) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(ADD, input={"items": list(lines), **more}))["cartAddItems"]
    return answer


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", price="2.555")
    await portal.product("B", price="4.00", stock_at={"W1": "5", "W2": "50"})
    await portal.product("KG", price="3.10", unit="kg")
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def test_an_outsider_has_no_cart(portal: Portal, at: At) -> None:
    error = await at(portal).refusal(CART)
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    answer = await at(portal).ask(ADD, input={"items": [{"sku": "A", "quantity": "1"}]})
    assert answer["cartAddItems"]["cart"] is None
    assert [each["code"] for each in answer["cartAddItems"]["errors"]] == ["UNAUTHENTICATED"]


async def test_somebody_who_may_not_order_has_no_cart(portal: Portal, at: At) -> None:
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    val = await at(portal).sign_in("val")
    assert (await val.refusal(CART))["extensions"]["code"] == "MISSING_PERMISSION"
    answer = await add(val, {"sku": "A", "quantity": "1"})
    assert answer["errors"] == [
        {
            "code": "MISSING_PERMISSION",
            "message": "This needs the permission orders:place.",
            "path": [],
            "permissions": ["ORDERS_PLACE"],
        }
    ]


async def test_another_tenants_product_cannot_be_added(world: World, portal: Portal, bea: Client) -> None:
    other = await world.portal()
    await other.product("THEIRS")
    answer = await add(bea, {"sku": "THEIRS", "quantity": "1"})
    assert answer["errors"] == [
        {"code": "PRODUCT_NOT_FOUND", "message": "There is no product THEIRS.", "path": ["items", "0", "sku"]}
    ]


async def test_colleagues_at_one_customer_have_a_cart_each(portal: Portal, bea: Client, at: At) -> None:
    await portal.account("ben")
    ben = await at(portal).sign_in("ben")
    await add(bea, {"sku": "A", "quantity": "1"})
    assert (await ben.ask(CART))["cart"]["items"] == []


async def test_a_cart_nobody_touched_is_empty(bea: Client) -> None:
    cart = (await bea.ask(CART))["cart"]
    assert (cart["version"], cart["items"], cart["totals"]["total"]) == (
        0,
        [],
        {"amount": "0.00", "currency": "GBP"},
    )


async def test_amounts_are_rounded_half_up_and_tax_is_on_the_sum(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "3"}, {"sku": "KG", "quantity": "1.255"})
    cart = (await bea.ask(CART))["cart"]
    assert [item["amount"]["amount"] for item in cart["items"]] == ["7.67", "3.89"]
    assert {name: sums["amount"] for name, sums in cart["totals"].items()} == {
        "net": "11.56",
        "tax": "2.31",
        "total": "13.87",
    }


async def test_a_price_that_includes_tax_is_the_total(world: World, at: At) -> None:
    portal = await world.portal(tax_included=True)
    await portal.product("A", price="12.00")
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "A", "quantity": "1"})
    totals = (await bea.ask(CART))["cart"]["totals"]
    assert [totals[name]["amount"] for name in ("net", "tax", "total")] == ["10.00", "2.00", "12.00"]


async def test_a_larger_quantity_earns_a_price_break(portal: Portal, bea: Client) -> None:
    await portal.price_break("A", "10", "2.00")
    await add(bea, {"sku": "A", "quantity": "9"})
    assert (await bea.ask(CART))["cart"]["items"][0]["unitPrice"]["amount"] == "2.555"
    await add(bea, {"sku": "A", "quantity": "1"})
    assert (await bea.ask(CART))["cart"]["items"][0]["unitPrice"]["amount"] == "2.00"


async def test_a_product_that_is_there_already_gets_more(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "2"})
    answer = await add(bea, {"sku": "A", "quantity": "3"}, {"sku": "A", "quantity": "4"})
    assert [(item["sku"], item["quantity"]) for item in answer["cart"]["items"]] == [("A", "9")]


async def test_a_line_ships_from_where_most_is_unless_somebody_chose(portal: Portal, bea: Client) -> None:
    await add(bea, {"sku": "B", "quantity": "1"})
    item = (await bea.ask(CART))["cart"]["items"][0]
    assert item["warehouse"]["code"] == "W2"
    stock = await bea.ask('{ product(sku: "B") { stock { warehouse { id code } } } }')
    first = next(
        level["warehouse"] for level in stock["product"]["stock"] if level["warehouse"]["code"] == "W1"
    )
    changed = await bea.ask(UPDATE, input={"item": item["id"], "warehouse": first["id"]})
    assert changed["cartUpdateItem"]["cart"]["items"][0]["warehouse"]["code"] == "W1"


@pytest.mark.parametrize(
    ("sku", "quantity", "code"),
    [
        ("A", "0", "QUANTITY_NOT_POSITIVE"),
        ("A", "-1", "QUANTITY_NOT_POSITIVE"),
        ("A", "1.5", "QUANTITY_NOT_DIVISIBLE"),
        ("KG", "1.0005", "QUANTITY_NOT_DIVISIBLE"),
        ("A", "1000000000000000000", "QUANTITY_TOO_LARGE"),
    ],
)
async def test_impossible_quantities_are_refused_with_their_path(
    bea: Client, sku: str, quantity: str, code: str
) -> None:
    answer = await add(bea, {"sku": "B", "quantity": "1"}, {"sku": sku, "quantity": quantity})
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [(code, ["items", "1", "quantity"])]
    assert (await bea.ask(CART))["cart"]["items"] == []


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "1e3", "", " 1", "1,5", "0x1", "1" * 40])
async def test_what_is_no_number_is_refused_before_anything_runs(bea: Client, quantity: str) -> None:
    error = await bea.refusal(ADD, input={"items": [{"sku": "A", "quantity": quantity}]})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_quantities_that_add_up_to_too_much_are_refused(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "999999999"})
    answer = await add(bea, {"sku": "A", "quantity": "1"})
    assert [each["code"] for each in answer["errors"]] == ["QUANTITY_TOO_LARGE"]
    assert (await bea.ask(CART))["cart"]["items"][0]["quantity"] == "999999999"


async def test_every_line_that_cannot_be_added_is_told(bea: Client) -> None:
    answer = await add(
        bea,
        {"sku": "NO", "quantity": "1"},
        {"sku": "A", "quantity": "0"},
        {"quantity": "1"},
        {"sku": "A", "product": "x", "quantity": "1"},
        {"product": "bm90aGluZw==", "quantity": "1"},
        {"sku": "A", "quantity": "1", "warehouse": "bm90aGluZw=="},
    )
    assert [(each["code"], each["path"][1:]) for each in answer["errors"]] == [
        ("PRODUCT_NOT_FOUND", ["0", "sku"]),
        ("QUANTITY_NOT_POSITIVE", ["1", "quantity"]),
        ("INVALID_INPUT", ["2", "product"]),
        ("INVALID_INPUT", ["3", "product"]),
        ("PRODUCT_NOT_FOUND", ["4", "product"]),
        ("NOT_FOUND", ["5", "warehouse"]),
    ]


async def test_a_cart_that_changed_since_it_was_read_is_a_conflict(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"}, version=0)
    answer = await add(bea, {"sku": "A", "quantity": "1"}, version=0)
    assert answer["cart"] is None
    assert answer["errors"] == [
        {
            "code": "VERSION_CONFLICT",
            "message": "This was changed in the meantime; its version is now 1.",
            "path": ["version"],
            "current": 1,
        }
    ]
    assert (await bea.ask(CART))["cart"]["items"][0]["quantity"] == "1"


async def test_a_line_can_be_changed_removed_and_all_cleared(bea: Client) -> None:
    answer = await add(bea, {"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "2"})
    first, second = [item["id"] for item in answer["cart"]["items"]]
    changed = await bea.ask(UPDATE, input={"item": first, "quantity": "7", "version": 1})
    assert changed["cartUpdateItem"]["cart"]["items"][0]["quantity"] == "7"
    removed = await bea.ask(REMOVE, input={"item": first})
    assert [item["id"] for item in removed["cartRemoveItem"]["cart"]["items"]] == [second]
    cleared = await bea.ask(CLEAR, input={})
    assert cleared["cartClear"]["cart"]["items"] == []
    assert cleared["cartClear"]["cart"]["version"] == 4


async def test_a_line_that_is_not_in_ones_own_cart_is_not_found(portal: Portal, bea: Client, at: At) -> None:
    answer = await add(bea, {"sku": "A", "quantity": "1"})
    theirs = answer["cart"]["items"][0]["id"]
    await portal.account("cleo", customer="C2")
    cleo = await at(portal).sign_in("cleo")
    for document, name in ((UPDATE, "cartUpdateItem"), (REMOVE, "cartRemoveItem")):
        refused = (await cleo.ask(document, input={"item": theirs}))[name]
        assert [(each["code"], each["path"]) for each in refused["errors"]] == [("NOT_FOUND", ["item"])]
    assert (await bea.ask(CART))["cart"]["items"][0]["quantity"] == "1"


async def test_a_product_no_longer_sold_stays_in_the_cart_and_says_so(portal: Portal, bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "1"})
    await portal.withdraw("A")
    cart = (await bea.ask(CART))["cart"]
    assert cart["items"][0]["product"] is None
    assert cart["items"][0]["problem"]["code"] == "PRODUCT_UNAVAILABLE"
    assert cart["items"][1]["problem"] is None
    assert cart["totals"]["net"]["amount"] == "4.00"


async def test_more_than_is_in_stock_is_a_problem_where_the_company_sells_only_what_it_has(
    bea: Client,
) -> None:
    await add(bea, {"sku": "B", "quantity": "51"})
    problem = (await bea.ask(CART))["cart"]["items"][0]["problem"]
    assert problem == {
        "__typename": "InsufficientStockError",
        "code": "INSUFFICIENT_STOCK",
        "message": "Only 50 of B are available.",
        "path": [],
        "available": "50",
        "product": {"sku": "B"},
    }


async def test_a_company_that_allows_backorders_sells_more_than_it_has(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("B", stock_at={"W1": "1"})
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "B", "quantity": "51"})
    assert (await bea.ask(CART))["cart"]["items"][0]["problem"] is None


async def test_a_product_without_price_or_warehouse_is_a_problem(portal: Portal, bea: Client) -> None:
    await portal.product("UNPRICED", price=None)
    await portal.product("NOWHERE", stock_at={})
    await portal.product("SERVICE", kind="SERVICE")
    skus = ("UNPRICED", "NOWHERE", "SERVICE")
    await add(bea, *({"sku": sku, "quantity": "1"} for sku in skus))
    items = (await bea.ask(CART))["cart"]["items"]
    assert [item["problem"] and item["problem"]["code"] for item in items] == [
        "PRICE_MISSING",
        "WAREHOUSE_MISSING",
        None,
    ]
    assert items[0]["amount"] is None
    assert items[2]["warehouse"] is None


async def test_messages_come_in_german_and_codes_do_not_change(bea: Client) -> None:
    bea.headers["accept-language"] = "de-AT, en;q=0.5"
    answer = await add(bea, {"sku": "A", "quantity": "0"})
    assert answer["errors"][0]["message"] == "Die Menge muss größer als null sein."
    assert answer["errors"][0]["code"] == "QUANTITY_NOT_POSITIVE"


async def test_the_same_key_adds_once_and_answers_alike(bea: Client) -> None:
    one = {"items": [{"sku": "A", "quantity": "1"}], "idempotencyKey": "k1"}
    answers = await asyncio.gather(*(bea.ask(ADD, input=one) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert (await bea.ask(CART))["cart"]["items"][0]["quantity"] == "1"


async def test_the_same_key_with_another_input_is_refused(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"}, idempotencyKey="k1")
    answer = await add(bea, {"sku": "A", "quantity": "2"}, idempotencyKey="k1")
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    ]


async def test_a_key_belongs_to_the_account_that_used_it(portal: Portal, bea: Client, at: At) -> None:
    await portal.account("ben")
    ben = await at(portal).sign_in("ben")
    await add(bea, {"sku": "A", "quantity": "1"}, idempotencyKey="k1")
    await add(ben, {"sku": "B", "quantity": "2"}, idempotencyKey="k1")
    assert (await ben.ask(CART))["cart"]["items"][0]["sku"] == "B"


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_1_to_255_characters(bea: Client, key: str) -> None:
    answer = await add(bea, {"sku": "A", "quantity": "1"}, idempotencyKey=key)
    assert [each["code"] for each in answer["errors"]] == ["INVALID_IDEMPOTENCY_KEY"]


async def test_hostile_text_is_kept_or_refused_literally(bea: Client) -> None:
    sku = "'; drop table products; --"
    answer = await add(bea, {"sku": sku, "quantity": "1"})
    assert answer["errors"][0]["message"] == f"There is no product {sku}."
