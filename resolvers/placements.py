"""Placing: the viewer's cart becomes orders, one a warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.carts import CartItem
from db.orders import Order, OrderLine
from db.quotation_orders import QuotationOrder
from resolvers.context import Context, Info
from resolvers.mutations import Payload, facts_of
from rules import amounts
from rules.broken import BrokenRules, check_version
from rules.carts import Assessment, assess, obstacles
from rules.deliveries import DeliveryState
from rules.lifecycle import ProcessingState, Subject
from rules.numbers import NumberKind
from rules.orders import LONGEST_COMMENT, LONGEST_PURCHASE_ORDER_NUMBER, split
from rules.stock import StockPolicy
from rules.texts import check_text
from rules.viewers import Viewer


@strawberry.input(description="The viewer's cart, to be ordered as it is.")
class OrderPlaceInput:
    """orderPlace(input:)."""

    version: int | None = strawberry.field(
        default=None, description="The version of the cart that was read; refused when it has changed since."
    )
    purchase_order_number: str | None = strawberry.field(
        default=None, description="The customer's own number for this, at most 100 characters."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the company, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeating the call with the same key and input gives the same orders and places none again.",
    )


@dataclass(slots=True)
class OrderPlacePayload(Payload):
    """The orders that were placed, one a warehouse."""

    orders: list[Order] | None = None


_PlaceInput = Annotated[OrderPlaceInput, strawberry.argument(description="What to order.")]


async def place(info: Info, input: _PlaceInput) -> OrderPlacePayload:
    """Mutation.orderPlace: the whole cart, or, when any line cannot be ordered, nothing."""
    context = info.context
    connection, viewer = context.connection, context.signed_in
    check_text(input.purchase_order_number, LONGEST_PURCHASE_ORDER_NUMBER, "purchaseOrderNumber")
    check_text(input.comment, LONGEST_COMMENT, "comment")
    cart = await db.carts.lock(connection, viewer.actor_id)
    check_version(input.version, cart.version)
    lines = await _assessed(context)
    await _reserve(context, lines)
    groups = split(lines)
    numbers = await db.numbers.take(connection, NumberKind.ORDER, len(groups))
    status_id = await db.lifecycle_statuses.predefined(connection, Subject.ORDER, ProcessingState.NOT_STARTED)
    promised_on = await db.order_changes.today(connection) + timedelta(days=context.portal.lead_days)
    placement = _Placement(viewer, uuid.uuid7(), datetime.now(UTC), promised_on, status_id, input)
    placed = [placement.order(number, *group) for number, group in zip(numbers, groups, strict=True)]
    await db.orders.add(
        connection, [order for order, _ in placed], [line for _, lines in placed for line in lines]
    )
    await _follow_up(context, [order for order, _ in placed], [each for _, each in groups])
    await db.carts.clear(connection, viewer.actor_id)
    await db.carts.touch(connection, viewer.actor_id)
    for order, lines_of_order in placed:
        ordered = [{"sku": line.sku, "quantity": line.quantity} for line in lines_of_order]
        context.record("Order", order.id, before=None, after=facts_of(order, lines=ordered))
    return OrderPlacePayload([order for order, _ in placed])


@dataclass(slots=True)
class _Line:
    """A line of the cart that can be ordered."""

    item: CartItem
    unit_price: Decimal
    amount: int
    tax_included: bool
    warehouse_id: UUID | None


async def _assessed(context: Context) -> list[_Line]:
    """The cart's lines at today's prices and at the stock of this moment, which is now locked.

    The quotations from which lines came are locked too, before the stock. Raises BrokenRules: CartEmpty, or every
    line that cannot be ordered.
    """
    connection, viewer = context.connection, context.signed_in
    product_ids = [item.product_id for item in await db.carts.items(connection, viewer)]
    quotation_ids = await db.cart_fills.quotations_of(connection, viewer.actor_id)
    await db.quotations.lock(connection, quotation_ids)
    levels = await db.stock.lock(connection, viewer, product_ids)
    # Read after the wait for the locks, so that prices and names are of the same moment as the stock.
    items = await db.carts.items(connection, viewer)
    breaks = await db.prices.of_products(connection, viewer, product_ids)
    policy = StockPolicy(context.portal.stock_policy)
    every = [assess(item, breaks[item.product_id], levels[item.product_id], policy) for item in items]
    if broken := obstacles(every):
        raise BrokenRules(broken)
    return [_line(item, found) for item, found in zip(items, every, strict=True)]


def _line(item: CartItem, found: Assessment) -> _Line:
    assert found.unit_price is not None, "what has no price cannot be ordered"
    assert found.amount is not None
    return _Line(item, found.unit_price, found.amount, found.tax_included, found.warehouse_id)


async def _follow_up(context: Context, orders: Sequence[Order], groups: Sequence[Sequence[_Line]]) -> None:
    """Say of the quotations whose lines are ordered, all or some, that they are, and from which orders."""
    links: dict[tuple[UUID, UUID], QuotationOrder] = {}
    for order, lines in zip(orders, groups, strict=True):
        for position, line in enumerate(lines, start=1):
            quotation_id, quote = line.item.quotation_id, line.item.quote
            if quotation_id is not None and quote is not None and quote.refusal(line.item.quantity) is None:
                link = QuotationOrder(quotation_id, order.id, position)
                links.setdefault((quotation_id, order.id), link)
    if not links:
        return
    before = await db.quotations.lock(context.connection, list({each for each, _ in links}))
    for ordered in await db.quotations.set_ordered(context.connection, list(before)):
        context.record("Quotation", ordered.id, before=facts_of(before[ordered.id]), after=facts_of(ordered))
    await db.quotation_orders.add(context.connection, list(links.values()))


async def _reserve(context: Context, lines: Sequence[_Line]) -> None:
    """Promise the stock of all lines. It is locked and was looked at, so the condition of the update only
    holds what the assessment found; that it should miss is a fault of ours."""
    wanted = {
        (line.item.product_id, line.warehouse_id): line.item.quantity
        for line in lines
        if line.warehouse_id is not None
    }
    if not wanted:
        return
    only_available = context.portal.stock_policy == StockPolicy.REQUIRE_STOCK
    reserved = await db.stock.reserve(context.connection, wanted, only_available=only_available)
    if missed := wanted.keys() - reserved:
        raise RuntimeError(f"stock that is locked and was enough could not be reserved: {missed}")


@dataclass(slots=True)
class _Placement:
    """What the orders of one cart have in common."""

    viewer: Viewer
    id: UUID
    placed_at: datetime
    promised_on: date
    status_id: UUID
    input: OrderPlaceInput

    def order(
        self, number: str, warehouse_id: UUID | None, lines: Sequence[_Line]
    ) -> tuple[Order, list[OrderLine]]:
        """One order with its lines, each with its own copy of what was ordered."""
        tax_included = any(line.tax_included for line in lines)
        sums = amounts.totals(
            [(line.amount, line.item.tax_rate) for line in lines], tax_included=tax_included
        )
        customer_id = self.viewer.customer_id
        assert customer_id is not None, "only a customer's account places orders"
        order = Order(
            id=uuid.uuid7(),
            number=number,
            customer_id=customer_id,
            account_id=self.viewer.account_id,
            placement_id=self.id,
            placed_at=self.placed_at,
            lifecycle_status_id=self.status_id,
            warehouse_id=warehouse_id,
            currency=self.viewer.currency,
            tax_included=tax_included,
            net=sums.net,
            tax=sums.tax,
            total=sums.total,
            purchase_order_number=self.input.purchase_order_number,
            comment=self.input.comment,
            promised_on=self.promised_on,
            delivery_state=DeliveryState.NONE,
            note=None,
            cancellation_reason=None,
            version=1,
        )
        return order, [self._line(order, position, line) for position, line in enumerate(lines, start=1)]

    def _line(self, order: Order, position: int, line: _Line) -> OrderLine:
        return OrderLine(
            order_id=order.id,
            position=position,
            product_id=line.item.product_id,
            sku=line.item.sku,
            name=line.item.name,
            unit=line.item.unit,
            quantity=line.item.quantity,
            shipped_quantity=Decimal(0),
            cancelled_quantity=Decimal(0),
            unit_price=line.unit_price,
            tax_rate=line.item.tax_rate,
            amount=line.amount,
            warehouse_id=line.warehouse_id,
            currency=order.currency,
        )
