"""Order changes: an order that is locked, and what is new of it and its lines."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Date, Integer, Uuid, bindparam, column, func, select, update

from db import events
from db.connections import Connection
from db.orders import COLUMNS, VISIBLE, Order, OrderLine, order_lines, orders, whose
from db.statements import Statement
from db.tables import QUANTITY
from rules.viewers import Viewer

_OF_TENANT = orders.c.tenant_id == bindparam("tenant_id")
_THIS = orders.c.id == bindparam("the_id", type_=Uuid)
_CHANGEABLE = (
    "lifecycle_status_id",
    "promised_on",
    "delivery_state",
    "note",
    "cancellation_reason",
)
_today = Statement[date](
    select(func.current_date(type_=Date)).where(bindparam("tenant_id", type_=Uuid).is_not(None))
)
_lock = {
    shape: Statement(visible.where(_THIS).with_for_update(key_share=True), Order)
    for shape, visible in VISIBLE.items()
}
_change = Statement(
    update(orders)
    .where(_OF_TENANT, _THIS)
    .values(
        version=orders.c.version + 1,
        **{name: bindparam(f"new_{name}", type_=orders.c[name].type) for name in _CHANGEABLE},
    )
    .returning(*COLUMNS),
    Order,
)
_fulfilled = (
    func.unnest(
        bindparam("positions", type_=ARRAY(Integer)),
        bindparam("shipped", type_=ARRAY(QUANTITY)),
        bindparam("cancelled", type_=ARRAY(QUANTITY)),
    )
    .table_valued(column("position", Integer), column("shipped", QUANTITY), column("cancelled", QUANTITY))
    .render_derived(name="fulfilled")
)
_fulfil = Statement[None](
    update(order_lines)
    .where(
        order_lines.c.tenant_id == bindparam("tenant_id"),
        order_lines.c.order_id == bindparam("the_id", type_=Uuid),
        order_lines.c.position == _fulfilled.c.position,
    )
    .values(shipped_quantity=_fulfilled.c.shipped, cancelled_quantity=_fulfilled.c.cancelled)
)


async def today(connection: Connection) -> date:
    """The day by which promises are measured: the database's."""
    found: date = await connection.value(_today)
    return found


async def lock(connection: Connection, viewer: Viewer, id: UUID) -> Order | None:
    """An order that the viewer may see, as it is now; nobody else changes it until this transaction ends.

    Whoever needs its stock too, locks that first (db.stock.lock_of_order): an import does so in that order.
    """
    shape, mine = whose(viewer)
    return await connection.row(_lock[shape], the_id=id, **mine)


async def change(connection: Connection, order: Order) -> Order:
    """Keep what is new of an order that is locked, count up its version, and tell whoever watches it."""
    new = {f"new_{name}": getattr(order, name) for name in _CHANGEABLE}
    changed = await connection.row(_change, the_id=order.id, **new)
    assert changed is not None, "an order that is locked is there"
    await events.notify(connection, "Order", [order.id])
    return changed


async def fulfil(connection: Connection, order_id: UUID, lines: Sequence[OrderLine]) -> None:
    """Keep what is shipped and cancelled of the lines of an order that is locked."""
    await connection.run(
        _fulfil,
        the_id=order_id,
        positions=[line.position for line in lines],
        shipped=[line.shipped_quantity for line in lines],
        cancelled=[line.cancelled_quantity for line in lines],
    )
