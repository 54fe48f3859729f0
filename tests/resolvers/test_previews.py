"""Previews of orders, over HTTP: what would be ordered, and placing that is held to what was shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.contacts import addresses
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from rules.stock import StockPolicy
from tenants import previews
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import UPDATE, add
from tests.resolvers.test_orders import ORDERS, reserved
from tests.world import Portal, World, put

PREVIEW = """query($shipTo: ID) { orderPreview(shipTo: $shipTo) { cartVersion previewToken expiresAt
  orders { warehouse { code } taxIncluded promisedOn lines { sku quantity unitPrice { amount } amount { amount } }
    totals { net { amount } tax { amount } total { amount currency } } }
  totals { total { amount } }
  unavailable { item { id sku } reason { code message } alternatives { warehouse { id code } available } }
  shipTo { id city } credit { limit { amount } used { amount } after { amount } }
  errors { code path } warnings { code } } }"""
PLACE = """mutation($input: OrderPlaceInput!) { orderPlace(input: $input) {
  orders { id number requestedOn promisedOn shipTo { kind name street postalCode city region country } totals { total { amount } } }
  warnings { code }
  errors { code message path ... on PreviewChangedError { differences { field sku before after } } } } }"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", price="2.50", stock_at={"W1": "10", "W2": "1"})
    await portal.product("B", price="4.00", stock_at={"W1": "0", "W2": "7"}, tax_rate="5.00")
    await portal.product("S", price="9.99", kind="SERVICE")
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def preview(client: Client, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await client.ask(PREVIEW, **given))["orderPreview"]
    return found


async def token(client: Client) -> str:
    """What a preview gives that can be ordered."""
    found = await preview(client)
    assert found["errors"] == []
    given: str = found["previewToken"]
    return given


async def place(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(PLACE, input=given))["orderPlace"]
    return answer


def told(answer: dict[str, Any]) -> dict[tuple[str, str | None], tuple[str | None, str | None]]:
    """The differences of a refusal because of a preview, by field and SKU."""
    assert answer["orders"] is None
    error = answer["errors"][0]
    assert (error["code"], error["path"]) == ("PREVIEW_CHANGED", ["previewToken"])
    return {(each["field"], each["sku"]): (each["before"], each["after"]) for each in error["differences"]}


async def run(portal: Portal, sql: str, *values: Any) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(sql, *values)


async def address(portal: Portal, city: str, *, kind: str = "SHIPPING", customer: str = "C1") -> None:
    async with portal.writing() as connection:
        there = await connection.fetch_text("select count(*) from addresses")
        await put(
            connection,
            addresses,
            customer_id=portal.customers[customer],
            position=there[0][0] + 1,
            kind=kind,
            name="Goods in",
            street="Quay 1\nGate 2",
            postal_code="1",
            city=city,
            region="",
            country="United Kingdom",
        )


async def test_an_outsider_and_who_may_not_order_get_no_preview(portal: Portal, at: At) -> None:
    assert (await at(portal).refusal(PREVIEW))["extensions"]["code"] == "UNAUTHENTICATED"
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    await portal.staff_member("stan")
    for name in ("vera", "stan"):
        refusal = await (await at(portal).sign_in(name)).refusal(PREVIEW)
        assert refusal["extensions"]["code"] == "MISSING_PERMISSION"


async def test_another_tenants_and_a_colleagues_token_is_none(
    world: World, portal: Portal, bea: Client, at: At
) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    given = await token(bea)
    await portal.account("ben")
    elsewhere = await world.portal()
    await elsewhere.product("A", price="2.50")
    await elsewhere.account("bea")
    for somebody in (await at(portal).sign_in("ben"), await at(elsewhere).sign_in("bea")):
        await add(somebody, {"sku": "A", "quantity": "1"})
        answer = await place(somebody, previewToken=given)
        assert [(each["code"], each["path"]) for each in answer["errors"]] == [
            ("PREVIEW_TOKEN_INVALID", ["previewToken"])
        ]
        assert (await somebody.ask(ORDERS))["orders"]["totalCount"] == 0


