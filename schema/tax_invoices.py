"""Tax invoices."""

from typing import Annotated

import strawberry

import resolvers.documents
import resolvers.tax_invoices
from schema.documents import SupplierDocument
from schema.fields import field
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
