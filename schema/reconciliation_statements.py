"""Reconciliation statements."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.reconciliation_statements
from schema.documents import SupplierDocument
from schema.fields import field
from schema.money import Money


@strawberry.type(
    description="All dealings in a period, as they were when it was issued; the customer confirms or disputes it."
)
class ReconciliationStatement(SupplierDocument):
    """db.reconciliation_statements.ReconciliationStatement."""

    period_from: Annotated[date, field(description="The period's first day (UTC).")]
    period_to: Annotated[date, field(description="The period's last day (UTC).")]
    opening: Annotated[
        Money,
        field(
            resolvers.reconciliation_statements.opening,
            description="The balance before the period; above zero: what the customer owed.",
        ),
    ]
    debit: Annotated[
        Money,
        field(resolvers.reconciliation_statements.debit, description="What raised it: invoices and refunds."),
    ]
    credit: Annotated[
        Money,
        field(
            resolvers.reconciliation_statements.credit,
            description="What lowered it: credit notes and payments.",
        ),
    ]
    closing: Annotated[
        Money,
        field(
            resolvers.reconciliation_statements.closing,
            description="The balance after the period: opening + debit - credit.",
        ),
    ]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    dispute_reason: Annotated[str | None, field(description="Why the customer does not agree.")]
    answered_at: Annotated[datetime | None, field(description="When the customer confirmed or disputed it.")]
    version: Annotated[int, field(description="Counts the changes.")]
