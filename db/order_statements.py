"""Order statements: what was ordered, what was shipped and what is outstanding of the orders in progress.

Filters have names, as in every list: those of `OF_ORDERS` are asked of an order, those of `OF_LINES` of a line. A
statement shows the lines that pass, and the orders that have any.
"""

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, exists, func

from db.connections import Connection
from db.customers import customers
from db.orders import CONDITIONS, OUTSTANDING, OUTSTANDING_AMOUNT, VISIBLE, order_lines, orders, whose
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.lifecycle import ProcessingState
from rules.viewers import Viewer

# What a statement is held to: values by name, as a key of what is loaded with it.
Filters: TypeAlias = frozenset[tuple[str, Any]]
Key = TypeVar("Key")

OF_ORDERS: dict[str, ColumnElement[bool]] = {
    "placed_from": CONDITIONS["placed_from"],
    "placed_before": CONDITIONS["placed_before"],
    "number": CONDITIONS["number"],
    "order_id": orders.c.id == bindparam("order_id", type_=Uuid),
    "of_customer_id": orders.c.customer_id == bindparam("of_customer_id", type_=Uuid),
}
OF_LINES: dict[str, ColumnElement[bool]] = {
    "product_id": order_lines.c.product_id == bindparam("product_id", type_=Uuid),
    "sku": order_lines.c.sku == bindparam("sku", type_=Text),
}
CONDITIONS_OF_LINES = {**OF_ORDERS, **OF_LINES}
_IS_LINE = leads_to(order_lines.c.order_id, orders)

_IN_PROGRESS = {"processing_states": [ProcessingState.IN_PROGRESS.value]}

# Quantities of lines of one unit, which alone can be added.
QUANTITIES = (
    func.sum(order_lines.c.quantity, type_=QUANTITY).label("ordered"),
    func.sum(order_lines.c.shipped_quantity, type_=QUANTITY).label("shipped"),
    func.sum(OUTSTANDING, type_=QUANTITY).label("outstanding"),
)
AMOUNT = func.sum(OUTSTANDING_AMOUNT).label("outstanding_amount")


@dataclass(slots=True)
class StatementTotal:
    """What a statement adds up to for one unit in one currency; the amount is in minor units, and with tax where
    prices include it."""

    unit: str
    currency: str
    tax_included: bool
    lines: int
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal
    outstanding_amount: Decimal


@dataclass(slots=True)
class StatementLine:
    """A line of an order in progress with all that is known of it; the amount is in minor units, times UTC."""

    customer_code: str
    customer_name: str
    number: str
    placed_at: datetime
    purchase_order_number: str | None
    position: int
    sku: str
    name: str
    unit: str
    quantity: Decimal
    shipped_quantity: Decimal
    outstanding: Decimal
    unit_price: Decimal
    currency: str
    tax_included: bool
    outstanding_amount: Decimal


def in_progress(shape: str, *columns: Any) -> Select[Any]:
    """Columns of the orders in progress that a viewer sees."""
    return VISIBLE[shape].with_only_columns(*columns).where(CONDITIONS["processing_states"])


def has_line(*names: str) -> ColumnElement[bool]:
    """Whether an order has a line that passes filters on lines."""
    return exists().where(_IS_LINE, *(OF_LINES[name] for name in names))


def lines_shown(shape: str, *columns: Any, filters: Iterable[str]) -> Select[Any]:
    """Columns of the orders and lines in a statement."""
    held = (CONDITIONS_OF_LINES[name] for name in sorted(filters))
    return in_progress(shape, *columns).select_from(orders.join(order_lines, _IS_LINE)).where(*held)


def asked(viewer: Viewer, filters: Mapping[str, Any]) -> tuple[str, frozenset[str], dict[str, Any]]:
    """What decides the text of a statement for whoever asks, the filters' names, and the parameters."""
    shape, mine = whose(viewer)
    return shape, frozenset(filters), {**filters, **mine, **_IN_PROGRESS}


def whose_in_progress(viewer: Viewer) -> tuple[Hashable, Mapping[str, Any]]:
    """The same for a listing."""
    shape, mine = whose(viewer)
    return shape, {**mine, **_IN_PROGRESS}


def by_filters(keys: Iterable[tuple[Filters, Key]]) -> dict[Filters, list[Key]]:
    """What is asked of each statement."""
    groups: dict[Filters, list[Key]] = {}
    for filters, key in keys:
        groups.setdefault(filters, []).append(key)
    return groups


@lru_cache(maxsize=128)
def _totals(shape: str, filters: frozenset[str]) -> Statement[StatementTotal]:
    groups = (order_lines.c.unit, orders.c.currency, orders.c.tax_included)
    return Statement(
        lines_shown(shape, *groups, func.count().label("lines"), *QUANTITIES, AMOUNT, filters=filters)
        .group_by(*groups)
        .order_by(*groups),
        StatementTotal,
    )


async def totals(
    connection: Connection, viewer: Viewer, keys: Iterable[Filters]
) -> Mapping[Filters, list[StatementTotal]]:
    """What each statement adds up to, by unit, currency and whether prices include tax."""
    found = {}
    for filters in keys:
        shape, names, values = asked(viewer, dict(filters))
        found[filters] = await connection.rows(_totals(shape, names), **values)
    return found


@lru_cache(maxsize=128)
def _lines(shape: str, filters: frozenset[str]) -> Statement[StatementLine]:
    query = lines_shown(
        shape,
        customers.c.code.label("customer_code"),
        customers.c.name.label("customer_name"),
        orders.c.number,
        orders.c.placed_at,
        orders.c.purchase_order_number,
        order_lines.c.position,
        order_lines.c.sku,
        order_lines.c.name,
        order_lines.c.unit,
        order_lines.c.quantity,
        order_lines.c.shipped_quantity,
        func.trim_scale(OUTSTANDING).label("outstanding"),
        order_lines.c.unit_price,
        orders.c.currency,
        orders.c.tax_included,
        OUTSTANDING_AMOUNT.label("outstanding_amount"),
        filters=filters,
    )
    return Statement(
        query.join(
            customers,
            leads_to(orders.c.customer_id, customers),
        ).order_by(orders.c.placed_at, orders.c.id, order_lines.c.position),
        StatementLine,
    )


def lines(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[StatementLine]]:
    """All lines of a statement, oldest order first, a chunk at a time."""
    shape, names, values = asked(viewer, filters)
    return connection.chunks(_lines(shape, names), at_once, **values)
