"""Orders in progress: an order statement by order, with the lines of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, any_, bindparam, func, select

from db.connections import Connection, many_each
from db.order_statements import (
    AMOUNT,
    OF_LINES,
    OF_ORDERS,
    QUANTITIES,
    Filters,
    asked,
    by_filters,
    has_line,
    in_progress,
    lines_shown,
    whose_in_progress,
)
from db.orders import OUTSTANDING, OUTSTANDING_AMOUNT, order_lines, orders
from db.pages import Key, Listing, Page, Window
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class OrderInProgress:
    """An order in an order statement, times UTC. `filters` are those of the statement."""

    id: UUID
    number: str
    customer_id: UUID
    placed_at: datetime
    purchase_order_number: str | None
    currency: str
    tax_included: bool
    filters: Filters = frozenset()


@dataclass(slots=True)
class QuantityOfOrder:
    """What the lines of one unit of an order add up to; the amount is in minor units."""

    order_id: UUID
    unit: str
    lines: int
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal
    outstanding_amount: Decimal


@dataclass(slots=True)
class LineInProgress:
    """A line of an order in progress; the amount is in minor units of `currency`."""

    order_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal
    outstanding_amount: Decimal
    currency: str


class FirstLines(NamedTuple):
    """The first lines of an order, as far as its statement shows them."""

    order_id: UUID
    most: int


_COLUMNS = (
    orders.c.id,
    orders.c.number,
    orders.c.customer_id,
    orders.c.placed_at,
    orders.c.purchase_order_number,
    orders.c.currency,
    orders.c.tax_included,
)
ORDERS = {
    "PLACED_AT_ASC": Key(orders.c.placed_at),
    "PLACED_AT_DESC": Key(orders.c.placed_at, descending=True),
}


def _row(*record: Any) -> OrderInProgress:
    return OrderInProgress(*record)


def _listed(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters on lines as one: it takes one line that passes all of them."""
    of_lines = {name: value for name, value in filters.items() if name in OF_LINES}
    rest = {name: value for name, value in filters.items() if name not in OF_LINES}
    return {**rest, "_".join(sorted(of_lines)): of_lines} if of_lines else rest


def _values(filters: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in filters.items():
        values |= value if isinstance(value, dict) else {name: value}
    return values


_listing = Listing(
    _row,
    lambda shape: in_progress(shape, *_COLUMNS),
    {
        **OF_ORDERS,
        "product_id": has_line("product_id"),
        "sku": has_line("sku"),
        "product_id_sku": has_line("product_id", "sku"),
    },
    ORDERS,
    orders.c.id,
    whose=whose_in_progress,
    values=_values,
)
keys = _listing.keys


async def page(
    connection: Connection,
    viewer: Viewer,
    filters: Mapping[str, Any],
    order: tuple[str, ...],
    window: Window,
) -> Page:
    """A window of the orders in a statement."""
    found = await _listing.page(connection, viewer, _listed(filters), order, window)
    for row in found.rows:
        row.filters = frozenset(filters.items())
    return found


async def count(connection: Connection, viewer: Viewer, filters: Mapping[str, Any]) -> int:
    """How many orders are in a statement."""
    return await _listing.count(connection, viewer, _listed(filters))


_IDS = orders.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))


@lru_cache(maxsize=128)
def _quantities(shape: str, filters: frozenset[str]) -> Statement[QuantityOfOrder]:
    groups = (orders.c.id, order_lines.c.unit)
    query = lines_shown(
        shape,
        orders.c.id.label("order_id"),
        order_lines.c.unit,
        func.count().label("lines"),
        *QUANTITIES,
        AMOUNT,
        filters=filters,
    )
    return Statement(query.where(_IDS).group_by(*groups).order_by(*groups), QuantityOfOrder)


async def quantities_of(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[Filters, UUID]]
) -> Mapping[tuple[Filters, UUID], list[QuantityOfOrder]]:
    """What the lines of each order add up to, by unit, as far as its statement shows them."""
    found: dict[tuple[Filters, UUID], list[QuantityOfOrder]] = {}
    for filters, ids in by_filters(keys).items():
        shape, names, values = asked(viewer, dict(filters))
        rows = await connection.rows(_quantities(shape, names), ids=ids, **values)
        found |= {(filters, key): group for key, group in many_each(rows, ids, "order_id").items()}
    return found


@lru_cache(maxsize=128)
def _lines(shape: str, filters: frozenset[str]) -> Statement[LineInProgress]:
    shown = (
        lines_shown(
            shape,
            orders.c.id.label("order_id"),
            order_lines.c.position,
            order_lines.c.product_id,
            order_lines.c.sku,
            order_lines.c.name,
            order_lines.c.unit,
            order_lines.c.quantity.label("ordered"),
            order_lines.c.shipped_quantity.label("shipped"),
            func.trim_scale(OUTSTANDING).label("outstanding"),
            OUTSTANDING_AMOUNT.label("outstanding_amount"),
            orders.c.currency,
            func.row_number().over(partition_by=orders.c.id, order_by=order_lines.c.position).label("place"),
            filters=filters,
        )
        .where(_IDS)
        .subquery("shown")
    )
    columns = [shown.c[field.name] for field in fields(LineInProgress)]
    return Statement(
        select(*columns)
        .where(shown.c.place <= bindparam("most", type_=Integer))
        .order_by(shown.c.order_id, shown.c.position),
        LineInProgress,
    )


async def first_lines(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[Filters, FirstLines]]
) -> Mapping[tuple[Filters, FirstLines], list[LineInProgress]]:
    """The first lines of each order, by position, as far as its statement shows them."""
    found: dict[tuple[Filters, FirstLines], list[LineInProgress]] = {}
    for filters, group in by_filters(keys).items():
        shape, names, values = asked(viewer, dict(filters))
        for most in {each.most for each in group}:
            ids = [each.order_id for each in group if each.most == most]
            rows = await connection.rows(_lines(shape, names), ids=ids, most=most, **values)
            lines = many_each(rows, ids, "order_id")
            found |= {(filters, FirstLines(key, most)): each for key, each in lines.items()}
    return found
