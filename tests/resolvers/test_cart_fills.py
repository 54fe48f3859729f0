"""Filling the cart, over HTTP: from a quotation, an order, a list or CSV; every line is taken or told."""

import asyncio
from typing import Any

import pytest

from rules import skus
from rules.permissions import BuiltInProfile
from rules.quotations import QuotationState
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

LINE = """index line sku asked quantity code reasons { __typename code message path
  ... on InsufficientStockError { available product { sku } } } suggestion { sku quantity }"""
FILL = f"""mutation($input: CartFillInput!) {{ cartFill(input: $input) {{
  cart {{ version items {{ sku quantity }} }}
  added {{ {LINE} }} adjusted {{ {LINE} }} rejected {{ {LINE} }} errors {{ code path }} }} }}"""
CART = """{ cart { version items { id sku quantity unitPrice { amount } warehouse { code } notice { code message }
  problem { code } origin { kind quotation { number } order { number } } }
  actions { name allowed missingPermission reason { code path } } } }"""
UPDATE = """mutation($input: CartUpdateItemInput!) { cartUpdateItem(input: $input) {
  cart { items { sku } } errors { code } } }"""
PLACE = "mutation { orderPlace(input: {}) { orders { number quotation { number } } errors { code path } } }"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", price="2.00")
    await portal.product("B", price="4.00", stock_at={"W1": "5", "W2": "50"})
    await portal.product("C", price="6.00")
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def fill(client: Client, source: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(FILL, input={"from": source, **more}))["cartFill"]
    return answer


async def lines(client: Client, *given: tuple[str, str], **more: Any) -> dict[str, Any]:
    return await fill(client, {"lines": [{"sku": sku, "quantity": each} for sku, each in given]}, **more)


async def cart(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.ask(CART))["cart"]
    return found


async def id_of(client: Client, kind: str, number: str) -> str:
    found = await client.ask(f"query($number: String) {{ {kind}(number: $number) {{ id }} }}", number=number)
    key: str = found[kind]["id"]
    return key


def codes(told: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(each["sku"], each["code"]) for each in told]


async def test_an_outsider_and_who_may_not_order_fill_nothing(portal: Portal, at: At) -> None:
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    for client, code in (
        (at(portal), "UNAUTHENTICATED"),
        (await at(portal).sign_in("val"), "MISSING_PERMISSION"),
    ):
        answer = await lines(client, ("A", "1"))
        assert [each["code"] for each in answer["errors"]] == [code]
        assert answer["added"] is None


