"""Prints: what all printed documents of a company have in common; each kind of document says the rest."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import db
from db.customers import Customer
from db.portals import Portal
from rules import amounts, figures
from rules.broken import Language
from rules.contacts import Address, AddressKind
from rules.documents import DocumentStatus
from rules.letterheads import Letterhead, grouped
from rules.prints import Align, Column, Fact, Head, Logo, Printed, Row
from tenants.downloads import Reader, Words, in_language

_POSITION = ("No.", "Pos.")
_SKU = ("SKU", "Artikelnr.")
_NAME = ("Description", "Bezeichnung")
_QUANTITY = ("Quantity", "Menge")
_UNIT = ("Unit", "Einheit")


class PrintedLine(Protocol):
    """What a line of every document has."""

    @property
    def position(self) -> int: ...
    @property
    def sku(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...


class PricedLine(PrintedLine, Protocol):
    """What a line with a price has; `amount` in minor units."""

    @property
    def unit_price(self) -> Decimal: ...
    @property
    def tax_rate(self) -> Decimal: ...
    @property
    def amount(self) -> int: ...


class Billed(Protocol):
    """A document with its own copy of its customer's name and address, as JSON."""

    @property
    def customer_id(self) -> UUID: ...
    @property
    def customer_name(self) -> str | None: ...
    @property
    def bill_to(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Office:
    """Who prints: the company with its letterhead and logo, the language, and the customers to whom it writes."""

    reader: Reader
    portal: Portal
    letterhead: Letterhead
    logo: Logo | None
    customers: Mapping[UUID, Customer]
    addresses: Mapping[UUID, Sequence[Address]]

    @property
    def language(self) -> Language:
        """In which it is printed."""
        return self.reader.language

    def say(self, words: Words) -> str:
        """The words in the language of the print."""
        return in_language(words, self.language)

    def fact(self, words: Words, text: str, *, strong: bool = False) -> Fact:
        """A text with its label."""
        return Fact(self.say(words), text, strong)

    def facts(self, *given: tuple[Words, str | None]) -> tuple[Fact, ...]:
        """Texts with their labels, those that say something."""
        return tuple(self.fact(words, text) for words, text in given if text)

    def day(self, value: date) -> str:
        """A day; of a moment its day in UTC."""
        return figures.day(value, self.language)

    def period(self, first: date, last: date) -> str:
        """From one day to another, or one day."""
        return " \u2013 ".join(self.day(each) for each in dict.fromkeys((first, last)))

    def amount(self, minor: int, currency: str) -> str:
        """An amount without its currency."""
        return figures.amount(minor, currency, self.language)

    def money(self, minor: int, currency: str) -> str:
        """An amount with its currency."""
        return f"{self.amount(minor, currency)}\u00a0{currency}"

    def code_of(self, customer_id: UUID) -> str | None:
        """The company's own code of a customer."""
        customer = self.customers.get(customer_id)
        return customer.code if customer else None

    def addressee(self, customer_id: UUID, *kinds: AddressKind) -> tuple[str, ...]:
        """A customer with the first of its addresses of these kinds, the kinds by preference."""
        customer, known = self.customers.get(customer_id), self.addresses.get(customer_id, [])
        name = customer.name if customer else ""
        for kind in kinds or (AddressKind.BILLING, AddressKind.SHIPPING):
            for address in known:
                if address.kind is kind:
                    return address.label(name)
        return tuple(line for line in (name, customer.country if customer else "") if line)

    def billed(self, document: Billed) -> tuple[str, ...]:
        """Whom a document names as its customer, by its own copy; what came by an import has none."""
        if document.bill_to is None:
            name = document.customer_name
            found = self.addressee(document.customer_id)
            return (name, *found[1:]) if name else found
        customer = self.customers.get(document.customer_id)
        name = document.customer_name or (customer.name if customer else "")
        return Address.of_json(document.bill_to).label(name)

    def warning(self, state: str) -> str:
        """What stands on a document that was taken back."""
        if state != DocumentStatus.REVERSED:
            return ""
        return self.say(
            ("Reversed: this document no longer holds.", "Storniert: Dieses Dokument gilt nicht mehr.")
        )

    def printed(self, *, kind: Words, number: str, **more: Any) -> Printed:
        """A document on the company's paper."""
        word = self.say(kind)
        return Printed(
            language=self.language,
            number=number,
            name=f"{word} {number}",
            title=f"{word} {number}",
            head=self._head(),
            logo=self.logo,
            words=(("page", self.say(("Page {page} of {pages}", "Seite {page} von {pages}"))),),
            **more,
        )

    def _head(self) -> Head:
        said = self.letterhead
        address = said.address or (self.portal.legal_name,)
        reached = (said.phone, said.email or self.portal.support_email, said.web)
        numbers = (said.vat_id and f"{self.say(('VAT ID', 'USt-IdNr.'))} {said.vat_id}", said.registration)
        account = (
            said.bank,
            said.iban and f"IBAN {grouped(said.iban)}".replace(" ", "\u00a0"),
            said.bic and f"BIC {said.bic}",
        )
        columns = (tuple(filter(None, each)) for each in (address, reached, numbers, account))
        return Head(
            company=self.portal.legal_name,
            sender=" · ".join(address),
            foot=tuple(each for each in columns if each),
            footer=said.footer(self.language),
        )

    def lines(
        self, lines: Sequence[PrintedLine], notes: Mapping[int, str] | None = None
    ) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
        """The table of lines without prices; notes by position. A unit where the lines have one."""
        units = [getattr(each, "unit", "") or "" for each in lines]
        columns = [
            Column(self.say(_POSITION), Align.RIGHT),
            Column(self.say(_SKU)),
            Column(self.say(_NAME), wide=True),
            Column(self.say(_QUANTITY), Align.RIGHT),
        ]
        if any(units):
            columns.append(Column(self.say(_UNIT)))
        rows = tuple(
            Row(
                (
                    str(each.position),
                    each.sku,
                    each.name,
                    figures.number(each.quantity, self.language),
                    *([unit] if any(units) else []),
                ),
                (notes or {}).get(each.position, ""),
            )
            for each, unit in zip(lines, units, strict=True)
        )
        return tuple(columns), rows

    def priced_lines(
        self,
        lines: Sequence[PricedLine],
        currency: str,
        *,
        tax_included: bool,
        notes: Mapping[int, str] | None = None,
    ) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
        """The table of lines with prices, which say in their heads whether they contain the tax."""
        columns, rows = self.lines(lines, notes)
        price, amount = (
            (("Price\nincl. VAT", "Preis\nbrutto"), ("Amount\nincl. VAT", "Betrag\nbrutto"))
            if tax_included
            else (("Unit price", "Einzelpreis"), ("Net amount", "Netto"))
        )
        columns = (
            *columns,
            Column(self.say(price), Align.RIGHT),
            Column(self.say(("VAT", "USt.")), Align.RIGHT),
            Column(f"{self.say(amount)}\n{currency}", Align.RIGHT),
        )
        return columns, tuple(
            Row(
                (
                    *row.cells,
                    figures.unit_price(line.unit_price, currency, self.language),
                    figures.rate(line.tax_rate, self.language),
                    self.amount(line.amount, currency),
                ),
                row.note,
            )
            for row, line in zip(rows, lines, strict=True)
        )

    def taxes(self, rates: Iterable[amounts.RateTotals], currency: str) -> tuple[tuple[str, ...], ...]:
        """Net and tax for each rate, below a heading."""
        head = (("VAT rate", "USt.-Satz"), ("Net", "Netto"), ("VAT", "USt."))
        return (
            tuple(self.say(words) for words in head),
            *(
                (
                    figures.rate(each.rate, self.language),
                    self.amount(each.net, currency),
                    self.amount(each.tax, currency),
                )
                for each in rates
            ),
        )

    def sums(self, totals: amounts.Totals, currency: str) -> tuple[Fact, ...]:
        """Net, tax and total, the total with its currency."""
        return (
            self.fact(("Net amount", "Nettobetrag"), self.money(totals.net, currency)),
            self.fact(("VAT", "Umsatzsteuer"), self.money(totals.tax, currency)),
            self.fact(("Total", "Gesamtbetrag"), self.money(totals.total, currency), strong=True),
        )

    def payment(self, reference: str, due: str, total: str) -> tuple[Fact, ...]:
        """Where to pay what until when, and under which reference."""
        said = self.letterhead
        return self.facts(
            (("Amount due", "Zu zahlen"), total),
            (("Due on", "Fällig am"), due),
            (
                ("Account holder", "Kontoinhaber"),
                said.iban and (said.account_holder or self.portal.legal_name),
            ),
            (("Bank", "Bank"), said.bank),
            (("IBAN", "IBAN"), grouped(said.iban)),
            (("BIC", "BIC"), said.bic),
            (("Reference", "Verwendungszweck"), reference),
        )


async def office(reader: Reader, customer_ids: Iterable[UUID]) -> Office:
    """The office that writes to these customers: five statements, however many they are."""
    connection, viewer, ids = reader.connection, reader.viewer, list(dict.fromkeys(customer_ids))
    portal = await db.portals.by_tenant(connection)
    assert portal is not None, "the tenant of a connection has a portal"
    picture = await db.logos.of_tenant(connection)
    return Office(
        reader,
        portal,
        await db.letterheads.of_tenant(connection),
        Logo(picture.type, picture.image) if picture else None,
        await db.customers.by_ids(connection, viewer, ids),
        await db.contacts.printed_for(connection, viewer, ids),
    )


# The documents of one kind among the ids, as far as the viewer may see them, printed; those that are too long are
# left out by whoever asks (rules.prints.check_rows).
Printer: TypeAlias = Callable[[Reader, Sequence[UUID]], Awaitable[Mapping[UUID, Printed]]]
