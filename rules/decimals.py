"""Decimals: numbers that have to be in a range and have no more places than are kept."""

from dataclasses import dataclass
from decimal import Decimal

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class NumberOutOfRange(BrokenRule):
    """A number is smaller or larger than what can be kept here."""

    english = "This is a number from {least} to {most}."
    german = "Dies ist eine Zahl von {least} bis {most}."

    least: Decimal
    most: Decimal


@dataclass(eq=False, kw_only=True)
class DecimalPlacesTooMany(BrokenRule):
    """A number has more decimal places than are kept; it is not rounded behind anybody's back."""

    english = "This can have at most {places} decimal places."
    german = "Dies darf höchstens {places} Nachkommastellen haben."

    places: int


def check_number(
    value: Decimal | int | None, least: Decimal | int, most: Decimal | int, places: int, *path: str
) -> None:
    """Refuse a number that cannot be kept; None is no number yet. Raises NumberOutOfRange or
    DecimalPlacesTooMany."""
    if value is None:
        return
    if not least <= value <= most:
        raise NumberOutOfRange(least=Decimal(least), most=Decimal(most), path=path)
    if -int(Decimal(value).normalize().as_tuple().exponent) > places:
        raise DecimalPlacesTooMany(places=places, path=path)
