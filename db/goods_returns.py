"""Goods returns: the proof that goods of an invoice came back, posted: they are added and read, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, Text, Uuid

from db.connections import Connection, many_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.invoices import invoices as invoices  # the foreign key's target
from db.reversals import state_of
from db.rma_requests import rma_requests as rma_requests
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, refers_to, tenant_table, unique
from rules.documents import DocumentKind
from rules.viewers import Viewer

goods_returns = tenant_table(
    "goods_returns",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, nullable=False),
    Column("warehouse_id", Uuid),  # where they were put into stock; empty: nowhere
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("comment", Text),
    Column("rma_request_id", Uuid),
    unique("number", name="goods_returns_number_key"),
    refers_to("customers", "customer_id", name="goods_returns_customer_fkey"),
    refers_to("invoices", "invoice_id", name="goods_returns_invoice_fkey"),
    refers_to("warehouses", "warehouse_id", name="goods_returns_warehouse_fkey"),
    refers_to("rma_requests", "rma_request_id", name="goods_returns_rma_request_fkey"),
    Index("goods_returns_received_at_idx", "tenant_id", "received_at", "id"),
    Index("goods_returns_customer_idx", "tenant_id", "customer_id", "received_at", "id"),
    Index("goods_returns_invoice_idx", "tenant_id", "invoice_id"),
    Index("goods_returns_rma_request_idx", "tenant_id", "rma_request_id"),
)

# Why its product has no foreign key is in docs/decisions/0006.
goods_return_lines = tenant_table(
    "goods_return_lines",
    Column("goods_return_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("invoice_position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    refers_to("goods_returns", "goods_return_id", name="goods_return_lines_goods_return_fkey"),
    CheckConstraint("quantity > 0", name="goods_return_lines_quantity_check"),
    key=("goods_return_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class GoodsReturn:
    """Goods of one invoice that came back. Times are UTC; `state` is ISSUED or REVERSED."""

    id: UUID
    number: str
    customer_id: UUID
    invoice_id: UUID
    warehouse_id: UUID | None
    received_at: datetime
    comment: str | None
    state: str
    rma_request_id: UUID | None = None


@dataclass(slots=True)
class GoodsReturnLine:
    """What came back of one line of the invoice, with its own copy of what that was."""

    goods_return_id: UUID
    position: int
    invoice_position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal


STATE = state_of(goods_returns)
DOCUMENTS = Documents(
    DocumentKind.GOODS_RETURN,
    GoodsReturn,
    goods_returns,
    issued_at=goods_returns.c.received_at,
    state=STATE,
    derived={"state": STATE},
)
by_ids = DOCUMENTS.by_ids
_lines_of = lines_of_documents(GoodsReturnLine, goods_return_lines, "goods_return_id", goods_returns)


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[GoodsReturnLine]]:
    """The lines of each goods return, by position. Ask for goods returns that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "goods_return_id")


_NEW = names_of(GoodsReturn, leave_out=["state"])
_NEW_LINE = names_of(GoodsReturnLine)
_add = Statement[None](insert_rows(goods_returns, _NEW))
_add_lines = Statement[None](insert_rows(goods_return_lines, _NEW_LINE))


async def add(connection: Connection, new: Sequence[GoodsReturn], lines: Sequence[GoodsReturnLine]) -> None:
    """Post goods returns with their lines, however many, with three statements, and tell whoever watches."""
    await connection.run(_add, **as_columns(new, _NEW))
    await connection.run(_add_lines, **as_columns(lines, _NEW_LINE))
    await announce(connection, [each.id for each in new])
