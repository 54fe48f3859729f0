"""Invoices."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.document_actions
import resolvers.documents
import resolvers.invoice_postings
import resolvers.invoices
from rules.permissions import Permission
from schema.actions import Action
from schema.customers import Address
from schema.document_drafts import DocumentDraft
from schema.document_lines import PricedLine
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation
from schema.money import Money, RateTotal, Totals

if TYPE_CHECKING:
    from schema.orders import Order

_Order = Annotated["Order", strawberry.lazy("schema.orders")]


@strawberry.type(description="A line of an invoice, with its own copy of what is charged.")
class InvoiceLine(PricedLine):
    """db.invoices.InvoiceLine."""


@strawberry.type(description="What is to be paid; posted, it never changes.")
class Invoice(SupplierDocument):
    """db.invoices.Invoice."""

    due_on: Annotated[date, field(description="The last day on which it is to be paid.")]
    order: Annotated[_Order | None, field(resolvers.documents.order, description="For which order.")]
    customer_name: Annotated[
        str | None, field(description="The customer's name when it was issued; null where the ERP told none.")
    ]
    bill_to: Annotated[
        Address | None,
        field(resolvers.documents.bill_to, description="Where it went: its own copy of the address."),
    ]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.documents.totals, description="What it adds up to.")]
    rates: Annotated[
        list[RateTotal], field(resolvers.invoices.rates, description="The same by tax rate.", size=2)
    ]
    open: Annotated[
        Money,
        field(resolvers.invoices.open_amount, description="What is still to be paid of it, by the ledger."),
    ]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    lines: Annotated[
        list[InvoiceLine],
        field(resolvers.invoices.lines, description="Its lines, by position.", size=20),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_actions.of_invoice,
            description="What the staff can do with it: TAX_INVOICE (taxInvoiceIssue), CREDIT (creditNoteIssue), "
            "RECEIVE (goodsReturnReceive), PAY (paymentRecord) and REVERSE (supplierDocumentReverse). Empty for customers.",
            size=5,
        ),
    ]


@strawberry.type(description="What invoiceIssue answers.")
class InvoicePayload:
    """resolvers.invoice_postings.InvoicePayload."""

    invoice: Annotated[Invoice | None, field(description="The invoice that was posted.")]
    draft: Annotated[DocumentDraft | None, field(description="The draft that is kept.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class InvoiceMutations:
    """Mutation fields on invoices."""

    invoice_issue: Annotated[
        InvoicePayload,
        mutation(
            resolvers.invoice_postings.issue,
            needs=Permission.INVOICES_WRITE,
            description="Charge what was shipped of an order and is not invoiced yet, or a part of it; or keep that as a "
            "draft; or issue a draft. Payments that lie on account are not allocated to it by themselves.",
        ),
    ]
