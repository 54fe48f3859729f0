"""Credit limits, over HTTP: what an order makes of them, who is told, and what a company does about it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from rules.lifecycle import ProcessingState
from rules.permissions import BuiltInProfile
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_deliveries import move
from tests.resolvers.test_orders import ORDERS, reserved
from tests.world import Portal, World

ERROR = (
    """code path ... on CreditLimitExceededError { limit { amount currency } wouldBe { amount currency } }"""
)
PLACE = f"""mutation($input: OrderPlaceInput!) {{ orderPlace(input: $input) {{ orders {{ id number }}
  warnings {{ {ERROR} }} errors {{ {ERROR} }} }} }}"""
PREVIEW = f"""{{ orderPreview {{ previewToken credit {{ limit {{ amount currency }} used {{ amount }} after {{ amount }} }}
  warnings {{ {ERROR} }} errors {{ {ERROR} }} }} }}"""
UPDATE = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
  portal { creditPolicy } errors { code } } }"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "1000"})
    await portal.account("carl", profile=BuiltInProfile.CUSTOMER)
    await portal.account("bea")
    await portal.staff_member("stan")
    await limit(portal, 10_000)
    return portal


@pytest.fixture
async def carl(portal: Portal, at: At) -> Client:
    """Somebody who may read balances too."""
    return await at(portal).sign_in("carl")


async def run(portal: Portal, sql: str, *values: Any) -> list[Any]:
    async with portal.writing() as connection:
        return list(await connection.fetch_text(sql, *values))


async def limit(portal: Portal, minor: int | None, customer: str = "C1") -> None:
    await run(portal, "update customers set credit_limit = $1 where code = $2", minor, customer)


async def block(portal: Portal, at: At) -> None:
    """As the company's staff decides it."""
    answer = await (await at(portal).sign_in("stan")).ask(UPDATE, input={"creditPolicy": "BLOCK"})
    assert answer["portalUpdate"] == {"portal": {"creditPolicy": "BLOCK"}, "errors": []}


async def place(client: Client, quantity: str | None = None, **given: Any) -> dict[str, Any]:
    """An order of some pieces at 12.00 with tax."""
    if quantity is not None:
        await add(client, {"sku": "A", "quantity": quantity})
    answer: dict[str, Any] = (await client.ask(PLACE, input=given))["orderPlace"]
    return answer


async def used(client: Client) -> str:
    found = (await client.ask(PREVIEW))["orderPreview"]["credit"]
    amount: str = found["used"]["amount"]
    return amount


def exceeded(would_be: str) -> dict[str, Any]:
    return {
        "code": "CREDIT_LIMIT_EXCEEDED",
        "path": [],
        "limit": {"amount": "100.00", "currency": "GBP"},
        "wouldBe": {"amount": would_be, "currency": "GBP"},
    }


async def test_only_staff_decides_what_a_limit_means(portal: Portal, carl: Client, at: At) -> None:
    for client in (at(portal), carl):
        answer = await client.ask(UPDATE, input={"creditPolicy": "BLOCK"})
        assert answer["portalUpdate"]["portal"] is None
    assert (await carl.ask("{ portal { creditPolicy } }"))["portal"] == {"creditPolicy": "WARN"}


async def test_what_others_owe_is_none_of_a_customers_limit(world: World, portal: Portal, at: At) -> None:
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.CUSTOMER)
    await limit(portal, 10_000, "C2")
    elsewhere = await world.portal()
    await elsewhere.product("A")
    await elsewhere.customer("C1")
    await elsewhere.order("SO-9")
    await portal.order("SO-1")
    cleo = await at(portal).sign_in("cleo")
    assert await used(cleo) == "0.00"
    assert (await place(cleo, "8"))["warnings"] == []


async def test_an_order_over_the_limit_is_placed_with_a_warning_or_refused_as_the_company_says(
    portal: Portal, carl: Client, at: At
) -> None:
    assert (await place(carl, "8"))["warnings"] == []
    await add(carl, {"sku": "A", "quantity": "1"})
    shown = (await carl.ask(PREVIEW))["orderPreview"]
    assert shown["credit"] == {
        "limit": {"amount": "100.00", "currency": "GBP"},
        "used": {"amount": "96.00"},
        "after": {"amount": "108.00"},
    }
    assert (shown["warnings"], shown["errors"]) == ([exceeded("108.00")], [])
    placed = await place(carl, previewToken=shown["previewToken"], idempotencyKey="k")
    assert (placed["warnings"], placed["errors"]) == ([exceeded("108.00")], [])
    assert await place(carl, previewToken=shown["previewToken"], idempotencyKey="k") == placed
    await block(portal, at)
    before = await reserved(carl)
    refused = await place(carl, "1")
    assert (refused["orders"], refused["errors"]) == (None, [exceeded("120.00")])
    shown = (await carl.ask(PREVIEW))["orderPreview"]
    assert (shown["warnings"], shown["errors"], shown["previewToken"]) == ([], [exceeded("120.00")], None)
    assert await reserved(carl) == before
    assert (await carl.ask(ORDERS))["orders"]["totalCount"] == 2


async def test_who_may_not_read_balances_is_warned_without_amounts(portal: Portal, at: At) -> None:
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "A", "quantity": "9"})
    bare: dict[str, Any] = {"code": "CREDIT_LIMIT_EXCEEDED", "path": [], "limit": None, "wouldBe": None}
    shown = (await bea.ask(PREVIEW))["orderPreview"]
    assert (shown["credit"], shown["warnings"]) == (None, [bare])
    assert (await place(bea))["warnings"] == [bare]


