"""Invoices: what was charged, posted: they are added and read, never changed. What is open of one is in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    select,
)

from db.connections import Connection, many_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.movements import movements
from db.orders import orders as orders  # the foreign key's target
from db.reversals import is_reversed
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, TAX_RATE, UNIT_PRICE, refers_to, tenant_table, unique
from rules.documents import DocumentKind, DocumentStatus
from rules.viewers import Viewer

invoices = tenant_table(
    "invoices",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("order_id", Uuid),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False, server_default="false"),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("customer_name", Text),  # its own copy; an import brings none
    Column("bill_to", Text),  # JSON of rules.contacts.Address, its own copy
    Column("comment", Text),
    unique("number", name="invoices_number_key"),
    refers_to("customers", "customer_id", name="invoices_customer_fkey"),
    refers_to("orders", "order_id", name="invoices_order_fkey"),
    CheckConstraint("total = net + tax", name="invoices_total_check"),
    Index("invoices_issued_at_idx", "tenant_id", "issued_at", "id"),
    Index("invoices_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
    Index("invoices_order_idx", "tenant_id", "order_id"),
)

# Why its product and its goods issue have no foreign key is in docs/decisions/0006.
invoice_lines = tenant_table(
    "invoice_lines",
    Column("invoice_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default=""),  # an import brings none
    Column("quantity", QUANTITY, nullable=False),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("goods_issue_id", Uuid),  # the line of a goods issue that it charges
    Column("goods_issue_position", Integer),
    refers_to("invoices", "invoice_id", name="invoice_lines_invoice_fkey"),
    Index("invoice_lines_goods_issue_idx", "tenant_id", "goods_issue_id", "goods_issue_position"),
    key=("invoice_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class Invoice:
    """What a customer is to pay. Amounts are minor units of `currency`, times UTC; `bill_to` is an address as JSON.

    `open` is what is still to be paid, below zero when too much was; `state` one of UNPAID, PARTLY_PAID, PAID,
    OVERDUE (by the database's date) and REVERSED.
    """

    id: UUID
    number: str
    customer_id: UUID
    order_id: UUID | None
    issued_at: datetime
    due_on: date
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    customer_name: str | None
    bill_to: str | None
    comment: str | None
    open: int
    state: str


@dataclass(slots=True)
class InvoiceLine:
    """One line of an invoice, with its own copy of what was charged; `amount` in minor units."""

    invoice_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    goods_issue_id: UUID | None
    goods_issue_position: int | None
    currency: str


OPEN = (
    select(func.coalesce(func.sum(movements.c.amount), 0).cast(BigInteger))
    .where(movements.c.tenant_id == bindparam("tenant_id"), movements.c.settles_id == invoices.c.id)
    .correlate(invoices)
    .scalar_subquery()
)
STATE = case(
    (is_reversed(invoices), DocumentStatus.REVERSED.value),
    (OPEN <= 0, DocumentStatus.PAID.value),
    (invoices.c.due_on < func.current_date(type_=Date), DocumentStatus.OVERDUE.value),
    (invoices.c.total > OPEN, DocumentStatus.PARTLY_PAID.value),
    else_=DocumentStatus.UNPAID.value,
)
DOCUMENTS = Documents(
    DocumentKind.INVOICE,
    Invoice,
    invoices,
    issued_at=invoices.c.issued_at,
    state=STATE,
    total=invoices.c.total,
    derived={"open": OPEN, "state": STATE},
)
by_ids = DOCUMENTS.by_ids
_lines_of = lines_of_documents(InvoiceLine, invoice_lines, "invoice_id", invoices)


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[InvoiceLine]]:
    """The lines of each invoice, by position. Ask for invoices that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "invoice_id")


_NEW = names_of(Invoice, leave_out=["open", "state"])
_NEW_LINE = names_of(InvoiceLine, leave_out=["currency"])
_add = Statement[None](insert_rows(invoices, _NEW))
_add_lines = Statement[None](insert_rows(invoice_lines, _NEW_LINE))


async def add(connection: Connection, new: Sequence[Invoice], lines: Sequence[InvoiceLine]) -> None:
    """Post invoices with their lines, however many, with three statements, and tell whoever watches. What they move is posted apart."""
    await connection.run(_add, **as_columns(new, _NEW))
    await connection.run(_add_lines, **as_columns(lines, _NEW_LINE))
    await announce(connection, [each.id for each in new])
