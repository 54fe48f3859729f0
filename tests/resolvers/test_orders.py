"""Orders, over HTTP: placing them, what can go wrong, and watching them."""

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

import db
from rules.lifecycle import ProcessingState
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import CART, add
from tests.world import Portal, World

ORDER = """id number placedAt taxIncluded purchaseOrderNumber comment version
  status { code name processingState } customer { code } warehouse { code } placedTogether { number }
  totals { net { amount } tax { amount } total { amount currency } }
  lines { position sku name unit quantity shippedQuantity outstandingQuantity unitPrice { amount }
    taxRate amount { amount } product { sku } warehouse { code } }"""
PLACE = f"""mutation($input: OrderPlaceInput!) {{ orderPlace(input: $input) {{ orders {{ {ORDER} }}
  errors {{ __typename code message path ... on InsufficientStockError {{ available product {{ sku }} }} }} }} }}"""
ORDERS = "query($filter: OrderFilter, $orderBy: [OrderOrder!]) { orders(filter: $filter, orderBy: $orderBy) { totalCount nodes { number } } }"
STOCK = "{ products(first: 100) { nodes { sku stock { warehouse { code } onHand reserved available } } } }"


async def place(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(PLACE, input=given))["orderPlace"]
    return answer


async def reserved(client: Client) -> dict[tuple[str, str], str]:
    found = await client.ask(STOCK)
    return {
        (product["sku"], level["warehouse"]["code"]): level["reserved"]
        for product in found["products"]["nodes"]
        for level in product["stock"]
    }


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


async def test_an_outsider_neither_sees_nor_places_orders(portal: Portal, at: At) -> None:
    outsider = at(portal)
    assert (await outsider.refusal(ORDERS))["extensions"]["code"] == "UNAUTHENTICATED"
    assert [each["code"] for each in (await place(outsider))["errors"]] == ["UNAUTHENTICATED"]


async def test_another_customers_orders_are_not_there(portal: Portal, bea: Client, at: At) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    order = (await place(bea))["orders"][0]
    await portal.account("cleo", customer="C2")
    cleo = await at(portal).sign_in("cleo")
    assert (await cleo.ask(ORDERS))["orders"] == {"totalCount": 0, "nodes": []}
    look = "query($id: ID!, $number: String!) { a: order(id: $id) { id } b: order(number: $number) { id } node(id: $id) { id } }"
    found = await cleo.ask(look, id=order["id"], number=order["number"])
    assert found == {"a": None, "b": None, "node": None}


async def test_staff_see_the_orders_of_all_customers(portal: Portal, bea: Client, at: At) -> None:
    await portal.customer("C2")
    await portal.order("SO-900001")
    await portal.order("SO-900002", customer="C2")
    await portal.staff_member("stan")
    stan = await at(portal).sign_in("stan")
    assert (await stan.ask(ORDERS, orderBy=["NUMBER_ASC"]))["orders"]["nodes"] == [
        {"number": "SO-900001"},
        {"number": "SO-900002"},
    ]
    assert [each["code"] for each in (await place(stan))["errors"]] == ["MISSING_PERMISSION"]


async def test_a_cart_that_ships_from_two_warehouses_becomes_two_orders(portal: Portal, bea: Client) -> None:
    await add(
        bea, {"sku": "A", "quantity": "3"}, {"sku": "B", "quantity": "2"}, {"sku": "S", "quantity": "1"}
    )
    placed = await place(bea, purchaseOrderNumber="PO 7", comment="Ring twice")
    assert placed["errors"] == []
    first, second = placed["orders"]
    assert (first["number"], second["number"]) == ("SO-000001", "SO-000002")
    assert (first["warehouse"]["code"], second["warehouse"]["code"]) == ("W1", "W2")
    assert [line["sku"] for line in first["lines"]] == ["A", "S"]
    assert first["placedTogether"] == [{"number": "SO-000002"}]
    assert first["status"] == {"code": "not-started", "name": "Received", "processingState": "NOT_STARTED"}
    assert {name: each["amount"] for name, each in first["totals"].items()} == {
        "net": "17.49",
        "tax": "3.50",
        "total": "20.99",
    }
    assert {name: each["amount"] for name, each in second["totals"].items()} == {
        "net": "8.00",
        "tax": "0.40",
        "total": "8.40",
    }
    assert second["lines"][0] == {
        "position": 1,
        "sku": "B",
        "name": "Product B",
        "unit": "pcs",
        "quantity": "2",
        "shippedQuantity": "0",
        "outstandingQuantity": "2",
        "unitPrice": {"amount": "4.00"},
        "taxRate": "5",
        "amount": {"amount": "8.00"},
        "product": {"sku": "B"},
        "warehouse": {"code": "W2"},
    }
    assert await reserved(bea) == {("A", "W1"): "3", ("A", "W2"): "0", ("B", "W1"): "0", ("B", "W2"): "2"}
    cart = (await bea.ask(CART))["cart"]
    assert (cart["items"], cart["version"]) == ([], 2)
    listed = (await bea.ask(ORDERS, orderBy=["NUMBER_DESC"]))["orders"]
    assert [each["number"] for each in listed["nodes"]] == ["SO-000002", "SO-000001"]