async def test_another_customers_address_is_not_there(portal: Portal, bea: Client, at: At) -> None:
    await portal.account("cleo", customer="C2")
    await address(portal, "Hull")
    await address(portal, "York", customer="C2")
    cleo = await at(portal).sign_in("cleo")
    await add(bea, {"sku": "A", "quantity": "1"})
    await add(cleo, {"sku": "A", "quantity": "1"})
    theirs = (await preview(cleo))["shipTo"]["id"]
    for asked in (theirs, global_id("Address", portal.tenant_id), "x", ""):
        assert (await bea.refusal(PREVIEW, shipTo=asked))["extensions"]["code"] == "NOT_FOUND"
        answer = await place(bea, shipTo=asked)
        assert [(each["code"], each["path"]) for each in answer["errors"]] == [("NOT_FOUND", ["shipTo"])]


async def test_a_preview_shows_the_orders_that_placing_makes(portal: Portal, bea: Client) -> None:
    await add(
        bea, {"sku": "A", "quantity": "3"}, {"sku": "B", "quantity": "2"}, {"sku": "S", "quantity": "1"}
    )
    shown = await preview(bea)
    assert [each["warehouse"]["code"] for each in shown["orders"]] == ["W1", "W2"]
    assert [[line["sku"] for line in each["lines"]] for each in shown["orders"]] == [["A", "S"], ["B"]]
    assert shown["orders"][0]["totals"] == {
        "net": {"amount": "17.49"},
        "tax": {"amount": "3.50"},
        "total": {"amount": "20.99", "currency": "GBP"},
    }
    assert (shown["totals"]["total"]["amount"], shown["cartVersion"]) == ("29.39", 1)
    assert (shown["unavailable"], shown["errors"], shown["warnings"]) == ([], [], [])
    assert (shown["shipTo"], shown["credit"]) == (None, None)
    assert not shown["orders"][0]["taxIncluded"]
    assert set((await reserved(bea)).values()) == {"0"}
    placed = await place(bea, previewToken=shown["previewToken"])
    assert placed["errors"] == []
    assert [(each["totals"]["total"]["amount"], each["promisedOn"]) for each in placed["orders"]] == [
        (each["totals"]["total"]["amount"], each["promisedOn"]) for each in shown["orders"]
    ]


async def test_a_preview_tells_what_cannot_be_ordered_and_from_where_it_can(
    portal: Portal, bea: Client
) -> None:
    await portal.product("GONE")
    await portal.product("MANY", stock_at={"W1": "3", "W2": "9"})
    west = global_id("Warehouse", portal.warehouse_ids["W1"])
    await add(
        bea,
        {"sku": "A", "quantity": "1"},
        {"sku": "B", "quantity": "8"},
        {"sku": "GONE", "quantity": "1"},
        {"sku": "MANY", "quantity": "5", "warehouse": west},
    )
    await portal.withdraw("GONE")
    shown = await preview(bea)
    assert [[line["sku"] for line in each["lines"]] for each in shown["orders"]] == [["A"]]
    found = {each["item"]["sku"]: each for each in shown["unavailable"]}
    assert {sku: each["reason"]["code"] for sku, each in found.items()} == {
        "B": "INSUFFICIENT_STOCK",
        "GONE": "PRODUCT_UNAVAILABLE",
        "MANY": "INSUFFICIENT_STOCK",
    }
    assert [(each["warehouse"]["code"], each["available"]) for each in found["B"]["alternatives"]] == [
        ("W2", "7")
    ]
    assert found["GONE"]["alternatives"] == []
    (other,) = found["MANY"]["alternatives"]
    assert (other["warehouse"]["code"], other["available"]) == ("W2", "9")
    assert (shown["previewToken"], shown["expiresAt"]) == (None, None)
    placed = await place(bea)
    assert [(each["code"], each["path"]) for each in placed["errors"]] == [
        (each["code"], each["path"]) for each in shown["errors"]
    ]
    change = {"item": found["MANY"]["item"]["id"], "warehouse": other["warehouse"]["id"]}
    await bea.ask(UPDATE, input=change)
    assert {each["item"]["sku"] for each in (await preview(bea))["unavailable"]} == {"B", "GONE"}


async def test_an_empty_cart_has_a_preview_of_nothing(bea: Client) -> None:
    shown = await preview(bea)
    assert (shown["orders"], shown["cartVersion"], shown["previewToken"]) == ([], 0, None)
    assert shown["errors"] == [{"code": "CART_EMPTY", "path": []}]


