"""The axes of an order, over HTTP: how far it is delivered and in time, and how far it is paid."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

from db.credit_notes import credit_notes
from db.invoices import invoices
from db.movements import movements
from db.payments import payments
from rules.lifecycle import ProcessingState
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

DELIVERY = '{ order(number: "SO-1") { promisedOn delivery { state schedule promisedOn } } }'
AMOUNTS = "invoiced { amount currency } paid { amount } open { amount } prepaid { amount }"
PAYMENT = f'{{ order(number: "SO-1") {{ payment {{ state {AMOUNTS} inOtherCurrencies {{ {AMOUNTS} }} }} }} }}'
ORDERS = "query($filter: OrderFilter) { orders(filter: $filter, orderBy: [NUMBER_ASC]) { totalCount nodes { number } } }"
AT = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def today(portal: Portal) -> date:
    """The database's day."""
    async with portal.writing() as connection:
        day: date = (await connection.fetch_text("select current_date"))[0][0]
    return day


@pytest.mark.parametrize(
    ("days", "state", "schedule"),
    [
        (-1, ProcessingState.IN_PROGRESS, "OVERDUE"),
        (0, ProcessingState.NOT_STARTED, "DUE_TODAY"),
        (1, ProcessingState.NOT_STARTED, "ON_SCHEDULE"),
        (-1, ProcessingState.COMPLETED, None),
        (-1, ProcessingState.CANCELLED, None),
        (None, ProcessingState.IN_PROGRESS, None),
    ],
)
async def test_an_open_order_is_measured_by_the_day_for_which_it_is_promised(
    days: int | None, state: ProcessingState, schedule: str | None, portal: Portal, bea: Client
) -> None:
    promised_on = None if days is None else await today(portal) + timedelta(days=days)
    await portal.order("SO-1", state=state, promised_on=promised_on)
    told = promised_on and promised_on.isoformat()
    assert (await bea.ask(DELIVERY))["order"] == {
        "promisedOn": told,
        "delivery": {"state": "NONE", "schedule": schedule, "promisedOn": told},
    }


async def test_what_is_wholly_delivered_is_never_overdue(portal: Portal, bea: Client) -> None:
    await portal.order("SO-1", promised_on=date(2026, 1, 1))
    async with portal.writing() as connection:
        await connection.fetch_text("update orders set delivery_state = 'FULL'")
    assert (await bea.ask(DELIVERY))["order"]["delivery"]["schedule"] is None


async def test_orders_are_found_by_how_far_they_are_delivered_and_whether_in_time(
    portal: Portal, bea: Client, at: At
) -> None:
    day = await today(portal)
    for number, (days, state, delivered) in enumerate(
        [
            (-1, ProcessingState.IN_PROGRESS, "NONE"),
            (-1, ProcessingState.IN_PROGRESS, "PARTIAL"),
            (-1, ProcessingState.IN_PROGRESS, "FULL"),
            (-1, ProcessingState.CANCELLED, "PARTIAL"),
            (0, ProcessingState.NOT_STARTED, "NONE"),
            (None, ProcessingState.NOT_STARTED, "NONE"),
        ]
    ):
        promised_on = None if days is None else day + timedelta(days=days)
        order_id = await portal.order(f"SO-{number}", state=state, promised_on=promised_on)
        async with portal.writing() as connection:
            await connection.fetch_text(
                "update orders set delivery_state = $2 where id = $1", order_id, delivered
            )

    async def found(**filter_: Any) -> str:
        answer = (await bea.ask(ORDERS, filter=filter_))["orders"]
        assert answer["totalCount"] == len(answer["nodes"])
        return "".join(each["number"][-1] for each in answer["nodes"])

    assert await found(deliveryStates=["NONE"]) == "045"
    assert await found(deliveryStates=["PARTIAL", "FULL"]) == "123"
    assert await found(deliveryStates=[]) == ""
    assert await found(overdue=True) == "01"
    assert await found(overdue=False) == "2345"
    assert await found(overdue=True, deliveryStates=["PARTIAL"]) == "1"
    for number in range(6):  # the filter says what each order says
        asked = DELIVERY.replace("SO-1", f"SO-{number}")
        schedule = (await bea.ask(asked))["order"]["delivery"]["schedule"]
        assert (schedule == "OVERDUE") is (str(number) in "01")
    await portal.account("cleo", customer="C2")
    cleo = await at(portal).sign_in("cleo")
    assert (await cleo.ask(ORDERS, filter={"overdue": True}))["orders"]["totalCount"] == 0


