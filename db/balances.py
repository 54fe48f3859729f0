"""Balances: the ledger of movements. A posted movement is never changed, only reversed: the server's
role may insert and read here, and nothing else."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Text, Uuid

from db.invoices import invoices as invoices  # the foreign keys' targets
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
