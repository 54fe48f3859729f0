"""Money: minor and major units, rounded half up, and written with all their places."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import minor_digits, plain, to_major, to_minor

CURRENCIES = st.sampled_from(["EUR", "GBP", "JPY", "KWD", "XXX"])
MINOR = st.integers(-(10**17), 10**17)
AMOUNTS = st.decimals(-(10**12), 10**12, places=6)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("BHD", 3), ("TND", 3), ("XXX", 2)],
)
def test_a_currency_has_its_own_minor_unit(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1.005", "EUR", 101),
        ("1.0049999", "EUR", 100),
        ("-1.005", "EUR", -101),
        ("0.5", "JPY", 1),
        ("0.4999", "JPY", 0),
        ("1.0005", "KWD", 1001),
        ("0", "EUR", 0),
        ("-0.001", "EUR", 0),
    ],
)
def test_a_half_is_rounded_away_from_zero(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@given(MINOR, CURRENCIES)
def test_minor_units_survive_the_way_to_major_and_back(minor: int, currency: str) -> None:
    major = to_major(minor, currency)
    assert to_minor(major, currency) == minor
    assert -major.as_tuple().exponent == minor_digits(currency)  # type: ignore[operator]


@given(AMOUNTS, CURRENCIES)
def test_rounding_moves_by_half_a_unit_at_most(amount: Decimal, currency: str) -> None:
    exact = Fraction(amount) * 10 ** minor_digits(currency)
    rounded = to_minor(amount, currency)
    assert abs(rounded - exact) <= Fraction(1, 2)
    assert to_minor(-amount, currency) == -rounded


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_more_is_never_rounded_to_less(one: Decimal, other: Decimal, currency: str) -> None:
    low, high = sorted((one, other))
    assert to_minor(low, currency) <= to_minor(high, currency)


@given(AMOUNTS, st.integers(0, 4))
def test_a_plain_number_is_the_same_without_needless_zeros(value: Decimal, places: int) -> None:
    shown = plain(value, places)
    assert shown == value
    assert "E" not in str(shown)
    _, _, decimals = str(shown).partition(".")
    assert len(decimals) >= places
    assert len(decimals) == places or not decimals.endswith("0")


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [
        ("1.500", 0, "1.5"),
        ("100", 0, "100"),
        ("1E+2", 0, "100"),
        ("0.000", 2, "0.00"),
        ("2.555000", 2, "2.555"),
    ],
)
def test_plain_numbers(value: str, places: int, shown: str) -> None:
    assert str(plain(Decimal(value), places)) == shown
    assert plain(Decimal(value).quantize(Decimal("0.000001"), ROUND_HALF_UP), places) == Decimal(shown)
