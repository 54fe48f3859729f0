"""Figures: how amounts, quantities, rates and days are written."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import Language
from rules.figures import amount, day, number, rate, unit_price

EN, DE = Language.ENGLISH, Language.GERMAN


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (123456, "EUR", "1,234.56", "1.234,56"),
        (-5, "GBP", "-0.05", "-0,05"),
        (0, "EUR", "0.00", "0,00"),
        (1234567, "JPY", "1,234,567", "1.234.567"),
        (1234, "KWD", "1.234", "1,234"),
        (10**15, "EUR", "10,000,000,000,000.00", "10.000.000.000.000,00"),
    ],
)
def test_an_amount_has_all_places_of_its_currency(
    minor: int, currency: str, english: str, german: str
) -> None:
    assert amount(minor, currency, EN) == english
    assert amount(minor, currency, DE) == german


@given(st.integers(-(10**15), 10**15))
def test_an_amount_says_the_same_in_both_languages(minor: int) -> None:
    english, german = amount(minor, "EUR", EN), amount(minor, "EUR", DE)
    assert Decimal(english.replace(",", "")) == Decimal(minor) / 100
    assert Decimal(german.replace(".", "").replace(",", ".")) == Decimal(minor) / 100


def test_quantities_prices_and_rates() -> None:
    assert number(Decimal("1500.500"), EN) == "1,500.5"
    assert number(Decimal("1500.500"), DE) == "1.500,5"
    assert unit_price(Decimal("0.685000"), "EUR", DE) == "0,685"
    assert unit_price(Decimal("4"), "GBP", EN) == "4.00"
    assert rate(Decimal("20.00"), EN) == "20%"
    assert rate(Decimal("5.50"), DE) == "5,5\u00a0%"


def test_days() -> None:
    assert day(date(2026, 11, 5), EN) == "5 Nov 2026"
    assert day(date(2026, 11, 5), DE) == "05.11.2026"
