"""Payments: reading them."""

import strawberry

import db
from db.customers import Customer
from db.payments import Payment
from resolvers import money
from resolvers.context import Info
from rules.balances import PaymentKind
from rules.payments import left_on_account


def amount(root: strawberry.Parent[Payment]) -> money.Money:
    """Payment.amount."""
    return money.of_minor(root.amount, root.currency)


async def on_account(root: strawberry.Parent[Payment], info: Info) -> money.Money:
    """Payment.onAccount."""
    own, every = await info.context.load(db.allocations.of_payments, root.id) or (0, 0)
    return money.of_minor(left_on_account(PaymentKind(root.kind), own, every), root.currency)


async def customer(root: strawberry.Parent[Payment], info: Info) -> Customer | None:
    """Payment.customer."""
    return await info.context.load(db.customers.by_ids, root.customer_id)
