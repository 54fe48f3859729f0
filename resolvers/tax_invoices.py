"""Tax invoices: they say of an invoice what the tax authority wants to know."""

import strawberry

import db
from db.invoices import InvoiceLine
from db.tax_invoices import TaxInvoice
from resolvers import money
from resolvers.context import Info


async def lines(root: strawberry.Parent[TaxInvoice], info: Info) -> list[InvoiceLine]:
    """TaxInvoice.lines: the invoice's, which never change; seen with the tax invoice."""
    return await info.context.load_list(db.invoices.lines_of, root.invoice_id)


async def rates(root: strawberry.Parent[TaxInvoice], info: Info) -> list[money.RateTotal]:
    """TaxInvoice.rates."""
    return money.of_rates(root, await lines(root, info))
