"""Order locks: an order with its stock and lines, which nobody else changes until the transaction ends."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import strawberry

import db
from db.failures import Contended
from db.orders import Order, OrderLine
from resolvers import nodes
from resolvers.context import Context
from resolvers.posting_locks import customer_locked
from rules.broken import NotFound, check_version, found_at
from rules.fulfilments import OrderAct, Standing, check, standing_of
from rules.lifecycle import ProcessingState, Subject
from rules.portals import CancellationPolicy

Place = tuple[UUID, UUID]  # a product and the warehouse it ships from


@dataclass(slots=True)
class Locked:
    """An order as it is now, its lines, where it stands, and what is on hand where it ships from."""

    order: Order
    lines: list[OrderLine]
    standing: Standing
    on_hand: dict[Place, Decimal]
    stocked: set[int]  # the positions of the lines that have stock

    def place_of(self, line: OrderLine) -> Place | None:
        """Where a line ships from; None when it has no stock."""
        if line.position not in self.stocked or line.product_id is None or line.warehouse_id is None:
            return None
        return line.product_id, line.warehouse_id


async def locked(context: Context, id: strawberry.ID, version: int | None, act: OrderAct) -> Locked:
    """The order behind an id, for something that is to be done with it.

    Raises NotFound, VersionConflict, or what fulfilments.check says. Stock is locked before the order, as an
    import does, and the customer of a replacement before both; orders are locked one at a time.
    """
    connection, viewer = context.connection, context.signed_in
    seen = await nodes.found(context, id, "Order", "order")
    if seen.rma_request_id is not None and act in (OrderAct.CLOSE, OrderAct.CANCEL):
        await customer_locked(context, seen.customer_id)  # for what it moves of its request
    on_hand = {} if act is OrderAct.UPDATE else await db.stock.lock_of_order(connection, seen.id)
    order = await db.order_changes.lock(connection, viewer, seen.id)
    if order is None:
        raise NotFound(path=("order",))
    check_version(version, order.version)
    status = await context.load(db.lifecycle_statuses.by_ids, order.lifecycle_status_id)
    assert status is not None, "an order has a status"
    lines = (await db.orders.lines_of(connection, viewer, [order.id]))[order.id]
    standing = standing_of(ProcessingState(status.processing_state), lines)
    with found_at("order"):
        check(act, standing, viewer, CancellationPolicy(context.portal.cancellation_policy))
    if act is OrderAct.UPDATE:
        return Locked(order, lines, standing, on_hand, set())
    found = Locked(order, lines, standing, on_hand, await db.stock.stocked_lines(connection, order.id))
    if any(place not in on_hand for line in lines if (place := found.place_of(line))):
        # Stock of a line was counted for the first time meanwhile: it is locked next time.
        raise Contended("a line has stock now")
    return found


def places(found: Locked, lines: Iterable[tuple[OrderLine, Decimal]]) -> dict[Place, Decimal]:
    """How much the quantities of lines make at each place."""
    sums: defaultdict[Place, Decimal] = defaultdict(Decimal)
    for line, quantity in lines:
        if place := found.place_of(line):
            sums[place] += quantity
    return dict(sums)


async def in_state(context: Context, found: Locked, order: Order, state: ProcessingState) -> Order:
    """The order with the predefined status of a state, or with its own one when it is in that state already."""
    if found.standing.state is state:
        return order
    status_id = await db.lifecycle_statuses.predefined(context.connection, Subject.ORDER, state)
    return replace(order, lifecycle_status_id=status_id)
