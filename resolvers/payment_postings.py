"""Payment postings: staff records money that came in or went back, and says which invoices it settles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.invoices import Invoice
from db.movements import Movement
from db.payments import Payment
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.posting_locks import customer_locked, posted
from resolvers.rma_request_refunds import refunding
from resolvers.rma_request_stages import refresh
from rules.access_groups import check_length
from rules.balances import MovementKind, PaymentKind
from rules.broken import BrokenRule, BrokenRules, NotFound, found_at
from rules.documents import DocumentStatus
from rules.invoices import LinesMissing, check_standing
from rules.money import to_major
from rules.numbers import NumberKind
from rules.payments import (
    LONGEST_REFERENCE,
    MOST_ALLOCATIONS,
    InvoiceCurrencyDiffers,
    InvoiceOfAnother,
    InvoiceTwice,
    MoreThanAmount,
    PaidInFuture,
    check_allocate,
    check_on_account,
    check_settles,
    left_on_account,
    minor,
    moved,
)
from rules.portals import check_currency
from rules.texts import check_text


@strawberry.input(description="How much of a payment settles an invoice.")
class AllocationInput:
    """One of paymentRecord's and paymentAllocate's allocations."""

    invoice: strawberry.ID = strawberry.field(description="The invoice, in the payment's currency.")
    amount: Decimal = strawberry.field(
        description="How much, above zero: at most what is open of it, of a refund at most what was paid too much."
    )


@strawberry.input(description="Money that came from a customer or went back to it.")
class PaymentRecordInput:
    """paymentRecord(input:)."""

    customer: strawberry.ID = strawberry.field(description="Who paid, or was paid.")
    kind: PaymentKind = strawberry.field(default=PaymentKind.PAYMENT, description="Which way the money went.")
    amount: Decimal = strawberry.field(description="How much, above zero.")
    currency: str | None = strawberry.field(
        default=None, description="The ISO 4217 code; the customer's own currency when left out."
    )
    paid_at: datetime | None = strawberry.field(default=None, description="When; now when left out.")
    reference: str | None = strawberry.field(
        default=None, description="What the bank's statement says, at most 200 characters."
    )
    allocations: list[AllocationInput] = strawberry.field(
        default_factory=list,
        description="Which invoices it settles, each once. The rest lies on account, a prepayment; the rest of a "
        "refund is taken from there.",
    )
    rma_request: strawberry.ID | None = strawberry.field(
        default=None,
        description="The request for which it is a refund: at most what was credited of the lines to be refunded and is not "
        "paid back yet, in the currency of its invoice. Without `allocations` it takes what is paid too much of that invoice "
        "now, and the rest from the account.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What of a payment lies on account, and which invoices it is to settle.")
class PaymentAllocateInput:
    """paymentAllocate(input:)."""

    payment: strawberry.ID = strawberry.field(description="The payment.")
    allocations: list[AllocationInput] = strawberry.field(description="Which invoices it settles, each once.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class PaymentPayload(Payload):
    """The payment as it is now."""

    payment: Payment | None = None


_RecordInput = Annotated[PaymentRecordInput, strawberry.argument(description="What was paid.")]
_AllocateInput = Annotated[PaymentAllocateInput, strawberry.argument(description="What is settled.")]


async def record(info: Info, input: _RecordInput) -> PaymentPayload:
    """Mutation.paymentRecord."""
    context = info.context
    check_text(input.reference, LONGEST_REFERENCE, "reference")
    check_currency(input.currency, "currency")
    now = datetime.now(UTC)
    if input.paid_at is not None and input.paid_at > now:
        raise PaidInFuture(path=("paidAt",))
    seen = await nodes.found(context, str(input.customer), "Customer", "customer")
    customer = await customer_locked(context, seen.id)
    back = await refunding(context, input.rma_request, input.kind, customer, input.currency)
    currency = input.currency or (customer.currency if back is None else back.currency)
    new = Payment(
        id=uuid.uuid7(),
        number="",  # taken once all is checked
        kind=input.kind,
        customer_id=customer.id,
        invoice_id=None,
        paid_at=input.paid_at or now,
        currency=currency,
        amount=minor(input.amount, currency, "amount"),
        reference=input.reference or None,
        state=DocumentStatus.ISSUED,
        rma_request_id=None if back is None else back.request_id,
    )
    if back is not None:
        await back.check(context, new.amount)
    settled = await _settled(context, new, input.allocations)
    if back is not None and not input.allocations:
        settled = _of_its_invoice(new, back.invoice)
    rest = _rest(new.amount, settled, currency)
    on_account = await db.allocations.on_account(context.connection, customer.id, currency)
    check_on_account(input.kind, rest, on_account, currency)
    new.number = (await db.numbers.take(context.connection, NumberKind.PAYMENT, 1))[0]
    await db.payments.add(context.connection, [new])
    told: list[tuple[Invoice | None, int]] = [*settled]
    if rest:
        told.append((None, rest))
    movements = [_movement(new, new.paid_at, invoice, moved(input.kind, amount)) for invoice, amount in told]
    await db.movements.post(context.connection, movements)
    after = facts_of(new, settles=_told(settled))
    context.record("Payment", new.id, before=None, after=after, customer_id=customer.id)
    await refresh(context, new.rma_request_id)
    return PaymentPayload(new)


async def allocate(info: Info, input: _AllocateInput) -> PaymentPayload:
    """Mutation.paymentAllocate: two movements an invoice, off the account and on to the invoice."""
    context = info.context
    if not input.allocations:
        raise LinesMissing(path=("allocations",))
    seen = await nodes.found(context, str(input.payment), "Payment", "payment")
    await customer_locked(context, seen.customer_id)
    payment: Payment = await posted(context, "Payment", seen.id, "payment")
    kind = PaymentKind(payment.kind)
    lying = await db.allocations.of_payments(context.connection, context.signed_in, [payment.id])
    left = left_on_account(kind, *lying[payment.id])
    settled = await _settled(context, payment, input.allocations)
    with found_at("payment"):
        check_allocate(payment.state, left)
    _rest(left, settled, payment.currency)
    now = datetime.now(UTC)
    movements = []
    for invoice, amount in settled:
        by = moved(kind, amount)
        movements += [_movement(payment, now, None, -by), _movement(payment, now, invoice, by)]
    await db.movements.post(context.connection, movements)
    context.record(
        "Payment",
        payment.id,
        before=facts_of(payment),
        after=facts_of(payment, settles=_told(settled)),
        customer_id=payment.customer_id,
    )
    return PaymentPayload(payment)


async def _settled(
    context: Context, payment: Payment, given: Sequence[AllocationInput]
) -> list[tuple[Invoice, int]]:
    """The invoices that are settled, each with how much in minor units. Raises BrokenRules with all that is wrong."""
    check_length(given, MOST_ALLOCATIONS, "allocations")
    keys = [nodes.key_or_nothing(str(each.invoice), "Invoice") or nodes.NOTHING for each in given]
    invoices = await db.invoices.by_ids(context.connection, context.signed_in, keys) if keys else {}
    settled: dict[UUID, tuple[Invoice, int]] = {}
    broken: list[BrokenRule] = []
    for index, (key, each) in enumerate(zip(keys, given, strict=True)):
        path = ("allocations", str(index))
        invoice = invoices.get(key)
        try:
            if invoice is None:
                raise NotFound(path=("invoice",))
            if key in settled:
                raise InvoiceTwice(number=invoice.number, path=("invoice",))
            settled[key] = invoice, _checked(payment, invoice, each.amount)
        except BrokenRule as rule:
            broken.append(rule.at(*path))
    if broken:
        raise BrokenRules(broken)
    return list(settled.values())


def _of_its_invoice(refund: Payment, invoice: Invoice) -> list[tuple[Invoice, int]]:
    """What was paid too much of the invoice of a request, as far as the refund takes it."""
    overpaid = min(max(-invoice.open, 0), refund.amount)
    return [(invoice, overpaid)] if overpaid > 0 else []


def _checked(payment: Payment, invoice: Invoice, amount: Decimal) -> int:
    if invoice.customer_id != payment.customer_id:
        raise InvoiceOfAnother(path=("invoice",))
    if invoice.currency != payment.currency:
        raise InvoiceCurrencyDiffers(currency=invoice.currency, path=("invoice",))
    with found_at("invoice"):
        check_standing(invoice.state)
    whole = minor(amount, payment.currency, "amount")
    check_settles(PaymentKind(payment.kind), whole, invoice.number, invoice.open, invoice.currency)
    return whole


def _rest(amount: int, settled: Sequence[tuple[Invoice, int]], currency: str) -> int:
    """What is left when invoices are settled. Raises MoreThanAmount."""
    rest = amount - sum(each for _, each in settled)
    if rest < 0:
        raise MoreThanAmount(left=to_major(amount, currency), currency=currency, path=("allocations",))
    return rest


def _movement(payment: Payment, moved_at: datetime, invoice: Invoice | None, amount: int) -> Movement:
    return Movement(
        id=uuid.uuid7(),
        kind=MovementKind(payment.kind),
        customer_id=payment.customer_id,
        order_id=invoice.order_id if invoice else None,
        moved_at=moved_at,
        currency=payment.currency,
        amount=amount,
        payment_id=payment.id,
        settles_id=invoice.id if invoice else None,
    )


def _told(settled: Sequence[tuple[Invoice, int]]) -> list[dict[str, object]]:
    return [{"invoice": invoice.number, "amount": amount} for invoice, amount in settled]
