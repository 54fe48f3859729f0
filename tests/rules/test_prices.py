"""Prices: which quantity break applies."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules.prices import at_quantity

QUANTITIES = st.decimals("0.001", 10_000, places=3)


@dataclass
class Break:
    min_quantity: Decimal
    unit_price: Decimal = Decimal(1)


TEN, HUNDRED = Break(Decimal(10)), Break(Decimal(100))


def test_below_the_first_break_there_is_no_price() -> None:
    assert at_quantity([], Decimal(1)) is None
    assert at_quantity([TEN, HUNDRED], Decimal("9.999")) is None


def test_a_break_holds_from_its_quantity_on() -> None:
    for breaks in ([TEN, HUNDRED], [HUNDRED, TEN]):
        assert at_quantity(breaks, Decimal(10)) is TEN
        assert at_quantity(breaks, Decimal("99.999")) is TEN
        assert at_quantity(breaks, Decimal("100.000")) is HUNDRED


@given(st.lists(QUANTITIES, unique=True), QUANTITIES)
def test_the_break_is_the_last_that_the_quantity_reaches(minimums: list[Decimal], quantity: Decimal) -> None:
    found = at_quantity([Break(each) for each in minimums], quantity)
    reached = [each for each in minimums if each <= quantity]
    assert (found and found.min_quantity) == max(reached, default=None)


@given(st.lists(QUANTITIES, unique=True), QUANTITIES, QUANTITIES)
def test_more_never_falls_back_to_an_earlier_break(
    minimums: list[Decimal], one: Decimal, other: Decimal
) -> None:
    breaks = [Break(each) for each in minimums]
    low, high = (at_quantity(breaks, each) for each in sorted((one, other)))
    assert low is None or (high is not None and low.min_quantity <= high.min_quantity)
