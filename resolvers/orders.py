"""Orders: watching them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.carts import CartItem
from db.customers import Customer
from db.lifecycle_statuses import LifecycleStatus
from db.orders import Order, OrderLine
from db.products import Product
from db.warehouses import Warehouse
from resolvers import money, nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.mutations import Payload
from rules import amounts
from rules.broken import BrokenRules, InvalidInput, Language, VersionConflict
from rules.carts import CartEmpty, assess
from rules.lifecycle import ProcessingState, Subject
from rules.money import plain
from rules.numbers import NumberKind
from rules.orders import LONGEST_COMMENT, LONGEST_PURCHASE_ORDER_NUMBER, split
from rules.prices import PriceMissing
from rules.stock import StockPolicy
from rules.texts import check_text
from rules.viewers import Viewer


class OrderOrder(Enum):
    """In what order orders come; several keys make an order by the first, then the second."""

    PLACED_AT_ASC = "PLACED_AT_ASC"
    PLACED_AT_DESC = "PLACED_AT_DESC"
    NUMBER_ASC = "NUMBER_ASC"
    NUMBER_DESC = "NUMBER_DESC"


publish(
    OrderOrder,
    description="In what order orders come.",
    value={
        OrderOrder.PLACED_AT_ASC: "By the time of placing, oldest first.",
        OrderOrder.PLACED_AT_DESC: "By the time of placing, newest first.",
        OrderOrder.NUMBER_ASC: "By number, lowest first.",
        OrderOrder.NUMBER_DESC: "By number, highest first.",
    }.__getitem__,
)


@strawberry.input(description="Which orders; all that is given must hold.")
class OrderFilter:
    """orders(filter:)."""

    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    processing_states: list[ProcessingState] | None = strawberry.field(
        default=None, description="In one of these processing states."
    )
    placed_from: date | None = strawberry.field(
        default=None, description="Placed on this day or later (UTC)."
    )
    placed_to: date | None = strawberry.field(default=None, description="Placed on this day or before (UTC).")


_Filter = Annotated[OrderFilter | None, strawberry.argument(description="Which orders.")]
_Order = Annotated[
    list[OrderOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.orders."""
    order = [each.value for each in order_by or [OrderOrder.PLACED_AT_DESC]]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.orders, _filters(filter or OrderFilter()), order, asked)


def _filters(given: OrderFilter) -> dict[str, Any]:
    states = given.processing_states
    filters = {
        "number": given.number or None,
        "processing_states": None if states is None else [state.value for state in states],
        "placed_from": given.placed_from and _midnight(given.placed_from),
        "placed_before": given.placed_to and _midnight(_next_day(given.placed_to)),
    }
    return {name: value for name, value in filters.items() if value is not None}


