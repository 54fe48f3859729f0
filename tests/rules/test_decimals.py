"""The rules of decimals: in the range, and with no more places than are kept."""

from decimal import Decimal

import pytest

from rules.decimals import DecimalPlacesTooMany, NumberOutOfRange, check_number


@pytest.mark.parametrize("value", [None, 0, 10, Decimal("0.00"), Decimal("9.99"), Decimal("1E+1")])
def test_what_can_be_kept_passes(value: Decimal | int | None) -> None:
    check_number(value, 0, 10, 2, "here")


@pytest.mark.parametrize("value", [-1, Decimal("-0.01"), Decimal("10.01"), 11])
def test_what_is_out_of_the_range_is_refused(value: Decimal | int) -> None:
    with pytest.raises(NumberOutOfRange) as refused:
        check_number(value, 0, 10, 2, "here")
    assert (refused.value.path, refused.value.message()) == (("here",), "This is a number from 0 to 10.")


def test_nothing_is_rounded() -> None:
    check_number(Decimal("1.250"), 0, 10, 2)
    with pytest.raises(DecimalPlacesTooMany):
        check_number(Decimal("1.255"), 0, 10, 2)
