"""RMA request previews: the credit note to which a request would lead, by what drafts credit notes; nothing is posted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import strawberry

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.invoices import Invoice
from db.rma_requests import RMARequest
from resolvers import money, nodes
from resolvers.context import Context, Info
from resolvers.credit_note_drafts import CreditNoteIssueInput, CreditNoteIssueLineInput, drafted
from resolvers.errors import Broken
from rules import amounts
from rules.broken import BrokenRule, BrokenRules, NotFound
from rules.credit_notes import worth_crediting
from rules.documents import CreditOperation
from rules.rma_decisions import NothingWouldBeCredited, expected_credit
from rules.rma_requests import RMARequestNotSubmitted


@dataclass(slots=True)
class RMACreditPreview:
    """What would be credited; the credit note is None while something stands in its way."""

    note: CreditNote | None
    lines: Sequence[CreditNoteLine]
    problems: Sequence[BrokenRule]


async def credit_preview(root: strawberry.Parent[RMARequest], info: Info) -> RMACreditPreview:
    """RMARequest.creditPreview."""
    try:
        note, lines = await _drafted(info.context, root)
    except BrokenRules as several:
        return RMACreditPreview(None, [], several.rules)
    except BrokenRule as rule:
        return RMACreditPreview(None, [], [rule])
    return RMACreditPreview(note, lines, [])


async def _drafted(context: Context, request: RMARequest) -> tuple[CreditNote, list[CreditNoteLine]]:
    """Raises RMARequestNotSubmitted, NotFound for who may not read the invoice, NothingWouldBeCredited, or what
    credit_note_drafts.drafted does."""
    if request.submitted_at is None:
        raise RMARequestNotSubmitted
    invoice: Invoice | None = await nodes.load(context, "Invoice", request.invoice_id)
    customer = await context.load(db.customers.by_ids, request.customer_id)
    quantities = await _expected(context, request)
    if invoice is None or customer is None:
        raise NotFound(path=("invoice",))
    if not quantities:
        raise NothingWouldBeCredited
    quantities = worth_crediting(
        quantities, await context.load_list(db.invoiced_lines.of_invoices, invoice.id)
    )
    asked = CreditNoteIssueInput(
        operation=CreditOperation.SALES_RETURN,
        lines=[CreditNoteIssueLineInput(position=each, quantity=left) for each, left in quantities.items()],
    )
    return await drafted(context, asked, invoice, customer)


async def _expected(context: Context, request: RMARequest) -> dict[int, Decimal]:
    """How much of each line of the invoice is to be credited."""
    lines, progress = await asyncio.gather(
        context.load_list(db.rma_requests.lines_of, request.id),
        context.load_list(db.rma_progress.of_requests, request.id),
    )
    left = {
        line.invoice_position: expected_credit(each, line.wish, closed=request.closed_at is not None)
        for line, each in zip(lines, progress, strict=True)
    }
    return {position: quantity for position, quantity in left.items() if quantity > 0}


def totals(root: strawberry.Parent[RMACreditPreview]) -> money.Totals | None:
    """RMACreditPreview.totals."""
    note = root.note
    if note is None:
        return None
    return money.Totals(amounts.Totals(note.net, note.tax, note.total), note.currency)


def problems(root: strawberry.Parent[RMACreditPreview]) -> list[Broken]:
    """RMACreditPreview.problems."""
    return [Broken(rule) for rule in root.problems]
