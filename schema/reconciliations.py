"""Reconciliations: a customer's balance movement by movement."""

from datetime import date
from typing import Annotated

import strawberry

import resolvers.balance_movements
from schema.balance_movements import BalanceMovement
from schema.balance_reports import BalanceReport
from schema.fields import field
from schema.money import Money
from schema.pages import Connection
from schema.scalars import CurrencyCode


@strawberry.type(description="All dealings in a period in one currency.")
class CurrencyReconciliation:
    """resolvers.balance_movements.CurrencyReconciliation."""

    currency: Annotated[CurrencyCode, field(description="The currency.")]
    opening: Annotated[
        Money,
        field(
            resolvers.balance_movements.opening,
            description="The balance before the period; above zero: what the customer owed.",
        ),
    ]
    debit: Annotated[Money, field(resolvers.balance_movements.debit, description="What raised it, added up.")]
    credit: Annotated[
        Money, field(resolvers.balance_movements.credit, description="What lowered it, added up.")
    ]
    closing: Annotated[
        Money,
        field(
            resolvers.balance_movements.closing,
            description="The balance after the period: opening + debit - credit.",
        ),
    ]
    movements: Annotated[
        Connection[BalanceMovement],
        field(resolvers.balance_movements.page, description="Every movement, the oldest first."),
    ]


@strawberry.type(description="A customer's balance movement by movement, in a period.")
class ReconciliationReport(BalanceReport):
    """resolvers.balance_reports.ReconciliationReport."""

    period_from: Annotated[
        date | None, field(description="The period's first day (UTC); null: from the beginning.")
    ]
    period_to: Annotated[date, field(description="The period's last day (UTC).")]
    balances: Annotated[
        list[CurrencyReconciliation],
        field(resolvers.balance_movements.balances, description="One a currency.", size=2),
    ]
