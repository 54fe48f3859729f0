"""Invoices, credit notes and payments: what was charged, given back and paid.

Posted documents do not change. (Their tables and ledger movements come with the import; reading them
as supplier documents is not part of the API yet.)
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
)

from db.orders import orders as orders  # the foreign key's target
from db.tables import QUANTITY, TAX_RATE, UNIT_PRICE, refers_to, tenant_table, unique

invoices = tenant_table(
    "invoices",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("order_id", Uuid),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    unique("number", name="invoices_number_key"),
    refers_to("customers", "customer_id", name="invoices_customer_fkey"),
    refers_to("orders", "order_id", name="invoices_order_fkey"),
    CheckConstraint("total = net + tax", name="invoices_total_check"),
    Index("invoices_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
    Index("invoices_order_idx", "tenant_id", "order_id"),
)

invoice_lines = tenant_table(
    "invoice_lines",
    Column("invoice_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("amount", BigInteger, nullable=False),
    refers_to("invoices", "invoice_id", name="invoice_lines_invoice_fkey"),
    key=("invoice_id", "position"),
    is_line=True,
)

credit_notes = tenant_table(
    "credit_notes",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    unique("number", name="credit_notes_number_key"),
    refers_to("customers", "customer_id", name="credit_notes_customer_fkey"),
    refers_to("invoices", "invoice_id", name="credit_notes_invoice_fkey"),
    CheckConstraint("total = net + tax", name="credit_notes_total_check"),
    Index("credit_notes_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
    Index("credit_notes_invoice_idx", "tenant_id", "invoice_id"),
)

credit_note_lines = tenant_table(
    "credit_note_lines",
    Column("credit_note_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("invoice_id", Uuid),  # the invoice line that is corrected
    Column("invoice_position", Integer),
    refers_to("credit_notes", "credit_note_id", name="credit_note_lines_credit_note_fkey"),
    Index("credit_note_lines_invoice_line_idx", "tenant_id", "invoice_id", "invoice_position"),
    key=("credit_note_id", "position"),
    is_line=True,
)

payments = tenant_table(
    "payments",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid),  # empty: a prepayment
    Column("paid_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    unique("number", name="payments_number_key"),
    refers_to("customers", "customer_id", name="payments_customer_fkey"),
    refers_to("invoices", "invoice_id", name="payments_invoice_fkey"),
    Index("payments_customer_idx", "tenant_id", "customer_id", "paid_at", "id"),
    Index("payments_invoice_idx", "tenant_id", "invoice_id"),
)
