"""Reconciliation statements."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.reconciliation_changes
import resolvers.reconciliation_statements
from rules.permissions import Permission
from schema.actions import Action
from schema.balance_movements import BalanceMovement
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation
from schema.money import Money
from schema.pages import Connection


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
    movements: Annotated[
        Connection[BalanceMovement],
        field(
            resolvers.reconciliation_statements.movements,
            description="Every movement of the period as it was when the statement was issued, the oldest first.",
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.reconciliation_statements.actions,
            description="CONFIRM and DISPUTE: whether the viewer can, and why not.",
            size=2,
        ),
    ]


@strawberry.type(description="What a mutation on a reconciliation statement answers.")
class ReconciliationStatementPayload:
    """resolvers.reconciliation_changes.ReconciliationStatementPayload."""

    reconciliation_statement: Annotated[
        ReconciliationStatement | None, field(description="The statement as it is now.")
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class ReconciliationStatementMutations:
    """Mutation fields on reconciliation statements."""

    reconciliation_statement_issue: Annotated[
        ReconciliationStatementPayload,
        mutation(
            resolvers.reconciliation_changes.issue,
            needs=Permission.STATEMENTS_WRITE,
            description="State all dealings with a customer in a period, as the ledger has them now.",
        ),
    ]
    reconciliation_statement_confirm: Annotated[
        ReconciliationStatementPayload,
        mutation(
            resolvers.reconciliation_changes.confirm,
            needs=Permission.STATEMENTS_ANSWER,
            description="Agree with a statement; once.",
        ),
    ]
    reconciliation_statement_dispute: Annotated[
        ReconciliationStatementPayload,
        mutation(
            resolvers.reconciliation_changes.dispute,
            needs=Permission.STATEMENTS_ANSWER,
            description="Say why one does not agree with a statement; once.",
        ),
    ]
