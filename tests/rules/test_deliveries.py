"""Deliveries: how far an order is delivered, and whether the rest is on time."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.deliveries import DeliverySchedule, DeliveryState, outstanding, schedule, state_of

TODAY = date(2026, 3, 5)


@dataclass
class Line:
    quantity: Decimal
    shipped_quantity: Decimal = Decimal(0)
    cancelled_quantity: Decimal = Decimal(0)


def line(quantity: int, shipped: int = 0, cancelled: int = 0) -> Line:
    return Line(Decimal(quantity), Decimal(shipped), Decimal(cancelled))


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], DeliveryState.NONE),
        ([line(2)], DeliveryState.NONE),
        ([line(2, cancelled=2)], DeliveryState.NONE),
        ([line(2, 1)], DeliveryState.PARTIAL),
        ([line(2, 2), line(1)], DeliveryState.PARTIAL),
        ([line(2, 1, 1)], DeliveryState.PARTIAL),
        ([line(2, 2), line(1, 1)], DeliveryState.FULL),
    ],
)
def test_an_order_is_delivered_as_far_as_its_lines(lines: list[Line], state: DeliveryState) -> None:
    assert state_of(lines) is state


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=5))
def test_what_is_ordered_is_shipped_cancelled_or_outstanding(parts: list[tuple[int, int, int]]) -> None:
    lines = [line(sum(part) + 1, part[0], part[1]) for part in parts]
    for each in lines:
        assert each.quantity == each.shipped_quantity + each.cancelled_quantity + outstanding(each)
    assert state_of(lines) is not DeliveryState.FULL  # something is outstanding on every line


@pytest.mark.parametrize(
    ("promised_on", "found"),
    [
        (date(2026, 3, 4), DeliverySchedule.OVERDUE),
        (TODAY, DeliverySchedule.DUE_TODAY),
        (date(2026, 3, 6), DeliverySchedule.ON_SCHEDULE),
        (None, None),
    ],
)
def test_what_is_outstanding_is_measured_by_the_promised_day(
    promised_on: date | None, found: DeliverySchedule | None
) -> None:
    assert schedule(is_outstanding=True, promised_on=promised_on, today=TODAY) is found
    assert schedule(is_outstanding=False, promised_on=promised_on, today=TODAY) is None
