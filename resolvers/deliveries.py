"""Deliveries and payments of an order: the axes that follow from what was shipped and from the ledger."""

from dataclasses import dataclass
from datetime import date

import strawberry

import db
from db.orders import Order
from resolvers import days, money
from resolvers.context import Info
from resolvers.relations import relations
from rules import deliveries
from rules.balances import PaymentState, Settlement, payment_state
from rules.deliveries import DeliverySchedule, DeliveryState
from rules.lifecycle import OPEN_STATES


@dataclass(slots=True)
class OrderDelivery:
    """How far an order is delivered, and whether the rest is on time."""

    state: DeliveryState
    schedule: DeliverySchedule | None
    promised_on: date | None


@dataclass(slots=True)
class OrderSettlement:
    """What was invoiced and paid in one currency."""

    invoiced: money.Money
    paid: money.Money
    open: money.Money
    prepaid: money.Money


@dataclass(slots=True)
class OrderPayment:
    """How far an order is paid; the amounts are in its own currency."""

    state: PaymentState
    invoiced: money.Money
    paid: money.Money
    open: money.Money
    prepaid: money.Money
    in_other_currencies: list[OrderSettlement]


async def delivery(root: strawberry.Parent[Order], info: Info) -> OrderDelivery:
    """Order.delivery."""
    context = info.context
    state = DeliveryState(root.delivery_state)
    schedule = None
    if root.promised_on is not None and state is not DeliveryState.FULL:
        status = await context.load(db.lifecycle_statuses.by_ids, root.lifecycle_status_id)
        assert status is not None, "an order has a status"
        schedule = deliveries.schedule(
            is_outstanding=status.processing_state in OPEN_STATES,
            promised_on=root.promised_on,
            today=await days.today(context),
        )
    return OrderDelivery(state, schedule, root.promised_on)


async def payment(root: strawberry.Parent[Order], info: Info) -> OrderPayment:
    """Order.payment: an order without an invoice owes nothing yet."""
    found = await info.context.load_list(db.balances.settlements_of, root.id)
    own = next((each for each in found if each.currency == root.currency), None)
    mine = _amounts(own or Settlement(root.currency))
    others = [_amounts(each) for each in found if each.currency != root.currency]
    return OrderPayment(payment_state(found), mine.invoiced, mine.paid, mine.open, mine.prepaid, others)


def _amounts(settlement: Settlement) -> OrderSettlement:
    amounts = (settlement.invoiced, settlement.paid, settlement.open, settlement.prepaid)
    return OrderSettlement(*(money.of_minor(each, settlement.currency) for each in amounts))


# Order.goodsIssues: none for whoever may not read documents, or not these.
goods_issues = relations(db.goods_issues.of_orders, "id")
