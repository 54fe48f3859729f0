"""Document draft changes: the staff keeps, changes and deletes what it has not posted, and posts it by issuing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Annotated, Any

import orjson
import strawberry
import uuid_utils.compat as uuid

import db
from db.document_drafts import DocumentDraft
from resolvers import credit_note_drafts, invoice_drafts, nodes
from resolvers.context import Context, Info
from resolvers.credit_note_drafts import CreditNoteIssueInput, CreditNoteIssueLineInput
from resolvers.invoice_drafts import InvoiceIssueInput, InvoiceIssueLineInput
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.profiles import DeletedPayload
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound, check_version
from rules.documents import CreditOperation, DocumentKind

# What an input says of the draft, and not of the document.
_OF_DRAFT = ("document_draft", "draft", "version", "idempotency_key")


@strawberry.input(description="What to change of a draft of an invoice; what is left out stays as it is.")
class InvoiceDraftUpdateInput:
    """invoiceDraftUpdate(input:)."""

    document_draft: strawberry.ID = strawberry.field(description="The draft.")
    lines: list[InvoiceIssueLineInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All lines from now on; null: whatever is not invoiced yet when it is issued.",
    )
    due_on: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The last day on which it is to be paid; null: the day of issue and the portal's paymentDays.",
    )
    comment: str | None = strawberry.field(
        default=strawberry.UNSET, description="A word to the customer; null or an empty text takes it away."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a draft of a credit note; what is left out stays as it is.")
class CreditNoteDraftUpdateInput:
    """creditNoteDraftUpdate(input:)."""

    document_draft: strawberry.ID = strawberry.field(description="The draft.")
    operation: CreditOperation | None = strawberry.field(default=None, description="Why it gives back.")
    lines: list[CreditNoteIssueLineInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All lines from now on; null: those of the goods return, or all that is left when it is issued.",
    )
    goods_return: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The goods that came back for it; null: none."
    )
    rma_request: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The request for which it is given back; null: none."
    )
    comment: str | None = strawberry.field(
        default=strawberry.UNSET, description="A word to the customer; null or an empty text takes it away."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A draft that is no longer wanted.")
class DocumentDraftDeleteInput:
    """documentDraftDelete(input:)."""

    document_draft: strawberry.ID = strawberry.field(description="The draft.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class DocumentDraftPayload(Payload):
    """The draft as it is now."""

    draft: DocumentDraft | None = None


_InvoiceInput = Annotated[InvoiceDraftUpdateInput, strawberry.argument(description="What to change.")]
_CreditNoteInput = Annotated[CreditNoteDraftUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[DocumentDraftDeleteInput, strawberry.argument(description="Which draft.")]


async def update_invoice(info: Info, input: _InvoiceInput) -> DocumentDraftPayload:
    """Mutation.invoiceDraftUpdate."""
    context = info.context
    draft = await _locked(context, input.document_draft, DocumentKind.INVOICE, input.version)
    given = _given(input)
    asked = replace(invoice_drafts.asked_in(draft.asked), **given)
    with _inside(given):
        await invoice_drafts.drafted_now(context, asked, draft.today)
    return await _changed(context, draft, asked)


async def update_credit_note(info: Info, input: _CreditNoteInput) -> DocumentDraftPayload:
    """Mutation.creditNoteDraftUpdate."""
    context = info.context
    draft = await _locked(context, input.document_draft, DocumentKind.CREDIT_NOTE, input.version)
    given = _given(input)
    asked = replace(credit_note_drafts.asked_in(draft.asked), **given)
    with _inside(given):
        await credit_note_drafts.drafted_now(context, asked)
    return await _changed(context, draft, asked)


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.documentDraftDelete."""
    context = info.context
    draft = await _locked(context, input.document_draft, None, input.version)
    await remove(context, draft)
    return DeletedPayload(str(input.document_draft))


