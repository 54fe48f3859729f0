"""Balances: the ledger of movements. A posted movement is never changed, only reversed: the server's
role may insert and read here, and nothing else."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)

from db.connections import Connection
from db.invoices import invoices as invoices  # the foreign keys' targets
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.balances import MovementKind, Settlement
from rules.viewers import Viewer

movements = tenant_table(
    "movements",
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("order_id", Uuid),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),  # minor units; what the customer owes grows by it
    Column("invoice_id", Uuid),
    Column("credit_note_id", Uuid),
    Column("payment_id", Uuid),
    Column("reverses_id", Uuid),
    one_of("kind", list(MovementKind), name="movements_kind_check"),
    CheckConstraint(
        "num_nonnulls(invoice_id, credit_note_id, payment_id) = 1", name="movements_document_check"
    ),
    refers_to("customers", "customer_id", name="movements_customer_fkey"),
    refers_to("orders", "order_id", name="movements_order_fkey"),
    refers_to("invoices", "invoice_id", name="movements_invoice_fkey"),
    refers_to("credit_notes", "credit_note_id", name="movements_credit_note_fkey"),
    refers_to("payments", "payment_id", name="movements_payment_fkey"),
    refers_to("movements", "reverses_id", name="movements_reverses_fkey"),
    unique("reverses_id", name="movements_reverses_key"),
    Index("movements_customer_idx", "tenant_id", "customer_id", "currency", "moved_at", "id"),
    Index("movements_order_idx", "tenant_id", "order_id"),
    Index("movements_invoice_idx", "tenant_id", "invoice_id"),
    Index("movements_credit_note_idx", "tenant_id", "credit_note_id"),
    Index("movements_payment_idx", "tenant_id", "payment_id"),
)


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
