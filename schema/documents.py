"""Supplier documents: what documents of all kinds have in common."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.chains
import resolvers.document_downloads
import resolvers.document_lists
import resolvers.documents
import resolvers.reversals
import resolvers.tickets
from rules.documents import DocumentKind, DocumentStatus
from rules.permissions import Permission
from schema.customers import Customer
from schema.downloads import Download
from schema.errors import UserError
from schema.fields import field, mutation, query, subscription
from schema.money import Money
from schema.nodes import Node
from schema.pages import Connection
from schema.tickets import ABOUT_THIS, SupportTicket


@strawberry.interface(
    description="A document that the company has issued to a customer. What is its kind's own comes by a fragment."
)
class SupplierDocument(Node):
    """db.documents.SupplierDocument. A field of the same name has the same type in every kind, or a list of several
    kinds could not be asked for it."""

    number: Annotated[
        str,
        field(
            resolvers.documents.number,
            description="Its number, e.g. IN-000123; empty while it is a draft.",
        ),
    ]
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
    download: Annotated[
        Download,
        field(
            resolvers.document_downloads.download,
            description="A link to it as a file, in the language asked in.",
        ),
    ]
    related: Annotated[
        list[Node],
        field(
            resolvers.chains.related,
            description="What is next to it in the chain from quotation to payment, in both directions and as far as "
            "the viewer may see it: documents, orders and payments, in the order of the chain and then by number. A "
            "reconciliation statement stands alone.",
            size=5,
        ),
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]


@strawberry.type
class DocumentQueries:
    """Query fields on supplier documents."""

    supplier_documents: Annotated[
        Connection[SupplierDocument],
        query(
            resolvers.document_lists.page,
            needs=Permission.DOCUMENTS_READ,
            description="The documents of all kinds that were issued to the customer, as far as its access groups allow "
            "their kinds; or for staff those of all customers, and drafts.",
        ),
    ]
    supplier_document: Annotated[
        SupplierDocument | None,
        query(
            resolvers.documents.document,
            needs=Permission.DOCUMENTS_READ,
            description="One document of any kind.",
        ),
    ]
    supplier_documents_download: Annotated[
        Download,
        query(
            resolvers.document_downloads.download_many,
            needs=Permission.DOCUMENTS_READ,
            description="A link to documents of any kinds, as PDFs in one ZIP: those with these ids, or all that pass a "
            "filter. What cannot be printed is told of in it.",
        ),
    ]


@strawberry.type
class DocumentSubscriptions:
    """Subscription fields on supplier documents."""

    supplier_document_issued: Annotated[
        SupplierDocument | None,
        subscription(
            resolvers.documents.issued,
            needs=Permission.DOCUMENTS_READ,
            description="Every document as soon as it is issued: the customer's, as far as its access groups allow "
            "their kinds, or for staff those of all customers.",
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
