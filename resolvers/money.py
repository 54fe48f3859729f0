"""Money as it is shown: an amount in major units with its currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from rules import money as rule
from rules.amounts import Totals as MinorTotals
from rules.amounts import by_rate


@dataclass(slots=True)
class Money:
    """An amount in major units, with at least the decimal places of its currency."""

    amount: Decimal
    currency: str


@dataclass(slots=True)
class Totals:
    """The sums of a document, shown as they are asked for."""

    of: MinorTotals
    currency: str

    @property
    def net(self) -> Money:
        """Without tax."""
        return of_minor(self.of.net, self.currency)

    @property
    def tax(self) -> Money:
        """The tax."""
        return of_minor(self.of.tax, self.currency)

    @property
    def total(self) -> Money:
        """With tax."""
        return of_minor(self.of.total, self.currency)


class Document(Protocol):
    """What has lines with amounts."""

    currency: str
    tax_included: bool


class Line(Protocol):
    """A line of such a document; its amount in minor units."""

    amount: int
    tax_rate: Decimal


@dataclass(slots=True)
class RateTotal:
    """What a document's lines of one tax rate add up to."""

    rate: Decimal
    net: Money
    tax: Money


def of_minor(minor: int, currency: str) -> Money:
    """An amount that is kept in minor units."""
    return Money(rule.to_major(minor, currency), currency)


def of_unit_price(unit_price: Decimal, currency: str) -> Money:
    """A price of one unit, with up to six decimal places."""
    return Money(rule.plain(unit_price, rule.minor_digits(currency)), currency)


def of_rates(document: Document, lines: Sequence[Line]) -> list[RateTotal]:
    """Net and tax of each rate that the lines of a document have."""
    rates = by_rate([(each.amount, each.tax_rate) for each in lines], tax_included=document.tax_included)
    currency = document.currency
    return [
        RateTotal(each.rate, of_minor(each.net, currency), of_minor(each.tax, currency)) for each in rates
    ]
