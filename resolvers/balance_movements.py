"""Balance movements: a reconciliation: opening, every movement with the balance after it, closing."""

from dataclasses import dataclass
from operator import attrgetter

import strawberry

import db
from db.balance_movements import BalanceMovement, Turnover
from db.reconciliation_statements import ReconciliationStatementLine
from resolvers import money, nodes, pages
from resolvers.balance_reports import ReconciliationReport
from resolvers.context import Info
from rules.balances import MovementKind


@dataclass(slots=True)
class CurrencyReconciliation:
    """What a reconciliation says in one currency."""

    report: ReconciliationReport
    turnover: Turnover

    @property
    def currency(self) -> str:
        """The currency."""
        return self.turnover.currency


def turnovers(report: ReconciliationReport, found: list[Turnover]) -> list[Turnover]:
    """One for each currency of the report, also where nothing moved."""
    known = {each.currency: each for each in found}
    return [
        known.get(currency) or Turnover(currency, 0, 0, 0, 0) for currency in report.currencies(list(known))
    ]


async def balances(root: strawberry.Parent[ReconciliationReport], info: Info) -> list[CurrencyReconciliation]:
    """ReconciliationReport.balances."""
    found = await info.context.load_list(db.balance_movements.turnovers, root.filters)
    return [CurrencyReconciliation(root, each) for each in turnovers(root, found)]


def opening(root: strawberry.Parent[CurrencyReconciliation]) -> money.Money:
    """CurrencyReconciliation.opening."""
    return money.of_minor(root.turnover.opening, root.currency)


def debit(root: strawberry.Parent[CurrencyReconciliation]) -> money.Money:
    """CurrencyReconciliation.debit."""
    return money.of_minor(root.turnover.debit, root.currency)


def credit(root: strawberry.Parent[CurrencyReconciliation]) -> money.Money:
    """CurrencyReconciliation.credit."""
    return money.of_minor(root.turnover.credit, root.currency)


def closing(root: strawberry.Parent[CurrencyReconciliation]) -> money.Money:
    """CurrencyReconciliation.closing."""
    return money.of_minor(root.turnover.closing, root.currency)


async def page(
    root: strawberry.Parent[CurrencyReconciliation],
    info: Info,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """CurrencyReconciliation.movements."""
    asked = pages.Asked(first, after, last, before)
    filters = root.report.narrowed(currency=root.currency)
    return await pages.connection(info.context, db.balance_movements, filters, ["MOVED_AT_ASC"], asked)


_Line = strawberry.Parent[BalanceMovement | ReconciliationStatementLine]


def kind(root: _Line) -> MovementKind:
    """BalanceMovement.kind."""
    return MovementKind(root.kind)


def number(root: _Line) -> str:
    """BalanceMovement.number."""
    return root.document_number


# BalanceMovement.document: None for whoever may not see it.
document = nodes.relation_to_any(attrgetter("document_type", "document_id"))


def raised(root: _Line) -> money.Money | None:
    """BalanceMovement.debit."""
    return money.of_minor(root.amount, root.currency) if root.amount > 0 else None


def lowered(root: _Line) -> money.Money | None:
    """BalanceMovement.credit."""
    return money.of_minor(-root.amount, root.currency) if root.amount < 0 else None


def balance(root: _Line) -> money.Money:
    """BalanceMovement.balance."""
    return money.of_minor(root.balance, root.currency)
