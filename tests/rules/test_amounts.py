"""Money and amounts: whole minor units, rounded half up, tax once a rate."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import amounts, money

PRICES = st.decimals(min_value=0, max_value=10_000, places=6)
QUANTITIES = st.decimals(min_value="0.001", max_value=10_000, places=3)
RATES = st.sampled_from([Decimal(0), Decimal(5), Decimal("5.5"), Decimal(7), Decimal(19), Decimal(20)])
LINES = st.lists(st.tuples(st.integers(0, 10**9), RATES), max_size=30)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1.005", "EUR", 101),
        ("1.004", "EUR", 100),
        ("0.5", "JPY", 1),
        ("1.0005", "KWD", 1_001),
        ("-1.005", "EUR", -101),
    ],
)
def test_an_amount_is_rounded_half_up_to_the_currencys_minor_unit(
    amount: str, currency: str, minor: int
) -> None:
    assert money.to_minor(Decimal(amount), currency) == minor


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_minor_units_survive_the_way_to_major_and_back(minor: int, currency: str) -> None:
    major = money.to_major(minor, currency)
    assert money.to_minor(major, currency) == minor
    assert -major.as_tuple().exponent == money.minor_digits(currency)  # type: ignore[operator]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6), st.integers(0, 4))
def test_a_plain_number_has_the_same_value_and_no_needless_zeros(value: Decimal, places: int) -> None:
    shown = money.plain(value, places)
    digits = f"{shown:f}".partition(".")[2]
    assert shown == value
    assert len(digits) >= places
    assert len(digits) == places or not digits.endswith("0")


@given(QUANTITIES, PRICES)
def test_a_lines_amount_is_within_half_a_cent_of_the_product(quantity: Decimal, price: Decimal) -> None:
    amount = amounts.line_amount(quantity, price, "EUR")
    assert abs(Decimal(amount) - quantity * price * 100) <= Decimal("0.5")


@given(LINES)
def test_totals_without_tax_add_up(lines: list[tuple[int, Decimal]]) -> None:
    sums = amounts.totals(lines, tax_included=False)
    assert sums.net == sum(amount for amount, _ in lines)
    assert sums.total == sums.net + sums.tax


@given(LINES)
def test_totals_with_tax_inside_are_the_sum_of_the_lines(lines: list[tuple[int, Decimal]]) -> None:
    sums = amounts.totals(lines, tax_included=True)
    assert sums.total == sum(amount for amount, _ in lines)
    assert sums.total == sums.net + sums.tax
    assert 0 <= sums.tax <= sums.total


@given(LINES)
def test_tax_is_rounded_once_a_rate(lines: list[tuple[int, Decimal]]) -> None:
    expected = 0
    for rate in {rate for _, rate in lines}:
        base = sum(amount for amount, each in lines if each == rate)
        expected += int((base * rate / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert amounts.totals(lines, tax_included=False).tax == expected


@given(LINES, st.randoms())
def test_the_order_of_the_lines_does_not_matter(lines: list[tuple[int, Decimal]], chance: object) -> None:
    shuffled = sorted(lines)
    for included in (False, True):
        assert amounts.totals(lines, tax_included=included) == amounts.totals(shuffled, tax_included=included)
