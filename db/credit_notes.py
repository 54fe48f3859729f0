"""Credit notes: what was given back, posted: they are added and read, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    literal_column,
)

from db.connections import Connection, many_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.goods_returns import goods_returns as goods_returns  # the foreign keys' targets
from db.invoices import invoices as invoices
from db.reversals import state_of
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, TAX_RATE, UNIT_PRICE, one_of, refers_to, tenant_table, unique
from rules.documents import CreditOperation, DocumentKind
from rules.viewers import Viewer

credit_notes = tenant_table(
    "credit_notes",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid),
    Column("goods_return_id", Uuid),
    Column("operation", Text, nullable=False, server_default=CreditOperation.SALES_RETURN),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False, server_default="false"),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("customer_name", Text),  # its own copy; an import brings none
    Column("bill_to", Text),  # JSON of rules.contacts.Address, its own copy
    Column("comment", Text),
    Column("rma_request_id", Uuid),
    unique("number", name="credit_notes_number_key"),
    refers_to("customers", "customer_id", name="credit_notes_customer_fkey"),
    refers_to("invoices", "invoice_id", name="credit_notes_invoice_fkey"),
    refers_to("goods_returns", "goods_return_id", name="credit_notes_goods_return_fkey"),
    refers_to("rma_requests", "rma_request_id", name="credit_notes_rma_request_fkey"),
    one_of("operation", list(CreditOperation), name="credit_notes_operation_check"),
    CheckConstraint("total = net + tax", name="credit_notes_total_check"),
    Index("credit_notes_issued_at_idx", "tenant_id", "issued_at", "id"),
    Index("credit_notes_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
    Index("credit_notes_invoice_idx", "tenant_id", "invoice_id"),
    Index("credit_notes_goods_return_idx", "tenant_id", "goods_return_id"),
    Index("credit_notes_rma_request_idx", "tenant_id", "rma_request_id"),
)

# How a credit note that is a discount says so in SQL.
OF_DISCOUNTS: ColumnElement[str] = literal_column(f"'{CreditOperation.DISCOUNT}'")

credit_note_lines = tenant_table(
    "credit_note_lines",
    Column("credit_note_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default=""),  # an import brings none
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


@dataclass(slots=True)
class CreditNote:
    """What a customer is given back. Amounts are minor units of `currency`, times UTC; `bill_to` is an address as
    JSON, `operation` one of rules.documents.CreditOperation, `state` ISSUED or REVERSED."""

    id: UUID
    number: str
    customer_id: UUID
    invoice_id: UUID | None
    goods_return_id: UUID | None
    operation: str
    issued_at: datetime
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    customer_name: str | None
    bill_to: str | None
    comment: str | None
    state: str
    rma_request_id: UUID | None = None


@dataclass(slots=True)
class CreditNoteLine:
    """One line of a credit note, with its own copy of what is credited; `amount` in minor units. `invoice_id` and
    `invoice_position` say which line of an invoice it corrects."""

    credit_note_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    invoice_id: UUID | None
    invoice_position: int | None
    currency: str


STATE = state_of(credit_notes)
DOCUMENTS = Documents(
    DocumentKind.CREDIT_NOTE,
    CreditNote,
    credit_notes,
    issued_at=credit_notes.c.issued_at,
    state=STATE,
    total=credit_notes.c.total,
    derived={"state": STATE},
)
by_ids = DOCUMENTS.by_ids
_lines_of = lines_of_documents(CreditNoteLine, credit_note_lines, "credit_note_id", credit_notes)


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[CreditNoteLine]]:
    """The lines of each credit note, by position. Ask for credit notes that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "credit_note_id")


_NEW = names_of(CreditNote, leave_out=["state"])
_NEW_LINE = names_of(CreditNoteLine, leave_out=["currency"])
_add = Statement[None](insert_rows(credit_notes, _NEW))
_add_lines = Statement[None](insert_rows(credit_note_lines, _NEW_LINE))


async def add(connection: Connection, new: Sequence[CreditNote], lines: Sequence[CreditNoteLine]) -> None:
    """Post credit notes with their lines, however many, with three statements, and tell whoever watches. What they move is posted apart."""
    await connection.run(_add, **as_columns(new, _NEW))
    await connection.run(_add_lines, **as_columns(lines, _NEW_LINE))
    await announce(connection, [each.id for each in new])
