"""Balances: what follows from the ledger (db/movements.py)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)

from db.connections import Connection
from db.movements import movements
from db.statements import Statement
from rules.balances import MovementKind, Settlement
from rules.viewers import Viewer


def _moved(*kinds: MovementKind) -> ColumnElement[int]:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    of_kinds = movements.c.kind == any_(literal_column(f"array[{listed}]", ARRAY(Text)))
    return func.coalesce(func.sum(movements.c.amount).filter(of_kinds), 0)


# Each invoice by itself, and what settles none: what is too much of one does not make up for another.
_parts = (
    select(
        movements.c.order_id,
        movements.c.currency,
        _moved(MovementKind.INVOICE).label("charged"),
        _moved(MovementKind.CREDIT_NOTE).label("credited"),
        _moved(MovementKind.PAYMENT, MovementKind.REFUND).label("paid"),
        func.sum(movements.c.amount).label("open"),
    )
    .where(
        movements.c.tenant_id == bindparam("tenant_id"),
        movements.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .group_by(movements.c.order_id, movements.c.currency, movements.c.settles_id)
    .subquery("parts")
)


def _total(amounts: ColumnElement[Any]) -> ColumnElement[int]:
    return func.sum(amounts).cast(BigInteger)


_settlements_of = Statement(
    select(
        _parts.c.order_id,
        _parts.c.currency,
        _total(_parts.c.charged),
        _total(-_parts.c.credited),
        _total(-_parts.c.paid),
        _total(func.greatest(_parts.c.open, 0)),
        _total(func.greatest(-_parts.c.open, 0)),
    )
    .group_by(_parts.c.order_id, _parts.c.currency)
    .order_by(_parts.c.currency),
    lambda order_id, *amounts: (order_id, Settlement(*amounts)),
)


async def settlements_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Settlement]]:
    """What the ledger says of each order, one a currency. Ask for orders that the viewer may see."""
    found: dict[UUID, list[Settlement]] = {each: [] for each in ids}
    for order_id, settlement in await connection.rows(_settlements_of, ids=ids):
        found[order_id].append(settlement)
    return found
