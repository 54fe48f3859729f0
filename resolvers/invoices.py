"""Invoices."""

import strawberry

import db
from db.invoices import Invoice
from resolvers import money
from resolvers.relations import relations


def open_amount(root: strawberry.Parent[Invoice]) -> money.Money:
    """Invoice.open: never below zero."""
    return money.of_minor(max(root.open, 0), root.currency)


# Invoice.lines.
lines = relations(db.invoices.lines_of, "id")


# Invoice.rates.
rates = relations(db.invoices.lines_of, "id", then=money.of_rates)
