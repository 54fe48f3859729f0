"""Orders: goods and services that a customer has ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    select,
    text,
)

from db import events
from db.connections import Connection, many_each, one_each
from db.lifecycle_statuses import lifecycle_statuses
from db.pages import Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, TAX_RATE, UNIT_PRICE, checked, one_of, refers_to, tenant_table, unique
from rules.deliveries import DeliveryState
from rules.lifecycle import OPEN_STATES
from rules.money import MINOR_DIGITS
from rules.viewers import Viewer

orders = tenant_table(
    "orders",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid),  # who placed it here; empty for orders from elsewhere
    Column("placement_id", Uuid, nullable=False),  # orders placed together, one a warehouse, share it
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("lifecycle_status_id", Uuid, nullable=False),
    Column("warehouse_id", Uuid),  # empty when the lines ship from several, or from none
    Column("currency", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("purchase_order_number", Text),
    Column("comment", Text),
    Column("requested_on", Date),  # the customer's wish
    Column("ship_to", Text),  # JSON of rules.contacts.Address: the order's own copy
    Column("promised_on", Date),
    # As rules/deliveries.py derives it from the lines; kept, so that orders are found by it.
    Column("delivery_state", Text, nullable=False, server_default=DeliveryState.NONE),
    Column("note", Text),  # what the company says to it
    Column("cancellation_reason", Text),
    Column("rma_request_id", Uuid),  # whose goods it replaces
    Column("version", Integer, nullable=False, server_default="1"),
    unique("number", name="orders_number_key"),
    refers_to("customers", "customer_id", name="orders_customer_fkey"),
    refers_to("accounts", "account_id", name="orders_account_fkey"),
    refers_to("lifecycle_statuses", "lifecycle_status_id", name="orders_lifecycle_status_fkey"),
    refers_to("warehouses", "warehouse_id", name="orders_warehouse_fkey"),
    refers_to("rma_requests", "rma_request_id", name="orders_rma_request_fkey", in_a_circle=True),
    CheckConstraint("total = net + tax", name="orders_total_check"),
    one_of("delivery_state", list(DeliveryState), name="orders_delivery_state_check"),
    Index("orders_placed_at_idx", "tenant_id", "placed_at", "id"),
    Index("orders_customer_placed_at_idx", "tenant_id", "customer_id", "placed_at", "id"),
    Index("orders_customer_number_idx", "tenant_id", "customer_id", "number"),
    Index("orders_placement_idx", "tenant_id", "placement_id"),
    Index("orders_rma_request_idx", "tenant_id", "rma_request_id"),
    Index("orders_lifecycle_status_idx", "tenant_id", "lifecycle_status_id", "placed_at", "id"),
    Index("orders_delivery_idx", "tenant_id", "delivery_state", "placed_at", "id"),
    Index(
        "orders_promised_on_idx",
        "tenant_id",
        "promised_on",
        postgresql_where=text("delivery_state <> 'FULL'"),
    ),
)


def _minor_units(currency: ColumnElement[str]) -> ColumnElement[Any]:
    """How many minor units make one major unit of a currency."""
    groups: dict[int, list[str]] = {}
    for code, digits in MINOR_DIGITS.items():
        groups.setdefault(digits, []).append(f"'{code}'")
    named: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (currency == any_(literal_column(f"array[{', '.join(codes)}]")), literal_column(str(10**digits)))
        for digits, codes in groups.items()
    ]
    return case(*named, else_=literal_column("100"))


# A line keeps its own copy of what was ordered. Why its product and warehouse have no foreign key is in
# docs/decisions/0006.
order_lines = tenant_table(
    "order_lines",
    Column("order_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("shipped_quantity", QUANTITY, nullable=False, server_default="0"),
    Column("cancelled_quantity", QUANTITY, nullable=False, server_default="0"),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("warehouse_id", Uuid),
    refers_to("orders", "order_id", name="order_lines_order_fkey"),
    CheckConstraint("quantity > 0", name="order_lines_quantity_check"),
    CheckConstraint("cancelled_quantity >= 0", name="order_lines_cancelled_quantity_check"),
    CheckConstraint(
        "shipped_quantity >= 0 and shipped_quantity + cancelled_quantity <= quantity",
        name="order_lines_shipped_quantity_check",
    ),
    key=("order_id", "position"),
    is_line=True,
)

# What of a line is still to be shipped; also as money in minor units, each line rounded half up.
OUTSTANDING = order_lines.c.quantity - order_lines.c.shipped_quantity - order_lines.c.cancelled_quantity
OUTSTANDING_AMOUNT = func.round(OUTSTANDING * order_lines.c.unit_price * _minor_units(orders.c.currency))


@dataclass(slots=True)
class Order:
    """A sales order. Amounts are minor units of `currency`, times UTC; `ship_to` is an address as JSON."""

    id: UUID
    number: str
    customer_id: UUID
    account_id: UUID | None
    placement_id: UUID
    placed_at: datetime
    lifecycle_status_id: UUID
    warehouse_id: UUID | None
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    purchase_order_number: str | None
    comment: str | None
    requested_on: date | None
    ship_to: str | None
    promised_on: date | None
    delivery_state: str
    note: str | None
    cancellation_reason: str | None
    version: int
    rma_request_id: UUID | None = None


@dataclass(slots=True)
class OrderLine:
    """One line of an order, with its own copy of what was ordered; `amount` in minor units."""

    order_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    shipped_quantity: Decimal
    cancelled_quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    warehouse_id: UUID | None
    currency: str


COLUMNS = [orders.c[field.name] for field in fields(Order)]
_LINE_COLUMNS = [order_lines.c[field.name] for field in fields(OrderLine) if field.name != "currency"]


def _visible_to(viewer: Viewer) -> str:
    """Whose orders a viewer sees, as the name of a condition: its customer's, or for staff all."""
    return "all" if viewer.is_staff else "own"


