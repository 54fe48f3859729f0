"""Invoiced lines: the lines of invoices, with what of them was credited and came back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    not_,
    or_,
    select,
)

from db.connections import Connection, many_each
from db.credit_notes import OF_DISCOUNTS, credit_note_lines, credit_notes
from db.goods_returns import goods_return_lines, goods_returns
from db.invoices import invoice_lines
from db.reversals import is_reversed
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.credit_notes import InvoicedLine, UnnamedCredit, spread
from rules.viewers import Viewer

_IDS = bindparam("ids", type_=ARRAY(Uuid))
# A discount lowers what a line charged, not how much of it can come back.
_credited_quantity = func.coalesce(
    func.sum(credit_note_lines.c.quantity, type_=QUANTITY).filter(credit_notes.c.operation != OF_DISCOUNTS),
    0,
)
_credited_amount = func.coalesce(func.sum(credit_note_lines.c.amount), 0).cast(BigInteger)
_discounted_amount = func.coalesce(
    func.sum(credit_note_lines.c.amount).filter(credit_notes.c.operation == OF_DISCOUNTS), 0
).cast(BigInteger)


def _lines_in(lines: Table, documents: Table, key: str, *what: ColumnElement[Any]) -> Select[Any]:
    """Sums over the lines of documents that are not reversed."""
    return (
        select(*what)
        .join_from(
            lines,
            documents,
            leads_to(lines.c[key], documents),
        )
        .where(lines.c.tenant_id == bindparam("tenant_id"), not_(is_reversed(documents)))
    )


_CREDITED = (credit_note_lines, credit_notes, "credit_note_id")
_credited = (
    _lines_in(
        *_CREDITED,
        credit_note_lines.c.invoice_id,
        credit_note_lines.c.invoice_position,
        _credited_quantity.label("quantity"),
        _credited_amount.label("amount"),
        func.count().label("credits"),
        _discounted_amount.label("discounted_amount"),
    )
    .where(credit_note_lines.c.invoice_id == any_(_IDS), credit_note_lines.c.invoice_position.is_not(None))
    .group_by(credit_note_lines.c.invoice_id, credit_note_lines.c.invoice_position)
    .subquery("credited")
)
_returned = (
    _lines_in(
        goods_return_lines,
        goods_returns,
        "goods_return_id",
        goods_returns.c.invoice_id,
        goods_return_lines.c.invoice_position,
        func.sum(goods_return_lines.c.quantity, type_=QUANTITY).label("quantity"),
    )
    .where(goods_returns.c.invoice_id == any_(_IDS))
    .group_by(goods_returns.c.invoice_id, goods_return_lines.c.invoice_position)
    .subquery("returned")
)
_COLUMNS = (
    "invoice_id",
    "position",
    "product_id",
    "sku",
    "name",
    "unit",
    "quantity",
    "unit_price",
    "tax_rate",
    "amount",
)
_of_invoices = Statement(
    select(
        *(invoice_lines.c[name] for name in _COLUMNS),
        func.coalesce(_credited.c.quantity, 0).label("credited_quantity"),
        func.coalesce(_credited.c.amount, 0).label("credited_amount"),
        func.coalesce(_returned.c.quantity, 0).label("returned_quantity"),
        func.coalesce(_credited.c.credits, 0).label("credits"),
        func.coalesce(_credited.c.discounted_amount, 0).label("discounted_amount"),
    )
    .outerjoin_from(
        invoice_lines,
        _credited,
        and_(
            _credited.c.invoice_id == invoice_lines.c.invoice_id,
            _credited.c.invoice_position == invoice_lines.c.position,
        ),
    )
    .outerjoin(
        _returned,
        and_(
            _returned.c.invoice_id == invoice_lines.c.invoice_id,
            _returned.c.invoice_position == invoice_lines.c.position,
        ),
    )
    .where(invoice_lines.c.tenant_id == bindparam("tenant_id"), invoice_lines.c.invoice_id == any_(_IDS))
    .order_by(invoice_lines.c.invoice_id, invoice_lines.c.position),
    InvoicedLine,
)
# An ERP's credit notes may tell the invoice, but not the line.
_corrected = func.coalesce(credit_note_lines.c.invoice_id, credit_notes.c.invoice_id)
_unnamed = Statement(
    _lines_in(
        *_CREDITED,
        _corrected.label("invoice_id"),
        credit_note_lines.c.sku,
        _credited_quantity.label("quantity"),
        _credited_amount.label("amount"),
    )
    .where(
        credit_note_lines.c.invoice_position.is_(None),
        or_(
            credit_note_lines.c.invoice_id == any_(_IDS),
            and_(credit_note_lines.c.invoice_id.is_(None), credit_notes.c.invoice_id == any_(_IDS)),
        ),
    )
    .group_by(_corrected, credit_note_lines.c.sku)
    .order_by(credit_note_lines.c.sku),
    UnnamedCredit,
)


async def of_invoices(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[InvoicedLine]]:
    """The lines of each invoice with what is left of them, by position. Ask for invoices that the viewer may see."""
    lines = many_each(await connection.rows(_of_invoices, ids=ids), ids, "invoice_id")
    unnamed = many_each(await connection.rows(_unnamed, ids=ids), ids, "invoice_id")
    return {key: spread(found, unnamed[key]) if unnamed[key] else found for key, found in lines.items()}
