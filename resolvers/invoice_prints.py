"""Invoices and tax invoices as they are printed: what § 14 UStG and article 226 of the VAT directive ask for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import db
from db.goods_issues import GoodsIssue
from db.invoices import Invoice, InvoiceLine
from db.orders import Order
from db.tax_invoices import TaxInvoice
from resolvers.prints import Office, office
from rules import amounts
from rules.permissions import Permission
from rules.prints import Printed
from tenants.downloads import Reader

_INVOICE = ("Invoice", "Rechnung")
_TAX_INVOICE = ("Tax invoice", "Steuerrechnung")


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The invoices among the ids that the viewer may see."""
    found = await db.invoices.by_ids(reader.connection, reader.viewer, ids)
    lines = await db.invoices.lines_of(reader.connection, reader.viewer, list(found))
    issues = await _issues(reader, lines)
    orders = await _orders(reader, found.values())
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {
        each.id: _printed(
            writes, each, lines[each.id], issues, orders.get(each.order_id) if each.order_id else None
        )
        for each in found.values()
    }


async def _issues(reader: Reader, lines: Mapping[UUID, Sequence[InvoiceLine]]) -> Mapping[UUID, GoodsIssue]:
    """What the lines of invoices charge for."""
    charged = {line.goods_issue_id for of_one in lines.values() for line in of_one if line.goods_issue_id}
    return await db.goods_issues.DOCUMENTS.named(reader.connection, list(charged))


def _named(lines: Sequence[InvoiceLine], issues: Mapping[UUID, GoodsIssue]) -> dict[int, GoodsIssue]:
    """The goods issue of each line, by the line's position."""
    return {each.position: issues[each.goods_issue_id] for each in lines if each.goods_issue_id}


async def _orders(reader: Reader, found: Iterable[Invoice]) -> Mapping[UUID, Order]:
    ids = [each.order_id for each in found if each.order_id]
    if not ids or not reader.viewer.may(Permission.ORDERS_READ):
        return {}
    return await db.orders.by_ids(reader.connection, reader.viewer, ids)


def _printed(
    office: Office,
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    issues: Mapping[UUID, GoodsIssue],
    order: Order | None,
) -> Printed:
    due, currency = office.day(invoice.due_on), invoice.currency
    named = _named(lines, issues)
    return office.printed(
        kind=_INVOICE,
        number=invoice.number,
        addressee=office.billed(invoice),
        warning=office.warning(invoice.state),
        facts=office.facts(
            (("Invoice no.", "Rechnungsnummer"), invoice.number),
            (("Invoice date", "Rechnungsdatum"), office.day(invoice.issued_at)),
            (("Date of supply", "Lieferdatum"), _supplied(office, named.values())),
            (("Delivery note", "Lieferschein"), _only(named.values())),
            (("Due on", "Fällig am"), due),
            (("Customer no.", "Kundennummer"), office.code_of(invoice.customer_id)),
            (("Order", "Auftrag"), order.number if order else None),
            (("Your order no.", "Ihre Bestellnummer"), order.purchase_order_number if order else None),
        ),
        opening=office.say(("We charge you for:", "Wir berechnen Ihnen:")),
        closing=tuple(filter(None, (invoice.comment, office.letterhead.payment_terms(office.language)))),
        payment=office.payment(invoice.number, due, office.money(invoice.total, currency)),
        **_amounts(office, invoice, lines, _notes(office, named)),
    )


def _amounts(
    office: Office, document: Invoice | TaxInvoice, lines: Sequence[InvoiceLine], notes: Mapping[int, str]
) -> dict[str, Any]:
    currency, included = document.currency, document.tax_included
    columns, rows = office.priced_lines(lines, currency, tax_included=included, notes=notes)
    rates = amounts.by_rate([(each.amount, each.tax_rate) for each in lines], tax_included=included)
    return {
        "columns": columns,
        "rows": rows,
        "sums": office.sums(amounts.Totals(document.net, document.tax, document.total), currency),
        "taxes": office.taxes(rates, currency),
    }


def _supplied(office: Office, issues: Iterable[GoodsIssue]) -> str | None:
    """The day of the supply, or from the first to the last."""
    days = sorted({each.shipped_at.date() for each in issues})
    return office.period(days[0], days[-1]) if days else None


def _only(issues: Iterable[GoodsIssue]) -> str | None:
    """The number of the one goods issue that all of it came with; several are named line by line."""
    numbers = {each.number for each in issues}
    return numbers.pop() if len(numbers) == 1 else None


def _notes(office: Office, named: Mapping[int, GoodsIssue]) -> dict[int, str]:
    if _only(named.values()) is not None:
        return {}
    word, of = office.say(("Delivery note", "Lieferschein")), office.say(("of", "vom"))
    return {
        position: f"{word} {each.number} {of} {office.day(each.shipped_at)}"
        for position, each in named.items()
    }


async def printed_tax_invoices(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The tax invoices among the ids that the viewer may see; each with the lines of its invoice."""
    found = await db.tax_invoices.by_ids(reader.connection, reader.viewer, ids)
    of_ids = list({each.invoice_id for each in found.values()})
    invoices = await db.invoices.DOCUMENTS.named(reader.connection, of_ids)
    lines = await db.invoices.lines_of(reader.connection, reader.viewer, of_ids)
    issues = await _issues(reader, lines)
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {
        each.id: _printed_tax_invoice(writes, each, invoices[each.invoice_id], lines[each.invoice_id], issues)
        for each in found.values()
    }


def _printed_tax_invoice(
    office: Office,
    document: TaxInvoice,
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    issues: Mapping[UUID, GoodsIssue],
) -> Printed:
    named = _named(lines, issues)
    return office.printed(
        kind=_TAX_INVOICE,
        number=document.number,
        addressee=office.billed(invoice),
        warning=office.warning(document.state),
        facts=office.facts(
            (("Tax invoice no.", "Steuerrechnungsnummer"), document.number),
            (("Date", "Datum"), office.day(document.issued_at)),
            (("To invoice", "Zur Rechnung"), invoice.number),
            (("Invoice date", "Rechnungsdatum"), office.day(invoice.issued_at)),
            (("Date of supply", "Lieferdatum"), _supplied(office, named.values())),
            (("Delivery note", "Lieferschein"), _only(named.values())),
            (("Customer no.", "Kundennummer"), office.code_of(document.customer_id)),
        ),
        opening=office.say(("We charged you for:", "Wir haben Ihnen berechnet:")),
        **_amounts(office, document, lines, _notes(office, named)),
    )
