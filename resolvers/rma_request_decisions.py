"""RMA request decisions: the staff says what becomes of each line of a request, or ends it before all is done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

import db
from db.rma_requests import RMARequest, RMARequestLine
from resolvers import nodes, notices
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, facts_of
from resolvers.named_lines import named
from resolvers.rma_request_changes import RMARequestPayload
from resolvers.rma_request_locks import Locked, locked
from resolvers.rma_request_stages import at_its_stage, in_state, state_of
from rules.access_groups import check_length
from rules.broken import NotFound, found_at
from rules.invoices import check_standing
from rules.lifecycle import ProcessingState, Subject
from rules.rma_decisions import (
    LONGEST_NOTE,
    RMAOutcome,
    check_reason,
    check_returnable,
    check_state,
    granted,
    left_to_grant,
    stage_of,
)
from rules.rma_progress import RMALineProgress
from rules.rma_requests import LONGEST_REASON, MOST_LINES, Resolution, RMAAct, RMAStage
from rules.texts import TextMissing, check_text

publish(
    RMAOutcome,
    description="As what a request ends that is closed before all of it is done.",
    value={
        RMAOutcome.COMPLETED: "What was to be done is done, e.g. a repair.",
        RMAOutcome.CANCELLED: "It comes to nothing.",
    }.__getitem__,
)


@strawberry.input(description="What is decided about a line of a request.", name="RmaRequestDecideLineInput")
class RMARequestDecideLineInput:
    """One of rmaRequestDecide's lines."""

    position: int = strawberry.field(description="The line's place in the request.")
    resolution: Resolution = strawberry.field(description="What the company will do.")
    authorised_quantity: Decimal | None = strawberry.field(
        default=None,
        description="For how much of it, at most what was asked; all of that when left out, none of a declined line.",
    )
    reason: str | None = strawberry.field(
        default=None,
        description="Why, at most 2,000 characters; needed for DECLINED. The customer reads it.",
    )


