"""Shipped lines: the lines of goods issues, with their price in the order and what of them is invoiced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, func, not_, select

from db.connections import Connection, many_each
from db.goods_issues import goods_issue_lines, goods_issues
from db.invoices import invoice_lines, invoices
from db.orders import order_lines
from db.reversals import is_reversed
from db.statements import Statement
from db.tables import QUANTITY
from rules.viewers import Viewer


@dataclass(slots=True)
class ShippedLine:
    """What was shipped of a line of an order, and how much of that is invoiced; reversed invoices do not count."""

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


_invoiced = (
    select(func.coalesce(func.sum(invoice_lines.c.quantity, type_=QUANTITY), 0))
    .join_from(
        invoice_lines,
        invoices,
        and_(invoices.c.tenant_id == invoice_lines.c.tenant_id, invoices.c.id == invoice_lines.c.invoice_id),
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
    )
    .join_from(
        goods_issue_lines,
        goods_issues,
        and_(
            goods_issues.c.tenant_id == goods_issue_lines.c.tenant_id,
            goods_issues.c.id == goods_issue_lines.c.goods_issue_id,
        ),
    )
    .join(
        order_lines,
        and_(
            order_lines.c.tenant_id == goods_issues.c.tenant_id,
            order_lines.c.order_id == goods_issues.c.order_id,
            order_lines.c.position == goods_issue_lines.c.order_position,
        ),
    )
    .where(
        goods_issues.c.tenant_id == bindparam("tenant_id"),
        goods_issues.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(goods_issues.c.number, goods_issue_lines.c.position),
    ShippedLine,
)


async def of_orders(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ShippedLine]]:
    """What was shipped of each order, by goods issue and position. Ask for orders that the viewer may see."""
    return many_each(await connection.rows(_of_orders, ids=ids), ids, "order_id")
