"""Balances: what follows from the ledger (db/movements.py), each invoice by itself."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Label,
    Subquery,
    Uuid,
    any_,
    bindparam,
    func,
    or_,
    select,
)

from db.balance_reports import total
from db.connections import Connection
from db.movements import movements
from db.statements import Statement
from rules.balances import MovementKind, Settlement
from rules.viewers import Viewer


def _moved(*kinds: MovementKind) -> ColumnElement[int]:
    return func.sum(movements.c.amount).filter(or_(*(movements.c.kind == kind.value for kind in kinds)))


def by_invoice(order_id: ColumnElement[Any], moved: FromClause, *conditions: ColumnElement[bool]) -> Subquery:
    """What was moved of each order and invoice in each currency. The row without an invoice is what lies on account;
    there is one an order and currency."""
    return (
        select(
            order_id.label("order_id"),
            movements.c.currency,
            func.sum(movements.c.amount).label("open"),
            _moved(MovementKind.INVOICE).label("invoiced"),
            _moved(MovementKind.CREDIT_NOTE).label("credited"),
            _moved(MovementKind.PAYMENT, MovementKind.REFUND).label("paid"),
        )
        .select_from(moved)
        .where(*conditions)
        .group_by(order_id, movements.c.currency, movements.c.settles_id)
        .subquery("parts")
    )


def sums(parts: Subquery) -> list[Label[int]]:
    """Debt, prepayments, and what was invoiced, credited and paid, of `by_invoice`: what is too much of one invoice does
    not make up for another."""
    return [
        total(func.greatest(parts.c.open, 0)).label("debt"),
        total(func.greatest(-parts.c.open, 0)).label("prepayments"),
        total(parts.c.invoiced).label("invoiced"),
        (-total(parts.c.credited)).label("credited"),
        (-total(parts.c.paid)).label("paid"),
    ]


def _settlement(
    order_id: UUID, currency: str, debt: int, prepayments: int, invoiced: int, credited: int, paid: int
) -> tuple[UUID, Settlement]:
    return order_id, Settlement(currency, invoiced, credited, paid, debt, prepayments)


_of_orders = by_invoice(
    movements.c.order_id,
    movements,
    movements.c.tenant_id == bindparam("tenant_id"),
    movements.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
)
_settlements_of = Statement(
    select(_of_orders.c.order_id, _of_orders.c.currency, *sums(_of_orders))
    .group_by(_of_orders.c.order_id, _of_orders.c.currency)
    .order_by(_of_orders.c.currency),
    _settlement,
)


async def settlements_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Settlement]]:
    """What the ledger says of each order, one a currency. Ask for orders that the viewer may see."""
    found: dict[UUID, list[Settlement]] = {each: [] for each in ids}
    for order_id, settlement in await connection.rows(_settlements_of, ids=ids):
        found[order_id].append(settlement)
    return found
