"""Credit: how much of its credit limit a customer uses."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    literal_column,
    select,
)

from db.connections import Connection
from db.movements import movements
from db.orders import order_lines, orders
from db.statements import Statement
from rules.balances import MovementKind
from rules.credit import Exposure

_CUSTOMER = bindparam("customer_id", type_=Uuid)
_CURRENCY = bindparam("currency", type_=Text)
_MOVED = (
    movements.c.tenant_id == bindparam("tenant_id"),
    movements.c.customer_id == _CUSTOMER,
    movements.c.currency == _CURRENCY,
)


def _sum(amounts: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.sum(amounts), 0).cast(BigInteger)


def _open_orders() -> ScalarSelect[int]:
    """What the orders are still to be invoiced: their totals without what was cancelled, less what invoices charge
    for them. The lines of an order that is invoiced are not looked at."""
    charged = (
        select(movements.c.order_id, func.sum(movements.c.amount).label("amount"))
        .where(*_MOVED, movements.c.kind == literal_column(f"'{MovementKind.INVOICE}'"))
        .group_by(movements.c.order_id)
        .subquery("charged")
    )
    invoiced = func.coalesce(charged.c.amount, 0)
    rate = case((orders.c.tax_included, 0), else_=order_lines.c.tax_rate)
    gross = order_lines.c.amount * (100 + rate)
    left = gross * (order_lines.c.quantity - order_lines.c.cancelled_quantity)
    share = (
        select(func.sum(left / order_lines.c.quantity) / func.nullif(func.sum(gross), 0))
        .where(
            order_lines.c.tenant_id == bindparam("tenant_id"),
            order_lines.c.order_id == orders.c.id,
        )
        .correlate(orders)
        .scalar_subquery()
    )
    rest = func.round(orders.c.total * func.coalesce(share, 0)) - invoiced
    return (
        select(_sum(func.greatest(rest, 0)))
        .select_from(orders)
        .outerjoin(charged, charged.c.order_id == orders.c.id)
        .where(
            orders.c.tenant_id == bindparam("tenant_id"),
            orders.c.customer_id == _CUSTOMER,
            orders.c.currency == _CURRENCY,
            orders.c.total > invoiced,
        )
        .scalar_subquery()
    )


_exposure = Statement(
    select(
        select(_sum(movements.c.amount)).where(*_MOVED).scalar_subquery().label("balance"),
        _open_orders().label("open_orders"),
    ),
    Exposure,
)


async def exposure(connection: Connection, customer_id: UUID, currency: str) -> Exposure:
    """What a customer owes in a currency, by the ledger, and what its orders are still to be invoiced."""
    found = await connection.row(_exposure, customer_id=customer_id, currency=currency)
    assert found is not None, "a query without tables has a row"
    return found
