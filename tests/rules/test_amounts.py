"""Amounts: what a line costs, and what a document adds up to, with tax on top or within."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.amounts import Totals, line_amount, totals

RATES = st.decimals(0, 100, places=2)
LINES = st.lists(st.tuples(st.integers(0, 10**13), RATES), max_size=20)


def half_up(exact: Fraction) -> int:
    """Of what is not negative."""
    return floor(exact + Fraction(1, 2))


@pytest.mark.parametrize(
    ("quantity", "price", "currency", "amount"),
    [
        ("3", "2.555", "GBP", 767),
        ("1.255", "3.10", "GBP", 389),
        ("0.001", "0.01", "EUR", 0),
        ("1", "0.005", "EUR", 1),
        ("999999999.999", "999999.999999", "EUR", 99_999_999_999_800_000),
        ("3", "0.5", "JPY", 2),
        ("1", "0.0005", "KWD", 1),
    ],
)
def test_a_line_is_quantity_times_price_rounded_half_up(
    quantity: str, price: str, currency: str, amount: int
) -> None:
    assert line_amount(Decimal(quantity), Decimal(price), currency) == amount


@given(st.decimals("0.001", 999_999_999, places=3), st.decimals(0, 1_000_000, places=6))
def test_a_line_is_exact_before_it_is_rounded(quantity: Decimal, price: Decimal) -> None:
    exact = Fraction(quantity) * Fraction(price) * 100
    assert line_amount(quantity, price, "EUR") == half_up(exact)


@pytest.mark.parametrize("tax_included", [True, False])
def test_nothing_adds_up_to_nothing(tax_included: bool) -> None:
    assert totals([], tax_included=tax_included) == Totals(0, 0, 0)


def test_tax_is_worked_out_once_a_rate_on_the_sum() -> None:
    """Three times 0.03 at 20 % is 0.02 of tax; line by line it would be 0.03."""
    rate = Decimal("20.00")
    assert totals([(3, rate)] * 3, tax_included=False) == Totals(net=9, tax=2, total=11)
    assert totals([(3, rate), (3, Decimal("20.0")), (3, Decimal(20))], tax_included=False).tax == 2
    assert totals([(3, rate), (3, Decimal(10))], tax_included=False) == Totals(net=6, tax=1, total=7)


def test_tax_that_is_included_is_taken_out_of_the_sum() -> None:
    assert totals([(1_200, Decimal(20))], tax_included=True) == Totals(net=1_000, tax=200, total=1_200)
    assert totals([(100, Decimal(19))], tax_included=True) == Totals(net=84, tax=16, total=100)
    assert totals([(100, Decimal(0))], tax_included=True) == Totals(net=100, tax=0, total=100)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"), [(3, "20", 1), (14, "12", 2), (42, "12", 5), (70, "12", 8)]
)
def test_half_a_unit_of_included_tax_is_rounded_up(amount: int, rate: str, tax: int) -> None:
    """12/112 has no end as a decimal, 14 times it is 1.5."""
    assert totals([(amount, Decimal(rate))], tax_included=True).tax == tax


@given(LINES, st.booleans())
def test_net_and_tax_are_the_total_and_each_rate_is_rounded_once(
    lines: list[tuple[int, Decimal]], tax_included: bool
) -> None:
    sums: defaultdict[Fraction, int] = defaultdict(int)
    for amount, rate in lines:
        sums[Fraction(rate)] += amount
    share = {rate: rate / (100 + rate) if tax_included else rate / 100 for rate in sums}
    found = totals(lines, tax_included=tax_included)
    assert found.tax == sum(half_up(amount * share[rate]) for rate, amount in sums.items())
    assert found.net + found.tax == found.total
    assert (found.total if tax_included else found.net) == sum(amount for amount, _ in lines)


@given(LINES, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(
    lines: list[tuple[int, Decimal]], tax_included: bool, random: Random
) -> None:
    shuffled = lines[:]
    random.shuffle(shuffled)
    assert totals(shuffled, tax_included=tax_included) == totals(lines, tax_included=tax_included)


@given(st.lists(st.tuples(st.integers(0, 10**13), RATES), min_size=1, max_size=8), st.booleans())
def test_what_is_taken_back_is_what_was_given(lines: list[tuple[int, Decimal]], tax_included: bool) -> None:
    """A credit note over the whole invoice leaves nothing."""
    given_, back = (
        totals([(sign * amount, rate) for amount, rate in lines], tax_included=tax_included)
        for sign in (1, -1)
    )
    assert (given_.net, given_.tax, given_.total) == (-back.net, -back.tax, -back.total)
