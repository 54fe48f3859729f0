"""Reconciliation statements: reading them."""

import strawberry

from db.reconciliation_statements import ReconciliationStatement
from resolvers import money


def opening(root: strawberry.Parent[ReconciliationStatement]) -> money.Money:
    """ReconciliationStatement.opening."""
    return money.of_minor(root.opening, root.currency)


def debit(root: strawberry.Parent[ReconciliationStatement]) -> money.Money:
    """ReconciliationStatement.debit."""
    return money.of_minor(root.debit, root.currency)


def credit(root: strawberry.Parent[ReconciliationStatement]) -> money.Money:
    """ReconciliationStatement.credit."""
    return money.of_minor(root.credit, root.currency)


def closing(root: strawberry.Parent[ReconciliationStatement]) -> money.Money:
    """ReconciliationStatement.closing."""
    return money.of_minor(root.closing, root.currency)