async def test_another_tenants_and_another_customers_things_do_not_exist(
    world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.product("THEIRS")
    await portal.account("rita", customer="RIVAL")
    await portal.order("SO-1", customer="RIVAL")
    rita = await at(portal).sign_in("rita")
    assert codes((await lines(bea, ("THEIRS", "1")))["rejected"]) == [("THEIRS", "PRODUCT_NOT_FOUND")]
    answer = await fill(bea, {"order": await id_of(rita, "order", "SO-1")})
    assert answer["errors"] == [{"code": "NOT_FOUND", "path": ["from", "order"]}]


async def test_each_line_is_added_adjusted_or_rejected_and_says_why(portal: Portal, bea: Client) -> None:
    await portal.product("UNPRICED", price=None)
    answer = await lines(
        bea, ("A", "2"), ("B", "70"), ("C", "1.5"), ("UNPRICED", "1"), ("BB", "1"), ("A", "0"), ("A", "3")
    )
    assert answer["errors"] == []
    assert [(each["index"], each["sku"], each["asked"], each["quantity"]) for each in answer["added"]] == [
        (0, "A", "2", "2"),
        (6, "A", "3", "5"),
    ]
    stock, divided = answer["adjusted"]
    assert stock == {
        "index": 1,
        "line": None,
        "sku": "B",
        "asked": "70",
        "quantity": "50",
        "code": "INSUFFICIENT_STOCK",
        "reasons": [
            {
                "__typename": "InsufficientStockError",
                "code": "INSUFFICIENT_STOCK",
                "message": "Only 50 of B are available.",
                "path": ["from", "lines", "1"],
                "available": "50",
                "product": {"sku": "B"},
            }
        ],
        "suggestion": {"sku": None, "quantity": "50"},
    }
    assert (divided["quantity"], divided["code"]) == ("1", "QUANTITY_NOT_DIVISIBLE")
    assert [(each["index"], each["code"], each["quantity"]) for each in answer["rejected"]] == [
        (3, "PRICE_MISSING", "0"),
        (4, "PRODUCT_NOT_FOUND", "0"),
        (5, "QUANTITY_NOT_POSITIVE", "2"),
    ]
    assert [(each["sku"], each["quantity"]) for each in answer["cart"]["items"]] == [
        ("A", "5"),
        ("B", "50"),
        ("C", "1"),
    ]
    assert {each["origin"]["kind"] for each in (await cart(bea))["items"]} == {"LINES"}


async def test_a_company_that_allows_backorders_takes_any_quantity(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("B", stock_at={"W1": "1"})
    await portal.account("bea")
    answer = await lines(await at(portal).sign_in("bea"), ("B", "51"))
    assert codes(answer["added"]) == [("B", None)]


async def test_a_sku_that_is_a_letter_off_or_begins_alike_is_suggested(portal: Portal, bea: Client) -> None:
    await portal.product("K-1001")
    await portal.product("LAMP-RED")
    answer = await lines(bea, ("K-101", "1"), ("LAMP", "1"), ("k-1001", "1"), ("ZZZ", "1"))
    assert [each["suggestion"] and each["suggestion"]["sku"] for each in answer["rejected"]] == [
        "K-1001",
        "LAMP-RED",
        "K-1001",
        None,
    ]


async def test_what_was_meant_is_worked_out_once_for_each_sku(
    portal: Portal, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await portal.product("K-1001")
    built: list[str] = []
    neighbours, nearest = skus.neighbours, skus.nearest

    def counted(asked: str) -> set[str]:
        built.append(asked)
        return neighbours(asked)

    def also_counted(asked: str, *more: Any) -> str | None:
        built.append(f"nearest {asked}")
        return nearest(asked, *more)

    monkeypatch.setattr(skus, "neighbours", counted)
    monkeypatch.setattr(skus, "nearest", also_counted)
    answer = await lines(bea, *[("K-101", "1"), ("ZZZ", "1")] * 50)
    assert [each["suggestion"] for each in answer["rejected"]] == [
        {"sku": "K-1001", "quantity": None},
        None,
    ] * 50
    assert sorted(built) == ["K-101", "ZZZ", "nearest K-101", "nearest ZZZ"]


async def test_what_one_may_not_see_is_neither_found_nor_suggested(portal: Portal, at: At) -> None:
    await portal.product("HIDDEN-1")
    account_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.PRODUCT, RestrictionKind.WAREHOUSE)
    await portal.group(
        "some",
        account_id,
        profile=BuiltInProfile.CUSTOMER,
        modes=Modes(product=RestrictionMode.ALLOW_EXCEPT, warehouse=RestrictionMode.ALLOW_EXCEPT),
        lists={
            RestrictionKind.PRODUCT: [portal.products["HIDDEN-1"], portal.products["C"]],
            RestrictionKind.WAREHOUSE: [portal.warehouse_ids["W2"]],
        },
    )
    mia = await at(portal).sign_in("mia")
    answer = await fill(mia, {"csv": "HIDDEN-1,1\nHIDDEN,1\nB,1,W2\nB,1,W9"})
    # A warehouse that is not to be seen answers as one that is not there.
    assert [(each["code"], each["suggestion"]) for each in answer["rejected"]] == [
        ("PRODUCT_NOT_FOUND", None),
        ("PRODUCT_NOT_FOUND", None),
        ("WAREHOUSE_NOT_FOUND", None),
        ("WAREHOUSE_NOT_FOUND", None),
    ]
    # The customer knows from its document what it was offered: so it is told that this cannot be had.
    await portal.quotation("QU-1", skus=("C", "A"))
    found = await mia.ask('{ quotation(number: "QU-1") { id lines { sku name product { sku } } } }')
    assert found["quotation"]["lines"][0] == {"sku": "C", "name": "Product C", "product": None}
    answer = await fill(mia, {"quotation": found["quotation"]["id"]})
    assert codes(answer["rejected"]) == [("C", "PRODUCT_UNAVAILABLE")]
    assert codes(answer["added"]) == [("A", None)]


async def test_csv_is_read_line_by_line(bea: Client) -> None:
    text = "\ufeffSKU;Quantity;Warehouse\nA;2;W1\n\nB;two\nC;1,5\n;3\nB;6;W1\nA;1;W7\n"
    answer = await fill(bea, {"csv": text})
    assert [(each["index"], each["line"], each["sku"], each["code"]) for each in answer["rejected"]] == [
        (1, 4, "B", "CSV_LINE_UNREADABLE"),
        (2, 5, "C", "CSV_LINE_UNREADABLE"),
        (3, 6, "", "CSV_LINE_UNREADABLE"),
        (5, 8, "A", "WAREHOUSE_NOT_FOUND"),
    ]
    assert answer["rejected"][0]["asked"] is None
    assert answer["rejected"][0]["reasons"][0]["path"] == ["from", "csv", "4"]
    assert answer["rejected"][0]["reasons"][0]["message"] == "Line 4 is not like: sku,quantity,warehouse."
    assert [(each["line"], each["sku"]) for each in answer["added"]] == [(2, "A")]
    assert [(each["line"], each["sku"], each["quantity"], each["code"]) for each in answer["adjusted"]] == [
        (7, "B", "5", "INSUFFICIENT_STOCK"),
    ]
    assert [
        (each["sku"], each["warehouse"]["code"], each["origin"]["kind"])
        for each in (await cart(bea))["items"]
    ] == [
        ("A", "W1", "CSV"),
        ("B", "W1", "CSV"),
    ]


async def test_csv_that_is_no_list_of_products_is_told_and_stops_nothing_else(bea: Client) -> None:
    answer = await fill(bea, {"csv": "A,1" + "," * 200_000 + "\n" + "x" * 1_001 + ",1\nB,1"})
    assert [(each["line"], each["code"]) for each in answer["rejected"]] == [
        (1, "CSV_LINE_UNREADABLE"),
        (2, "CSV_LINE_UNREADABLE"),
    ]
    assert codes(answer["added"]) == [("B", None)]
    for text in ("," * 500_000, "\n" * 260_000, "A,1\n" * 70_000):
        assert (await fill(bea, {"csv": text}))["errors"] == [
            {"code": "TEXT_TOO_LONG", "path": ["from", "csv"]}
        ]


@pytest.mark.parametrize("kind", ["csv", "lines"])
async def test_more_lines_than_a_cart_holds_are_refused_as_a_whole(kind: str, bea: Client) -> None:
    many = {"csv": "A,1\n" * 1_001, "lines": [{"sku": "A", "quantity": "1"}] * 1_001}
    answer = await fill(bea, {kind: many[kind]})
    assert answer["errors"] == [{"code": "CART_FULL", "path": ["from", kind]}]
    assert (await cart(bea))["items"] == []


async def test_a_source_is_exactly_one(bea: Client) -> None:
    for source in ({}, {"csv": "A,1", "lines": []}, {"csv": None}):
        assert (await bea.refusal(FILL, input={"from": source}))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_line_too_many_for_the_cart_is_told(portal: Portal, bea: Client) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(
            """insert into products (tenant_id, id, sku, name, kind, unit, tax_rate)
            select $1, gen_random_uuid(), 'S' || n, 'Service', 'SERVICE', 'pcs', 20 from generate_series(1, 1000) n""",
            portal.tenant_id,
        )
        await connection.fetch_text(
            """insert into prices (tenant_id, product_id, price_list_id, currency, min_quantity, unit_price)
            select $1, id, $2, 'GBP', 1, 1 from products where sku ^@ 'S'""",
            portal.tenant_id,
            portal.price_list_id,
        )
    await lines(bea, *((f"S{number}", "1") for number in range(1, 1_000)))
    answer = await lines(bea, ("A", "1"), ("B", "1"), ("S5", "1"))
    assert codes(answer["added"]) == [("A", None), ("S5", None)]
    assert codes(answer["rejected"]) == [("B", "CART_FULL")]


async def test_an_earlier_order_is_copied_at_todays_prices(portal: Portal, bea: Client) -> None:
    await portal.order("SO-1", skus=("A", "B", "C"))
    await portal.withdraw("C")
    answer = await fill(bea, {"order": await id_of(bea, "order", "SO-1")})
    assert codes(answer["rejected"]) == [("C", "PRODUCT_UNAVAILABLE")]
    assert answer["rejected"][0]["reasons"][0]["path"] == ["from", "order", "2"]
    found = (await cart(bea))["items"]
    assert [(each["sku"], each["unitPrice"]["amount"], each["warehouse"]["code"]) for each in found] == [
        ("A", "2.00", "W1"),
        ("B", "4.00", "W2"),
    ]
    assert found[0]["origin"] == {"kind": "ORDER", "quotation": None, "order": {"number": "SO-1"}}


async def test_a_quotations_price_holds_as_long_as_the_line_asks_for_no_more(
    portal: Portal, bea: Client
) -> None:
    await portal.quotation("QU-1", skus=("A", "B"), unit_price="1.25", quantity="3")
    source = {"quotation": await id_of(bea, "quotation", "QU-1")}
    assert codes((await fill(bea, source))["added"]) == [("A", None), ("B", None)]
    # Once more is not twice that.
    assert [each["quantity"] for each in (await fill(bea, source))["added"]] == ["3", "3"]
    item, other = (await cart(bea))["items"]
    assert (item["unitPrice"]["amount"], item["notice"]) == ("1.25", None)
    assert item["origin"] == {"kind": "QUOTATION", "quotation": {"number": "QU-1"}, "order": None}
    for quantity, price, notice in (
        (
            "4",
            "2.00",
            {"code": "QUOTATION_QUANTITY_EXCEEDED", "message": "The quotation's price holds for at most 3."},
        ),
        ("2", "1.25", None),
    ):
        await bea.ask(UPDATE, input={"item": item["id"], "quantity": quantity})
        now = (await cart(bea))["items"][0]
        assert (now["unitPrice"]["amount"], now["notice"], now["problem"]) == (price, notice, None)
    answer = await lines(bea, ("B", "1"))
    assert codes(answer["adjusted"]) == [("B", "QUOTATION_QUANTITY_EXCEEDED")]
    assert (await cart(bea))["items"][1]["origin"]["kind"] == "QUOTATION"
    await bea.ask(UPDATE, input={"item": other["id"], "quantity": "3"})
    assert (await cart(bea))["items"][1]["unitPrice"]["amount"] == "1.25"


async def test_a_quotations_price_holds_only_for_the_unit_of_its_line(portal: Portal, bea: Client) -> None:
    await portal.quotation("QU-1", skus=("A", "B"), unit_price="1.25", quantity="3")
    source = {"quotation": await id_of(bea, "quotation", "QU-1")}
    assert codes((await fill(bea, source))["added"]) == [("A", None), ("B", None)]
    async with portal.writing() as connection:
        await connection.fetch_text("update products set unit = 'box' where sku = 'A'")
    one, other = (await cart(bea))["items"]
    assert (one["unitPrice"]["amount"], one["notice"]["code"]) == ("2.00", "QUOTATION_UNUSABLE")
    assert (other["unitPrice"]["amount"], other["notice"]) == ("1.25", None)
    answer = await fill(bea, source, replace=True)
    assert codes(answer["adjusted"]) == [("A", "QUOTATION_UNUSABLE")]
    assert codes(answer["added"]) == [("B", None)]


@pytest.mark.parametrize(
    ("state", "days", "code"),
    [
        (QuotationState.ISSUED, -1, "QUOTATION_EXPIRED"),
        (QuotationState.DECLINED, 1, "QUOTATION_CLOSED"),
        (QuotationState.ORDERED, 1, "QUOTATION_CLOSED"),
    ],
)
async def test_a_quotation_that_no_longer_holds_fills_the_cart_at_todays_prices_and_says_so(
    state: QuotationState, days: int, code: str, portal: Portal, bea: Client
) -> None:
    await portal.quotation("QU-1", state=state, valid_days=days)
    answer = await fill(bea, {"quotation": await id_of(bea, "quotation", "QU-1")})
    assert codes(answer["adjusted"]) == [("A", code)]
    (item,) = (await cart(bea))["items"]
    assert (item["unitPrice"]["amount"], item["notice"]["code"], item["problem"]) == ("2.00", code, None)
    (order,) = (await bea.ask(PLACE))["orderPlace"]["orders"]
    assert order["quotation"] is None


async def test_a_quotation_that_expires_in_the_cart_says_so(portal: Portal, bea: Client) -> None:
    quotation_id = await portal.quotation("QU-1")
    await fill(bea, {"quotation": await id_of(bea, "quotation", "QU-1")})
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update quotations set valid_until = current_date - 1 where id = $1", quotation_id
        )
    (item,) = (await cart(bea))["items"]
    assert (item["unitPrice"]["amount"], item["notice"]["code"]) == ("2.00", "QUOTATION_EXPIRED")


@pytest.mark.parametrize("what", ["currency = 'USD'", "tax_included = true"])
async def test_a_quotation_in_another_currency_or_with_tax_does_not_hold(
    what: str, portal: Portal, bea: Client
) -> None:
    await portal.quotation("QU-1")
    async with portal.writing() as connection:
        await connection.fetch_text(f"update quotations set {what}")
    answer = await fill(bea, {"quotation": await id_of(bea, "quotation", "QU-1")})
    assert codes(answer["adjusted"]) == [("A", "QUOTATION_UNUSABLE")]
    assert (await cart(bea))["items"][0]["notice"]["code"] == "QUOTATION_UNUSABLE"


async def test_replacing_empties_the_cart_only_when_something_is_taken(bea: Client) -> None:
    await lines(bea, ("A", "1"), ("B", "1"))
    answer = await lines(bea, ("NO", "1"), replace=True)
    assert [each["sku"] for each in answer["cart"]["items"]] == ["A", "B"]
    assert answer["cart"]["version"] == 1
    answer = await lines(bea, ("NO", "1"), ("B", "2"), replace=True, version=1)
    assert answer["cart"] == {"version": 2, "items": [{"sku": "B", "quantity": "2"}]}
    assert (await lines(bea, ("A", "1"), version=1))["errors"] == [
        {"code": "VERSION_CONFLICT", "path": ["version"]}
    ]


async def test_the_same_key_fills_once_and_tells_the_same(portal: Portal, bea: Client) -> None:
    given = (("A", "2"), ("B", "70"), ("AAA", "1"), ("A", "0"))
    answers = await asyncio.gather(*(lines(bea, *given, idempotencyKey="once") for _ in range(5)))
    assert all(each == answers[0] for each in answers)
    assert answers[0]["adjusted"][0]["reasons"][0]["available"] == "50"
    assert [each["quantity"] for each in (await cart(bea))["items"]] == ["2", "50"]
    refused = await lines(bea, ("A", "1"), idempotencyKey="once")
    assert refused["errors"] == [{"code": "IDEMPOTENCY_KEY_REUSED", "path": ["idempotencyKey"]}]


async def test_hostile_text_is_told_literally(bea: Client) -> None:
    sku = "'; drop table products; --"
    answer = await fill(bea, {"csv": f'"{sku}",1'})
    assert codes(answer["rejected"]) == [(sku, "PRODUCT_NOT_FOUND")]


async def test_messages_come_in_german(bea: Client) -> None:
    bea.headers["accept-language"] = "de"
    answer = await fill(bea, {"csv": "A"})
    assert (
        answer["rejected"][0]["reasons"][0]["message"]
        == "Zeile 1 ist nicht von der Form: Artikel,Menge,Lager."
    )


async def test_the_carts_actions_say_what_the_mutations_do(portal: Portal, bea: Client) -> None:
    async def told() -> dict[str, Any]:
        actions = {each["name"]: each for each in (await cart(bea))["actions"]}
        assert set(actions) == {"PLACE", "CLEAR", "FILL"}
        assert actions["CLEAR"]["allowed"]
        assert actions["FILL"]["allowed"]
        place: dict[str, Any] = actions["PLACE"]
        assert place["missingPermission"] is None
        assert place["allowed"] is (place["reason"] is None)
        return place

    async def placed() -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = (await bea.ask(PLACE))["orderPlace"]["errors"]
        return errors

    assert [(await told())["reason"]] == await placed() == [{"code": "CART_EMPTY", "path": []}]
    await lines(bea, ("A", "1"), ("B", "1"))
    await portal.withdraw("B")
    assert [(await told())["reason"]] == await placed()
    assert (await told())["reason"] == {"code": "PRODUCT_UNAVAILABLE", "path": ["cart", "items", "1"]}
    await lines(bea, ("A", "1"), replace=True)
    assert (await told())["allowed"]
    assert await placed() == []


async def test_who_looks_on_can_do_nothing_with_the_cart(portal: Portal, bea: Client, at: At) -> None:
    await portal.staff_member("stan")
    stan = await at(portal).sign_in("stan")
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    onlooker = await stan.view_as(account)
    assert (await cart(onlooker))["actions"] == (await cart(bea))["actions"]
    assert [each["code"] for each in (await lines(onlooker, ("A", "1")))["errors"]] == ["READ_ONLY_SESSION"]


@pytest.mark.parametrize("source", [{"csv": ""}, {"csv": "sku,quantity\n\n"}, {"lines": []}])
async def test_what_names_no_product_fills_nothing_and_is_told(source: dict[str, Any], bea: Client) -> None:
    assert (await fill(bea, source))["errors"] == [{"code": "CART_SOURCE_EMPTY", "path": ["from", *source]}]
