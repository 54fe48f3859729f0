"""Credit note drafts: what is to be given back, and the credit note that it makes now, posted at once or kept as a draft."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.customers import Customer
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.rma_requests import RMARequest
from resolvers import nodes
from resolvers.context import Context
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION
from resolvers.named_lines import named
from resolvers.posting_locks import billing_address
from resolvers.rma_request_credits import Requested, requested
from rules.access_groups import check_length
from rules.amounts import totals
from rules.broken import BrokenRules, NotFound, found_at
from rules.credit_notes import (
    Credit,
    GoodsReturnNotForOperation,
    GoodsReturnOfAnother,
    InvoicedLine,
    ReturnCredited,
    check_credit,
    check_returned,
    credit_of,
    worth_crediting,
)
from rules.documents import CreditOperation, DocumentStatus
from rules.invoices import LONGEST_COMMENT
from rules.rows import MOST_ROWS, ValueMissing
from rules.texts import check_text


@strawberry.input(description="How much of a line of an invoice is credited.")
class CreditNoteIssueLineInput:
    """One of creditNoteIssue's lines."""

    position: int = strawberry.field(description="The line's place in the invoice.")
    quantity: Decimal | None = strawberry.field(
        default=None,
        description="How much; all that is not credited yet when left out, of a discount all of the line.",
    )
    unit_price: Decimal | None = strawberry.field(
        default=None,
        description="What is credited for one unit, at most what was charged for it, with tax where the invoice's "
        "prices include it. Needed for a discount; otherwise the quantity's share of what is left of the line.",
    )