CHANGES: list[tuple[str, dict[tuple[str, str | None], tuple[str | None, str | None]]]] = [
    (
        "update prices set unit_price = 3 where unit_price = 2.5",
        {
            ("UNIT_PRICE", "A"): ("2.5", "3"),
            ("AMOUNT", "A"): ("2.50", "3.00"),
            ("NET", None): ("6.50", "7.00"),
            ("TAX", None): ("0.70", "0.80"),
            ("TOTAL", None): ("7.20", "7.80"),
        },
    ),
    (
        "update products set tax_rate = 0 where sku = 'A'",
        {("TAX_RATE", "A"): ("20", "0"), ("TAX", None): ("0.70", "0.20"), ("TOTAL", None): ("7.20", "6.70")},
    ),
    (
        """update stock set on_hand = 50 where warehouse_id = (select id from warehouses where code = 'W2')""",
        {("WAREHOUSE", "A"): ("W1", "W2")},
    ),
    (
        "update portals set lead_days = lead_days + 1 where tenant_id = $1",
        {("PROMISED_ON", None): ("", "")},
    ),
]


@pytest.mark.parametrize(("sql", "expected"), CHANGES)
async def test_what_changed_since_the_preview_is_told_and_nothing_is_ordered(
    sql: str, expected: dict[Any, Any], portal: Portal, bea: Client
) -> None:
    await add(bea, {"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "1"})
    given = await token(bea)
    await run(portal, sql, *([portal.tenant_id] if "$1" in sql else []))
    found = told(await place(bea, previewToken=given))
    if ("PROMISED_ON", None) in expected:
        before, after = found.pop(("PROMISED_ON", None))
        assert before is not None
        assert after is not None
        assert before < after
        expected = {}
    assert found == expected
    assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 0
    assert set((await reserved(bea)).values()) == {"0"}
    assert (await place(bea, previewToken=await token(bea)))["errors"] == []


async def test_what_can_no_longer_be_had_is_told_with_its_reason(portal: Portal, bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "5"})
    given = await token(bea)
    await run(portal, "update stock set on_hand = 2")
    answer = await place(bea, previewToken=given)
    found = told(answer)
    assert (found["ORDERABLE", "A"], found["IN_STOCK", "A"]) == (("true", "false"), ("true", "false"))
    assert [each["code"] for each in answer["errors"]] == ["PREVIEW_CHANGED", "INSUFFICIENT_STOCK"]


async def test_where_backorders_are_taken_it_is_told_that_stock_has_run_out(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("A", stock_at={"W1": "5"})
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "A", "quantity": "5"})
    given = await token(bea)
    await run(portal, "update stock set on_hand = 4")
    assert told(await place(bea, previewToken=given)) == {("IN_STOCK", "A"): ("true", "false")}


async def test_more_or_less_stock_that_changes_nothing_for_the_order_is_no_difference(
    portal: Portal, bea: Client
) -> None:
    await add(bea, {"sku": "A", "quantity": "5"})
    given = await token(bea)
    await run(portal, "update stock set on_hand = 9 where on_hand = 10")
    assert (await place(bea, previewToken=given))["errors"] == []