async def keep(
    context: Context, kind: DocumentKind, customer_id: Any, asked: InvoiceIssueInput | CreditNoteIssueInput
) -> DocumentDraft:
    """A new draft of what is asked, which was looked at before."""
    staff_member_id = context.signed_in.staff_member_id
    assert staff_member_id is not None, "invoices:write is the staff's"
    added = await db.document_drafts.add(
        context.connection,
        id=uuid.uuid7(),
        kind=kind.value,
        customer_id=customer_id,
        asked=_as_json(asked),
        staff_member_id=staff_member_id,
    )
    _record(context, None, added)
    return added


async def to_issue(
    context: Context, kind: DocumentKind, input: InvoiceIssueInput | CreditNoteIssueInput
) -> DocumentDraft:
    """The draft that an input names, and says nothing else, locked. Raises InvalidInput, NotFound, VersionConflict."""
    said = {name: value for name, value in asdict(input).items() if name not in _OF_DRAFT}
    if input.draft or any(each is not None for each in said.values()):
        raise InvalidInput(path=("documentDraft",))
    assert input.document_draft is not None
    return await _locked(context, input.document_draft, kind, input.version)


@contextmanager
def in_draft() -> Iterator[None]:
    """What stands in the way of issuing a draft is found at the draft, and not in the input."""
    with _inside(()):
        yield


async def remove(context: Context, draft: DocumentDraft) -> None:
    """Delete a locked draft: it was issued, or nobody wants it."""
    await db.document_drafts.remove(context.connection, draft.id)
    _record(context, draft, None)


async def _locked(
    context: Context, id: strawberry.ID, kind: DocumentKind | None, version: int | None
) -> DocumentDraft:
    """A draft that nobody else does anything with now. Raises NotFound or VersionConflict."""
    seen: DocumentDraft = await nodes.found(context, str(id), "DocumentDraft", "documentDraft")
    there = await db.document_drafts.lock(context.connection, seen.id)
    if there is None or (kind is not None and there.kind != kind):
        raise NotFound(path=("documentDraft",))
    check_version(version, there.version)
    return there


def _given(input: InvoiceDraftUpdateInput | CreditNoteDraftUpdateInput) -> dict[str, Any]:
    """What an input gives of the document, by name."""
    named = {name: getattr(input, name) for name in asdict(input) if name not in (*_OF_DRAFT, "operation")}
    given = {name: value for name, value in named.items() if value is not strawberry.UNSET}
    operation = getattr(input, "operation", None)
    return given if operation is None else given | {"operation": operation}


@contextmanager
def _inside(given: Any) -> Iterator[None]:
    """A broken rule is told at the draft when it is not about what the input gives."""

    def placed(rule: BrokenRule) -> BrokenRule:
        return rule if rule.path and rule.path[0] in names else rule.at("documentDraft")

    names = {_camel(name) for name in given}
    try:
        yield
    except BrokenRules as several:
        raise BrokenRules([placed(rule) for rule in several.rules]) from None
    except BrokenRule as rule:
        raise placed(rule) from None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.title() for each in rest)


async def _changed(
    context: Context, draft: DocumentDraft, asked: InvoiceIssueInput | CreditNoteIssueInput
) -> DocumentDraftPayload:
    kept = _as_json(asked)
    if kept == draft.asked:
        context.record_nothing()
        return DocumentDraftPayload(draft)
    changed = await db.document_drafts.change(context.connection, draft.id, asked=kept)
    _record(context, draft, changed)
    return DocumentDraftPayload(changed)


def _as_json(asked: InvoiceIssueInput | CreditNoteIssueInput) -> str:
    told = {name: value for name, value in asdict(asked).items() if name not in _OF_DRAFT}
    return orjson.dumps(told | {"comment": told["comment"] or None}, default=str).decode()


def _record(context: Context, before: DocumentDraft | None, after: DocumentDraft | None) -> None:
    draft = after or before
    assert draft is not None
    context.record(
        "DocumentDraft",
        draft.id,
        before=None if before is None else _facts(before),
        after=None if after is None else _facts(after),
        customer_id=draft.customer_id,
    )


def _facts(draft: DocumentDraft) -> dict[str, Any]:
    facts = facts_of(draft, **json.loads(draft.asked))
    return {name: value for name, value in facts.items() if name not in ("asked", "today")}
