"""Posted documents for tests, with what they move in the ledger, as an import or a mutation writes both."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.document_drafts import document_drafts
from db.goods_returns import GoodsReturn, GoodsReturnLine
from db.invoices import Invoice, InvoiceLine
from db.movements import Movement
from db.payments import Payment
from db.reconciliation_statements import ReconciliationStatement, ReconciliationStatementLine
from db.reversals import Reversal
from db.tax_invoices import TaxInvoice
from resolvers.nodes import global_id
from rules.amounts import line_amount, totals
from rules.balances import MovementKind, PaymentKind
from rules.documents import CreditOperation, DocumentStatus
from tests.world import Portal, put

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
DUE = date(2026, 4, 2)


class Sold(NamedTuple):
    """What a line is of: how much of which SKU, at which price (without tax) and rate."""

    sku: str
    quantity: str = "1"
    unit_price: str = "10.00"
    tax_rate: str = "20"


_ONE = (Sold("A"),)


async def invoice(
    portal: Portal,
    number: str,
    lines: Sequence[Sold] = _ONE,
    *,
    customer: str = "C1",
    order_id: UUID | None = None,
    issued_at: datetime = AT,
    due_on: date = DUE,
    currency: str | None = None,
) -> Invoice:
    """A posted invoice; its movement opens it."""
    currency = currency or portal.currency
    key = uuid.uuid7()
    kept = [
        InvoiceLine(
            key,
            place,
            portal.products.get(each.sku),
            each.sku,
            f"Product {each.sku}",
            "pcs",
            Decimal(each.quantity),
            Decimal(each.unit_price),
            Decimal(each.tax_rate),
            line_amount(Decimal(each.quantity), Decimal(each.unit_price), currency),
            None,
            None,
            currency,
        )
        for place, each in enumerate(lines, start=1)
    ]
    sums = totals([(each.amount, each.tax_rate) for each in kept], tax_included=False)
    new = Invoice(
        id=key,
        number=number,
        customer_id=portal.customers[customer],
        order_id=order_id,
        issued_at=issued_at,
        due_on=due_on,
        currency=currency,
        tax_included=False,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=f"Customer {customer}",
        bill_to=None,
        comment=None,
        open=sums.total,
        state=DocumentStatus.UNPAID,
    )
    async with portal.writing() as connection:
        await db.invoices.add(connection, [new], kept)
        await db.movements.post(
            connection,
            [
                Movement(
                    id=uuid.uuid7(),
                    kind=MovementKind.INVOICE,
                    customer_id=new.customer_id,
                    order_id=order_id,
                    moved_at=issued_at,
                    currency=currency,
                    amount=new.total,
                    invoice_id=key,
                    settles_id=key,
                )
            ],
        )
    return new


async def credit_note(
    portal: Portal,
    number: str,
    corrected: Invoice,
    lines: Sequence[Sold] = _ONE,
    *,
    issued_at: datetime = AT,
    goods_return_id: UUID | None = None,
    rma_request_id: UUID | None = None,
    operation: CreditOperation = CreditOperation.SALES_RETURN,
) -> CreditNote:
    """A posted credit note for the first lines of an invoice, which its movement lowers."""
    key = uuid.uuid7()
    kept = [
        CreditNoteLine(
            key,
            place,
            portal.products.get(each.sku),
            each.sku,
            f"Product {each.sku}",
            "pcs",
            Decimal(each.quantity),
            Decimal(each.unit_price),
            Decimal(each.tax_rate),
            line_amount(Decimal(each.quantity), Decimal(each.unit_price), corrected.currency),
            corrected.id,
            place,
            corrected.currency,
        )
        for place, each in enumerate(lines, start=1)
    ]
    sums = totals([(each.amount, each.tax_rate) for each in kept], tax_included=False)
    new = CreditNote(
        id=key,
        number=number,
        customer_id=corrected.customer_id,
        invoice_id=corrected.id,
        goods_return_id=goods_return_id,
        operation=operation,
        issued_at=issued_at,
        currency=corrected.currency,
        tax_included=False,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=corrected.customer_name,
        bill_to=None,
        comment=None,
        state=DocumentStatus.ISSUED,
        rma_request_id=rma_request_id,
    )
    async with portal.writing() as connection:
        await db.credit_notes.add(connection, [new], kept)
        await db.movements.post(
            connection,
            [
                Movement(
                    id=uuid.uuid7(),
                    kind=MovementKind.CREDIT_NOTE,
                    customer_id=new.customer_id,
                    order_id=corrected.order_id,
                    moved_at=issued_at,
                    currency=new.currency,
                    amount=-new.total,
                    credit_note_id=key,
                    settles_id=corrected.id,
                )
            ],
        )
    return new


async def payment(
    portal: Portal,
    number: str,
    amount: int,
    *,
    settles: Invoice | None = None,
    customer: str = "C1",
    paid_at: datetime = AT,
    currency: str | None = None,
    kind: PaymentKind = PaymentKind.PAYMENT,
) -> Payment:
    """A posted payment (or refund) in minor units, for an invoice or on account."""
    new = Payment(
        id=uuid.uuid7(),
        number=number,
        kind=kind,
        customer_id=settles.customer_id if settles else portal.customers[customer],
        invoice_id=None,
        paid_at=paid_at,
        currency=currency or portal.currency,
        amount=amount,
        reference=None,
        state=DocumentStatus.ISSUED,
    )
    async with portal.writing() as connection:
        await db.payments.add(connection, [new])
        await db.movements.post(
            connection,
            [
                Movement(
                    id=uuid.uuid7(),
                    kind=MovementKind(kind.value),
                    customer_id=new.customer_id,
                    order_id=settles.order_id if settles else None,
                    moved_at=paid_at,
                    currency=new.currency,
                    amount=-amount if kind is PaymentKind.PAYMENT else amount,
                    payment_id=new.id,
                    settles_id=settles.id if settles else None,
                )
            ],
        )
    return new


async def allocate(portal: Portal, paid: Payment, settles: Invoice, amount: int, at: datetime = AT) -> None:
    """Let some of what lies on account of a payment settle an invoice."""
    parts: list[tuple[int, UUID | None, UUID | None]] = [
        (amount, None, None),
        (-amount, settles.id, settles.order_id),
    ]
    async with portal.writing() as connection:
        await db.movements.post(
            connection,
            [
                Movement(
                    id=uuid.uuid7(),
                    kind=MovementKind(paid.kind),
                    customer_id=paid.customer_id,
                    order_id=order_id,
                    moved_at=at,
                    currency=paid.currency,
                    amount=moved,
                    payment_id=paid.id,
                    settles_id=invoice_id,
                )
                for moved, invoice_id, order_id in parts
            ],
        )


_NAMES = {
    Invoice: "invoice_id",
    CreditNote: "credit_note_id",
    Payment: "payment_id",
    GoodsReturn: "goods_return_id",
}


async def reverse(
    portal: Portal, document: Invoice | CreditNote | Payment | GoodsReturn, at: datetime = AT
) -> None:
    """Take a document back: for each of its movements one with the opposite amount."""
    name = _NAMES[type(document)]
    async with portal.writing() as connection:
        await db.reversals.add(
            connection,
            [Reversal(id=uuid.uuid7(), reversed_at=at, reason="wrong", **{name: document.id})],
        )
        if isinstance(document, GoodsReturn):
            return  # it moves goods, and no money
        await connection.fetch_text(
            f"""insert into movements (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount,
                invoice_id, credit_note_id, payment_id, settles_id, reverses_id)
            select tenant_id, gen_random_uuid(), kind, customer_id, order_id, $2, currency, -amount, invoice_id,
                credit_note_id, payment_id, settles_id, id from movements where {name} = $1""",
            document.id,
            at,
        )


async def tax_invoice(portal: Portal, number: str, of: Invoice) -> TaxInvoice:
    """A posted tax invoice to an invoice."""
    new = TaxInvoice(
        uuid.uuid7(),
        number,
        of.customer_id,
        of.id,
        AT,
        of.currency,
        of.tax_included,
        of.net,
        of.tax,
        of.total,
        DocumentStatus.ISSUED,
    )
    async with portal.writing() as connection:
        await db.tax_invoices.add(connection, [new])
    return new


async def goods_return(
    portal: Portal,
    number: str,
    of: Invoice,
    *,
    sku: str = "A",
    quantity: str = "1",
    rma_request_id: UUID | None = None,
) -> GoodsReturn:
    """A posted return of an invoice's first line, put into W1's stock by nobody."""
    new = GoodsReturn(
        uuid.uuid7(),
        number,
        of.customer_id,
        of.id,
        portal.warehouse_ids["W1"],
        AT,
        "unopened",
        DocumentStatus.ISSUED,
        rma_request_id,
    )
    product_id = portal.products.get(sku)
    line = GoodsReturnLine(new.id, 1, 1, product_id, sku, f"Product {sku}", "pcs", Decimal(quantity))
    async with portal.writing() as connection:
        await db.goods_returns.add(connection, [new], [line])
    return new


async def reconciliation_statement(
    portal: Portal, number: str, of: Invoice, comment: str | None = None
) -> ReconciliationStatement:
    """An issued statement of March 2026 with an invoice as its one movement."""
    new = ReconciliationStatement(
        id=uuid.uuid7(),
        number=number,
        customer_id=of.customer_id,
        issued_at=AT,
        period_from=date(2026, 3, 1),
        period_to=date(2026, 3, 31),
        currency=of.currency,
        opening=0,
        debit=of.total,
        credit=0,
        closing=of.total,
        comment=comment,
        state=DocumentStatus.ISSUED,
        dispute_reason=None,
        answered_at=None,
        account_id=None,
        version=1,
    )
    line = ReconciliationStatementLine(
        new.id,
        1,
        of.issued_at,
        MovementKind.INVOICE,
        "Invoice",
        of.id,
        of.number,
        of.total,
        of.total,
        of.currency,
    )
    async with portal.writing() as connection:
        await db.reconciliation_statements.add(connection, [new], [line])
    return new


async def draft(portal: Portal, of: str, key: UUID, staff_member_id: UUID, *, customer: str = "C1") -> UUID:
    """A draft that charges all that was shipped of an order, or credits all of an invoice, as `of` says."""
    asked: dict[str, Any] = {of: global_id(of.title(), key), "lines": None, "comment": None}
    if of == "order":
        asked |= {"goods_issues": None, "due_on": None}
    else:
        asked |= {"goods_return": None, "operation": "SALES_RETURN"}
    async with portal.writing() as connection:
        return await put(
            connection,
            document_drafts,
            kind="INVOICE" if of == "order" else "CREDIT_NOTE",
            customer_id=portal.customers[customer],
            asked=json.dumps(asked),
            staff_member_id=staff_member_id,
        )


async def one_of_each(
    portal: Portal, tag: str, customer: str, order_id: UUID | None, sku: str
) -> dict[str, tuple[UUID, str]]:
    """An invoice of an order and all that follows from it: the id and the number of each, by its type."""
    lines = (Sold(sku, "3"),)
    bill = await invoice(portal, f"invoice-{tag}", lines, customer=customer, order_id=order_id)
    back = await goods_return(portal, f"return-{tag}", bill, sku=sku)
    made: list[Invoice | GoodsReturn | TaxInvoice | CreditNote | Payment | ReconciliationStatement] = [
        bill,
        back,
        await tax_invoice(portal, f"tax-{tag}", bill),
        await credit_note(portal, f"credit-{tag}", bill, (Sold(sku),), goods_return_id=back.id),
        await payment(portal, f"payment-{tag}", 100, settles=bill),
        await reconciliation_statement(portal, f"statement-{tag}", bill),
    ]
    return {type(each).__name__: (each.id, each.number) for each in made}
