"""Goods returns."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.document_actions
import resolvers.document_lines
import resolvers.documents
import resolvers.goods_return_postings
import resolvers.goods_returns
import resolvers.rma_request_chains
from rules.permissions import Permission
from schema.actions import Action
from schema.document_lines import DocumentLine
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation
from schema.invoices import Invoice
from schema.products import Warehouse

if TYPE_CHECKING:  # they know each other
    from schema.rma_requests import RMARequest

_RMARequest = Annotated["RMARequest", strawberry.lazy("schema.rma_requests")]


@strawberry.type(description="A line of a goods return, with its own copy of what came back.")
class GoodsReturnLine(DocumentLine):
    """db.goods_returns.GoodsReturnLine."""

    invoice_position: Annotated[
        int | None, field(description="The place of its line in the invoice; never null.")
    ]
    quantity: Annotated[Decimal, field(description="How much came back.")]


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
    rma_request: Annotated[
        _RMARequest | None,
        field(resolvers.rma_request_chains.rma_request, description="The request for which they came back."),
    ]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    lines: Annotated[
        list[GoodsReturnLine],
        field(resolvers.goods_returns.lines, description="Its lines, by position.", size=20),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_actions.of_document,
            description="What the staff can do with it: REVERSE (supplierDocumentReverse). Empty for customers.",
            size=1,
        ),
    ]


@strawberry.type(description="What goodsReturnReceive answers.")
class GoodsReturnPayload:
    """resolvers.goods_return_postings.GoodsReturnPayload."""

    goods_return: Annotated[GoodsReturn | None, field(description="The goods return that was posted.")]
    errors: Annotated[list[UserError], field(description="Why nothing was posted.", size=2)]


@strawberry.type
class GoodsReturnMutations:
    """Mutation fields on goods returns."""

    goods_return_receive: Annotated[
        GoodsReturnPayload,
        mutation(
            resolvers.goods_return_postings.receive,
            needs=Permission.ORDERS_FULFIL,
            description="Receive goods of an invoice that came back, and put them into stock.",
        ),
    ]
