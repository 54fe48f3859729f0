"""Quantities: what can be ordered of a unit."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from rules.broken import BrokenRule

# The most that one line can hold; numeric(15, 3) in the database has room for three digits more.
LARGEST = Decimal(999_999_999)
# And the least that is more than nothing, in any unit.
LEAST = Decimal("0.001")
PLACES = 3

# Units that can be divided, with their decimal places. All others are counted in whole numbers.
_DECIMAL_PLACES = {"kg": 3, "g": 1, "t": 3, "l": 3, "ml": 1, "m": 3, "cm": 1, "m2": 3, "m3": 3, "h": 2}


@dataclass(eq=False, kw_only=True)
class QuantityNotPositive(BrokenRule):
    """A quantity of zero or less was asked for."""

    english = "The quantity must be greater than zero."
    german = "Die Menge muss größer als null sein."


@dataclass(eq=False, kw_only=True)
class QuantityTooLarge(BrokenRule):
    """The quantity is larger than one line can hold."""

    english = "The quantity can be at most {largest}."
    german = "Die Menge darf höchstens {largest} betragen."

    largest: Decimal = LARGEST


@dataclass(eq=False, kw_only=True)
class QuantityNotDivisible(BrokenRule):
    """The unit does not allow so many decimal places."""

    english = "A quantity in {unit} can have at most {places} decimal places."
    german = "Eine Menge in {unit} darf höchstens {places} Nachkommastellen haben."

    unit: str
    places: int


def decimal_places(unit: str) -> int:
    """How many decimal places a quantity in this unit may have; 0 means whole numbers only."""
    return _DECIMAL_PLACES.get(unit.lower(), 0)


def rounded_down(quantity: Decimal, unit: str) -> Decimal:
    """The largest quantity up to this one that the unit allows; zero when it allows none."""
    return quantity.quantize(Decimal(1).scaleb(-decimal_places(unit)), rounding=ROUND_DOWN)


def check(quantity: Decimal, unit: str) -> None:
    """Refuse what cannot be ordered.

    Raises QuantityNotPositive, QuantityTooLarge or QuantityNotDivisible.
    """
    if quantity.is_nan() or quantity <= 0:
        raise QuantityNotPositive
    if quantity > LARGEST:
        raise QuantityTooLarge
    places = decimal_places(unit)
    if quantity != quantity.quantize(Decimal(1).scaleb(-places)):
        raise QuantityNotDivisible(unit=unit, places=places)