async def test_a_cart_that_changed_since_the_preview_is_told_line_by_line(
    portal: Portal, bea: Client
) -> None:
    await add(bea, {"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "1"})
    given = await token(bea)
    await add(bea, {"sku": "A", "quantity": "1"}, {"sku": "S", "quantity": "1"})
    await run(portal, "delete from cart_items where product_id = (select id from products where sku = 'B')")
    found = told(await place(bea, previewToken=given))
    assert found["CART", None] == ("1", "2")
    assert found["QUANTITY", "A"] == ("1", "2")
    assert found["QUANTITY", "B"] == ("1", None)
    assert found["QUANTITY", "S"] == (None, "1")
    assert ("CURRENCY", None) not in found


async def test_a_token_places_one_order_however_often_it_is_sent(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    given = await token(bea)
    assert (await place(bea, previewToken=given))["errors"] == []
    again = await place(bea, previewToken=given)
    assert [each["code"] for each in again["errors"]] == ["PREVIEW_CHANGED", "CART_EMPTY"]
    assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 1


async def test_a_token_that_was_changed_is_invalid(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    whole = await token(bea)
    texts = [whole[:-1], f"{whole}A", "", "x", "ä", whole.swapcase(), "=" * 10]
    texts += [
        whole[:place] + ("A" if whole[place] != "A" else "B") + whole[place + 1 :] for place in (0, 50, 99)
    ]
    for text in texts:
        answer = await place(bea, previewToken=text)
        assert [each["code"] for each in answer["errors"]] == ["PREVIEW_TOKEN_INVALID"], text
    assert (await place(bea, previewToken=whole))["errors"] == []


async def test_a_token_that_is_too_old_has_expired(bea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    with monkeypatch.context() as patched:
        patched.setattr(previews, "expiry", lambda: datetime.now(UTC) - timedelta(seconds=1))
        old = await token(bea)
    answer = await place(bea, previewToken=old)
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("PREVIEW_TOKEN_EXPIRED", ["previewToken"])
    ]
    left = datetime.fromisoformat((await preview(bea))["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


async def test_an_order_goes_to_the_only_shipping_address_and_keeps_its_copy(
    portal: Portal, bea: Client
) -> None:
    await address(portal, "Leeds", kind="BILLING")
    await address(portal, "Hull")
    await add(bea, {"sku": "A", "quantity": "1"})
    shown = await preview(bea)
    assert shown["shipTo"]["city"] == "Hull"
    placed = (await place(bea, previewToken=shown["previewToken"]))["orders"][0]
    await run(portal, "delete from addresses")
    found = await bea.ask(
        "query($id: ID!) { node(id: $id) { ... on Order { shipTo { city street } } } }", id=placed["id"]
    )
    assert found["node"]["shipTo"] == {"city": "Hull", "street": "Quay 1\nGate 2"}


async def test_of_several_addresses_one_is_named_and_a_preview_holds_to_it(
    portal: Portal, bea: Client
) -> None:
    await address(portal, "Hull")
    await address(portal, "York")
    await add(bea, {"sku": "A", "quantity": "1"})
    assert (await preview(bea))["shipTo"] is None
    own = await bea.ask("{ viewer { customer { addresses { id city } } } }")
    hull, york = (each["id"] for each in own["viewer"]["customer"]["addresses"])
    shown = await preview(bea, shipTo=york)
    assert shown["shipTo"] == {"id": york, "city": "York"}
    found = told(await place(bea, previewToken=shown["previewToken"], shipTo=hull))
    assert found == {
        ("SHIP_TO", None): (
            "Goods in, Quay 1 Gate 2, 1, York, United Kingdom",
            "Goods in, Quay 1 Gate 2, 1, Hull, United Kingdom",
        )
    }
    (order,) = (await place(bea, previewToken=shown["previewToken"], shipTo=york))["orders"]
    assert order["shipTo"] == {
        "kind": "SHIPPING",
        "name": "Goods in",
        "street": "Quay 1\nGate 2",
        "postalCode": "1",
        "city": "York",
        "region": "",
        "country": "United Kingdom",
    }


async def test_an_address_that_was_changed_is_not_the_one_that_was_meant(portal: Portal, bea: Client) -> None:
    await address(portal, "Hull")
    await add(bea, {"sku": "A", "quantity": "1"})
    meant = (await preview(bea))["shipTo"]["id"]
    await run(portal, "delete from addresses")
    await address(portal, "York")
    assert [each["code"] for each in (await place(bea, shipTo=meant))["errors"]] == ["NOT_FOUND"]


async def test_a_day_is_asked_for_from_today_on(portal: Portal, bea: Client) -> None:
    async with portal.writing() as connection:
        today = (await connection.fetch_text("select current_date"))[0][0]
    await add(bea, {"sku": "A", "quantity": "1"})
    late = await place(bea, requestedOn=str(today - timedelta(days=1)))
    assert [(each["code"], each["path"]) for each in late["errors"]] == [
        ("REQUESTED_DAY_PAST", ["requestedOn"])
    ]
    assert str(today) in late["errors"][0]["message"]
    (order,) = (await place(bea, requestedOn=str(today)))["orders"]
    assert order["requestedOn"] == str(today)
