"""RMA request changes: a customer writes a request to return goods, and submits it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.invoices import Invoice
from db.rma_requests import RMARequest, RMARequestLine
from resolvers import attachments, nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.posting_locks import customer_locked, invoice_locked, posted
from resolvers.profiles import DeletedPayload
from resolvers.rma_request_lines import RMARequestLineInput, written
from resolvers.rma_submissions import dealings_of, unfit
from rules.broken import BrokenRules, NotFound, check_version, found_at
from rules.events import Event
from rules.lifecycle import ProcessingState, Subject
from rules.numbers import NumberKind
from rules.permissions import MissingPermission, Permission
from rules.rma_requests import LONGEST_COMMENT, RMAAct, RMAActor, RMAStage, check
from rules.texts import check_text

_ATTACH = "Files to attach, e.g. photos: uploads of one's own, at most 20 in all."


@strawberry.input(description="What is to go back of one invoice.", name="RmaRequestCreateInput")
class RMARequestCreateInput:
    """rmaRequestCreate(input:)."""

    invoice: strawberry.ID = strawberry.field(description="The invoice.")
    lines: list[RMARequestLineInput] = strawberry.field(
        description="What is asked of its lines, each once, at most 1,000."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the company, at most 2,000 characters."
    )
    attach: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ATTACH)
    submit: bool = strawberry.field(
        default=False, description="Submit it at once; otherwise it is a draft, which only the customer sees."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(
    description="What to change of a draft; what is left out stays as it is.", name="RmaRequestUpdateInput"
)
class RMARequestUpdateInput:
    """rmaRequestUpdate(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The draft.")
    lines: list[RMARequestLineInput] | None = strawberry.field(
        default=None, description="All lines from now on."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the company; an empty text takes it away."
    )
    attach: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ATTACH)
    detach: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Attachments to take away."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A draft that is no longer wanted.", name="RmaRequestDeleteInput")
