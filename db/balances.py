"""Balances: what follows from the ledger (db/movements.py)."""

from collections.abc import Mapping, Sequence
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


def _sum(*kinds: MovementKind) -> ColumnElement[int]:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    of_kinds = movements.c.kind == any_(literal_column(f"array[{listed}]", ARRAY(Text)))
    return func.coalesce(func.sum(movements.c.amount).filter(of_kinds), 0).cast(BigInteger)


_settlements_of = Statement(
    select(
        movements.c.order_id,
        movements.c.currency,
        _sum(MovementKind.INVOICE),
        -_sum(MovementKind.CREDIT_NOTE),
        -_sum(MovementKind.PAYMENT, MovementKind.REFUND),
    )
    .where(
        movements.c.tenant_id == bindparam("tenant_id"),
        movements.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .group_by(movements.c.order_id, movements.c.currency)
    .order_by(movements.c.currency),
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
