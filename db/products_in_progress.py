"""Products in progress: an order statement by product, with the orders of each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Select, Text, any_, bindparam, distinct, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.connections import Connection
from db.order_statements import (
    CONDITIONS_OF_LINES,
    QUANTITIES,
    Filters,
    asked,
    by_filters,
    lines_shown,
    whose_in_progress,
)
from db.orders import order_lines, orders
from db.pages import Key, Listing, Page, Window
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class ProductInProgress:
    """What was ordered under one SKU in one unit, with the name and product of the newest line. `filters` are those
    of the statement."""

    sku: str
    unit: str
    name: str
    product_id: UUID | None
    order_count: int
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal
    filters: Filters = frozenset()


@dataclass(slots=True)
class OrderOfProduct:
    """What one order in progress has of a product, times UTC."""

    sku: str
    unit: str
    order_id: UUID
    number: str
    placed_at: datetime
    customer_id: UUID
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal


class FirstOrders(NamedTuple):
    """The first orders of a product, as far as its statement shows them."""

    sku: str
    unit: str
    most: int


_NEWEST = (orders.c.placed_at.desc(), orders.c.id.desc(), order_lines.c.position.desc())


def _newest(column: Any) -> Any:
    return func.array_agg(aggregate_order_by(column, *_NEWEST), type_=ARRAY(column.type))[1]


_GROUPS = (order_lines.c.sku, order_lines.c.unit)
_COLUMNS = (
    *_GROUPS,
    _newest(order_lines.c.name).label("name"),
    _newest(order_lines.c.product_id).label("product_id"),
    func.count(distinct(orders.c.id)).label("order_count"),
    *QUANTITIES,
)
ORDERS = {"SKU_ASC": Key(order_lines.c.sku), "SKU_DESC": Key(order_lines.c.sku, descending=True)}


def _row(*record: Any) -> ProductInProgress:
    return ProductInProgress(*record)


def _grouped(shape: str, filters: frozenset[str] = frozenset()) -> Select[Any]:
    return lines_shown(shape, *_COLUMNS, filters=filters).group_by(*_GROUPS)


_listing = Listing(
    _row,
    _grouped,
    CONDITIONS_OF_LINES,
    ORDERS,
    order_lines.c.unit,
    whose=whose_in_progress,
)
keys, count = _listing.keys, _listing.count


async def page(
    connection: Connection,
    viewer: Viewer,
    filters: Mapping[str, Any],
    order: tuple[str, ...],
    window: Window,
) -> Page:
    """A window of the products in a statement."""
    found = await _listing.page(connection, viewer, filters, order, window)
    for row in found.rows:
        row.filters = frozenset(filters.items())
    return found


@lru_cache(maxsize=128)
def _every(shape: str, filters: frozenset[str]) -> Statement[ProductInProgress]:
    return Statement(_grouped(shape, filters).order_by(*_GROUPS), _row)


def every(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[ProductInProgress]]:
    """All products of a statement by SKU, a chunk at a time."""
    shape, names, values = asked(viewer, filters)
    return connection.chunks(_every(shape, names), at_once, **values)


@lru_cache(maxsize=128)
def _orders(shape: str, filters: frozenset[str]) -> Statement[OrderOfProduct]:
    whole = (*_GROUPS, orders.c.id, orders.c.number, orders.c.placed_at, orders.c.customer_id)
    shown = (
        lines_shown(
            shape,
            *_GROUPS,
            orders.c.id.label("order_id"),
            orders.c.number,
            orders.c.placed_at,
            orders.c.customer_id,
            *QUANTITIES,
            func.row_number()
            .over(partition_by=_GROUPS, order_by=(orders.c.placed_at, orders.c.id))
            .label("place"),
            filters=filters,
        )
        .where(order_lines.c.sku == any_(bindparam("skus", type_=ARRAY(Text))))
        .group_by(*whole)
        .subquery("shown")
    )
    columns = [shown.c[field.name] for field in fields(OrderOfProduct)]
    return Statement(
        select(*columns)
        .where(shown.c.place <= bindparam("most", type_=Integer))
        .order_by(shown.c.sku, shown.c.unit, shown.c.place),
        OrderOfProduct,
    )


async def first_orders(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[Filters, FirstOrders]]
) -> Mapping[tuple[Filters, FirstOrders], list[OrderOfProduct]]:
    """The first orders of each product, oldest first, as far as its statement shows them."""
    found: dict[tuple[Filters, FirstOrders], list[OrderOfProduct]] = {key: [] for key in keys}
    for filters, group in by_filters(keys).items():
        shape, names, values = asked(viewer, dict(filters))
        for most in {each.most for each in group}:
            skus = [each.sku for each in group if each.most == most]
            rows = await connection.rows(_orders(shape, names), skus=skus, most=most, **values)
            for row in rows:
                key = filters, FirstOrders(row.sku, row.unit, most)
                if key in found:  # a SKU may have been ordered in several units, of which one is asked for
                    found[key].append(row)
    return found
