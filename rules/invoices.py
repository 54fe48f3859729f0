"""Invoices: what of shipped goods can be charged, and what can be done with an invoice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from rules import quantities
from rules.broken import BrokenRule, found_at
from rules.documents import DocumentStatus

LONGEST_COMMENT = 2_000
LONGEST_REASON = 2_000


class InvoiceAct(StrEnum):
    """What the staff does with an invoice."""

    TAX_INVOICE = "TAX_INVOICE"
    CREDIT = "CREDIT"
    RECEIVE = "RECEIVE"
    PAY = "PAY"
    REVERSE = "REVERSE"


class NothingToInvoice(BrokenRule):
    """All that was shipped here is invoiced already. What an import says was shipped comes with its own invoices."""

    english = "Nothing that was shipped here is left to be invoiced."
    german = "Von dem hier Gelieferten ist nichts mehr zu berechnen."


class SeveralOrders(BrokenRule):
    """An invoice charges the goods issues of one order."""

    english = "These goods issues belong to several orders; an invoice is for one."
    german = "Diese Warenausgänge gehören zu mehreren Aufträgen; eine Rechnung gilt für einen."


class LinesMissing(BrokenRule):
    """A document that names its lines names one at least."""

    english = "Name at least one line."
    german = "Nennen Sie mindestens eine Position."


@dataclass(eq=False, kw_only=True)
class MoreThanShipped(BrokenRule):
    """More is to be invoiced than was shipped and is not invoiced yet."""

    english = "Only {left} of {sku} were shipped and not invoiced yet."
    german = "Von {sku} sind nur {left} geliefert und noch nicht berechnet."

    sku: str
    left: Decimal


class DueDatePast(BrokenRule):
    """An invoice cannot be due before it is issued."""

    english = "An invoice is due today or later."
    german = "Eine Rechnung ist heute oder später fällig."


class InvoiceReversed(BrokenRule):
    """An invoice was reversed: nothing is done with it any more."""

    english = "This invoice was reversed."
    german = "Diese Rechnung wurde storniert."


class TaxInvoiceIssued(BrokenRule):
    """An invoice has one tax invoice at most that is not reversed."""

    english = "This invoice has a tax invoice already."
    german = "Zu dieser Rechnung gibt es bereits eine Steuerrechnung."


class NothingOpen(BrokenRule):
    """Nothing of an invoice is open."""

    english = "Nothing of this invoice is open."
    german = "Von dieser Rechnung ist nichts offen."


class Shipped(Protocol):
    """A line of a goods issue, and how much of it is invoiced."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def invoiced(self) -> Decimal: ...


def left_to_invoice(line: Shipped) -> Decimal:
    """How much of what was shipped is not invoiced yet."""
    return max(line.quantity - line.invoiced, Decimal(0))


class Unnamed(Shipped, Protocol):
    """A line of a goods issue, and what was invoiced of its SKU without naming any."""

    @property
    def sku(self) -> str: ...
    @property
    def unnamed(self) -> Decimal: ...


def taken_by_unnamed(lines: Sequence[Unnamed]) -> list[Decimal]:
    """How much of each line of an order is invoiced without being named: that is taken from the lines of its SKU in
    their order, so that an ERP's invoices and ours together charge nothing twice."""
    spent: dict[str, Decimal] = {}
    found = []
    for line in lines:
        takes = min(line.unnamed - spent.get(line.sku, Decimal(0)), left_to_invoice(line))
        spent[line.sku] = spent.get(line.sku, Decimal(0)) + takes
        found.append(takes)
    return found


def check_order(lines: Iterable[Shipped]) -> None:
    """Refuse to invoice an order of which nothing is left. Raises NothingToInvoice."""
    if not any(left_to_invoice(line) > 0 for line in lines):
        raise NothingToInvoice


def check_quantity(quantity: Decimal, left: Decimal, unit: str, too_much: BrokenRule) -> None:
    """Refuse a line's quantity that a unit does not allow or of which less is left.

    All that is left is always allowed, even if an import has brought more decimal places than the unit has. Raises
    `too_much` or what quantities.check raises, at the path `quantity`.
    """
    if quantity == left > 0:
        return
    with found_at("quantity"):
        if left > 0:
            quantities.check(quantity, unit)
    if quantity > left or left <= 0:
        raise too_much.at("quantity")


def check_due(due_on: date, today: date, *path: str) -> None:
    """Raises DueDatePast."""
    if due_on < today:
        raise DueDatePast(path=path)


def check_standing(state: str) -> None:
    """Refuse what was reversed. Raises InvoiceReversed."""
    if state == DocumentStatus.REVERSED:
        raise InvoiceReversed


def check_tax_invoice(state: str, standing: Sequence[str]) -> None:
    """Refuse a second tax invoice; `standing` are the kinds of what stands on the invoice. Raises InvoiceReversed or
    TaxInvoiceIssued."""
    check_standing(state)
    if "TAX_INVOICE" in standing:
        raise TaxInvoiceIssued


def check_payable(state: str, open_amount: int) -> None:
    """Raises InvoiceReversed or NothingOpen."""
    check_standing(state)
    if open_amount <= 0:
        raise NothingOpen
