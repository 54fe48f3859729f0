"""Supplier documents: what documents of all kinds have in common, and finding one whatever its kind."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import strawberry

import db
from db.documents import SupplierDocument
from resolvers import money, nodes, subscriptions
from resolvers.context import Info
from resolvers.relations import relation
from rules import amounts
from rules.contacts import Address
from rules.documents import DocumentKind, DocumentStatus

_KINDS = {kind.row: kind for kind in db.documents.KINDS}
_TYPES = tuple(kind.row.__name__ for kind in db.documents.KINDS)

_Id = Annotated[strawberry.ID, strawberry.argument(description="The global id of a document of any kind.")]


async def document(info: Info, id: _Id) -> SupplierDocument | None:
    """Query.supplierDocument."""
    found: SupplierDocument | None = await nodes.by_global_id(info.context, str(id), *_TYPES)
    return found


_Kinds = Annotated[
    list[DocumentKind] | None,
    strawberry.argument(description="Documents of these kinds alone; all when left out."),
]


async def issued(info: Info, kinds: _Kinds = None) -> AsyncGenerator[SupplierDocument, None]:
    """Subscription.supplierDocumentIssued."""
    wanted = frozenset(DocumentKind if kinds is None else kinds)
    return subscriptions.changes(
        info.context, "SupplierDocument", None, accepts=lambda row: _KINDS[type(row)].kind in wanted
    )


def kind(root: strawberry.Parent[SupplierDocument]) -> DocumentKind:
    """SupplierDocument.kind."""
    return _KINDS[type(root)].kind


def number(root: strawberry.Parent[SupplierDocument]) -> str:
    """SupplierDocument.number: orders and payments have one too, so it is never null."""
    return root.number or ""


def status(root: strawberry.Parent[Any]) -> DocumentStatus:
    """SupplierDocument.status: a goods issue holds for ever."""
    return DocumentStatus(getattr(root, "state", DocumentStatus.ISSUED))


def issued_at(root: strawberry.Parent[Any]) -> datetime | None:
    """SupplierDocument.issuedAt: None for a draft."""
    if status(root) is DocumentStatus.DRAFT:
        return None
    moment: datetime = getattr(root, str(_KINDS[type(root)].issued_at.key))
    return moment


# SupplierDocument.customer.
customer = relation(db.customers.by_ids, "customer_id")


def total(root: strawberry.Parent[Any]) -> money.Money | None:
    """SupplierDocument.total: None for what has no amounts; of a reconciliation statement its closing balance."""
    minor: int | None = getattr(root, "total", getattr(root, "closing", None))
    return None if minor is None else money.of_minor(minor, root.currency)


def totals(root: strawberry.Parent[Any]) -> money.Totals:
    """The totals of a document that has amounts."""
    return money.Totals(amounts.Totals(root.net, root.tax, root.total), root.currency)


def bill_to(root: strawberry.Parent[Any]) -> Address | None:
    """A document's billTo."""
    return None if root.bill_to is None else Address.of_json(root.bill_to)


# A document's order: None for whoever may not read orders.
order = nodes.relation("Order", "order_id")


# The invoice to which a document belongs: None for whoever may not read invoices.
invoice = nodes.relation("Invoice", "invoice_id")
