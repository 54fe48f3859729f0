"""Supplier documents: what documents of all kinds have in common."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.documents
import resolvers.reversals
from rules.documents import DocumentKind, DocumentStatus
from rules.permissions import Permission
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Money
from schema.nodes import Node


@strawberry.interface(
    description="A document that the company has issued to a customer. What is its kind's own comes by a fragment."
)
class SupplierDocument(Node):
    """db.documents.SupplierDocument. A field of the same name has the same type in every kind, or a list of several
    kinds could not be asked for it."""

    number: Annotated[str | None, field(description="Its number, e.g. IN-000123; a draft has none yet.")]
    kind: Annotated[DocumentKind, field(resolvers.documents.kind, description="What it is.")]
    status: Annotated[
        DocumentStatus,
        field(resolvers.documents.status, description="Where it stands, by the database's date."),
    ]
    issued_at: Annotated[
        datetime | None,
        field(resolvers.documents.issued_at, description="When it was issued; null for a draft."),
    ]
    customer: Annotated[
        Customer | None, field(resolvers.documents.customer, description="To whom it was issued.")
    ]
    total: Annotated[
        Money | None,
        field(
            resolvers.documents.total,
            description="What it comes to, with tax; of a reconciliation statement the closing balance. Null where "
            "there are no amounts.",
        ),
    ]


@strawberry.type
class DocumentQueries:
    """Query fields on supplier documents."""

    supplier_document: Annotated[
        SupplierDocument | None,
        query(
            resolvers.documents.document,
            needs=Permission.DOCUMENTS_READ,
            description="One document of any kind.",
        ),
    ]


@strawberry.type(description="What supplierDocumentReverse answers.")
class SupplierDocumentPayload:
    """resolvers.reversals.SupplierDocumentPayload."""

    document: Annotated[SupplierDocument | None, field(description="The document as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was reversed.", size=2)]


@strawberry.type
class DocumentMutations:
    """Mutation fields on supplier documents."""

    supplier_document_reverse: Annotated[
        SupplierDocumentPayload,
        mutation(
            resolvers.reversals.reverse,
            needs=Permission.INVOICES_WRITE,
            description="Take back an invoice, a tax invoice, a goods return or a credit note on which nothing stands: it "
            "stays as it is and moves nothing any more. What has paid an invoice lies on account then, and its lines can "
            "be invoiced again; what a goods return put into stock goes out again.",
        ),
    ]