async def move(
    portal: Portal, order_id: UUID, kind: str, amount: int, currency: str = "GBP", **more: Any
) -> UUID:
    """A movement of an order with its document, as an import or a posting writes both. Returns the movement's id; it
    settles the order's newest invoice in the currency, unless it is said which."""
    customer_id = portal.customers["C1"]
    async with portal.writing() as connection:
        document: dict[str, Any] = {"number": f"N-{uuid.uuid7()}", "customer_id": customer_id}
        document["currency"] = currency
        sums = {"net": abs(amount), "tax": 0, "total": abs(amount)}
        if "settles_id" not in more and kind != "INVOICE":
            newest = await connection.fetch_text(
                "select id from invoices where order_id = $1 and currency = $2 order by id desc limit 1",
                order_id,
                currency,
            )
            more["settles_id"] = newest[0][0] if newest else None
        if kind == "INVOICE":
            document |= sums | {"order_id": order_id, "issued_at": AT, "due_on": AT.date()}
            invoice_id = await put(connection, invoices, **document)
            named = {"invoice_id": invoice_id, "settles_id": invoice_id}
        elif kind == "CREDIT_NOTE":
            named = {"credit_note_id": await put(connection, credit_notes, **document, **sums, issued_at=AT)}
        else:
            document |= {"paid_at": AT, "amount": abs(amount)}
            named = {"payment_id": await put(connection, payments, **document)}
        return await put(
            connection,
            movements,
            kind=kind,
            customer_id=customer_id,
            order_id=order_id,
            moved_at=AT,
            currency=currency,
            amount=amount,
            **named,
            **more,
        )


def money(invoiced: str, paid: str, open_: str, prepaid: str, currency: str = "GBP") -> dict[str, Any]:
    return {
        "invoiced": {"amount": invoiced, "currency": currency},
        "paid": {"amount": paid},
        "open": {"amount": open_},
        "prepaid": {"amount": prepaid},
    }


@pytest.mark.parametrize(
    ("moves", "state", "amounts"),
    [
        ([], "UNPAID", money("0.00", "0.00", "0.00", "0.00")),
        ([("INVOICE", 1200)], "UNPAID", money("12.00", "0.00", "12.00", "0.00")),
        (
            [("INVOICE", 1200), ("PAYMENT", -500)],
            "PARTLY_PAID",
            money("12.00", "5.00", "7.00", "0.00"),
        ),
        (
            [("INVOICE", 1200), ("CREDIT_NOTE", -200), ("PAYMENT", -1000)],
            "PAID",
            money("10.00", "10.00", "0.00", "0.00"),
        ),
        (
            [("INVOICE", 1200), ("PAYMENT", -1500), ("REFUND", 100)],
            "PAID",
            money("12.00", "14.00", "0.00", "2.00"),
        ),
        ([("PAYMENT", -300)], "PARTLY_PAID", money("0.00", "3.00", "0.00", "3.00")),
    ],
)
async def test_payment_follows_the_ledger(
    moves: list[tuple[str, int]], state: str, amounts: dict[str, Any], portal: Portal, bea: Client
) -> None:
    order_id = await portal.order("SO-1")
    other_id = await portal.order("SO-2")
    await move(portal, other_id, "INVOICE", 9999)
    for kind, amount in moves:
        await move(portal, order_id, kind, amount)
    assert (await bea.ask(PAYMENT))["order"]["payment"] == {
        "state": state,
        **amounts,
        "inOtherCurrencies": [],
    }


async def test_what_is_paid_too_much_of_one_invoice_does_not_hide_that_another_is_open(
    portal: Portal, bea: Client
) -> None:
    order_id = await portal.order("SO-1")
    await move(portal, order_id, "INVOICE", 1000)
    await move(portal, order_id, "PAYMENT", -1500)
    await move(portal, order_id, "INVOICE", 500)
    assert (await bea.ask(PAYMENT))["order"]["payment"] == {
        "state": "PARTLY_PAID",
        **money("15.00", "15.00", "5.00", "5.00"),
        "inOtherCurrencies": [],
    }


async def test_a_reversal_takes_back_what_was_moved(portal: Portal, bea: Client) -> None:
    order_id = await portal.order("SO-1")
    await move(portal, order_id, "INVOICE", 1200)
    paid = await move(portal, order_id, "PAYMENT", -1200)
    await move(portal, order_id, "PAYMENT", 1200, reverses_id=paid)
    payment = (await bea.ask(PAYMENT))["order"]["payment"]
    assert (payment["state"], payment["open"]) == ("UNPAID", {"amount": "12.00"})


async def test_two_currencies_are_never_netted(portal: Portal, bea: Client) -> None:
    order_id = await portal.order("SO-1")
    await move(portal, order_id, "INVOICE", 1000)
    await move(portal, order_id, "PAYMENT", -1000)
    await move(portal, order_id, "INVOICE", 500, "EUR")
    assert (await bea.ask(PAYMENT))["order"]["payment"] == {
        "state": "PARTLY_PAID",
        **money("10.00", "10.00", "0.00", "0.00"),
        "inOtherCurrencies": [money("5.00", "0.00", "5.00", "0.00", "EUR")],
    }
