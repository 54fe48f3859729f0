"""Order placing: new orders with their stock promised, whether they come from a cart or replace what is returned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.orders import Order, OrderLine
from resolvers.context import Context
from resolvers.mutations import facts_of
from rules.amounts import Totals
from rules.deliveries import DeliveryState
from rules.events import Event
from rules.lifecycle import ProcessingState, Subject
from rules.numbers import NumberKind
from rules.stock import StockPolicy


@dataclass(slots=True)
class NewLine:
    """A line to be ordered: it can be, its stock is locked, and its price is known. `amount` is in minor units."""

    product_id: UUID
    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    warehouse_id: UUID | None


@dataclass(slots=True)
class NewOrder:
    """What ships from one warehouse, or services alone from none."""

    warehouse_id: UUID | None
    tax_included: bool
    totals: Totals
    lines: Sequence[NewLine]


@dataclass(slots=True, kw_only=True)
class Placement:
    """What orders that are placed together have in common; `ship_to` is an address as JSON."""

    customer_id: UUID
    account_id: UUID | None
    currency: str
    ship_to: str | None
    promised_on: date
    purchase_order_number: str | None = None
    comment: str | None = None
    requested_on: date | None = None
    rma_request_id: UUID | None = None


async def placed(context: Context, placement: Placement, new: Sequence[NewOrder]) -> list[Order]:
    """New orders of which all can be ordered, one a warehouse, in the order given."""
    connection = context.connection
    await _reserve(context, [line for each in new for line in each.lines])
    numbers = await db.numbers.take(connection, NumberKind.ORDER, len(new))
    status_id = await db.lifecycle_statuses.predefined(connection, Subject.ORDER, ProcessingState.NOT_STARTED)
    together, now = uuid.uuid7(), datetime.now(UTC)
    orders = [
        _order(placement, each, number, status_id, together, now)
        for number, each in zip(numbers, new, strict=True)
    ]
    lines = {
        order.id: [_line(order, position, line) for position, line in enumerate(each.lines, start=1)]
        for order, each in zip(orders, new, strict=True)
    }
    await db.orders.add(connection, orders, [line for of_order in lines.values() for line in of_order])
    for order in orders:
        ordered = [{"sku": line.sku, "quantity": line.quantity} for line in lines[order.id]]
        context.record(
            "Order",
            order.id,
            before=None,
            after=facts_of(order, lines=ordered),
            customer_id=order.customer_id,
            event=Event.ORDER_PLACED,
        )
    return orders


async def _reserve(context: Context, lines: Sequence[NewLine]) -> None:
    """Promise the stock of all lines. It is locked and was looked at, so the condition of the update only
    holds what the assessment found; that it should miss is a fault of ours."""
    wanted: dict[tuple[UUID, UUID], Decimal] = {}
    for line in lines:
        if line.warehouse_id is not None:
            place = line.product_id, line.warehouse_id
            wanted[place] = wanted.get(place, Decimal(0)) + line.quantity
    if not wanted:
        return
    only_available = context.portal.stock_policy == StockPolicy.REQUIRE_STOCK
    reserved = await db.stock.reserve(context.connection, wanted, only_available=only_available)
    if missed := wanted.keys() - reserved:
        raise RuntimeError(f"stock that is locked and was enough could not be reserved: {missed}")


def _order(
    placement: Placement, new: NewOrder, number: str, status_id: UUID, together: UUID, now: datetime
) -> Order:
    return Order(
        id=uuid.uuid7(),
        number=number,
        customer_id=placement.customer_id,
        account_id=placement.account_id,
        placement_id=together,
        placed_at=now,
        lifecycle_status_id=status_id,
        warehouse_id=new.warehouse_id,
        currency=placement.currency,
        tax_included=new.tax_included,
        net=new.totals.net,
        tax=new.totals.tax,
        total=new.totals.total,
        purchase_order_number=placement.purchase_order_number,
        comment=placement.comment,
        requested_on=placement.requested_on,
        ship_to=placement.ship_to,
        promised_on=placement.promised_on,
        delivery_state=DeliveryState.NONE,
        note=None,
        cancellation_reason=None,
        version=1,
        rma_request_id=placement.rma_request_id,
    )


def _line(order: Order, position: int, new: NewLine) -> OrderLine:
    """A line with its own copy of what is ordered."""
    return OrderLine(
        order_id=order.id,
        position=position,
        product_id=new.product_id,
        sku=new.sku,
        name=new.name,
        unit=new.unit,
        quantity=new.quantity,
        shipped_quantity=Decimal(0),
        cancelled_quantity=Decimal(0),
        unit_price=new.unit_price,
        tax_rate=new.tax_rate,
        amount=new.amount,
        warehouse_id=new.warehouse_id,
        currency=order.currency,
    )
