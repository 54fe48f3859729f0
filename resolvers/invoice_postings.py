"""Invoice postings: staff charges what was shipped of an order, and gives an invoice its tax invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.document_drafts import DocumentDraft
from db.invoices import Invoice, InvoiceLine
from db.movements import Movement
from db.tax_invoices import TaxInvoice
from resolvers.context import Context, Info
from resolvers.document_draft_changes import in_draft, keep, remove, to_issue
from resolvers.invoice_drafts import InvoiceIssueInput, asked_in, basis_of, drafted, drafted_now
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.posting_locks import customer_locked, invoice_locked, posted
from rules.balances import MovementKind
from rules.broken import found_at
from rules.documents import DocumentKind, DocumentStatus
from rules.invoices import check_tax_invoice
from rules.numbers import NumberKind


@strawberry.input(description="An invoice that gets its tax invoice.")
class TaxInvoiceIssueInput:
    """taxInvoiceIssue(input:)."""

    invoice: strawberry.ID = strawberry.field(description="The invoice.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class InvoicePayload(Payload):
    """The invoice that was posted, or the draft that is kept."""

    invoice: Invoice | None = None
    draft: DocumentDraft | None = None


@dataclass(slots=True)
class TaxInvoicePayload(Payload):
    """The tax invoice that was posted."""

    tax_invoice: TaxInvoice | None = None


_IssueInput = Annotated[InvoiceIssueInput, strawberry.argument(description="What to charge.")]
_TaxInput = Annotated[TaxInvoiceIssueInput, strawberry.argument(description="Of which invoice.")]


async def issue(info: Info, input: _IssueInput) -> InvoicePayload:
    """Mutation.invoiceIssue."""
    context = info.context
    if input.document_draft is not None:
        draft = await to_issue(context, DocumentKind.INVOICE, input)
        with in_draft():
            invoice = await _issued(context, asked_in(draft.asked))
        await remove(context, draft)
        return InvoicePayload(invoice)
    if not input.draft:
        return InvoicePayload(await _issued(context, input))
    wanted, _ = await drafted_now(context, input, await db.order_changes.today(context.connection))
    return InvoicePayload(draft=await keep(context, DocumentKind.INVOICE, wanted.customer_id, input))


async def _issued(context: Context, asked: InvoiceIssueInput) -> Invoice:
    """What is asked, posted."""
    basis = await basis_of(context, asked)
    customer = await customer_locked(context, basis.order.customer_id)
    today = await db.order_changes.today(context.connection)
    invoice, lines = await drafted(context, asked, basis, customer, today)
    invoice.number = (await db.numbers.take(context.connection, NumberKind.INVOICE, 1))[0]
    await _post(context, invoice, lines)
    found: Invoice = await posted(context, "Invoice", invoice.id)
    return found


async def _post(context: Context, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    await db.invoices.add(context.connection, [invoice], lines)
    movement = Movement(
        id=uuid.uuid7(),
        kind=MovementKind.INVOICE,
        customer_id=invoice.customer_id,
        order_id=invoice.order_id,
        moved_at=invoice.issued_at,
        currency=invoice.currency,
        amount=invoice.total,
        invoice_id=invoice.id,
        settles_id=invoice.id,
    )
    await db.movements.post(context.connection, [movement])
    told = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
    after = facts_of(invoice, lines=told)
    context.record("Invoice", invoice.id, before=None, after=after, customer_id=invoice.customer_id)


async def issue_tax(info: Info, input: _TaxInput) -> TaxInvoicePayload:
    """Mutation.taxInvoiceIssue: it moves nothing."""
    context = info.context
    _, invoice = await invoice_locked(context, str(input.invoice), "invoice")
    standing = await db.standing_documents.of_documents(context.connection, context.signed_in, [invoice.id])
    with found_at("invoice"):
        check_tax_invoice(invoice.state, standing[invoice.id])
    new = TaxInvoice(
        id=uuid.uuid7(),
        number=(await db.numbers.take(context.connection, NumberKind.TAX_INVOICE, 1))[0],
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        issued_at=datetime.now(UTC),
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        state=DocumentStatus.ISSUED,
    )
    await db.tax_invoices.add(context.connection, [new])
    context.record("TaxInvoice", new.id, before=None, after=facts_of(new), customer_id=new.customer_id)
    return TaxInvoicePayload(new)
