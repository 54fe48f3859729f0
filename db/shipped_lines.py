"""Shipped lines: the lines of goods issues, with their price in the order and what of them is invoiced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Table, Uuid, and_, any_, bindparam, func, not_, select

from db.connections import Connection, many_each
from db.goods_issues import goods_issue_lines, goods_issues
from db.invoices import invoice_lines, invoices
from db.orders import order_lines, orders
from db.reversals import is_reversed
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.invoices import taken_by_unnamed
from rules.viewers import Viewer


@dataclass(slots=True)
class ShippedLine:
    """What was shipped of a line of an order, and how much of that is invoiced; reversed invoices do not count.

    `unnamed` is what was invoiced of its SKU in that order without naming a goods issue, as an import does it, beyond
    what was shipped elsewhere; `of_orders` has spread it over the lines of that SKU.
    """

    order_id: UUID
    goods_issue_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    invoiced: Decimal
    unnamed: Decimal


_IDS = bindparam("ids", type_=ARRAY(Uuid))
_invoiced = (
    select(func.coalesce(func.sum(invoice_lines.c.quantity, type_=QUANTITY), 0))
    .join_from(
        invoice_lines,
        invoices,
        leads_to(invoice_lines.c.invoice_id, invoices),
    )
    .where(
        invoice_lines.c.tenant_id == bindparam("tenant_id"),
        invoice_lines.c.goods_issue_id == goods_issue_lines.c.goods_issue_id,
        invoice_lines.c.goods_issue_position == goods_issue_lines.c.position,
        not_(is_reversed(invoices)),
    )
    .correlate(goods_issue_lines)
    .scalar_subquery()
)


def _by_sku(lines: Table, documents: Table, key: str, quantity: ColumnElement[Any], *more: Any) -> Any:
    """How much of each SKU the lines of a kind of documents have, by order."""
    order_id = documents.c.id if documents is orders else documents.c.order_id
    return (
        select(order_id.label("order_id"), lines.c.sku, func.sum(quantity, type_=QUANTITY).label("quantity"))
        .join_from(
            lines,
            documents,
            and_(documents.c.tenant_id == lines.c.tenant_id, documents.c.id == lines.c[key]),
        )
        .where(documents.c.tenant_id == bindparam("tenant_id"), order_id == any_(_IDS), *more)
        .group_by(order_id, lines.c.sku)
        .subquery()
    )


def _of_sku(sums: Any) -> ColumnElement[bool]:
    return and_(sums.c.order_id == goods_issues.c.order_id, sums.c.sku == goods_issue_lines.c.sku)


_shipped = _by_sku(order_lines, orders, "order_id", order_lines.c.shipped_quantity)
_issued = _by_sku(goods_issue_lines, goods_issues, "goods_issue_id", goods_issue_lines.c.quantity)
_imported = _by_sku(
    invoice_lines,
    invoices,
    "invoice_id",
    invoice_lines.c.quantity,
    invoice_lines.c.goods_issue_id.is_(None),
    not_(is_reversed(invoices)),
)
_elsewhere = func.greatest(_shipped.c.quantity - _issued.c.quantity, 0)
_of_orders = Statement(
    select(
        goods_issues.c.order_id,
        goods_issue_lines.c.goods_issue_id,
        goods_issue_lines.c.position,
        goods_issue_lines.c.product_id,
        goods_issue_lines.c.sku,
        goods_issue_lines.c.name,
        goods_issue_lines.c.unit,
        goods_issue_lines.c.quantity,
        order_lines.c.unit_price,
        order_lines.c.tax_rate,
        _invoiced.label("invoiced"),
        func.trim_scale(func.greatest(func.coalesce(_imported.c.quantity, 0) - _elsewhere, 0)).label(
            "unnamed"
        ),
    )
    .join_from(
        goods_issue_lines,
        goods_issues,
        leads_to(goods_issue_lines.c.goods_issue_id, goods_issues),
    )
    .join(
        order_lines,
        and_(
            order_lines.c.tenant_id == goods_issues.c.tenant_id,
            order_lines.c.order_id == goods_issues.c.order_id,
            order_lines.c.position == goods_issue_lines.c.order_position,
        ),
    )
    .outerjoin(_shipped, _of_sku(_shipped))
    .outerjoin(_issued, _of_sku(_issued))
    .outerjoin(_imported, _of_sku(_imported))
    .where(
        goods_issues.c.tenant_id == bindparam("tenant_id"),
        goods_issues.c.order_id == any_(_IDS),
    )
    .order_by(goods_issues.c.number, goods_issue_lines.c.position),
    ShippedLine,
)


async def of_orders(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ShippedLine]]:
    """What was shipped of each order, by goods issue and position. Ask for orders that the viewer may see."""
    found = many_each(await connection.rows(_of_orders, ids=ids), ids, "order_id")
    for lines in found.values():
        for line, taken in zip(lines, taken_by_unnamed(lines), strict=True):
            line.invoiced += taken
    return found