@strawberry.input(
    description="What is decided about a request; what is left out stays as it is.",
    name="RmaRequestDecideInput",
)
class RMARequestDecideInput:
    """rmaRequestDecide(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The request.")
    lines: list[RMARequestDecideLineInput] = strawberry.field(
        default_factory=list,
        description="Decisions about lines, each line once, at most 1,000. A line can be decided anew as long as nothing "
        "of it has come back, was credited or replaced.",
    )
    expected_on: date | None = strawberry.field(
        default=strawberry.UNSET, description="The day by which it is expected to be done; null: none."
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="A word to the customer, at most 2,000 characters; null: none."
    )
    status: strawberry.ID | None = strawberry.field(
        default=None,
        description="One of the company's statuses for requests, in the processing state of the stage that follows from "
        "the decisions: NOT_STARTED of SUBMITTED, COMPLETED of DECLINED, else IN_PROGRESS.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A request that ends before all of it is done.", name="RmaRequestCloseInput")
class RMARequestCloseInput:
    """rmaRequestClose(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The request.")
    outcome: RMAOutcome = strawberry.field(description="As what it ends.")
    reason: str | None = strawberry.field(
        default=None,
        description="Why, at most 2,000 characters; needed for CANCELLED. It becomes the company's note, which the "
        "customer reads.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


_DecideInput = Annotated[RMARequestDecideInput, strawberry.argument(description="What is decided.")]
_CloseInput = Annotated[RMARequestCloseInput, strawberry.argument(description="Which request, and why.")]


async def decide(info: Info, input: _DecideInput) -> RMARequestPayload:
    """Mutation.rmaRequestDecide: all that is decided, or nothing."""
    context = info.context
    check_length(input.lines, MOST_LINES, "lines")
    if isinstance(input.note, str):
        check_text(input.note, LONGEST_NOTE, "note")
    found = await locked(context, input.rma_request, RMAAct.DECIDE, "rmaRequest", version=input.version)
    decided = await _decided(context, found, input.lines)
    await db.rma_decisions.decide(context.connection, decided)
    after = await at_its_stage(context, found.request)
    if decided:
        after = replace(after, decided_at=datetime.now(UTC))
    if input.expected_on is not strawberry.UNSET:
        after = replace(after, expected_on=input.expected_on)
    if input.note is not strawberry.UNSET:
        after = replace(after, note=input.note or None)
    if input.status is not None:
        after = await _with_status(context, found.request, after, input.status)
    answer = await _changed(context, found.request, after, decided)
    if decided and answer.rma_request is not None:
        lines = await db.rma_requests.lines_of(context.connection, context.signed_in, [found.request.id])
        await notices.rma_decided(context, answer.rma_request, lines[found.request.id])
    return answer


async def close(info: Info, input: _CloseInput) -> RMARequestPayload:
    """Mutation.rmaRequestClose: what was granted and is not done can be asked for again."""
    context = info.context
    check_text(input.reason, LONGEST_REASON, "reason")
    if input.outcome is RMAOutcome.CANCELLED and not (input.reason or "").strip():
        raise TextMissing(path=("reason",))
    found = await locked(context, input.rma_request, RMAAct.CLOSE, "rmaRequest", version=input.version)
    after = replace(
        found.request,
        closed_at=datetime.now(UTC),
        stage=stage_of(found.lines, closed=True).value,
        note=input.reason or found.request.note,
    )
    ended = ProcessingState(input.outcome.value)
    return await _changed(context, found.request, await in_state(context, after, ended))


async def _with_status(
    context: Context, before: RMARequest, after: RMARequest, id: strawberry.ID
) -> RMARequest:
    """The request with a status that the staff has named. Raises NotFound or TransitionNotAllowed."""
    status = await nodes.found(context, str(id), "LifecycleStatus", "status")
    if status.subject != Subject.RMA_REQUEST:
        raise NotFound(path=("status",))
    named = ProcessingState(status.processing_state)
    check_state(await state_of(context, before), RMAStage(after.stage), named)
    return replace(after, lifecycle_status_id=status.id)


async def _decided(
    context: Context, found: Locked, given: Sequence[RMARequestDecideLineInput]
) -> list[RMARequestLine]:
    """The lines of which something else is decided now. Raises BrokenRules with all that is wrong."""
    if not given:
        return []
    kept = await db.rma_requests.lines_of(context.connection, context.signed_in, [found.request.id])
    lines = {line.position: line for line in kept[found.request.id]}
    progress = {line.position: line for line in found.lines}
    left = await _returnable(context, found, given)

    def decision(line: RMARequestLine, each: RMARequestDecideLineInput) -> RMARequestLine:
        return _decision(line, progress[line.position], each, left)

    return [after for before, after in named(given, lines, decision) if after != before]


def _decision(
    line: RMARequestLine,
    progress: RMALineProgress,
    given: RMARequestDecideLineInput,
    left: dict[int, Decimal],
) -> RMARequestLine:
    check_text(given.reason, LONGEST_REASON, "reason")
    check_reason(given.resolution, given.reason)
    quantity = granted(progress, given.resolution, given.authorised_quantity, line.unit)
    if quantity is not None:
        check_returnable(line.sku, quantity, left.get(line.invoice_position, Decimal(0)))
    return replace(
        line,
        resolution=given.resolution.value,
        authorised_quantity=quantity,
        reason=given.reason or None,
    )


async def _returnable(
    context: Context, found: Locked, given: Sequence[RMARequestDecideLineInput]
) -> dict[int, Decimal]:
    """What can still be returned for the request, by the place in the invoice; nothing is looked at when all is
    declined. Raises InvoiceReversed."""
    if all(each.resolution is Resolution.DECLINED for each in given):
        return {}
    connection, viewer, request = context.connection, context.signed_in, found.request
    invoices = await db.invoices.by_ids(connection, viewer, [request.invoice_id])
    with found_at("rmaRequest"):
        check_standing(invoices[request.invoice_id].state)
    dealings = await db.returnable_lines.of_invoices(connection, viewer, [request.invoice_id])
    asked = {line.invoice_position: line for line in found.lines}
    return {
        line.position: left_to_grant(line, asked[line.position])
        for line in dealings[request.invoice_id]
        if line.position in asked
    }


async def _changed(
    context: Context, before: RMARequest, after: RMARequest, decided: Sequence[RMARequestLine] = ()
) -> RMARequestPayload:
    """Keep what is new of a locked request."""
    if after == before:
        context.record_nothing()
        return RMARequestPayload(before)
    changed = await db.rma_decisions.change(context.connection, after)
    more: dict[str, Any] = {}
    if decided:
        more["decided"] = [
            {"sku": line.sku, "resolution": line.resolution, "quantity": line.authorised_quantity}
            for line in decided
        ]
    context.record(
        "RMARequest",
        changed.id,
        before=facts_of(before),
        after=facts_of(changed, **more),
        customer_id=changed.customer_id,
    )
    return RMARequestPayload(changed)