async def test_without_a_limit_nothing_is_asked(portal: Portal, carl: Client, at: At) -> None:
    await limit(portal, None)
    await block(portal, at)
    await add(carl, {"sku": "A", "quantity": "500"})
    assert (await carl.ask(PREVIEW))["orderPreview"]["credit"] is None
    placed = await place(carl)
    assert (placed["warnings"], placed["errors"]) == ([], [])


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], "12.00"),
        ([("INVOICE", 1_200, "GBP")], "12.00"),
        ([("INVOICE", 500, "GBP")], "12.00"),
        ([("INVOICE", 1_500, "GBP")], "15.00"),
        ([("INVOICE", 1_200, "GBP"), ("PAYMENT", -1_200, "GBP")], "0.00"),
        ([("PAYMENT", -1_200, "GBP")], "0.00"),
        ([("INVOICE", 1_200, "GBP"), ("CREDIT_NOTE", -200, "GBP")], "10.00"),
        ([("INVOICE", 9_900, "EUR")], "12.00"),
    ],
)
async def test_an_order_counts_once_as_ordered_or_as_invoiced_and_only_in_its_currency(
    moves: list[tuple[str, int, str]], expected: str, portal: Portal, carl: Client
) -> None:
    order_id = await portal.order("SO-1")
    for kind, amount, currency in moves:
        await move(portal, order_id, kind, amount, currency)
    assert await used(carl) == expected


async def test_what_is_shipped_counts_and_what_is_cancelled_does_not(portal: Portal, carl: Client) -> None:
    first = (await place(carl, "4"))["orders"][0]["number"]
    assert await used(carl) == "48.00"
    await run(portal, "update order_lines set shipped_quantity = 3, cancelled_quantity = 1")
    await run(
        portal,
        """update orders set lifecycle_status_id = (select id from lifecycle_statuses
        where processing_state = 'COMPLETED' limit 1) where number = $1""",
        first,
    )
    assert await used(carl) == "36.00"
    await run(portal, "update order_lines set shipped_quantity = 0, cancelled_quantity = 4")
    assert await used(carl) == "0.00"


async def test_what_is_cancelled_takes_its_own_tax_with_it(portal: Portal, carl: Client) -> None:
    await portal.product("B", tax_rate="0", stock_at={"W1": "10"})
    await add(carl, {"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "1"})
    await place(carl)
    assert await used(carl) == "22.00"
    await run(portal, "update order_lines set cancelled_quantity = 1 where sku = 'A'")
    assert await used(carl) == "10.00"
    await run(portal, "update orders set tax_included = true, net = 1833, tax = 167, total = 2000")
    assert await used(carl) == "10.00"


async def test_an_order_in_another_currency_does_not_count(portal: Portal, carl: Client) -> None:
    order_id = await portal.order("SO-1", state=ProcessingState.IN_PROGRESS)
    assert isinstance(order_id, UUID)
    await run(portal, "update orders set currency = 'EUR'")
    assert await used(carl) == "0.00"


async def test_of_two_orders_at_once_only_one_passes_a_limit_that_blocks(portal: Portal, at: At) -> None:
    await block(portal, at)
    buyers = []
    for number in range(6):
        await portal.account(f"buyer-{number}", profile=BuiltInProfile.CUSTOMER)
        # Products of their own: it is not the stock that makes them wait for one another.
        await portal.product(f"P{number}")
        buyers.append(await at(portal).sign_in(f"buyer-{number}"))
        await add(buyers[-1], {"sku": f"P{number}", "quantity": "5"})
    async with portal.writing() as connection:
        # All have begun before one can go on.
        await connection.fetch_text("select from stock for update")
        placing = asyncio.gather(*(place(buyer) for buyer in buyers))
        await asyncio.sleep(0.5)
    answers = await placing
    assert len([each for each in answers if each["orders"]]) == 1
    assert [error for each in answers for error in each["errors"]] == [exceeded("120.00")] * 5


async def test_what_is_written_of_a_customer_elsewhere_waits_for_no_order(
    portal: Portal, carl: Client
) -> None:
    """Rows that refer to a customer can be added while somebody orders for it, and the other way round."""
    await add(carl, {"sku": "A", "quantity": "1"})
    async with portal.writing() as connection:
        await connection.fetch_text("select from customers for key share")
        assert (await place(carl))["errors"] == []


async def test_the_carts_actions_know_of_a_limit_that_blocks(portal: Portal, carl: Client, at: At) -> None:
    asked = f"{{ cart {{ actions {{ name allowed reason {{ {ERROR} }} }} }} }}"

    async def told() -> dict[str, Any]:
        found: dict[str, Any] = (await carl.ask(asked))["cart"]["actions"][0]
        assert found.pop("name") == "PLACE"
        return found

    await add(carl, {"sku": "A", "quantity": "9"})
    assert await told() == {"allowed": True, "reason": None}
    await block(portal, at)
    assert await told() == {"allowed": False, "reason": exceeded("108.00")}
    assert (await place(carl))["errors"] == [exceeded("108.00")]
    await limit(portal, None)
    assert await told() == {"allowed": True, "reason": None}