@strawberry.input(description="What is given back of an invoice, and why; or a draft of that.")
class CreditNoteIssueInput:
    """creditNoteIssue(input:)."""

    document_draft: strawberry.ID | None = strawberry.field(
        default=None, description="A draft to be issued; then nothing else is said but its version."
    )
    invoice: strawberry.ID | None = strawberry.field(
        default=None,
        description="The invoice, which it lowers; needed for a new one, unless a request is named.",
    )
    operation: CreditOperation | None = strawberry.field(
        default=None, description="Why; needed for a new one, unless a request is named."
    )
    lines: list[CreditNoteIssueLineInput] | None = strawberry.field(
        default=None,
        description="Which lines, each once, at most 1,000; when left out those of the goods return, or what came back for "
        "the request (where nothing came back, all that was granted of it), or all that is left.",
    )
    rma_request: strawberry.ID | None = strawberry.field(
        default=None,
        description="The request for which it is given back: no more than was granted of it and is not credited yet. Its "
        "invoice is credited, for a sales return when nothing else is said; a goods return that was received for a "
        "request names it already.",
    )
    goods_return: strawberry.ID | None = strawberry.field(
        default=None,
        description="The goods that came back for it; only for a sales return, which credits no more than these.",
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    draft: bool = strawberry.field(
        default=False,
        description="Only keep it: a draft is seen by nobody but the staff who could issue it, and can be changed.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


def asked_in(kept: str) -> CreditNoteIssueInput:
    """What a draft keeps as JSON."""
    asked = json.loads(kept)
    if asked["lines"] is not None:
        for line in asked["lines"]:
            for name in ("quantity", "unit_price"):
                line[name] = None if line[name] is None else Decimal(line[name])
        asked["lines"] = [CreditNoteIssueLineInput(**line) for line in asked["lines"]]
    asked["operation"] = CreditOperation(asked["operation"])
    return CreditNoteIssueInput(**asked)


async def completed(context: Context, asked: CreditNoteIssueInput) -> CreditNoteIssueInput:
    """What is asked, with what the request tells that it names. Raises NotFound."""
    if asked.rma_request is None:
        return asked
    request: RMARequest = await nodes.found(context, str(asked.rma_request), "RMARequest", "rmaRequest")
    return replace(
        asked,
        invoice=asked.invoice or strawberry.ID(nodes.global_id("Invoice", request.invoice_id)),
        operation=asked.operation or CreditOperation.SALES_RETURN,
    )


def check_asked(asked: CreditNoteIssueInput) -> None:
    """Refuse what is not all of a credit note, before anything is looked at. Raises BrokenRules."""
    needed = {"invoice": asked.invoice, "operation": asked.operation}
    missing = [ValueMissing(path=(name,)) for name, given in needed.items() if given is None]
    if missing:
        raise BrokenRules(missing)
    check_text(asked.comment, LONGEST_COMMENT, "comment")
    check_length(asked.lines, MOST_ROWS, "lines")


async def drafted(
    context: Context, asked: CreditNoteIssueInput, invoice: Invoice, customer: Customer
) -> tuple[CreditNote, list[CreditNoteLine]]:
    """The credit note as it would be posted at this moment, without its number, and its lines.

    It is posted only if the customer was locked before. Raises BrokenRule or BrokenRules for what stands in the way.
    """
    operation = asked.operation
    assert operation is not None, "check_asked comes first"
    lines = await context.load_list(db.invoiced_lines.of_invoices, invoice.id)
    with found_at("invoice" if asked.rma_request is None else "rmaRequest"):
        check_credit(invoice.state, lines)
    back = await _came_back(context, asked, invoice)
    returned = await _returned(context, back)
    request = await requested(context, asked.rma_request, operation, invoice, back)
    given = _given(asked, returned, request, lines)

    def make(line: InvoicedLine, each: CreditNoteIssueLineInput) -> Credit:
        credit = credit_of(line, operation, each.quantity, each.unit_price, invoice.currency)
        if returned is not None:
            check_returned(line, credit.quantity, returned.get(line.position, Decimal(0)))
        if request is not None:
            request.check(line, credit.quantity)
        return credit

    credited = named(given, {line.position: line for line in lines}, make)
    note_id = uuid.uuid7()
    new_lines = _lines(note_id, invoice, credited)
    sums = totals([(line.amount, line.tax_rate) for line in new_lines], tax_included=invoice.tax_included)
    note = CreditNote(
        id=note_id,
        number="",  # taken once all is checked
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        goods_return_id=back.id if back else None,
        rma_request_id=request.id if request else None,
        operation=operation,
        issued_at=datetime.now(UTC),
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=customer.name,
        bill_to=await billing_address(context, customer.id),
        comment=asked.comment or None,
        state=DocumentStatus.ISSUED,
    )
    return note, new_lines


async def drafted_now(
    context: Context, asked: CreditNoteIssueInput
) -> tuple[CreditNote, list[CreditNoteLine]]:
    """The same of what nobody has locked: it can be another one a moment later."""
    check_asked(asked)
    invoice: Invoice = await nodes.found(context, str(asked.invoice), "Invoice", "invoice")
    customer = await context.load(db.customers.by_ids, invoice.customer_id)
    if customer is None:
        raise NotFound(path=("invoice",))
    return await drafted(context, asked, invoice, customer)


async def _came_back(context: Context, input: CreditNoteIssueInput, invoice: Invoice) -> GoodsReturn | None:
    """The goods return that is credited. Raises NotFound, GoodsReturnNotForOperation or GoodsReturnOfAnother."""
    if input.goods_return is None:
        return None
    back: GoodsReturn = await nodes.found(context, str(input.goods_return), "GoodsReturn", "goodsReturn")
    if input.operation is not CreditOperation.SALES_RETURN:
        raise GoodsReturnNotForOperation(path=("goodsReturn",))
    if back.invoice_id != invoice.id or back.state == DocumentStatus.REVERSED:
        raise GoodsReturnOfAnother(path=("goodsReturn",))
    return back


async def _returned(context: Context, back: GoodsReturn | None) -> dict[int, Decimal] | None:
    """What is left to be credited of a goods return, by the place in the invoice. Raises ReturnCredited."""
    if back is None:
        return None
    found = await context.load_list(db.returned_lines.of_returns, back.id)
    left = {each.invoice_position: each.left for each in found if each.left > 0}
    if not left:
        raise ReturnCredited(path=("goodsReturn",))
    return left


def _given(
    input: CreditNoteIssueInput,
    returned: Mapping[int, Decimal] | None,
    request: Requested | None,
    lines: Sequence[InvoicedLine],
) -> list[CreditNoteIssueLineInput]:
    """The lines of the input, or what they are when left out. Raises ValueMissing or NothingAuthorised."""
    if input.lines is not None:
        return input.lines
    if input.operation is CreditOperation.DISCOUNT:
        raise ValueMissing(path=("lines",))
    if request is not None:
        returned = request.quantities(returned)
    if returned is not None:
        worth = worth_crediting(returned, lines)
        return [CreditNoteIssueLineInput(position=each, quantity=left) for each, left in worth.items()]
    left = [
        CreditNoteIssueLineInput(position=line.position)
        for line in lines
        if line.left_quantity > 0 and line.has_money_left
    ]
    check_length(left, MOST_ROWS, "invoice")
    return left


def _lines(
    note_id: UUID, invoice: Invoice, credited: Sequence[tuple[InvoicedLine, Credit]]
) -> list[CreditNoteLine]:
    """Copies of the invoice's lines."""
    return [
        CreditNoteLine(
            credit_note_id=note_id,
            position=position,
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=credit.quantity,
            unit_price=credit.unit_price,
            tax_rate=line.tax_rate,
            amount=credit.amount,
            invoice_id=invoice.id,
            invoice_position=line.position,
            currency=invoice.currency,
        )
        for position, (line, credit) in enumerate(credited, start=1)
    ]
