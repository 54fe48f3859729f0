"""Quotations as they are printed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import db
from db.quotations import Quotation, QuotationLine
from resolvers.prints import Office, office
from rules import amounts
from rules.prints import Printed
from tenants.downloads import Reader

_QUOTATION = ("Quotation", "Angebot")
_DRAFT = ("Draft of a quotation", "Entwurf eines Angebots")


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The quotations among the ids that the viewer may see."""
    found = await db.quotations.by_ids(reader.connection, reader.viewer, ids)
    lines = await db.quotations.lines_of(reader.connection, reader.viewer, list(found))
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {each.id: _printed(writes, each, lines[each.id]) for each in found.values()}


def _printed(office: Office, quotation: Quotation, lines: Sequence[QuotationLine]) -> Printed:
    currency, included = quotation.currency, quotation.tax_included
    notes = {each.position: each.description for each in lines}
    columns, rows = office.priced_lines(lines, currency, tax_included=included, notes=notes)
    until = office.day(quotation.valid_until)
    return office.printed(
        kind=_QUOTATION if quotation.number else _DRAFT,
        number=quotation.number or "",
        addressee=office.addressee(quotation.customer_id),
        facts=office.facts(
            (("Quotation no.", "Angebotsnummer"), quotation.number),
            (("Date", "Datum"), office.day(quotation.dated_at)),
            (("Valid until", "Gültig bis"), until),
            (("Customer no.", "Kundennummer"), office.code_of(quotation.customer_id)),
        ),
        opening=office.say(("We offer you:", "Wir bieten Ihnen an:")),
        columns=columns,
        rows=rows,
        sums=office.sums(amounts.Totals(quotation.net, quotation.tax, quotation.total), currency),
        taxes=office.taxes(
            amounts.by_rate([(each.amount, each.tax_rate) for each in lines], tax_included=included), currency
        ),
        closing=tuple(filter(None, (quotation.comment, office.letterhead.payment_terms(office.language)))),
    )
