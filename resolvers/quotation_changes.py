"""Quotation changes: staff drafts and issues what a customer may order or decline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.customers import Customer
from db.quotations import Quotation, QuotationLine
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.profiles import DeletedPayload
from resolvers.quotation_drafts import buys_with_tax, outdated
from resolvers.quotation_lines import QuotationLineInput, offered, totals
from rules import quotations
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound, broken_by, check_version
from rules.events import Event
from rules.numbers import NumberKind
from rules.quotations import (
    LONGEST_COMMENT,
    LONGEST_REASON,
    QuotationAct,
    QuotationDatePast,
    QuotationState,
)
from rules.rows import ValueMissing
from rules.texts import TextMissing, check_text


@strawberry.input(
    description="What to offer: either all of a new quotation, or, with `quotation`, a draft to be issued as it is."
)
class QuotationIssueInput:
    """quotationIssue(input:)."""

    quotation: strawberry.ID | None = strawberry.field(
        default=None, description="A draft to be issued; then nothing else is said but its version."
    )
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="To whom; needed for a new one."
    )
    lines: list[QuotationLineInput] | None = strawberry.field(
        default=None, description="What is offered, each product once; needed for a new one. At most 1,000."
    )
    valid_until: date | None = strawberry.field(
        default=None, description="The last day on which it can be ordered; needed for a new one."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    draft: bool = strawberry.field(
        default=False, description="Only keep it: a draft is not seen by the customer and can be changed."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a draft; what is left out stays as it is.")
class QuotationUpdateInput:
    """quotationUpdate(input:)."""

    quotation: strawberry.ID = strawberry.field(description="The draft.")
    lines: list[QuotationLineInput] | None = strawberry.field(
        default=None,
        description="All lines from now on, at prices as the customer buys today: in its currency, with tax or without.",
    )
    valid_until: date | None = strawberry.field(default=None, description="The last day.")
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer; an empty text takes it away."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A draft that is no longer wanted.")
class QuotationDeleteInput:
    """quotationDelete(input:)."""

    quotation: strawberry.ID = strawberry.field(description="The draft.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An offer that the customer does not want.")
class QuotationDeclineInput:
    """quotationDecline(input:)."""

    quotation: strawberry.ID = strawberry.field(description="The quotation.")
    reason: str = strawberry.field(description="Why, 1 to 2,000 characters.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class QuotationPayload(Payload):
    """The quotation as it is now."""

    quotation: Quotation | None = None


_IssueInput = Annotated[QuotationIssueInput, strawberry.argument(description="What to offer.")]
_UpdateInput = Annotated[QuotationUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[QuotationDeleteInput, strawberry.argument(description="Which draft.")]
_DeclineInput = Annotated[QuotationDeclineInput, strawberry.argument(description="What is declined.")]


async def issue(info: Info, input: _IssueInput) -> QuotationPayload:
    """Mutation.quotationIssue."""
    context = info.context
    if input.quotation is None:
        return await _write(context, input)
    if input.draft or any(
        each is not None for each in (input.customer, input.lines, input.valid_until, input.comment)
    ):
        raise InvalidInput(path=("quotation",))
    draft = await _locked(context, input.quotation, input.version, QuotationAct.ISSUE)
    if broken := await outdated(context, draft):
        raise BrokenRules(broken)
    number = (await db.numbers.take(context.connection, NumberKind.QUOTATION, 1))[0]
    changed = replace(draft, number=number, state=QuotationState.ISSUED.value)
    issued = await db.quotations.keep(context.connection, changed, issued_now=True)
    return _changed(context, draft, issued)


async def _write(context: Context, input: QuotationIssueInput) -> QuotationPayload:
    """A new quotation, issued at once or kept as a draft."""
    needed = {"customer": input.customer, "lines": input.lines, "validUntil": input.valid_until}
    missing = [ValueMissing(path=(name,)) for name, given in needed.items() if given is None]
    if missing:
        raise BrokenRules(missing)
    assert input.valid_until is not None
    customer: Customer = await nodes.found(context, str(input.customer), "Customer", "customer")
    quotation_id = uuid.uuid7()
    lines = await _checked(context, input, quotation_id, customer.currency)
    tax_included = bool(await buys_with_tax(context, customer))
    sums = totals(lines, tax_included=tax_included)
    number = None
    if not input.draft:
        number = (await db.numbers.take(context.connection, NumberKind.QUOTATION, 1))[0]
    new = Quotation(
        id=quotation_id,
        number=number,
        customer_id=customer.id,
        state=(QuotationState.DRAFT if input.draft else QuotationState.ISSUED).value,
        dated_at=datetime.now(UTC),  # the database's is kept
        valid_until=input.valid_until,
        currency=customer.currency,
        tax_included=tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        comment=input.comment or None,
        decline_reason=None,
        version=1,
        is_past=False,
    )
    added = await db.quotations.add(context.connection, new, lines)
    after = facts_of(added, lines=_told(lines))
    context.record("Quotation", added.id, before=None, after=after, customer_id=customer.id)
    return QuotationPayload(added)


async def _checked(
    context: Context, input: QuotationIssueInput | QuotationUpdateInput, quotation_id: UUID, currency: str
) -> list[QuotationLine]:
    """The lines that are given. Raises BrokenRules for all that is wrong with them, the comment and the day."""
    broken = list(broken_by([lambda: check_text(input.comment, LONGEST_COMMENT, "comment")]))
    lines: list[QuotationLine] = []
    if input.lines is not None:
        try:
            lines = await offered(context, quotation_id, currency, input.lines)
        except BrokenRules as several:
            broken += several.rules
        except BrokenRule as rule:
            broken.append(rule)
    if input.valid_until is not None and input.valid_until < await db.order_changes.today(context.connection):
        broken.append(QuotationDatePast(path=("validUntil",)))
    if broken:
        raise BrokenRules(broken)
    return lines


def _told(lines: Sequence[QuotationLine]) -> list[dict[str, object]]:
    return [{"sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price} for line in lines]


async def update(info: Info, input: _UpdateInput) -> QuotationPayload:
    """Mutation.quotationUpdate."""
    context = info.context
    draft = await _locked(context, input.quotation, input.version, QuotationAct.UPDATE)
    changed = replace(draft, valid_until=input.valid_until or draft.valid_until)
    if input.comment is not None:
        changed.comment = input.comment or None
    had = (await db.quotations.lines_of(context.connection, context.signed_in, [draft.id]))[draft.id]
    if input.lines is not None:
        changed = await _as_bought(context, changed)
    lines = await _checked(context, input, draft.id, changed.currency)
    if input.lines is None:
        lines = had
        if changed == draft:
            context.record_nothing()
            return QuotationPayload(draft)
    else:
        sums = totals(lines, tax_included=changed.tax_included)
        changed.net, changed.tax, changed.total = sums.net, sums.tax, sums.total
        await db.quotations.replace_lines(context.connection, draft.id, lines)
    kept = await db.quotations.keep(context.connection, changed)
    context.record(
        "Quotation",
        kept.id,
        before=facts_of(draft, lines=_told(had)),
        after=facts_of(kept, lines=_told(lines)),
        customer_id=kept.customer_id,
    )
    return QuotationPayload(kept)


async def _as_bought(context: Context, draft: Quotation) -> Quotation:
    """A draft as its customer buys today: prices that are given now are meant in that currency, with that tax."""
    customer = await context.load(db.customers.by_ids, draft.customer_id)
    assert customer is not None
    tax_included = await buys_with_tax(context, customer)
    if tax_included is None:
        tax_included = draft.tax_included
    return replace(draft, currency=customer.currency, tax_included=tax_included)


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.quotationDelete."""
    context = info.context
    draft = await _locked(context, input.quotation, input.version, QuotationAct.DELETE)
    await db.quotations.remove(context.connection, draft.id)
    context.record("Quotation", draft.id, before=facts_of(draft), after=None, customer_id=draft.customer_id)
    return DeletedPayload(str(input.quotation))


