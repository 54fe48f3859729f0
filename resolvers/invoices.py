"""Invoices."""

import strawberry

import db
from db.invoices import Invoice, InvoiceLine
from resolvers import money
from resolvers.context import Info


def open_amount(root: strawberry.Parent[Invoice]) -> money.Money:
    """Invoice.open: never below zero."""
    return money.of_minor(max(root.open, 0), root.currency)


async def lines(root: strawberry.Parent[Invoice], info: Info) -> list[InvoiceLine]:
    """Invoice.lines."""
    return await info.context.load_list(db.invoices.lines_of, root.id)


async def rates(root: strawberry.Parent[Invoice], info: Info) -> list[money.RateTotal]:
    """Invoice.rates."""
    return money.of_rates(root, await lines(root, info))
