"""Stock: what can be promised, and from where a line ships."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.stock import alternatives, available, best_warehouse

QUANTITIES = st.decimals(-1_000, 1_000, places=3)


@dataclass
class Level:
    on_hand: Decimal
    reserved: Decimal = Decimal(0)
    warehouse_code: str = "W"


LEVELS = st.builds(Level, QUANTITIES, QUANTITIES)


@pytest.mark.parametrize(
    ("on_hand", "reserved", "left"),
    [("5", "2", "3"), ("5", "5", "0"), ("5", "7", "0"), ("-1", "0", "0"), ("0.5", "0.25", "0.25")],
)
def test_what_is_reserved_cannot_be_promised_again(on_hand: str, reserved: str, left: str) -> None:
    assert available(Level(Decimal(on_hand), Decimal(reserved))) == Decimal(left)


def test_without_warehouses_there_is_no_best() -> None:
    assert best_warehouse([]) is None


def test_of_equal_warehouses_the_first_is_best() -> None:
    levels = [
        Level(Decimal(1)),
        Level(Decimal(9), Decimal(4)),
        Level(Decimal(5)),
        Level(Decimal(50), Decimal(60)),
    ]
    assert best_warehouse(levels) is levels[1]
    empty = [Level(Decimal(0)), Level(Decimal(1), Decimal(5))]
    assert best_warehouse(empty) is empty[0]


@given(st.lists(LEVELS, min_size=1))
def test_no_warehouse_has_more_than_the_best(levels: list[Level]) -> None:
    best = best_warehouse(levels)
    assert best is not None
    assert all(0 <= available(each) <= available(best) for each in levels)


def test_of_equal_warehouses_the_first_by_code_is_taken() -> None:
    levels = [Level(Decimal(2), warehouse_code=code) for code in ("B", "A", "C")]
    best = best_warehouse(levels)
    assert best is not None
    assert best.warehouse_code == "A"


def test_where_no_warehouse_has_enough_those_that_have_some_are_the_alternatives() -> None:
    london, manchester = Level(Decimal(3), warehouse_code="LON"), Level(Decimal(8), warehouse_code="MAN")
    every = [london, manchester, Level(Decimal(0), warehouse_code="NIL")]
    assert alternatives(every, Decimal(12)) == [manchester, london]
    assert alternatives(every, Decimal(5)) == [manchester]
