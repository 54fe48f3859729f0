"""Tax invoices: they say of an invoice what the tax authority wants to know."""

import strawberry

import db
from db.tax_invoices import TaxInvoice
from resolvers import money
from resolvers.context import Info
from resolvers.relations import relations

# TaxInvoice.lines: the invoice's, which never change; seen with the tax invoice.
lines = relations(db.invoices.lines_of, "invoice_id")


async def rates(root: strawberry.Parent[TaxInvoice], info: Info) -> list[money.RateTotal]:
    """TaxInvoice.rates."""
    return money.of_rates(root, await lines(root, info))
