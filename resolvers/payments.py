"""Payments: reading them."""

import strawberry

import db
from db.customers import Customer
from db.payments import Payment
from resolvers import money
from resolvers.context import Info


def amount(root: strawberry.Parent[Payment]) -> money.Money:
    """Payment.amount."""
    return money.of_minor(root.amount, root.currency)


async def customer(root: strawberry.Parent[Payment], info: Info) -> Customer | None:
    """Payment.customer."""
    return await info.context.load(db.customers.by_ids, root.customer_id)
