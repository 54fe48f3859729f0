"""Figures: how amounts, quantities, rates and days are written for people, in English and in German."""

from datetime import date
from decimal import Decimal

from rules.broken import Language
from rules.money import minor_digits, plain, to_major

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TO_GERMAN = str.maketrans(",.", ".,")


def number(value: Decimal, language: Language, places: int = 0) -> str:
    """1,234.5 or 1.234,5: without trailing zeros, but with at least `places` decimal places."""
    english = f"{plain(value, places):,f}"
    return english.translate(_TO_GERMAN) if language is Language.GERMAN else english


def amount(minor: int, currency: str, language: Language) -> str:
    """An amount in minor units, with all decimal places of its currency: 1,234.50 or 1.234,50."""
    return number(to_major(minor, currency), language, minor_digits(currency))


def unit_price(price: Decimal, currency: str, language: Language) -> str:
    """A price of one unit, with up to six decimal places."""
    return number(price, language, minor_digits(currency))


def rate(percent: Decimal, language: Language) -> str:
    """19% or, as DIN 5008 has it, 19 % (the space does not break)."""
    return f"{number(percent, language)}{chr(0xA0) if language is Language.GERMAN else ''}%"


def day(value: date, language: Language) -> str:
    """25 Nov 2026 or 25.11.2026."""
    if language is Language.GERMAN:
        return f"{value.day:02}.{value.month:02}.{value.year:04}"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
