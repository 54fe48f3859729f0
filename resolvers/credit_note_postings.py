"""Credit note postings: staff gives back what was invoiced: for goods that came back, as a discount, as a correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.document_drafts import DocumentDraft
from db.invoices import Invoice
from db.movements import Movement
from resolvers.context import Context, Info
from resolvers.credit_note_drafts import (
    CreditNoteIssueInput,
    asked_in,
    check_asked,
    completed,
    drafted,
    drafted_now,
)
from resolvers.document_draft_changes import in_draft, keep, remove, to_issue
from resolvers.mutations import Payload, facts_of
from resolvers.posting_locks import invoice_locked, posted
from resolvers.rma_request_stages import refresh
from rules.balances import MovementKind
from rules.documents import DocumentKind
from rules.numbers import NumberKind


@dataclass(slots=True)
class CreditNotePayload(Payload):
    """The credit note that was posted, or the draft that is kept."""

    credit_note: CreditNote | None = None
    draft: DocumentDraft | None = None


_Input = Annotated[CreditNoteIssueInput, strawberry.argument(description="What to credit.")]


async def issue(info: Info, input: _Input) -> CreditNotePayload:
    """Mutation.creditNoteIssue."""
    context = info.context
    if input.document_draft is not None:
        draft = await to_issue(context, DocumentKind.CREDIT_NOTE, input)
        with in_draft():
            note = await _issued(context, asked_in(draft.asked))
        await remove(context, draft)
        return CreditNotePayload(note)
    asked = await completed(context, input)
    if not asked.draft:
        return CreditNotePayload(await _issued(context, asked))
    wanted, _ = await drafted_now(context, asked)
    return CreditNotePayload(draft=await keep(context, DocumentKind.CREDIT_NOTE, wanted.customer_id, asked))


async def _issued(context: Context, asked: CreditNoteIssueInput) -> CreditNote:
    """What is asked, posted."""
    check_asked(asked)
    customer, invoice = await invoice_locked(context, str(asked.invoice), "invoice")
    note, lines = await drafted(context, asked, invoice, customer)
    note.number = (await db.numbers.take(context.connection, NumberKind.CREDIT_NOTE, 1))[0]
    await _post(context, invoice, note, lines)
    await refresh(context, note.rma_request_id)
    found: CreditNote = await posted(context, "CreditNote", note.id)
    return found


async def _post(
    context: Context, invoice: Invoice, note: CreditNote, lines: Sequence[CreditNoteLine]
) -> None:
    await db.credit_notes.add(context.connection, [note], lines)
    movement = Movement(
        id=uuid.uuid7(),
        kind=MovementKind.CREDIT_NOTE,
        customer_id=note.customer_id,
        order_id=invoice.order_id,
        moved_at=note.issued_at,
        currency=note.currency,
        amount=-note.total,
        credit_note_id=note.id,
        settles_id=invoice.id,
    )
    await db.movements.post(context.connection, [movement])
    told = [{"sku": line.sku, "quantity": line.quantity, "amount": line.amount} for line in lines]
    after = facts_of(note, lines=told)
    context.record("CreditNote", note.id, before=None, after=after, customer_id=note.customer_id)
