"""Tax invoices."""

from typing import Annotated

import strawberry

import resolvers.document_actions
import resolvers.documents
import resolvers.invoice_postings
import resolvers.tax_invoices
from rules.permissions import Permission
from schema.actions import Action
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation
from schema.invoices import Invoice, InvoiceLine
from schema.money import RateTotal, Totals


@strawberry.type(description="The tax authority's document to an invoice; posted, it never changes.")
class TaxInvoice(SupplierDocument):
    """db.tax_invoices.TaxInvoice."""

    invoice: Annotated[Invoice | None, field(resolvers.documents.invoice, description="To which invoice.")]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.documents.totals, description="What it adds up to.")]
    rates: Annotated[
        list[RateTotal], field(resolvers.tax_invoices.rates, description="The same by tax rate.", size=2)
    ]
    lines: Annotated[
        list[InvoiceLine],
        field(resolvers.tax_invoices.lines, description="The invoice's lines, by position.", size=20),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_actions.of_document,
            description="What the staff can do with it: REVERSE (supplierDocumentReverse). Empty for customers.",
            size=1,
        ),
    ]


@strawberry.type(description="What taxInvoiceIssue answers.")
class TaxInvoicePayload:
    """resolvers.invoice_postings.TaxInvoicePayload."""

    tax_invoice: Annotated[TaxInvoice | None, field(description="The tax invoice that was posted.")]
    errors: Annotated[list[UserError], field(description="Why nothing was posted.", size=2)]


@strawberry.type
class TaxInvoiceMutations:
    """Mutation fields on tax invoices."""

    tax_invoice_issue: Annotated[
        TaxInvoicePayload,
        mutation(
            resolvers.invoice_postings.issue_tax,
            needs=Permission.INVOICES_WRITE,
            description="Give an invoice its tax invoice; it has one at most.",
        ),
    ]