async def test_an_order_keeps_its_own_copy_of_what_was_ordered(portal: Portal, bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    order = (await place(bea))["orders"][0]
    async with portal.writing() as connection:
        await connection.fetch_text("update products set name = 'Renamed', tax_rate = 99, active = false")
        await connection.fetch_text("update prices set unit_price = 777")
    again = (await bea.ask(f"query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}", id=order["id"]))["order"]
    assert again["lines"][0]["product"] is None
    again["lines"][0]["product"] = {"sku": "A"}
    assert again == order


async def test_an_empty_cart_orders_nothing(bea: Client) -> None:
    answer = await place(bea)
    assert (answer["orders"], [each["code"] for each in answer["errors"]]) == (None, ["CART_EMPTY"])


async def test_every_line_that_cannot_be_ordered_is_told_and_nothing_is_ordered(
    portal: Portal, bea: Client
) -> None:
    await portal.product("GONE")
    await add(
        bea, {"sku": "A", "quantity": "11"}, {"sku": "GONE", "quantity": "1"}, {"sku": "B", "quantity": "1"}
    )
    await portal.withdraw("GONE")
    answer = await place(bea)
    assert answer["orders"] is None
    assert answer["errors"] == [
        {
            "__typename": "InsufficientStockError",
            "code": "INSUFFICIENT_STOCK",
            "message": "Only 10 of A are available.",
            "path": ["cart", "items", "0"],
            "available": "10",
            "product": {"sku": "A"},
        },
        {
            "__typename": "PlainUserError",
            "code": "PRODUCT_UNAVAILABLE",
            "message": "GONE cannot be ordered.",
            "path": ["cart", "items", "1"],
        },
    ]
    assert len((await bea.ask(CART))["cart"]["items"]) == 3
    assert set((await reserved(bea)).values()) == {"0"}
    assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 0


async def test_a_cart_that_changed_since_it_was_read_is_not_ordered(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    await add(bea, {"sku": "A", "quantity": "1"})
    answer = await place(bea, version=1)
    assert [each["code"] for each in answer["errors"]] == ["VERSION_CONFLICT"]


@pytest.mark.parametrize(
    ("given", "path"),
    [({"comment": "x" * 2_001}, ["comment"]), ({"purchaseOrderNumber": "x" * 101}, ["purchaseOrderNumber"])],
)
async def test_a_text_that_is_too_long_is_refused(
    bea: Client, given: dict[str, str], path: list[str]
) -> None:
    answer = await place(bea, **given)
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [("TEXT_TOO_LONG", path)]


async def test_twenty_equal_calls_with_one_key_place_one_order(bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    answers = await asyncio.gather(*(place(bea, idempotencyKey="once") for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["orders"][0]["number"] == "SO-000001"
    assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 1


async def test_a_key_whose_call_was_refused_can_be_used_again(bea: Client) -> None:
    assert (await place(bea, idempotencyKey="later"))["errors"][0]["code"] == "CART_EMPTY"
    await add(bea, {"sku": "A", "quantity": "1"})
    assert (await place(bea, idempotencyKey="later"))["errors"] == []


async def test_fifty_buyers_of_the_last_item_get_one_order(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.product("LAST", stock_at={"W1": "1"})
    buyers = []
    for number in range(50):
        await portal.account(f"buyer-{number}", customer=f"C{number}")
        buyers.append(await at(portal).sign_in(f"buyer-{number}"))
        await add(buyers[-1], {"sku": "LAST", "quantity": "1"})
    answers = await asyncio.gather(*(place(buyer) for buyer in buyers))
    assert [answer["orders"][0]["number"] for answer in answers if answer["orders"]] == ["SO-000001"]
    refused = [error["code"] for answer in answers for error in answer["errors"]]
    assert refused == ["INSUFFICIENT_STOCK"] * 49
    assert await reserved(buyers[0]) == {("LAST", "W1"): "1"}


async def test_backorders_reserve_more_than_there_is(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("B", stock_at={"W1": "1"})
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "B", "quantity": "5"})
    assert (await place(bea))["errors"] == []
    level = (await bea.ask(STOCK))["products"]["nodes"][0]["stock"][0]
    assert (level["onHand"], level["reserved"], level["available"]) == ("1", "5", "0")


async def test_numbers_have_no_gaps_when_orders_fail_and_crowd(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "1000"})
    await portal.product("SCARCE", stock_at={"W1": "3"})
    buyers = []
    for number in range(6):
        await portal.account(f"buyer-{number}", customer=f"C{number}")
        buyers.append(await at(portal).sign_in(f"buyer-{number}"))

    async def shop(buyer: Client, round_: int) -> bool:
        sku = "SCARCE" if round_ % 3 == 0 else "A"
        await add(buyer, {"sku": sku, "quantity": "1"})
        answer = await place(buyer)
        if answer["errors"]:
            await buyer.ask("mutation { cartClear(input: {}) { errors { code } } }")
        return not answer["errors"]

    async def shop_often(buyer: Client) -> int:
        return sum([await shop(buyer, round_) for round_ in range(9)])

    placed = sum(await asyncio.gather(*(shop_often(buyer) for buyer in buyers)))
    async with portal.writing() as connection:
        numbers = [
            record[0] for record in await connection.fetch_text("select number from orders order by 1")
        ]
    assert placed == 6 * 6 + 3
    assert numbers == [f"SO-{number:06d}" for number in range(1, placed + 1)]


async def test_a_thousand_orders_with_faults_in_between_leave_no_gap_in_the_numbers(
    world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100000"})
    buyers = []
    for number in range(5):
        await portal.account(f"buyer-{number}", customer=f"C{number}")
        buyers.append(await at(portal).sign_in(f"buyer-{number}"))
        await add(buyers[-1], {"sku": "A", "quantity": "1"})
    calls = itertools.count(1)

    async def leaves_it_full(*_given: object) -> None:
        if next(calls) % 100 == 0:  # the number is taken by then, and the order written
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(db.carts, "clear", leaves_it_full)
    one = "o%d: orderPlace(input: {}) { orders { id } errors { code } }"
    five = "mutation { " + " ".join(one % each for each in range(5)) + " }"

    async def shop(buyer: Client) -> int:
        return sum([len((await buyer.post(five)).json().get("errors", [])) for _ in range(48)])

    faults = sum(await asyncio.gather(*map(shop, buyers)))
    async with portal.writing() as connection:
        kept = [row[0] for row in await connection.fetch_text("select number from orders order by 1")]
        lines = await connection.fetch_text("select count(*), sum(quantity) from order_lines")
        promised = await connection.fetch_text("select sum(reserved) from stock")
    assert faults >= 8
    assert len(kept) >= 1_000
    assert kept == [f"SO-{number:06d}" for number in range(1, len(kept) + 1)]
    assert lines[0][0] == len(kept)
    assert lines[0][1] == promised[0][0]


async def test_totals_equal_the_sum_of_the_lines(portal: Portal, bea: Client) -> None:
    await portal.product("X", price="0.333333", stock_at={"W1": "1000"}, tax_rate="7.00")
    await add(bea, {"sku": "X", "quantity": "7"}, {"sku": "A", "quantity": "3"})
    order = (await place(bea))["orders"][0]
    lines = sum(round(float(line["amount"]["amount"]) * 100) for line in order["lines"])
    assert lines == round(float(order["totals"]["net"]["amount"]) * 100) == 233 + 750


async def test_orders_are_filtered_by_state_day_and_number(portal: Portal, bea: Client) -> None:
    await portal.order("SO-900001", placed_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    await portal.order(
        "SO-900002", placed_at=datetime(2026, 3, 2, 0, 0, tzinfo=UTC), state=ProcessingState.COMPLETED
    )
    await portal.order("TO-900003", placed_at=datetime(2026, 3, 3, 12, 0, tzinfo=UTC))

    async def found(**filter_: Any) -> list[str]:
        answer = await bea.ask(ORDERS, filter=filter_, orderBy=["PLACED_AT_ASC"])
        assert answer["orders"]["totalCount"] == len(answer["orders"]["nodes"])
        return [each["number"][-1] for each in answer["orders"]["nodes"]]

    assert await found() == ["1", "2", "3"]
    assert await found(processingStates=["COMPLETED", "CANCELLED"]) == ["2"]
    assert await found(processingStates=[]) == []
    assert await found(placedFrom="2026-03-02") == ["2", "3"]
    assert await found(placedTo="2026-03-01") == ["1"]
    assert await found(placedFrom="2026-03-02", placedTo="2026-03-02") == ["2"]
    assert await found(placedTo="9999-12-31") == ["1", "2", "3"]
    assert await found(number="SO-9") == ["1", "2"]
    assert await found(number="%") == []


async def test_an_order_is_found_by_number_or_id_and_by_nothing_else(portal: Portal, bea: Client) -> None:
    await portal.order("SO-900001")
    by_number = await bea.ask('{ order(number: "SO-900001") { id number } }')
    by_id = await bea.ask("query($id: ID!) { order(id: $id) { id number } }", id=by_number["order"]["id"])
    assert by_id == by_number
    for document in ("{ order { id } }", '{ order(id: "x", number: "SO-900001") { id } }'):
        assert (await bea.refusal(document))["extensions"]["code"] == "INVALID_INPUT"
    assert await bea.ask('{ order(id: "garbage") { id } }') == {"order": None}


async def test_the_status_is_named_in_the_language_of_the_request(portal: Portal, bea: Client) -> None:
    await portal.order("SO-900001")
    bea.headers["accept-language"] = "de"
    found = await bea.ask('{ order(number: "SO-900001") { status { name code } } }')
    assert found["order"]["status"] == {"name": "In Bearbeitung", "code": "in-progress"}


async def test_a_fault_after_the_last_write_keeps_nothing(
    portal: Portal, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_given: object) -> None:
        raise RuntimeError("a fault of ours")

    await add(bea, {"sku": "A", "quantity": "1"})
    twice = """mutation($input: OrderPlaceInput!) {
      orderPlace(input: $input) { orders { id } } cartAddItems(input: {items: []}) { cart { version } } }"""
    for document in (PLACE, twice):
        with monkeypatch.context() as patched:
            patched.setattr(db.carts, "touch", fails)
            answer = (await bea.post(document, {"input": {"idempotencyKey": "k"}})).json()
        assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 0
        assert set((await reserved(bea)).values()) == {"0"}
    assert (await place(bea, idempotencyKey="k"))["orders"][0]["number"] == "SO-000001"


async def test_an_amount_beyond_all_money_is_refused_and_leaves_no_trace(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("DEAR", price="999999999")
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "DEAR", "quantity": "999999999"})
    answer = await place(bea, idempotencyKey="k")
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("AMOUNT_TOO_LARGE", ["cart", "items", "0"])
    ]
    await bea.ask("mutation { cartClear(input: {}) { errors { code } } }")
    await add(bea, {"sku": "DEAR", "quantity": "1"})
    assert (await place(bea, idempotencyKey="k"))["orders"][0]["number"] == "SO-000001"


async def test_an_order_takes_the_price_of_the_moment_at_which_it_gets_the_stock(
    portal: Portal, bea: Client
) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    async with portal.writing() as connection:
        await connection.fetch_text("select from stock for update")
        placing = asyncio.create_task(place(bea))
        await asyncio.sleep(0.2)
        assert not placing.done()
        await connection.fetch_text("update prices set unit_price = 99")
    assert (await placing)["orders"][0]["lines"][0]["unitPrice"]["amount"] == "99.00"


async def test_who_waits_too_long_for_stock_is_told_to_try_again(portal: Portal, bea: Client) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    async with portal.writing() as connection:
        await connection.fetch_text("select from stock for update")
        response = await bea.post(PLACE, {"input": {}})
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"
    assert (await place(bea))["errors"] == []
