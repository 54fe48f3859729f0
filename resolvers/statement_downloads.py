"""Order statements as files: a row for each line, for each product, and what they add up to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import strawberry

import db
from resolvers import downloads, money
from resolvers.context import Info
from resolvers.order_statements import OrderStatement, OrderStatementFilter, by_currency, by_unit, resolved
from rules.broken import Language
from rules.downloads import check_rows
from rules.money import to_major
from rules.permissions import Permission
from rules.texts import LONGEST_NAME, check_text
from tenants.downloads import Asker, CellKind, Column, Report, Sheet

_AT_ONCE = 500

_SKU = Column(("SKU", "Artikelnummer"), width=16)
_NAME = Column(("Name", "Bezeichnung"), width=40)
_UNIT = Column(("Unit", "Einheit"), width=9)
_QUANTITIES = (
    Column(("Ordered", "Bestellt"), CellKind.NUMBER),
    Column(("Shipped", "Geliefert"), CellKind.NUMBER),
    Column(("Outstanding", "Offen"), CellKind.NUMBER),
)
_MONEY = (
    Column(("Outstanding amount", "Offener Betrag"), CellKind.AMOUNT, 20),
    Column(("Currency", "Währung"), width=10),
    Column(("Tax included", "Inkl. Steuer"), width=13),
)
_CUSTOMER = (
    Column(("Customer no.", "Kundennummer")),
    Column(("Customer", "Kunde"), width=30),
)
_LINE = (
    Column(("Order", "Auftrag")),
    Column(("Placed at (UTC)", "Bestellt am (UTC)"), CellKind.MOMENT, 18),
    Column(("Purchase order no.", "Ihre Bestellnummer"), width=20),
    Column(("Line", "Position"), CellKind.NUMBER, 9),
    _SKU,
    _NAME,
    _UNIT,
    *_QUANTITIES,
    Column(("Unit price", "Einzelpreis"), CellKind.AMOUNT),
    *_MONEY,
)
_PRODUCT = (_SKU, _NAME, _UNIT, *_QUANTITIES, Column(("Orders", "Aufträge"), CellKind.NUMBER))
_TOTAL = (_UNIT, *_QUANTITIES, *_MONEY)
_YES, _NO = ("yes", "ja"), ("no", "nein")


async def download(
    root: strawberry.Parent[OrderStatement], info: Info, format: downloads.Format
) -> downloads.Download:
    """OrderStatement.download. Raises DownloadTooLarge, or TextTooLong for what no address has room for."""
    context, given = info.context, root.given
    for name in ("product", "sku", "order", "number", "customer"):
        check_text(getattr(given, name), LONGEST_NAME, "filter", name)
    found = await context.load_list(db.order_statements.totals, root.filters)
    check_rows(sum(each.lines for each in found), format, "filter")
    return downloads.link_to(context, ORDER_STATEMENT, _told(given), format)


def _told(given: OrderStatementFilter) -> dict[str, str]:
    """A filter as a link says it."""
    values = {each.name: getattr(given, each.name) for each in fields(given)}
    return {name: str(value) for name, value in values.items() if value is not None}


def _given(told: Mapping[str, str]) -> OrderStatementFilter:
    values: dict[str, Any] = {
        name: date.fromisoformat(value) if name in ("from_", "to") else value for name, value in told.items()
    }
    return OrderStatementFilter(**values)


async def _sheets(asker: Asker, told: Mapping[str, str]) -> Sequence[Sheet]:
    """Of the statement as it is now, by the rights that the viewer has now. Raises DownloadTooLarge."""
    filters = await resolved(asker.connection, asker.viewer, _given(told))
    totals = (await db.order_statements.totals(asker.connection, asker.viewer, [filters]))[filters]
    check_rows(sum(each.lines for each in totals), asker.format)
    whose = _CUSTOMER if asker.viewer.is_staff else ()

    async def lines() -> AsyncIterator[list[tuple[Any, ...]]]:
        chunks = db.order_statements.lines(asker.connection, asker.viewer, dict(filters), at_once=_AT_ONCE)
        async for chunk in chunks:
            yield [_line(asker, each) for each in chunk]

    async def products() -> AsyncIterator[list[tuple[Any, ...]]]:
        chunks = db.products_in_progress.every(
            asker.connection, asker.viewer, dict(filters), at_once=_AT_ONCE
        )
        async for chunk in chunks:
            yield [
                (
                    each.sku,
                    each.name,
                    each.unit,
                    each.ordered,
                    each.shipped,
                    each.outstanding,
                    each.order_count,
                )
                for each in chunk
            ]

    async def sums() -> AsyncIterator[list[tuple[Any, ...]]]:
        yield [
            (each.unit, each.ordered, each.shipped, each.outstanding, None, None, None)
            for each in by_unit(totals)
        ]
        yield [
            (None, None, None, None, each.amount.amount, each.amount.currency, _tax(asker, each.tax_included))
            for each in by_currency(totals)
        ]

    return (
        Sheet(("Lines", "Positionen"), (*whose, *_LINE), lines()),
        Sheet(("Products", "Artikel"), _PRODUCT, products()),
        Sheet(("Totals", "Summen"), _TOTAL, sums()),
    )


def _line(asker: Asker, each: db.order_statements.StatementLine) -> tuple[Any, ...]:
    whose = (each.customer_code, each.customer_name) if asker.viewer.is_staff else ()
    return (
        *whose,
        each.number,
        each.placed_at,
        each.purchase_order_number,
        each.position,
        each.sku,
        each.name,
        each.unit,
        each.quantity,
        each.shipped_quantity,
        each.outstanding,
        money.of_unit_price(each.unit_price, each.currency).amount,
        to_major(int(each.outstanding_amount), each.currency),
        each.currency,
        _tax(asker, each.tax_included),
    )


def _tax(asker: Asker, included: bool) -> str:
    return (_YES if included else _NO)[asker.language is Language.GERMAN]


ORDER_STATEMENT = Report(
    "order-statement", ("Order statement", "Bestellungsnachweis"), Permission.ORDERS_READ, _sheets
)
