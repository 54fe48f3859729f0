"""Goods issues: what was shipped for an order, posted: they are added and read, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    literal_column,
)

from db.connections import Connection, many_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.orders import orders as orders  # the foreign key's target
from db.restrictions import WhoseDocuments, whose_documents
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, refers_to, tenant_table, unique
from rules.documents import DocumentKind, DocumentStatus
from rules.viewers import Viewer

goods_issues = tenant_table(
    "goods_issues",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("warehouse_id", Uuid),  # empty when nothing but services was delivered
    Column("shipped_at", DateTime(timezone=True), nullable=False),
    Column("comment", Text),
    unique("number", name="goods_issues_number_key"),
    refers_to("orders", "order_id", name="goods_issues_order_fkey"),
    refers_to("customers", "customer_id", name="goods_issues_customer_fkey"),
    refers_to("warehouses", "warehouse_id", name="goods_issues_warehouse_fkey"),
    Index("goods_issues_shipped_at_idx", "tenant_id", "shipped_at", "id"),
    Index("goods_issues_customer_idx", "tenant_id", "customer_id", "shipped_at", "id"),
    Index("goods_issues_order_idx", "tenant_id", "order_id"),
)

# Why its product has no foreign key is in docs/decisions/0006.
goods_issue_lines = tenant_table(
    "goods_issue_lines",
    Column("goods_issue_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("order_position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    refers_to("goods_issues", "goods_issue_id", name="goods_issue_lines_goods_issue_fkey"),
    CheckConstraint("quantity > 0", name="goods_issue_lines_quantity_check"),
    key=("goods_issue_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class GoodsIssue:
    """Goods and services that were shipped for one order, from one warehouse. Times are UTC."""

    id: UUID
    number: str
    order_id: UUID
    customer_id: UUID
    warehouse_id: UUID | None
    shipped_at: datetime
    comment: str | None


@dataclass(slots=True)
class GoodsIssueLine:
    """What was shipped of one line of the order, with its own copy of what that was."""

    goods_issue_id: UUID
    position: int
    order_position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal


_NAMES = names_of(GoodsIssue)
_LINE_NAMES = names_of(GoodsIssueLine)


DOCUMENTS = Documents(
    DocumentKind.GOODS_ISSUE,
    GoodsIssue,
    goods_issues,
    issued_at=goods_issues.c.shipped_at,
    state=literal_column(f"'{DocumentStatus.ISSUED}'", Text),
)
by_ids = DOCUMENTS.by_ids


@lru_cache(maxsize=256)
def _of_orders(whose: WhoseDocuments) -> Statement[GoodsIssue]:
    of_orders = goods_issues.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid)))
    return Statement(DOCUMENTS.visible(whose).where(of_orders).order_by(goods_issues.c.number), GoodsIssue)


_lines_of = lines_of_documents(GoodsIssueLine, goods_issue_lines, "goods_issue_id", goods_issues)


async def of_orders(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[GoodsIssue]]:
    """The goods issues of each order that the viewer may see, by number."""
    whose, mine = whose_documents(viewer)
    statement = _of_orders(whose)
    return many_each(await connection.rows(statement, ids=ids, **statement.needed(mine)), ids, "order_id")


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[GoodsIssueLine]]:
    """The lines of each goods issue, by position. Ask for goods issues that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "goods_issue_id")


_add = Statement[None](insert_rows(goods_issues, _NAMES))
_add_lines = Statement[None](insert_rows(goods_issue_lines, _LINE_NAMES))


async def add(connection: Connection, new: Sequence[GoodsIssue], lines: Sequence[GoodsIssueLine]) -> None:
    """Post goods issues with their lines, however many, with three statements, and tell whoever watches."""
    await connection.run(_add, **as_columns(new, _NAMES))
    await connection.run(_add_lines, **as_columns(lines, _LINE_NAMES))
    await announce(connection, [each.id for each in new])
