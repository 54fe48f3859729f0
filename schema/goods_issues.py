"""Goods issues."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.document_lines
import resolvers.goods_issues
from schema.document_lines import DocumentLine
from schema.documents import SupplierDocument
from schema.fields import field
from schema.products import Warehouse

if TYPE_CHECKING:  # they know each other
    from schema.orders import Order

_Order = Annotated["Order", strawberry.lazy("schema.orders")]


@strawberry.type(description="A line of a goods issue, with its own copy of what was shipped.")
class GoodsIssueLine(DocumentLine):
    """db.goods_issues.GoodsIssueLine."""

    order_position: Annotated[int, field(description="The place of its line in the order.")]
    quantity: Annotated[Decimal, field(description="What was shipped.")]


@strawberry.type(description="Goods and services that were shipped for an order; posted, it never changes.")
class GoodsIssue(SupplierDocument):
    """db.goods_issues.GoodsIssue."""

    shipped_at: Annotated[datetime, field(description="When it was shipped.")]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    order: Annotated[_Order | None, field(resolvers.goods_issues.order, description="For which order.")]
    warehouse: Annotated[
        Warehouse | None,
        field(resolvers.document_lines.warehouse, description="Where from; null for services alone."),
    ]
    lines: Annotated[
        list[GoodsIssueLine], field(resolvers.goods_issues.lines, description="Its lines.", size=20)
    ]