async def decline(info: Info, input: _DeclineInput) -> QuotationPayload:
    """Mutation.quotationDecline."""
    context = info.context
    check_text(input.reason, LONGEST_REASON, "reason")
    if not input.reason.strip():
        raise TextMissing(path=("reason",))
    issued = await _locked(context, input.quotation, input.version, QuotationAct.DECLINE)
    changed = replace(issued, state=QuotationState.DECLINED.value, decline_reason=input.reason)
    declined = await db.quotations.keep(context.connection, changed)
    return _changed(context, issued, declined, Event.QUOTATION_DECLINED)


def _changed(
    context: Context, before: Quotation, after: Quotation, event: Event | None = None
) -> QuotationPayload:
    context.record(
        "Quotation",
        after.id,
        before=facts_of(before),
        after=facts_of(after),
        customer_id=after.customer_id,
        event=event,
    )
    return QuotationPayload(after)


async def _locked(context: Context, id: strawberry.ID, version: int | None, act: QuotationAct) -> Quotation:
    """A quotation that the viewer may see and with which this can be done, and nobody else does anything now.

    Raises NotFound, VersionConflict, or the rule that forbids it.
    """
    seen = await nodes.found(context, str(id), "Quotation", "quotation")
    there = (await db.quotations.lock(context.connection, [seen.id])).get(seen.id)
    if there is None:
        raise NotFound(path=("quotation",))
    check_version(version, there.version)
    quotations.check(there.state, act, "quotation", is_past=there.is_past)
    return there