class RMARequestDeleteInput:
    """rmaRequestDelete(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The draft.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A draft that is to go to the company.", name="RmaRequestSubmitInput")
class RMARequestSubmitInput:
    """rmaRequestSubmit(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The draft.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class RMARequestPayload(Payload):
    """The request as it is now."""

    rma_request: RMARequest | None = None


_CreateInput = Annotated[RMARequestCreateInput, strawberry.argument(description="What is to go back.")]
_UpdateInput = Annotated[RMARequestUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[RMARequestDeleteInput, strawberry.argument(description="Which draft.")]
_SubmitInput = Annotated[RMARequestSubmitInput, strawberry.argument(description="Which draft.")]


async def create(info: Info, input: _CreateInput) -> RMARequestPayload:
    """Mutation.rmaRequestCreate."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    customer_id, account_id = _customers(context)
    if input.submit:
        _, invoice = await invoice_locked(context, str(input.invoice), "invoice")
    else:
        invoice = await nodes.found(context, str(input.invoice), "Invoice", "invoice")
    draft = _begun(customer_id, account_id, invoice, input.comment)
    dealings, terms = await dealings_of(context, invoice)
    lines = written(draft.id, input.lines, dealings, terms, submitted=input.submit)
    new = await _submitted(context, draft) if input.submit else draft
    await db.rma_requests.add(context.connection, new, lines)
    await attachments.attach(context, input.attach, "attach", rma_request_id=new.id)
    context.record(
        "RMARequest",
        new.id,
        before=None,
        after=await _facts(context, new, lines),
        event=Event.RMA_REQUEST_SUBMITTED if input.submit else None,
    )
    return RMARequestPayload(new)


def _customers(context: Context) -> tuple[UUID, UUID]:
    """For which customer an account of it writes. Raises MissingPermission for whoever acts for none."""
    viewer = context.signed_in
    if viewer.customer_id is None or viewer.account_id is None:
        raise MissingPermission(permissions=(Permission.RMA_REQUESTS_WRITE,))
    return viewer.customer_id, viewer.account_id


def _begun(customer_id: UUID, account_id: UUID, invoice: Invoice, comment: str | None) -> RMARequest:
    return RMARequest(
        id=uuid.uuid7(),
        number=None,
        customer_id=customer_id,
        invoice_id=invoice.id,
        account_id=account_id,
        stage=RMAStage.DRAFT.value,
        lifecycle_status_id=None,
        comment=comment or None,
        note=None,
        expected_on=None,
        created_at=datetime.now(UTC),
        submitted_at=None,
        decided_at=None,
        closed_at=None,
        version=1,
    )


async def _submitted(context: Context, draft: RMARequest) -> RMARequest:
    """A draft as it is when it goes to the company: with a number and a lifecycle status."""
    connection = context.connection
    state = ProcessingState.NOT_STARTED
    return replace(
        draft,
        number=(await db.numbers.take(connection, NumberKind.RMA_REQUEST, 1))[0],
        stage=RMAStage.SUBMITTED.value,
        lifecycle_status_id=await db.lifecycle_statuses.predefined(connection, Subject.RMA_REQUEST, state),
        submitted_at=datetime.now(UTC),
    )


async def update(info: Info, input: _UpdateInput) -> RMARequestPayload:
    """Mutation.rmaRequestUpdate."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    draft = await _locked(context, input.rma_request, input.version, RMAAct.UPDATE)
    had = await _lines_of(context, draft.id)
    before = await _facts(context, draft, had)
    lines = had
    if input.lines is not None:
        invoice = await posted(context, "Invoice", draft.invoice_id, "rmaRequest")
        lines = written(draft.id, input.lines, *await dealings_of(context, invoice), submitted=False)
    changed = draft if input.comment is None else replace(draft, comment=input.comment or None)
    if changed == draft and lines == had and not input.attach and not input.detach:
        context.record_nothing()
        return RMARequestPayload(draft)
    if lines != had:
        await db.rma_drafts.replace_lines(context.connection, draft.id, lines)
    await _attach(context, draft.id, input)
    kept = await db.rma_drafts.keep(context.connection, changed)
    context.record("RMARequest", kept.id, before=before, after=await _facts(context, kept, lines))
    return RMARequestPayload(kept)


async def _attach(context: Context, id: UUID, input: RMARequestUpdateInput) -> None:
    """Take away and add attachments of a draft. Raises BrokenRules, NotFound for each that is not one of its own, and
    what attachments.attach does."""
    there = {each.id for each in await _attachments_of(context, id)}
    gone = [nodes.key_of(str(each), "Attachment") for each in input.detach]
    if missing := [
        NotFound(path=("detach", str(index))) for index, key in enumerate(gone) if key not in there
    ]:
        raise BrokenRules(missing)
    taken = {key for key in gone if key is not None}
    await db.attachments.remove(context.connection, sorted(taken))
    await attachments.attach(
        context, input.attach, "attach", rma_request_id=id, there=len(there) - len(taken)
    )


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.rmaRequestDelete."""
    context = info.context
    draft = await _locked(context, input.rma_request, input.version, RMAAct.DELETE)
    before = await _facts(context, draft, await _lines_of(context, draft.id))
    attached = await _attachments_of(context, draft.id)
    await db.attachments.remove(context.connection, [each.id for each in attached])
    await db.rma_drafts.remove(context.connection, draft.id)
    context.record("RMARequest", draft.id, before=before, after=None)
    return DeletedPayload(str(input.rma_request))


async def submit(info: Info, input: _SubmitInput) -> RMARequestPayload:
    """Mutation.rmaRequestSubmit: checked under the customer's lock, so that two requests at once never ask for more
    than there is."""
    context = info.context
    seen: RMARequest = await nodes.found(context, str(input.rma_request), "RMARequest", "rmaRequest")
    await customer_locked(context, seen.customer_id)
    draft = await _locked(context, input.rma_request, input.version, RMAAct.SUBMIT)
    invoice = await posted(context, "Invoice", draft.invoice_id, "rmaRequest")
    lines = await _lines_of(context, draft.id)
    if broken := list(unfit(lines, *await dealings_of(context, invoice))):
        raise BrokenRules(broken)
    kept = await db.rma_drafts.keep(context.connection, await _submitted(context, draft))
    context.record(
        "RMARequest",
        kept.id,
        before=facts_of(draft),
        after=facts_of(kept),
        event=Event.RMA_REQUEST_SUBMITTED,
    )
    return RMARequestPayload(kept)


async def _locked(context: Context, id: strawberry.ID, version: int | None, act: RMAAct) -> RMARequest:
    """A request of the viewer's customer with which this can be done, and nobody else does anything now.

    Raises NotFound, VersionConflict or RMARequestSubmitted.
    """
    customer_id, _ = _customers(context)
    seen = await nodes.found(context, str(id), "RMARequest", "rmaRequest")
    there = await db.rma_drafts.lock(context.connection, customer_id, seen.id)
    if there is None:
        raise NotFound(path=("rmaRequest",))
    check_version(version, there.version)
    with found_at("rmaRequest"):
        check(act, RMAStage(there.stage), RMAActor.CUSTOMER)
    return there


async def _lines_of(context: Context, id: UUID) -> list[RMARequestLine]:
    return (await db.rma_requests.lines_of(context.connection, context.signed_in, [id]))[id]


async def _attachments_of(context: Context, id: UUID) -> list[Any]:
    return (await db.attachments.of_rma_requests(context.connection, context.signed_in, [id]))[id]


async def _facts(context: Context, request: RMARequest, lines: Sequence[RMARequestLine]) -> dict[str, Any]:
    """What a request says, for the audit."""
    asked = [
        {"sku": line.sku, "invoice_position": line.invoice_position, "quantity": line.quantity}
        | {"problem": line.problem, "serial_number": line.serial_number, "wish": line.wish}
        for line in lines
    ]
    attached = [each.file_name for each in await _attachments_of(context, request.id)]
    return facts_of(request, lines=asked, attachments=attached)
