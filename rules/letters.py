"""Letters: the words of each notice, in English and in German. Plain text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rules.accounts import ACTIVATION_DAYS
from rules.broken import Language
from rules.figures import amount, day, number, unit_price
from rules.notices import CODE_MASK, one_line, paragraphs
from rules.rma_requests import Resolution


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to somebody: a line, and lines."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """What a letter says of a line; amounts in minor units."""

    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    amount: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a letter says of an order; amounts in minor units."""

    number: str
    purchase_order_number: str | None
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    promised_on: date | None
    lines: Sequence[OrderedLine]


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """What a letter says of a line of a request to return goods; without a resolution it is not decided yet."""

    sku: str
    name: str
    unit: str
    quantity: Decimal
    authorised_quantity: Decimal | None
    resolution: Resolution | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a letter says of a request to return goods."""

    number: str
    note: str | None
    expected_on: date | None
    lines: Sequence[DecidedLine]


_RESOLUTIONS = {
    Resolution.DIAGNOSE: ("to be examined", "wird geprüft"),
    Resolution.REPAIR: ("repair", "Reparatur"),
    Resolution.REPLACE: ("replacement", "Ersatz"),
    Resolution.RETURN: ("return", "Rückgabe"),
    Resolution.REFUND: ("return with refund", "Rückgabe mit Erstattung"),
    Resolution.DECLINED: ("declined", "abgelehnt"),
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, in which language: a portal with its address and where it can be asked."""

    portal: str
    address: str
    support_email: str
    language: Language

    def activation(self, name: str, user_name: str) -> Letter:
        """With which code somebody sets the first password. The code itself is put in when the mail is sent."""
        return self._letter(
            self._say(f"Your access to {self.portal}", f"Ihr Zugang zu {self.portal}"),
            name,
            self._say(
                f"{self.portal} has given you access to its customer portal.",
                f"{self.portal} hat Ihnen Zugang zum Kundenportal gegeben.",
            ),
            f"Portal:\n    {self.address}",
            f"{self._say('User name:', 'Benutzername:')} {one_line(user_name)}",
            self._say("Activation code:", "Aktivierungscode:") + f"\n    {CODE_MASK}",
            self._say(
                f"Set your password with this code. It is good once, within {ACTIVATION_DAYS} days; a code that you "
                "were sent before is no longer good.",
                f"Legen Sie mit diesem Code Ihr Passwort fest. Er gilt einmal, innerhalb von {ACTIVATION_DAYS} Tagen; "
                "ein früher gesendeter Code gilt nicht mehr.",
            ),
        )

    def orders_received(self, name: str, orders: Sequence[Ordered]) -> Letter:
        """What somebody has ordered; orders that were placed together are told together."""
        numbers = ", ".join(each.number for each in orders)
        several = len(orders) > 1
        subject = self._say(
            f"Your order{'s' * several} {numbers}",
            f"{'Ihre Aufträge' if several else 'Ihr Auftrag'} {numbers}",
        )
        opening = self._say(
            f"{self.portal} has received your order{'s' * several} {numbers}. Thank you.",
            f"{self.portal} hat {'Ihre Aufträge' if several else 'Ihren Auftrag'} {numbers} erhalten. Vielen Dank.",
        )
        closing = self._say(
            "You can watch what becomes of it at:", "Wie es damit weitergeht, sehen Sie unter:"
        )
        return self._letter(
            subject,
            name,
            opening,
            *(self._order(each) for each in orders),
            *self._together(orders),
            f"{closing}\n    {self.address}",
        )

    def rma_decided(self, name: str, request: Decided) -> Letter:
        """What the company has decided about a request to return goods."""
        parts = [
            self._say(
                f"{self.portal} has decided about your request {request.number} to return goods:",
                f"{self.portal} hat über Ihre RMA-Anfrage {request.number} entschieden:",
            ),
            "\n".join(self._decided(each) for each in request.lines),
        ]
        if request.expected_on is not None:
            on = day(request.expected_on, self.language)
            parts.append(self._say(f"Expected on {on}.", f"Voraussichtlich am {on}."))
        if request.note:
            parts.append(paragraphs(request.note))
        parts.append(self._say("Your request:", "Ihre Anfrage:") + f"\n    {self.address}")
        subject = self._say(
            f"Your request {request.number} to return goods", f"Ihre RMA-Anfrage {request.number}"
        )
        return self._letter(subject, name, *parts)

    def ticket_answered(self, name: str, ticket: str, subject: str, message: str) -> Letter:
        """What the company has answered to a question."""
        about = one_line(subject)
        answered = self._say(
            f"{self.portal} has answered your support request {ticket}, {about}:",
            f"{self.portal} hat auf Ihre Support-Anfrage {ticket}, {about}, geantwortet:",
        )
        quoted = "\n".join(f"> {line}".rstrip() for line in paragraphs(message).split("\n"))
        reply = self._say("Answer at the portal:", "Antworten Sie im Portal:")
        return self._letter(f"[{ticket}] {about}", name, answered, quoted, f"{reply}\n    {self.address}")

    def _letter(self, subject: str, name: str, *parts: str) -> Letter:
        greeting = self._say(f"Dear {one_line(name)},", f"Guten Tag {one_line(name)},")
        ask = self._say(
            f"This is an automatic message. Questions: {self.support_email}",
            f"Diese E-Mail wurde automatisch gesendet. Fragen: {self.support_email}",
        )
        # As signatures are told from what is said: "-- " on a line of its own (RFC 3676, 4.3).
        body = "\n\n".join((greeting, *filter(None, parts)))
        return Letter(one_line(subject), f"{body}\n\n-- \n{self.portal}\n{self.address}\n{ask}\n")

    def _say(self, english: str, german: str) -> str:
        return german if self.language is Language.GERMAN else english

    def _money(self, minor: int, currency: str) -> str:
        return f"{amount(minor, currency, self.language)} {currency}"

    def _quantity(self, quantity: Decimal, unit: str) -> str:
        return f"{number(quantity, self.language)} {one_line(unit)}".rstrip()

    def _order(self, order: Ordered) -> str:
        head = self._say(f"Order {order.number}", f"Auftrag {order.number}")
        if order.purchase_order_number:
            own = one_line(order.purchase_order_number)
            head += self._say(f" (your number: {own})", f" (Ihre Nummer: {own})")
        lines = [self._ordered(each, order.currency) for each in order.lines]
        return "\n".join((head, *lines, *self._sums(order)))

    def _ordered(self, line: OrderedLine, currency: str) -> str:
        price = f"{unit_price(line.unit_price, currency, self.language)} {currency}"
        quantity = self._quantity(line.quantity, line.unit)
        return (
            f"  {one_line(line.name)} ({one_line(line.sku)})\n"
            f"    {quantity} \u00d7 {price} = {self._money(line.amount, currency)}"
        )

    def _sums(self, order: Ordered) -> Iterable[str]:
        for words, minor in (
            (self._say("Net", "Netto"), order.net),
            (self._say("VAT", "USt."), order.tax),
            (self._say("Total", "Gesamt"), order.total),
        ):
            yield f"  {words}: {self._money(minor, order.currency)}"
        if order.tax_included:
            yield self._say("  Prices include VAT", "  Preise inkl. USt.")
        if order.promised_on is not None:
            on = day(order.promised_on, self.language)
            yield self._say(f"  Promised for {on}", f"  Zugesagt für {on}")

    def _together(self, orders: Sequence[Ordered]) -> Iterable[str]:
        """What several orders cost together: they have one currency, their customer's."""
        if len(orders) > 1:
            total = self._money(sum(each.total for each in orders), orders[0].currency)
            yield self._say(f"All together: {total}", f"Zusammen: {total}")

    def _decided(self, line: DecidedLine) -> str:
        resolution = line.resolution
        words = ("not decided yet", "noch nicht entschieden")
        decided = self._say(*(_RESOLUTIONS[resolution] if resolution is not None else words))
        asked = self._quantity(line.quantity, line.unit)
        if line.authorised_quantity is not None and resolution is not Resolution.DECLINED:
            granted = self._quantity(line.authorised_quantity, line.unit)
            decided += self._say(f", {granted} of {asked}", f", {granted} von {asked}")
        else:
            decided += f", {asked}"
        said = f"  {one_line(line.name)} ({one_line(line.sku)})\n    {decided}"
        return f"{said}\n    {one_line(line.reason)}" if line.reason else said
