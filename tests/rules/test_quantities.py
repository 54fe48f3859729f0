"""Quantities: what can be ordered of which unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.quantities import (
    LARGEST,
    QuantityNotDivisible,
    QuantityNotPositive,
    QuantityTooLarge,
    check,
    decimal_places,
)

UNITS = st.sampled_from(["pcs", "kg", "g", "l", "ml", "m", "h", "box", "KG", ""])


@pytest.mark.parametrize(
    ("quantity", "unit", "broken"),
    [
        ("0", "pcs", QuantityNotPositive),
        ("-0", "kg", QuantityNotPositive),
        ("-1", "pcs", QuantityNotPositive),
        ("-0.001", "kg", QuantityNotPositive),
        ("1000000000", "pcs", QuantityTooLarge),
        ("999999999.001", "kg", QuantityTooLarge),
        ("1E+18", "pcs", QuantityTooLarge),
        ("Infinity", "pcs", QuantityTooLarge),
        ("-Infinity", "pcs", QuantityNotPositive),
        ("0.5", "pcs", QuantityNotDivisible),
        ("1.0005", "kg", QuantityNotDivisible),
        ("0.01", "g", QuantityNotDivisible),
        ("1E-30", "kg", QuantityNotDivisible),
        ("0.5", "unheard of", QuantityNotDivisible),
    ],
)
def test_what_cannot_be_ordered_is_refused(quantity: str, unit: str, broken: type[BrokenRule]) -> None:
    with pytest.raises(broken):
        check(Decimal(quantity), unit)


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("1", "pcs"),
        ("1.000", "pcs"),
        ("1E+2", "pcs"),
        ("0.001", "kg"),
        ("0.001", "KG"),
        ("0.25", "h"),
        (str(LARGEST), "pcs"),
    ],
)
def test_what_can_be_ordered_passes(quantity: str, unit: str) -> None:
    check(Decimal(quantity), unit)


def test_the_refusal_tells_how_many_places_the_unit_has() -> None:
    with pytest.raises(QuantityNotDivisible, match="in h can have at most 2 decimal places"):
        check(Decimal("0.125"), "h")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), UNITS)
def test_a_quantity_passes_exactly_when_it_is_within_the_limits(quantity: Decimal, unit: str) -> None:
    scaled = quantity.scaleb(decimal_places(unit))
    orderable = 0 < quantity <= LARGEST and scaled == scaled.to_integral_value()
    try:
        check(quantity, unit)
    except BrokenRule:
        assert not orderable
    else:
        assert orderable
