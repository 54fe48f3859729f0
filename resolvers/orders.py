"""Orders: watching them; resolvers/placements.py places them."""

from collections.abc import AsyncGenerator
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.orders import Order, OrderLine
from resolvers import money, nodes, pages, subscriptions
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.relations import relation, relations
from rules import amounts, deliveries
from rules.contacts import Address
from rules.deliveries import DeliveryState
from rules.lifecycle import ProcessingState
from rules.money import plain
from rules.periods import check_period, midnight, next_day


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
    delivery_states: list[DeliveryState] | None = strawberry.field(
        default=None, description="Delivered so far."
    )
    overdue: bool | None = strawberry.field(
        default=None,
        description="True: with something outstanding that was promised for a day that has passed. False: the others.",
    )


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
    order = order_by or [OrderOrder.PLACED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.orders, _filters(filter or OrderFilter()), order, asked)


def _filters(given: OrderFilter) -> dict[str, Any]:
    check_period(given.placed_from, given.placed_to, "filter", "placedTo")
    states, deliveries_ = given.processing_states, given.delivery_states
    return {
        "number": given.number or None,
        "processing_states": None if states is None else [state.value for state in states],
        "placed_from": given.placed_from and midnight(given.placed_from),
        "placed_before": given.placed_to and midnight(next_day(given.placed_to)),
        "delivery_states": None if deliveries_ is None else [state.value for state in deliveries_],
        "overdue": given.overdue or None,
        "not_overdue": given.overdue is False or None,
    }


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Number = Annotated[str | None, strawberry.argument(description="The order's number.")]


async def order(info: Info, id: _Id = None, number: _Number = None) -> Order | None:
    """Query.order: by exactly one of id and number."""
    found: Order | None = await nodes.by_one_of(info.context, "Order", id, db.orders.by_numbers, number)
    return found


_Watched = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The one order to watch; all that the viewer may see when left out."),
]


async def changed(info: Info, order: _Watched = None) -> AsyncGenerator[Order, None]:
    """Subscription.orderChanged. Raises NotFound for an order that the viewer may not see."""
    context = info.context
    key: UUID | None = None
    if order is not None:
        key = (await nodes.found(context, str(order), "Order", "order")).id
    return subscriptions.changes(context, "Order", key)


# Order.lines.
lines = relations(db.orders.lines_of, "id")


# Order.status.
status = relation(db.lifecycle_statuses.by_ids, "lifecycle_status_id")


# Order.customer.
customer = relation(db.customers.by_ids, "customer_id")


# Order.warehouse.
warehouse = relation(db.warehouses.by_ids, "warehouse_id")


def _others(root: Order, orders: list[Order]) -> list[Order]:
    return [each for each in orders if each.id != root.id]


# Order.placedTogether: the other orders of the same cart.
placed_together = relations(db.orders.placed_together, "placement_id", then=_others)


def ship_to(root: strawberry.Parent[Order]) -> Address | None:
    """Order.shipTo."""
    return None if root.ship_to is None else Address.of_json(root.ship_to)


def totals(root: strawberry.Parent[Order]) -> money.Totals:
    """Order.totals."""
    return money.Totals(amounts.Totals(root.net, root.tax, root.total), root.currency)


def outstanding(root: strawberry.Parent[OrderLine]) -> Decimal:
    """OrderLine.outstandingQuantity."""
    return plain(deliveries.outstanding(root))
