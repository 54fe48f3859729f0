"""Deliveries and payments of an order: the axes that follow from what was shipped and from the ledger."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import db
from db.lifecycle_statuses import LifecycleStatus
from db.orders import Order
from execution.levels import level
from resolvers import days, money
from resolvers.context import Context
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


@level
async def delivery(roots: Sequence[Order], context: Context) -> list[OrderDelivery]:
    """Order.delivery."""
    keys = [root.lifecycle_status_id if _is_due(root) else None for root in roots]
    if not any(keys):
        return [OrderDelivery(DeliveryState(root.delivery_state), None, root.promised_on) for root in roots]
    statuses, today = await asyncio.gather(
        context.load_level(db.lifecycle_statuses.by_ids, keys), days.today(context)
    )
    return [
        OrderDelivery(DeliveryState(root.delivery_state), _schedule(root, status, today), root.promised_on)
        for root, status in zip(roots, statuses, strict=True)
    ]


def _is_due(root: Order) -> bool:
    return root.promised_on is not None and root.delivery_state != DeliveryState.FULL


def _schedule(root: Order, status: LifecycleStatus | None, today: date) -> DeliverySchedule | None:
    if root.promised_on is None or not _is_due(root):
        return None
    assert status is not None, "an order has a status"
    return deliveries.schedule(
        is_outstanding=status.processing_state in OPEN_STATES, promised_on=root.promised_on, today=today
    )


def _payment(root: Order, found: list[Settlement]) -> OrderPayment:
    own = next((each for each in found if each.currency == root.currency), None)
    mine = _amounts(own or Settlement(root.currency))
    others = [_amounts(each) for each in found if each.currency != root.currency]
    return OrderPayment(payment_state(found), mine.invoiced, mine.paid, mine.open, mine.prepaid, others)


# Order.payment: an order without an invoice owes nothing yet.
payment = relations(db.balances.settlements_of, "id", then=_payment)


def _amounts(settlement: Settlement) -> OrderSettlement:
    amounts = (settlement.invoiced, settlement.paid, settlement.open, settlement.prepaid)
    return OrderSettlement(*(money.of_minor(each, settlement.currency) for each in amounts))


# Order.goodsIssues: none for whoever may not read documents, or not these.
goods_issues = relations(db.goods_issues.of_orders, "id")
