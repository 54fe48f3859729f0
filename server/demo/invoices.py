"""The demo's invoice: what was shipped of an order of a made-up company's first customer, paid and credited in part."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.goods_issues import GoodsIssue, GoodsIssueLine
from db.invoices import Invoice, InvoiceLine
from db.movements import Movement
from db.orders import Order, OrderLine
from db.pages import Window
from db.payments import Payment
from db.tax_invoices import TaxInvoice
from rules.amounts import line_amount, totals
from rules.balances import MovementKind, PaymentKind
from rules.contacts import AddressKind
from rules.documents import DocumentStatus
from rules.lifecycle import ProcessingState
from rules.numbers import NumberKind
from rules.viewers import Viewer
from server.demo import credit_notes, rma_requests
from server.demo.people import first_buyer
from server.demo.portals import DemoPortal

_DUE_DAYS = 30


@dataclass(slots=True)
class _Sale:
    """An order with the lines of which something was shipped, and when that is charged."""

    order: Order
    customer_name: str
    bill_to: str
    lines: list[OrderLine]
    at: datetime


async def add(connection: Connection, portal: DemoPortal) -> None:
    """A goods issue for what an import says was shipped of the first order in progress, and what follows from it:
    an invoice with its tax invoice, one piece that comes back as was asked for and is credited, and a payment of half of the rest; once."""
    buyer = await first_buyer(connection, portal)
    sale = await _sale(connection, buyer)
    if sale is None:
        return
    invoice, lines = await _charge(connection, sale, await _ship(connection, sale))
    await _state_tax(connection, invoice)
    request_id = await rma_requests.add_completed(connection, portal, lines[0])
    note = await credit_notes.add(connection, portal, invoice, lines[0], request_id)
    payment = Payment(
        id=uuid.uuid7(),
        number=await _number(connection, NumberKind.PAYMENT),
        kind=PaymentKind.PAYMENT,
        customer_id=invoice.customer_id,
        invoice_id=None,
        paid_at=sale.at,
        currency=invoice.currency,
        amount=(invoice.total - note.total) // 2,
        reference=invoice.number,
        state=DocumentStatus.ISSUED,
    )
    await db.payments.add(connection, [payment])
    moved: list[tuple[MovementKind, int, dict[str, UUID]]] = [
        (MovementKind.INVOICE, invoice.total, {"invoice_id": invoice.id}),
        (MovementKind.CREDIT_NOTE, -note.total, {"credit_note_id": note.id}),
        (MovementKind.PAYMENT, -payment.amount, {"payment_id": payment.id}),
    ]
    await db.movements.post(connection, [_movement(invoice, *each) for each in moved])


def _movement(invoice: Invoice, kind: MovementKind, amount: int, document: dict[str, UUID]) -> Movement:
    return Movement(
        id=uuid.uuid7(),
        kind=kind,
        customer_id=invoice.customer_id,
        order_id=invoice.order_id,
        moved_at=invoice.issued_at,
        currency=invoice.currency,
        amount=amount,
        settles_id=invoice.id,
        **document,
    )


async def _number(connection: Connection, kind: NumberKind) -> str:
    return (await db.numbers.take(connection, kind, 1))[0]


async def _sale(connection: Connection, buyer: Viewer) -> _Sale | None:
    """None when the customer has no such order, or a goods issue tells of it already."""
    in_progress = {"processing_states": [ProcessingState.IN_PROGRESS.value]}
    page = await db.orders.page(connection, buyer, in_progress, ("NUMBER_ASC",), Window(1))
    for order in page.rows:
        customers = await db.customers.by_ids(connection, buyer, [order.customer_id])
        issued = await db.goods_issues.of_orders(connection, buyer, [order.id])
        lines = (await db.orders.lines_of(connection, buyer, [order.id]))[order.id]
        shipped = [line for line in lines if line.shipped_quantity > 0]
        if shipped and not issued[order.id]:
            addresses = (await db.contacts.addresses_of(connection, buyer, [order.customer_id]))[
                order.customer_id
            ]
            billing = next(each for each in addresses if each.kind is AddressKind.BILLING)
            name = customers[order.customer_id].name
            return _Sale(order, name, billing.as_json(), shipped, datetime.now(UTC))
    return None


async def _ship(connection: Connection, sale: _Sale) -> GoodsIssue:
    issue = GoodsIssue(
        id=uuid.uuid7(),
        number=await _number(connection, NumberKind.GOODS_ISSUE),
        order_id=sale.order.id,
        customer_id=sale.order.customer_id,
        warehouse_id=sale.order.warehouse_id,
        shipped_at=sale.at,
        comment=None,
    )
    lines = [
        GoodsIssueLine(
            goods_issue_id=issue.id,
            position=position,
            order_position=line.position,
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.shipped_quantity,
        )
        for position, line in enumerate(sale.lines, start=1)
    ]
    await db.goods_issues.add(connection, [issue], lines)
    return issue


async def _charge(
    connection: Connection, sale: _Sale, issue: GoodsIssue
) -> tuple[Invoice, list[InvoiceLine]]:
    order, invoice_id = sale.order, uuid.uuid7()
    lines = [
        InvoiceLine(
            invoice_id=invoice_id,
            position=position,
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.shipped_quantity,
            unit_price=line.unit_price,
            tax_rate=line.tax_rate,
            amount=line_amount(line.shipped_quantity, line.unit_price, order.currency),
            goods_issue_id=issue.id,
            goods_issue_position=position,
            currency=order.currency,
        )
        for position, line in enumerate(sale.lines, start=1)
    ]
    sums = totals([(line.amount, line.tax_rate) for line in lines], tax_included=order.tax_included)
    invoice = Invoice(
        id=invoice_id,
        number=await _number(connection, NumberKind.INVOICE),
        customer_id=order.customer_id,
        order_id=order.id,
        issued_at=sale.at,
        due_on=sale.at.date() + timedelta(days=_DUE_DAYS),
        currency=order.currency,
        tax_included=order.tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=sale.customer_name,
        bill_to=sale.bill_to,
        comment=None,
        open=sums.total,
        state=DocumentStatus.UNPAID,
    )
    await db.invoices.add(connection, [invoice], lines)
    return invoice, lines


async def _state_tax(connection: Connection, invoice: Invoice) -> None:
    new = TaxInvoice(
        id=uuid.uuid7(),
        number=await _number(connection, NumberKind.TAX_INVOICE),
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        issued_at=invoice.issued_at,
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        state=DocumentStatus.ISSUED,
    )
    await db.tax_invoices.add(connection, [new])
