"""What a document adds up to: line amounts, taxes by rate, totals (EN 16931: tax per rate on the sum)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from rules.broken import BrokenRule
from rules.money import to_minor

# In minor units. A thousand such lines and their tax still fit into a bigint.
LARGEST_AMOUNT = 10**15


@dataclass(eq=False, kw_only=True)
class AmountTooLarge(BrokenRule):
    """Quantity and price make more money than one line can hold."""

    english = "The amount of {sku} is too large."
    german = "Der Betrag von {sku} ist zu groß."

    sku: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a document, in minor units of its currency; total = net + tax."""

    net: int
    tax: int
    total: int


@dataclass(frozen=True, slots=True)
class RateTotals:
    """What the lines of one tax rate (in percent) add up to, in minor units."""

    rate: Decimal
    net: int
    tax: int


def line_amount(quantity: Decimal, unit_price: Decimal, currency: str) -> int:
    """Quantity x unit price in minor units, rounded half up. With tax where the price includes tax."""
    return to_minor(quantity * unit_price, currency)


def totals(lines: Iterable[tuple[int, Decimal]], *, tax_included: bool) -> Totals:
    """The totals of (line amount in minor units, tax rate in percent) pairs: all rates together."""
    rates = by_rate(lines, tax_included=tax_included)
    net, tax = sum(each.net for each in rates), sum(each.tax for each in rates)
    return Totals(net=net, tax=tax, total=net + tax)


def by_rate(lines: Iterable[tuple[int, Decimal]], *, tax_included: bool) -> list[RateTotals]:
    """What (line amount in minor units, tax rate in percent) pairs add up to, a row a rate, the highest first.

    Tax is worked out once a rate, on the sum of that rate's line amounts, and rounded half up.
    """
    sums: defaultdict[Decimal, int] = defaultdict(int)
    for amount, rate in lines:
        sums[rate] += amount
    rates = []
    for rate, amount in sorted(sums.items(), reverse=True):
        # One division, and the last step: half a unit would be lost in the digits of a quotient.
        exact = amount * rate / (100 + rate if tax_included else 100)
        tax = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
        rates.append(RateTotals(rate, amount - tax if tax_included else amount, tax))
    return rates
