"""Tax invoices: the tax authority's document to an invoice, posted. Its lines are the invoice's, which never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Text,
    Uuid,
)

from db.connections import Connection
from db.document_kinds import Documents, announce
from db.invoices import invoices as invoices  # the foreign key's target
from db.reversals import state_of
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.documents import DocumentKind

tax_invoices = tenant_table(
    "tax_invoices",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    unique("number", name="tax_invoices_number_key"),
    refers_to("customers", "customer_id", name="tax_invoices_customer_fkey"),
    refers_to("invoices", "invoice_id", name="tax_invoices_invoice_fkey"),
    CheckConstraint("total = net + tax", name="tax_invoices_total_check"),
    Index("tax_invoices_issued_at_idx", "tenant_id", "issued_at", "id"),
    Index("tax_invoices_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
    Index("tax_invoices_invoice_idx", "tenant_id", "invoice_id"),
)


@dataclass(slots=True)
class TaxInvoice:
    """The tax of an invoice, as the authority wants it. Amounts are minor units of `currency`, times UTC; `state` is
    ISSUED or REVERSED."""

    id: UUID
    number: str
    customer_id: UUID
    invoice_id: UUID
    issued_at: datetime
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    state: str


STATE = state_of(tax_invoices)
DOCUMENTS = Documents(
    DocumentKind.TAX_INVOICE,
    TaxInvoice,
    tax_invoices,
    issued_at=tax_invoices.c.issued_at,
    state=STATE,
    total=tax_invoices.c.total,
    derived={"state": STATE},
)
by_ids = DOCUMENTS.by_ids

_NEW = names_of(TaxInvoice, leave_out=["state"])
_add = Statement[None](insert_rows(tax_invoices, _NEW))


async def add(connection: Connection, new: Sequence[TaxInvoice]) -> None:
    """Post tax invoices, however many, with two statements, and tell whoever watches."""
    await connection.run(_add, **as_columns(new, _NEW))
    await announce(connection, [each.id for each in new])