_OWN = orders.c.customer_id == bindparam("customer_id", type_=Uuid)
_every_one = select(*COLUMNS).where(orders.c.tenant_id == bindparam("tenant_id"))
VISIBLE: dict[str, Select[Any]] = {"all": _every_one, "own": _every_one.where(_OWN)}


def _whose(viewer: Viewer) -> dict[str, Any]:
    return {} if viewer.is_staff else {"customer_id": viewer.customer_id}


def whose(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """Which query of VISIBLE is for a viewer, and its parameters."""
    return _visible_to(viewer), _whose(viewer)


_with_ids = _every_one.where(orders.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_by_ids = {
    "all": Statement(_with_ids, Order),
    "own": Statement(_with_ids.where(checked(_OWN)), Order),
}
_by_numbers = {
    whose: Statement(visible.where(orders.c.number == any_(bindparam("numbers", type_=ARRAY(Text)))), Order)
    for whose, visible in VISIBLE.items()
}
_placed_together = {
    whose: Statement(
        visible.where(orders.c.placement_id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(
            orders.c.number
        ),
        Order,
    )
    for whose, visible in VISIBLE.items()
}
_replacing = {
    whose: Statement(
        visible.where(orders.c.rma_request_id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(
            orders.c.number
        ),
        Order,
    )
    for whose, visible in VISIBLE.items()
}
# Not a join: a plan that is kept for any number of ids may read all orders of the tenant to join a few.
_CURRENCY = (
    select(orders.c.currency)
    .where(orders.c.tenant_id == bindparam("tenant_id"), orders.c.id == order_lines.c.order_id)
    .scalar_subquery()
    .label("currency")
)
_lines_of = Statement(
    select(*_LINE_COLUMNS, _CURRENCY)
    .where(
        order_lines.c.tenant_id == bindparam("tenant_id"),
        order_lines.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(order_lines.c.order_id, order_lines.c.position),
    OrderLine,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Order]:
    """The orders among the ids that the viewer may see."""
    rows = await connection.rows(_by_ids[_visible_to(viewer)], ids=ids, **_whose(viewer))
    return one_each(rows, "id")


async def by_numbers(connection: Connection, viewer: Viewer, numbers: Sequence[str]) -> Mapping[str, Order]:
    """The orders among the numbers that the viewer may see."""
    rows = await connection.rows(_by_numbers[_visible_to(viewer)], numbers=numbers, **_whose(viewer))
    return one_each(rows, "number")


async def placed_together(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Order]]:
    """The visible orders of each placement, by number."""
    rows = await connection.rows(_placed_together[_visible_to(viewer)], ids=ids, **_whose(viewer))
    return many_each(rows, ids, "placement_id")


async def replacing(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Order]]:
    """The visible orders that replace the goods of each request, by number."""
    rows = await connection.rows(_replacing[_visible_to(viewer)], ids=ids, **_whose(viewer))
    return many_each(rows, ids, "rma_request_id")


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[OrderLine]]:
    """The lines of each order, by position. Ask for orders that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "order_id")


def _in_states(states: ColumnElement[Any]) -> ColumnElement[bool]:
    return orders.c.lifecycle_status_id == any_(
        select(lifecycle_statuses.c.id)
        .where(
            lifecycle_statuses.c.tenant_id == bindparam("tenant_id"),
            lifecycle_statuses.c.processing_state == any_(states),
        )
        .scalar_subquery()
    )


_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
# What rules/deliveries.py calls OVERDUE: an order that is open and not wholly shipped has something outstanding.
_OVERDUE = and_(
    orders.c.promised_on < func.current_date(type_=Date),
    orders.c.delivery_state != literal_column(f"'{DeliveryState.FULL}'"),
    _in_states(literal_column(f"array[{_OPEN}]", ARRAY(Text))),
)
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "number": orders.c.number.op("^@")(bindparam("number", type_=Text)),
    "placed_from": orders.c.placed_at >= bindparam("placed_from", type_=DateTime(timezone=True)),
    "placed_before": orders.c.placed_at < bindparam("placed_before", type_=DateTime(timezone=True)),
    "processing_states": _in_states(bindparam("processing_states", type_=ARRAY(Text))),
    "delivery_states": orders.c.delivery_state == any_(bindparam("delivery_states", type_=ARRAY(Text))),
    "overdue": _OVERDUE,
    "not_overdue": not_(func.coalesce(_OVERDUE, False)),
}

ORDERS: dict[str, Key] = {
    "PLACED_AT_ASC": Key(orders.c.placed_at),
    "PLACED_AT_DESC": Key(orders.c.placed_at, descending=True),
    "NUMBER_ASC": Key(orders.c.number),
    "NUMBER_DESC": Key(orders.c.number, descending=True),
}


# Filters: number (its beginning), processing_states, placed_from (UTC, from this moment on), placed_before (UTC,
# that moment excluded), delivery_states, overdue and not_overdue (whatever they say).
_listing = Listing(
    Order,
    VISIBLE.__getitem__,
    CONDITIONS,
    ORDERS,
    orders.c.id,
    whose=whose,
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_NAMES = names_of(Order)
_LINE_NAMES = names_of(OrderLine, leave_out=["currency"])
_add = Statement[None](insert_rows(orders, _NAMES))
_add_lines = Statement[None](insert_rows(order_lines, _LINE_NAMES))


async def add(connection: Connection, new: Sequence[Order], lines: Sequence[OrderLine]) -> None:
    """Keep new orders and their lines, however many, with two statements, and tell whoever watches."""
    await connection.run(_add, **as_columns(new, _NAMES))
    await connection.run(_add_lines, **as_columns(lines, _LINE_NAMES))
    await events.notify(connection, "Order", [each.id for each in new])
