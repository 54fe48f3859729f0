"""Credit notes as they are printed: each names the invoice that it corrects (article 219 of the VAT directive)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from resolvers.prints import Office, office
from rules import amounts
from rules.documents import CreditOperation
from rules.prints import Fact, Printed
from tenants.downloads import Reader, Words

_CREDIT_NOTE = ("Credit note", "Gutschrift")
_REASONS: dict[str, Words] = {
    CreditOperation.SALES_RETURN: ("Goods returned", "Warenrückgabe"),
    CreditOperation.DISCOUNT: ("Discount", "Nachlass"),
    CreditOperation.ADJUSTMENT: ("Correction of the invoice", "Berichtigung der Rechnung"),
}


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The credit notes among the ids that the viewer may see."""
    found = await db.credit_notes.by_ids(reader.connection, reader.viewer, ids)
    lines = await db.credit_notes.lines_of(reader.connection, reader.viewer, list(found))
    corrected = {each.invoice_id for each in found.values() if each.invoice_id}
    corrected |= {line.invoice_id for of_one in lines.values() for line in of_one if line.invoice_id}
    invoices = await db.invoices.DOCUMENTS.named(reader.connection, list(corrected))
    came_back = [each.goods_return_id for each in found.values() if each.goods_return_id]
    returns = await db.goods_returns.DOCUMENTS.named(reader.connection, came_back)
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {
        each.id: _printed(
            writes,
            each,
            lines[each.id],
            invoices,
            returns[each.goods_return_id] if each.goods_return_id else None,
        )
        for each in found.values()
    }


def _printed(
    office: Office,
    note: CreditNote,
    lines: Sequence[CreditNoteLine],
    invoices: Mapping[UUID, Invoice],
    returned: GoodsReturn | None,
) -> Printed:
    currency, included = note.currency, note.tax_included
    invoice = invoices.get(note.invoice_id) if note.invoice_id else None
    columns, rows = office.priced_lines(
        lines, currency, tax_included=included, notes=_notes(office, lines, invoices)
    )
    return office.printed(
        kind=_CREDIT_NOTE,
        number=note.number,
        addressee=office.billed(note),
        warning=office.warning(note.state),
        facts=office.facts(
            (("Credit note no.", "Gutschriftnummer"), note.number),
            (("Date", "Datum"), office.day(note.issued_at)),
            (("Corrects invoice", "Zur Rechnung"), invoice.number if invoice else None),
            (("Invoice date", "Rechnungsdatum"), office.day(invoice.issued_at) if invoice else None),
            (("Goods return", "Warenrückgabe"), returned.number if returned else None),
            (("Reason", "Grund"), office.say(_REASONS[note.operation])),
            (("Customer no.", "Kundennummer"), office.code_of(note.customer_id)),
        ),
        # A German "Gutschrift" alone may also be a customer's own invoice (§ 14 Abs. 2 UStG).
        opening=office.say(("We credit you with:", "Rechnungskorrektur. Wir schreiben Ihnen gut:")),
        columns=columns,
        rows=rows,
        sums=_sums(office, note),
        taxes=office.taxes(
            amounts.by_rate([(each.amount, each.tax_rate) for each in lines], tax_included=included), currency
        ),
        closing=tuple(
            filter(
                None,
                (
                    note.comment,
                    office.say(
                        (
                            "The amount is credited to your account with us.",
                            "Der Betrag wird Ihrem Kundenkonto gutgeschrieben.",
                        )
                    ),
                ),
            )
        ),
    )


def _sums(office: Office, note: CreditNote) -> tuple[Fact, ...]:
    *parts, _ = office.sums(amounts.Totals(note.net, note.tax, note.total), note.currency)
    label = ("Total credited", "Gutschriftbetrag")
    return (*parts, office.fact(label, office.money(note.total, note.currency), strong=True))


def _notes(
    office: Office, lines: Sequence[CreditNoteLine], invoices: Mapping[UUID, Invoice]
) -> dict[int, str]:
    """Which line of which invoice each corrects."""
    invoice, number = office.say(("Invoice", "Rechnung")), office.say(("no.", "Pos."))
    return {
        line.position: f"{invoice} {invoices[line.invoice_id].number}, {number} {line.invoice_position}"
        for line in lines
        if line.invoice_id
    }
