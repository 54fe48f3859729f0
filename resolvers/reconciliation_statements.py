"""Reconciliation statements: reading them; resolvers/reconciliation_changes.py issues and answers them."""

from collections.abc import Sequence

import strawberry

import db
from db.reconciliation_statements import ReconciliationStatement
from execution.levels import level
from resolvers import actions as acts
from resolvers import money, pages
from resolvers.actions import Action
from resolvers.context import Context, Info
from rules.permissions import Permission
from rules.reconciliation_statements import StatementAct, refusal

_ORDER = ("POSITION_ASC",)


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


def actions(root: strawberry.Parent[ReconciliationStatement], info: Info) -> list[Action]:
    """ReconciliationStatement.actions: by the table that guards the mutations."""
    needs = Permission.STATEMENTS_ANSWER
    return [acts.weigh(info.context, act, needs, refusal(root.state, act)) for act in StatementAct]


@level
async def movements(
    roots: Sequence[ReconciliationStatement],
    context: Context,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> list[pages.Connection]:
    """ReconciliationStatement.movements. Raises InvalidPage or InvalidCursor."""
    asked = pages.Asked(first, after, last, before)
    statements = [(root.id, {"statement_id": root.id}) for root in roots]
    return await pages.of_parents(context, db.reconciliation_lines, statements, _ORDER, asked)
