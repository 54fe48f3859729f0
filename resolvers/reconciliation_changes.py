"""Reconciliation changes: staff issues statements, customers confirm or dispute them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.balance_movements import Turnover
from db.customers import Customer
from db.reconciliation_statements import ReconciliationStatement
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from rules.broken import NotFound, check_version
from rules.documents import DocumentStatus
from rules.events import Event
from rules.numbers import NumberKind
from rules.periods import check_period, midnight, next_day
from rules.portals import check_currency
from rules.reconciliation_statements import (
    LONGEST_COMMENT,
    LONGEST_REASON,
    StatementAct,
    after,
    check_length,
    check_over,
)
from rules.texts import TextMissing, check_text


@strawberry.input(description="Which dealings with a customer are to be stated.")
class ReconciliationStatementIssueInput:
    """reconciliationStatementIssue(input:)."""

    customer: strawberry.ID = strawberry.field(description="The customer.")
    period_from: date = strawberry.field(description="The period's first day (UTC).")
    period_to: date = strawberry.field(description="The period's last day (UTC): today or earlier.")
    currency: str | None = strawberry.field(
        default=None, description="In which currency; the customer's own when left out."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A statement with which the customer agrees.")
class ReconciliationStatementConfirmInput:
    """reconciliationStatementConfirm(input:)."""

    reconciliation_statement: strawberry.ID = strawberry.field(description="The statement.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A statement with which the customer does not agree.")
class ReconciliationStatementDisputeInput:
    """reconciliationStatementDispute(input:)."""

    reconciliation_statement: strawberry.ID = strawberry.field(description="The statement.")
    reason: str = strawberry.field(description="Why, 1 to 2,000 characters.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class ReconciliationStatementPayload(Payload):
    """The statement as it is now."""

    reconciliation_statement: ReconciliationStatement | None = None


_IssueInput = Annotated[ReconciliationStatementIssueInput, strawberry.argument(description="What to state.")]
_ConfirmInput = Annotated[
    ReconciliationStatementConfirmInput, strawberry.argument(description="Which statement.")
]
_DisputeInput = Annotated[
    ReconciliationStatementDisputeInput, strawberry.argument(description="Which statement, and why not.")
]


async def issue(info: Info, input: _IssueInput) -> ReconciliationStatementPayload:
    """Mutation.reconciliationStatementIssue: a copy of what the ledger says of the period now. The customer is locked,
    as by whoever posts for it."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_currency(input.currency, "currency")
    check_period(input.period_from, input.period_to, "periodTo")
    check_over(input.period_to, await db.order_changes.today(context.connection), "periodTo")
    seen: Customer = await nodes.found(context, str(input.customer), "Customer", "customer")
    customer = await db.customers.lock(context.connection, seen.id)
    if customer is None:
        raise NotFound(path=("customer",))
    currency = input.currency or customer.currency
    filters = {
        "customer_id": customer.id,
        "from_": midnight(input.period_from),
        "before": midnight(next_day(input.period_to)),
        "currency": currency,
    }
    turnover = await _turnover(context, filters, currency)
    check_length(turnover.lines, "periodFrom")
    new = await _numbered(context, input, customer.id, turnover)
    await db.reconciliation_statements.add(context.connection, [new])
    await db.balance_movements.copy(context.connection, context.signed_in, filters, new.id, turnover.opening)
    told = facts_of(new, movements=turnover.lines)
    context.record("ReconciliationStatement", new.id, before=None, after=told, customer_id=customer.id)
    return ReconciliationStatementPayload(new)


async def _turnover(context: Context, filters: dict[str, object], currency: str) -> Turnover:
    key = frozenset(filters.items())
    found = await db.balance_movements.turnovers(context.connection, context.signed_in, [key])
    return next(iter(found[key]), Turnover(currency, 0, 0, 0, 0))


async def _numbered(
    context: Context, input: ReconciliationStatementIssueInput, customer_id: UUID, turnover: Turnover
) -> ReconciliationStatement:
    return ReconciliationStatement(
        id=uuid.uuid7(),
        number=(await db.numbers.take(context.connection, NumberKind.RECONCILIATION_STATEMENT, 1))[0],
        customer_id=customer_id,
        issued_at=datetime.now(UTC),
        period_from=input.period_from,
        period_to=input.period_to,
        currency=turnover.currency,
        opening=turnover.opening,
        debit=turnover.debit,
        credit=turnover.credit,
        closing=turnover.closing,
        comment=input.comment or None,
        state=DocumentStatus.ISSUED.value,
        dispute_reason=None,
        answered_at=None,
        account_id=None,
        version=1,
    )


async def confirm(info: Info, input: _ConfirmInput) -> ReconciliationStatementPayload:
    """Mutation.reconciliationStatementConfirm."""
    return await _answer(info.context, StatementAct.CONFIRM, input, None)


async def dispute(info: Info, input: _DisputeInput) -> ReconciliationStatementPayload:
    """Mutation.reconciliationStatementDispute."""
    check_text(input.reason, LONGEST_REASON, "reason")
    if not input.reason.strip():
        raise TextMissing(path=("reason",))
    return await _answer(info.context, StatementAct.DISPUTE, input, input.reason)


_EVENTS = {StatementAct.CONFIRM: Event.STATEMENT_CONFIRMED, StatementAct.DISPUTE: Event.STATEMENT_DISPUTED}


async def _answer(
    context: Context,
    act: StatementAct,
    input: ReconciliationStatementConfirmInput | ReconciliationStatementDisputeInput,
    reason: str | None,
) -> ReconciliationStatementPayload:
    """Answer a statement that the viewer may see. Raises NotFound, VersionConflict or StatementAnswered."""
    place = "reconciliationStatement"
    seen = await nodes.found(context, str(input.reconciliation_statement), "ReconciliationStatement", place)
    statement = await db.reconciliation_statements.lock(context.connection, seen.id)
    if statement is None:
        raise NotFound(path=(place,))
    check_version(input.version, statement.version)
    answered = await db.reconciliation_statements.answer(
        context.connection,
        statement.id,
        after(statement.state, act, place),
        by_id=context.signed_in.actor_id,
        reason=reason,
    )
    context.record(
        "ReconciliationStatement",
        answered.id,
        before=facts_of(statement),
        after=facts_of(answered),
        customer_id=answered.customer_id,
        event=_EVENTS[act],
    )
    return ReconciliationStatementPayload(answered)
