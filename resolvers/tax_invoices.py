"""Tax invoices: they say of an invoice what the tax authority wants to know."""

import db
from resolvers import money
from resolvers.relations import relations

# TaxInvoice.lines: the invoice's, which never change; seen with the tax invoice.
lines = relations(db.invoices.lines_of, "invoice_id")


# TaxInvoice.rates.
rates = relations(db.invoices.lines_of, "invoice_id", then=money.of_rates)
