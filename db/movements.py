"""Movements: the ledger. A posted movement is never changed, only reversed: the server's role may insert and read
here, and nothing else.

Every movement is one of an invoice that it opens or settles, or of the customer's account where it settles none (a
prepayment, a credit that is left). So what is open of an invoice is the sum of the movements that settle it, on any
day, and what a customer owes is the sum of all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Text, Uuid

from db.connections import Connection
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.balances import MovementKind

movements = tenant_table(
    "movements",
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("order_id", Uuid),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),  # minor units; what the customer owes grows by it
    Column("invoice_id", Uuid),  # the document that moved it: one of the three
    Column("credit_note_id", Uuid),
    Column("payment_id", Uuid),
    Column("settles_id", Uuid),  # the invoice that it opens or settles; empty: on account
    Column("reverses_id", Uuid),
    one_of("kind", list(MovementKind), name="movements_kind_check"),
    CheckConstraint(
        "num_nonnulls(invoice_id, credit_note_id, payment_id) = 1", name="movements_document_check"
    ),
    CheckConstraint(
        "kind <> 'INVOICE' or settles_id is not distinct from invoice_id", name="movements_settles_check"
    ),
    refers_to("customers", "customer_id", name="movements_customer_fkey"),
    refers_to("orders", "order_id", name="movements_order_fkey"),
    refers_to("invoices", "invoice_id", name="movements_invoice_fkey"),
    refers_to("credit_notes", "credit_note_id", name="movements_credit_note_fkey"),
    refers_to("payments", "payment_id", name="movements_payment_fkey"),
    refers_to("invoices", "settles_id", name="movements_settled_fkey"),
    refers_to("movements", "reverses_id", name="movements_reverses_fkey"),
    unique("reverses_id", name="movements_reverses_key"),
    Index("movements_customer_idx", "tenant_id", "customer_id", "currency", "moved_at", "id"),
    Index("movements_order_idx", "tenant_id", "order_id"),
    Index("movements_invoice_idx", "tenant_id", "invoice_id"),
    Index("movements_credit_note_idx", "tenant_id", "credit_note_id"),
    Index("movements_payment_idx", "tenant_id", "payment_id"),
    Index("movements_settled_idx", "tenant_id", "settles_id"),
)


@dataclass(slots=True, kw_only=True)
class Movement:
    """What a customer owes grows by `amount`, in minor units of `currency`; `moved_at` is UTC."""

    id: UUID
    kind: MovementKind
    customer_id: UUID
    order_id: UUID | None = None
    moved_at: datetime
    currency: str
    amount: int
    invoice_id: UUID | None = None
    credit_note_id: UUID | None = None
    payment_id: UUID | None = None
    settles_id: UUID | None = None
    reverses_id: UUID | None = None


_NAMES = names_of(Movement)
_post = Statement[None](insert_rows(movements, _NAMES))


async def post(connection: Connection, new: Sequence[Movement]) -> None:
    """Post movements, however many, with one statement."""
    await connection.run(_post, **as_columns(new, _NAMES))
