"""Reversals: staff takes back what was posted: movements the other way round, goods out of stock again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry
import uuid_utils.compat as uuid

import db
from db.credit_notes import CreditNote
from db.documents import SupplierDocument
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.movements import Movement
from db.payments import Payment
from db.reversals import Reversal
from db.tax_invoices import TaxInvoice
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.goods_return_postings import stocked_places, take_out
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.payment_postings import PaymentPayload
from resolvers.posting_locks import customer_locked, posted
from resolvers.rma_request_refunds import check_still_credited
from resolvers.rma_request_stages import refresh
from rules.balances import MovementKind
from rules.broken import NotFound, found_at
from rules.invoices import LONGEST_REASON
from rules.reversals import check_covered, check_reverse
from rules.texts import TextMissing, check_text

# What can be reversed, with the column of a reversal that names it.
_COLUMNS: dict[type[Any], str] = {
    Invoice: "invoice_id",
    TaxInvoice: "tax_invoice_id",
    GoodsReturn: "goods_return_id",
    CreditNote: "credit_note_id",
    Payment: "payment_id",
}
_DOCUMENTS = tuple(each.__name__ for each in _COLUMNS if each is not Payment)


@strawberry.input(description="A document that is taken back.")
class SupplierDocumentReverseInput:
    """supplierDocumentReverse(input:)."""

    document: strawberry.ID = strawberry.field(
        description="An invoice, a tax invoice, a goods return or a credit note on which nothing stands."
    )
    reason: str = strawberry.field(description="Why, 1 to 2,000 characters.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A payment that is taken back.")
class PaymentReverseInput:
    """paymentReverse(input:)."""

    payment: strawberry.ID = strawberry.field(description="The payment or refund.")
    reason: str = strawberry.field(description="Why, 1 to 2,000 characters.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class SupplierDocumentPayload(Payload):
    """The document as it is now."""

    document: SupplierDocument | None = None


_DocumentInput = Annotated[SupplierDocumentReverseInput, strawberry.argument(description="What to reverse.")]
_PaymentInput = Annotated[PaymentReverseInput, strawberry.argument(description="What to reverse.")]


async def reverse(info: Info, input: _DocumentInput) -> SupplierDocumentPayload:
    """Mutation.supplierDocumentReverse."""
    context = info.context
    seen = await nodes.by_global_id(context, str(input.document), *_DOCUMENTS)
    return SupplierDocumentPayload(await _reversed(context, seen, input.reason, "document"))


async def reverse_payment(info: Info, input: _PaymentInput) -> PaymentPayload:
    """Mutation.paymentReverse."""
    context = info.context
    seen = await nodes.by_global_id(context, str(input.payment), "Payment")
    return PaymentPayload(await _reversed(context, seen, input.reason, "payment"))


async def _reversed(context: Context, seen: Any, reason: str, path: str) -> Any:
    """What the viewer sees, after it was reversed. Raises NotFound or the rule that forbids it."""
    check_text(reason, LONGEST_REASON, "reason")
    if not reason.strip():
        raise TextMissing(path=("reason",))
    if seen is None:
        raise NotFound(path=(path,))
    await customer_locked(context, seen.customer_id)
    type_name = type(seen).__name__
    before = await posted(context, type_name, seen.id, path)
    standing = await db.standing_documents.of_documents(context.connection, context.signed_in, [seen.id])
    now = datetime.now(UTC)
    with found_at(path):
        check_reverse(before.state, standing[seen.id])
        await _move_back(context, before, now)
        await _take_out(context, before)
    told = {_COLUMNS[type(before)]: before.id}
    reversal = Reversal(id=uuid.uuid7(), reversed_at=now, reason=reason, **told)
    await db.reversals.add(context.connection, [reversal])
    if isinstance(before, CreditNote):
        with found_at(path):
            await check_still_credited(context, before.rma_request_id)
    after = await posted(context, type_name, seen.id, path)
    context.record(
        type_name,
        after.id,
        before=facts_of(before),
        after=facts_of(after, reversal_reason=reason),
        customer_id=after.customer_id,
    )
    if isinstance(before, (GoodsReturn, CreditNote, Payment)):
        await refresh(context, before.rma_request_id)
    return after


async def _move_back(context: Context, document: Any, now: datetime) -> None:
    """Post the movements of a document the other way round. What has paid an invoice lies on account then. Raises
    RefundsUncovered."""
    if isinstance(document, (TaxInvoice, GoodsReturn)):
        return
    connection = context.connection
    moved = await db.allocations.posted_by(connection, document.id)
    new = [_opposite(each, now) for each in moved]
    if isinstance(document, Invoice):
        new += await _released(context, document, now)
    on_account = await db.allocations.on_account(connection, document.customer_id, document.currency)
    check_covered(on_account, on_account + sum(each.amount for each in new if each.settles_id is None))
    if new:
        await db.movements.post(connection, new)


def _opposite(movement: Movement, now: datetime) -> Movement:
    return Movement(
        id=uuid.uuid7(),
        kind=MovementKind(movement.kind),
        customer_id=movement.customer_id,
        order_id=movement.order_id,
        moved_at=now,
        currency=movement.currency,
        amount=-movement.amount,
        invoice_id=movement.invoice_id,
        credit_note_id=movement.credit_note_id,
        payment_id=movement.payment_id,
        settles_id=movement.settles_id,
        reverses_id=movement.id,
    )


async def _released(context: Context, invoice: Invoice, now: datetime) -> Sequence[Movement]:
    """What takes the payments of an invoice off it and on to the account, where they can settle another one."""
    released = []
    for each in await db.allocations.at_invoice(context.connection, invoice.id):
        for settles, amount in ((invoice, -each.amount), (None, each.amount)):
            released.append(
                Movement(
                    id=uuid.uuid7(),
                    kind=MovementKind(each.kind),
                    customer_id=invoice.customer_id,
                    order_id=settles.order_id if settles else None,
                    moved_at=now,
                    currency=invoice.currency,
                    amount=amount,
                    payment_id=each.payment_id,
                    settles_id=settles.id if settles else None,
                )
            )
    return released


async def _take_out(context: Context, document: Any) -> None:
    """Take what a goods return has put into stock out again. Raises InsufficientStock."""
    if not isinstance(document, GoodsReturn):
        return
    lines = (await db.goods_returns.lines_of(context.connection, context.signed_in, [document.id]))[
        document.id
    ]
    skus = {line.product_id: line.sku for line in lines}
    moved = [(line.product_id, line.quantity) for line in lines]
    await take_out(context, await stocked_places(context, document.warehouse_id, moved), skus)