def _next_day(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Number = Annotated[str | None, strawberry.argument(description="The order's number.")]


async def order(info: Info, id: _Id = None, number: _Number = None) -> Order | None:
    """Query.order: by exactly one of id and number."""
    context = info.context
    if (id is None) == (number is None):
        raise InvalidInput(path=("id",))
    if number is not None:
        return await context.load(db.orders.by_numbers, number)
    found: Order | None = await nodes.by_global_id(context, str(id), "Order")
    return found


async def lines(root: strawberry.Parent[Order], info: Info) -> list[OrderLine]:
    """Order.lines."""
    return await info.context.load_list(db.orders.lines_of, root.id)


async def status(root: strawberry.Parent[Order], info: Info) -> LifecycleStatus | None:
    """Order.status."""
    return await info.context.load(db.lifecycle_statuses.by_ids, root.lifecycle_status_id)


def status_name(root: strawberry.Parent[LifecycleStatus], info: Info) -> str:
    """LifecycleStatus.name, in the language of the request."""
    return root.name_de if info.context.language is Language.GERMAN else root.name_en


async def customer(root: strawberry.Parent[Order], info: Info) -> Customer | None:
    """Order.customer."""
    return await info.context.load(db.customers.by_ids, root.customer_id)


async def warehouse(root: strawberry.Parent[Order], info: Info) -> Warehouse | None:
    """Order.warehouse."""
    return await info.context.load(db.warehouses.by_ids, root.warehouse_id) if root.warehouse_id else None


async def placed_together(root: strawberry.Parent[Order], info: Info) -> list[Order]:
    """Order.placedTogether: the other orders of the same cart."""
    orders = await info.context.load_list(db.orders.placed_together, root.placement_id)
    return [each for each in orders if each.id != root.id]


def totals(root: strawberry.Parent[Order]) -> money.Totals:
    """Order.totals."""
    return money.of_totals(amounts.Totals(root.net, root.tax, root.total), root.currency)


def outstanding(root: strawberry.Parent[OrderLine]) -> Decimal:
    """OrderLine.outstandingQuantity."""
    return plain(root.quantity - root.shipped_quantity)


def line_unit_price(root: strawberry.Parent[OrderLine]) -> money.Money:
    """OrderLine.unitPrice."""
    return money.of_unit_price(root.unit_price, root.currency)


def line_amount(root: strawberry.Parent[OrderLine]) -> money.Money:
    """OrderLine.amount."""
    return money.of_minor(root.amount, root.currency)


async def line_product(root: strawberry.Parent[OrderLine], info: Info) -> Product | None:
    """OrderLine.product: None when it is no longer sold to the viewer."""
    return await info.context.load(db.products.by_ids, root.product_id) if root.product_id else None


async def line_warehouse(root: strawberry.Parent[OrderLine], info: Info) -> Warehouse | None:
    """OrderLine.warehouse."""
    return await info.context.load(db.warehouses.by_ids, root.warehouse_id) if root.warehouse_id else None


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
    if input.version is not None and cart.version != input.version:
        raise VersionConflict(current=cart.version, path=("version",))
    lines = await _assessed(context)
    await _reserve(context, lines)
    groups = split(lines)
    numbers = await db.numbers.take(connection, NumberKind.ORDER, len(groups))
    status_id = await db.lifecycle_statuses.predefined(connection, Subject.ORDER, ProcessingState.NOT_STARTED)
    placement = _Placement(viewer, uuid.uuid7(), datetime.now(UTC), status_id, input)
    placed = [placement.order(number, *group) for number, group in zip(numbers, groups, strict=True)]
    await db.orders.add(
        connection, [order for order, _ in placed], [line for _, lines in placed for line in lines]
    )
    await db.carts.clear(connection, viewer.actor_id)
    await db.carts.touch(connection, viewer.actor_id)
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

    Raises CartEmpty, or BrokenRules with every line that cannot be ordered.
    """
    connection, viewer = context.connection, context.signed_in
    items = await db.carts.items(connection, viewer.actor_id)
    if not items:
        raise CartEmpty
    product_ids = [item.product_id for item in items]
    breaks = await db.prices.of_products(connection, viewer, product_ids)
    levels = await db.stock.lock(connection, product_ids)
    policy = StockPolicy(context.portal.stock_policy)
    lines, broken = [], []
    for index, item in enumerate(items):
        found = assess(item, breaks[item.product_id], levels[item.product_id], policy)
        if found.problem is not None or found.unit_price is None or found.amount is None:
            broken.append((found.problem or PriceMissing(sku=item.sku)).at("cart", "items", str(index)))
            continue
        lines.append(_Line(item, found.unit_price, found.amount, found.tax_included, found.warehouse_id))
    if broken:
        raise BrokenRules(broken)
    return lines


async def _reserve(context: Context, lines: Sequence[_Line]) -> None:
    """Promise the stock of all lines, by a conditional update where the company sells only what it has."""
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
            unit_price=line.unit_price,
            tax_rate=line.item.tax_rate,
            amount=line.amount,
            warehouse_id=line.warehouse_id,
            currency=order.currency,
        )
