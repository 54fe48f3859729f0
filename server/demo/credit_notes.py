"""The demo's goods return and credit note: a broken piece came back to a made-up company, and is credited."""

from decimal import Decimal
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.credit_notes import CreditNote, CreditNoteLine
from db.goods_returns import GoodsReturn, GoodsReturnLine
from db.invoices import Invoice, InvoiceLine
from rules.amounts import line_amount, totals
from rules.documents import CreditOperation, DocumentStatus
from rules.numbers import NumberKind
from server.demo.portals import DemoPortal

_PIECE = Decimal(1)
_COMMENTS = {"en": "One piece was broken.", "de": "Ein Stück war zerbrochen."}


async def add(
    connection: Connection, portal: DemoPortal, invoice: Invoice, broken: InvoiceLine, request_id: UUID
) -> CreditNote:
    """A credit note for one piece of a line of an invoice, and the goods return that it stands on, both for a request."""
    comment = _COMMENTS[portal.locale]
    returned = await _receive(connection, invoice, broken, comment, request_id)
    note_id = uuid.uuid7()
    line = CreditNoteLine(
        credit_note_id=note_id,
        position=1,
        product_id=broken.product_id,
        sku=broken.sku,
        name=broken.name,
        unit=broken.unit,
        quantity=_PIECE,
        unit_price=broken.unit_price,
        tax_rate=broken.tax_rate,
        amount=line_amount(_PIECE, broken.unit_price, invoice.currency),
        invoice_id=invoice.id,
        invoice_position=broken.position,
        currency=invoice.currency,
    )
    sums = totals([(line.amount, line.tax_rate)], tax_included=invoice.tax_included)
    note = CreditNote(
        id=note_id,
        number=(await db.numbers.take(connection, NumberKind.CREDIT_NOTE, 1))[0],
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        goods_return_id=returned.id,
        operation=CreditOperation.SALES_RETURN,
        issued_at=invoice.issued_at,
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=invoice.customer_name,
        bill_to=invoice.bill_to,
        comment=comment,
        state=DocumentStatus.ISSUED,
        rma_request_id=request_id,
    )
    await db.credit_notes.add(connection, [note], [line])
    return note


async def _receive(
    connection: Connection, invoice: Invoice, broken: InvoiceLine, comment: str, request_id: UUID
) -> GoodsReturn:
    """What is broken is put into stock nowhere."""
    returned = GoodsReturn(
        id=uuid.uuid7(),
        number=(await db.numbers.take(connection, NumberKind.GOODS_RETURN, 1))[0],
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        warehouse_id=None,
        received_at=invoice.issued_at,
        comment=comment,
        state=DocumentStatus.ISSUED,
        rma_request_id=request_id,
    )
    line = GoodsReturnLine(
        goods_return_id=returned.id,
        position=1,
        invoice_position=broken.position,
        product_id=broken.product_id,
        sku=broken.sku,
        name=broken.name,
        unit=broken.unit,
        quantity=_PIECE,
    )
    await db.goods_returns.add(connection, [returned], [line])
    return returned
