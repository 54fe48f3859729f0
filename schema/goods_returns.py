"""Goods returns."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.document_lines
import resolvers.documents
import resolvers.goods_returns
from schema.documents import SupplierDocument
from schema.fields import field
from schema.invoices import Invoice
from schema.products import Product, Warehouse


@strawberry.type(description="A line of a goods return, with its own copy of what came back.")
class GoodsReturnLine:
    """db.goods_returns.GoodsReturnLine."""

    position: Annotated[int, field(description="Its place in the goods return, from 1 on.")]
    invoice_position: Annotated[
        int | None, field(description="The place of its line in the invoice; never null.")
    ]
    sku: Annotated[str, field(description="The SKU when it was invoiced.")]
    name: Annotated[str, field(description="The name when it was invoiced.")]
    unit: Annotated[str, field(description="The unit of the quantity; empty where the ERP told none.")]
    quantity: Annotated[Decimal, field(description="How much came back.")]
    product: Annotated[
        Product | None,
        field(
            resolvers.document_lines.product,
            description="The product; null when it is no longer sold to the viewer.",
        ),
    ]


@strawberry.type(description="The proof that goods of an invoice came back; posted, it never changes.")
class GoodsReturn(SupplierDocument):
    """db.goods_returns.GoodsReturn."""

    received_at: Annotated[datetime, field(description="When the goods arrived.")]
    invoice: Annotated[Invoice | None, field(resolvers.documents.invoice, description="Of which invoice.")]
    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.document_lines.warehouse,
            description="Where they were put into stock; null when they were not.",
        ),
    ]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    lines: Annotated[
        list[GoodsReturnLine],
        field(resolvers.goods_returns.lines, description="Its lines, by position.", size=20),
    ]
