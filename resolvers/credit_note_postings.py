"""Credit note postings: staff gives back what was invoiced: for goods that came back, as a discount, as a correction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.customers import Customer
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.movements import Movement
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.corrected_lines import corrected
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.posting_locks import billing_address, invoice_locked, posted
from rules.access_groups import check_length
from rules.amounts import totals
from rules.balances import MovementKind
from rules.broken import BrokenRule
from rules.credit_notes import (
    Credit,
    GoodsReturnNotForOperation,
    GoodsReturnOfAnother,
    InvoicedLine,
    ReturnCredited,
    check_credit,
    check_returned,
    credit_of,
)
from rules.documents import CreditOperation, DocumentStatus
from rules.invoices import LONGEST_COMMENT
from rules.numbers import NumberKind
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


@strawberry.input(description="What is given back of an invoice, and why.")
class CreditNoteIssueInput:
    """creditNoteIssue(input:)."""

    invoice: strawberry.ID = strawberry.field(description="The invoice, which it lowers.")
    operation: CreditOperation = strawberry.field(description="Why.")
    lines: list[CreditNoteIssueLineInput] | None = strawberry.field(
        default=None,
        description="Which lines, each once, at most 1,000; when left out those of the goods return, or all that is left.",
    )
    goods_return: strawberry.ID | None = strawberry.field(
        default=None,
        description="The goods that came back for it; only for a sales return, which credits no more than these.",
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class CreditNotePayload(Payload):
    """The credit note that was posted."""

    credit_note: CreditNote | None = None


_Input = Annotated[CreditNoteIssueInput, strawberry.argument(description="What to credit.")]


async def issue(info: Info, input: _Input) -> CreditNotePayload:
    """Mutation.creditNoteIssue."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_length(input.lines, MOST_ROWS, "lines")
    customer, invoice = await invoice_locked(context, str(input.invoice), "invoice")
    lines = (await db.invoiced_lines.of_invoices(context.connection, context.signed_in, [invoice.id]))[
        invoice.id
    ]
    try:
        check_credit(invoice.state, lines)
    except BrokenRule as rule:
        raise rule.at("invoice") from None
    back = await _came_back(context, input, invoice)
    returned = await _returned(context, back)
    given = _given(input, returned, lines)

    def make(line: InvoicedLine, asked: CreditNoteIssueLineInput) -> Credit:
        credit = credit_of(line, input.operation, asked.quantity, asked.unit_price, invoice.currency)
        if returned is not None:
            check_returned(line, credit.quantity, returned.get(line.position, Decimal(0)))
        return credit

    credited = corrected(given, {line.position: line for line in lines}, make)
    new, new_lines = await _written(context, invoice, customer, credited, input, back)
    await _post(context, invoice, new, new_lines)
    return CreditNotePayload(await posted(context, "CreditNote", new.id))


async def _came_back(context: Context, input: CreditNoteIssueInput, invoice: Invoice) -> GoodsReturn | None:
    """The goods return that is credited. Raises NotFound, GoodsReturnNotForOperation or GoodsReturnOfAnother."""
    if input.goods_return is None:
        return None
    seen = await nodes.found(context, str(input.goods_return), "GoodsReturn", "goodsReturn")
    if input.operation is not CreditOperation.SALES_RETURN:
        raise GoodsReturnNotForOperation(path=("goodsReturn",))
    back: GoodsReturn = await posted(context, "GoodsReturn", seen.id, "goodsReturn")
    if back.invoice_id != invoice.id or back.state == DocumentStatus.REVERSED:
        raise GoodsReturnOfAnother(path=("goodsReturn",))
    return back


async def _returned(context: Context, back: GoodsReturn | None) -> dict[int, Decimal] | None:
    """What is left to be credited of a goods return, by the place in the invoice. Raises ReturnCredited."""
    if back is None:
        return None
    found = await db.returned_lines.of_returns(context.connection, context.signed_in, [back.id])
    left = {each.invoice_position: each.left for each in found[back.id] if each.left > 0}
    if not left:
        raise ReturnCredited(path=("goodsReturn",))
    return left


def _given(
    input: CreditNoteIssueInput, returned: Mapping[int, Decimal] | None, lines: Sequence[InvoicedLine]
) -> list[CreditNoteIssueLineInput]:
    """The lines of the input, or what they are when left out. Raises ValueMissing."""
    if input.lines is not None:
        return input.lines
    if input.operation is CreditOperation.DISCOUNT:
        raise ValueMissing(path=("lines",))
    if returned is not None:
        return [CreditNoteIssueLineInput(position=each, quantity=left) for each, left in returned.items()]
    left = [
        CreditNoteIssueLineInput(position=line.position)
        for line in lines
        if line.left_quantity > 0 and line.has_money_left
    ]
    check_length(left, MOST_ROWS, "invoice")
    return left


async def _written(
    context: Context,
    invoice: Invoice,
    customer: Customer,
    credited: Sequence[tuple[InvoicedLine, Credit]],
    input: CreditNoteIssueInput,
    back: GoodsReturn | None,
) -> tuple[CreditNote, list[CreditNoteLine]]:
    """The credit note with its lines: copies of the invoice's."""
    note_id = uuid.uuid7()
    lines = [
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
    sums = totals([(line.amount, line.tax_rate) for line in lines], tax_included=invoice.tax_included)
    note = CreditNote(
        id=note_id,
        number=(await db.numbers.take(context.connection, NumberKind.CREDIT_NOTE, 1))[0],
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        goods_return_id=back.id if back else None,
        operation=input.operation,
        issued_at=datetime.now(UTC),
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=customer.name,
        bill_to=await billing_address(context, customer.id),
        comment=input.comment or None,
        state=DocumentStatus.ISSUED,
    )
    return note, lines


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
