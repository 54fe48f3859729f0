"""Money as it is shown: an amount in major units with its currency."""

from dataclasses import dataclass
from decimal import Decimal

from rules import money as rule
from rules.amounts import Totals as MinorTotals


@dataclass(slots=True)
class Money:
    """An amount in major units, with at least the decimal places of its currency."""

    amount: Decimal
    currency: str


@dataclass(slots=True)
class Totals:
    """The sums of a document."""

    net: Money
    tax: Money
    total: Money


def of_minor(minor: int, currency: str) -> Money:
    """An amount that is kept in minor units."""
    return Money(rule.to_major(minor, currency), currency)


def of_unit_price(unit_price: Decimal, currency: str) -> Money:
    """A price of one unit, with up to six decimal places."""
    return Money(rule.plain(unit_price, rule.minor_digits(currency)), currency)


def of_totals(totals: MinorTotals, currency: str) -> Totals:
    """Net, tax and total."""
    return Totals(
        of_minor(totals.net, currency), of_minor(totals.tax, currency), of_minor(totals.total, currency)
    )
