"""Order balances: what was invoiced, credited and paid of each order of a customer at the end of a day."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text, and_, bindparam, case, func, literal, select

from db.balance_reports import COUNTED, GIVEN, Filters, in_currency, total, whose
from db.balances import by_invoice, sums
from db.connections import Connection
from db.invoices import invoices
from db.movements import movements
from db.orders import orders
from db.pages import Condition, Key, Listing
from db.statements import Statement
from rules.viewers import Viewer

_NOBODYS = UUID(int=0)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class OrderBalance:
    """What the ledger says of an order in one currency, in its minor units; `id` is null for all that belongs to no
    order, and `placed_at` then before everything."""

    key: UUID
    id: UUID | None
    number: str | None
    placed_at: datetime
    currency: str
    debt: int
    prepayments: int
    invoiced: int
    credited: int
    paid: int


@dataclass(slots=True)
class OrderBalanceTotal:
    """What the orders come to in one currency, with what belongs to none; in minor units."""

    currency: str
    rows: int
    debt: int
    prepayments: int
    invoiced: int
    credited: int
    paid: int


# An invoice and all that settles it belong to the invoice's order, so no invoice is split over two.
_order_id = case((movements.c.settles_id.is_not(None), invoices.c.order_id), else_=movements.c.order_id)
_of_invoice = and_(invoices.c.tenant_id == bindparam("tenant_id"), invoices.c.id == movements.c.settles_id)
_parts = by_invoice(_order_id, movements.outerjoin(invoices, _of_invoice), *COUNTED)
_each = (
    select(
        func.coalesce(_parts.c.order_id, literal(_NOBODYS)).label("key"),
        _parts.c.order_id.label("id"),
        _parts.c.currency,
        *sums(_parts),
    )
    .group_by(_parts.c.order_id, _parts.c.currency)
    .subquery("each")
)
_rows = (
    select(
        _each.c.key,
        _each.c.id,
        orders.c.number,
        func.coalesce(orders.c.placed_at, literal(_BEFORE_ALL, DateTime(timezone=True))).label("placed_at"),
        *(_each.c[name] for name in ("currency", "debt", "prepayments", "invoiced", "credited", "paid")),
    )
    .select_from(
        _each.outerjoin(orders, and_(orders.c.tenant_id == bindparam("tenant_id"), orders.c.id == _each.c.id))
    )
    .subquery("order_balances")
)
_every_one = select(*(_rows.c[field.name] for field in fields(OrderBalance)))
_CONDITIONS: dict[str, Condition] = {
    **GIVEN,
    "currency": _rows.c.currency == bindparam("currency", type_=Text),
}
ORDERS = {"PLACED_AT_ASC": Key(_rows.c.placed_at), "CURRENCY_ASC": Key(_rows.c.currency)}
# Filters: those of a report.
_listing = Listing(OrderBalance, lambda _: _every_one, _CONDITIONS, ORDERS, _rows.c.key, whose=whose)
keys, page, count = _listing.keys, _listing.page, _listing.count
_all = Statement(
    _every_one.where(in_currency(_rows.c.currency)).order_by(
        _rows.c.currency, _rows.c.placed_at, _rows.c.key
    ),
    OrderBalance,
)
_totals = Statement(
    select(
        _each.c.currency,
        func.count().label("rows"),
        *(total(_each.c[field.name]).label(field.name) for field in fields(OrderBalanceTotal)[2:]),
    )
    .where(in_currency(_each.c.currency))
    .group_by(_each.c.currency)
    .order_by(_each.c.currency),
    OrderBalanceTotal,
)


async def totals(
    connection: Connection, viewer: Viewer, keys: Sequence[Filters]
) -> Mapping[Filters, list[OrderBalanceTotal]]:
    """What all orders of each report come to, one a currency."""
    found = {}
    for key in keys:
        values = {**dict(key), **whose(viewer)[1]}
        found[key] = await connection.rows(_totals, **_totals.needed(values))
    return found


def every(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[OrderBalance]]:
    """All rows of a report, by currency, the oldest order first, a chunk at a time."""
    values = {**filters, **whose(viewer)[1]}
    return connection.chunks(_all, at_once, **_all.needed(values))
