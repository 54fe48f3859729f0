"""Prices: which of a price list's quantity breaks applies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from rules.broken import BrokenRule

# Prices have up to six decimal places. With nine digits before the point a quantity times a price has at most 27
# digits, which Python's decimals (28) and PostgreSQL's work out alike.
LARGEST_PRICE = Decimal("999999999.999999")
PRICE_PLACES = 6
# From when on a price holds when nothing is said: since ever.
SINCE_EVER = date(2000, 1, 1)


class Break(Protocol):
    """One price of a product from a quantity on, in major units of its currency."""

    @property
    def min_quantity(self) -> Decimal: ...
    @property
    def unit_price(self) -> Decimal: ...


@dataclass(eq=False, kw_only=True)
class PriceMissing(BrokenRule):
    """The customer's price list has no price for the product at this quantity."""

    english = "{sku} has no price for this customer at this quantity."
    german = "Für {sku} gibt es für diesen Kunden bei dieser Menge keinen Preis."

    sku: str


AnyBreak = TypeVar("AnyBreak", bound=Break)


def at_quantity(breaks: Iterable[AnyBreak], quantity: Decimal) -> AnyBreak | None:
    """The break with the largest minimum that the quantity reaches; None when it reaches none."""
    reached = [each for each in breaks if each.min_quantity <= quantity]
    return max(reached, key=lambda each: each.min_quantity, default=None)
