"""Orders: how a cart becomes orders, and how they are numbered."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.numbers import NumberKind, numbered
from rules.orders import split

WEST, EAST = UUID(int=1), UUID(int=2)
WAREHOUSES = st.sampled_from([None, WEST, EAST, UUID(int=3)])


@dataclass(eq=False)
class Line:
    warehouse_id: UUID | None


def test_an_empty_cart_becomes_no_order() -> None:
    assert split([]) == []


def test_each_warehouse_has_an_order_and_services_ride_along_with_the_first() -> None:
    service, west, east, more = Line(None), Line(WEST), Line(EAST), Line(WEST)
    assert split([service, east, west, more]) == [(EAST, [east, service]), (WEST, [west, more])]


def test_services_alone_are_an_order_of_their_own() -> None:
    lines = [Line(None), Line(None)]
    assert split(lines) == [(None, lines)]


@given(st.lists(WAREHOUSES.map(Line)))
def test_every_line_is_in_exactly_one_order(lines: list[Line]) -> None:
    orders = split(lines)
    assert Counter(line for _, group in orders for line in group) == Counter(lines)
    warehouses = [warehouse for warehouse, _ in orders]
    assert len(set(warehouses)) == len(warehouses)
    assert None not in warehouses or len(orders) == 1
    first_seen = list(dict.fromkeys(line.warehouse_id for line in lines if line.warehouse_id))
    assert [each for each in warehouses if each] == first_seen
    for warehouse, group in orders:
        assert {line.warehouse_id for line in group} <= {warehouse, None}
        goods = [line for line in group if line.warehouse_id]
        assert goods == [line for line in lines if line in goods]


@pytest.mark.parametrize(
    ("value", "number"), [(1, "SO-000001"), (999_999, "SO-999999"), (10**7, "SO-10000000")]
)
def test_a_number_has_six_digits_or_more(value: int, number: str) -> None:
    assert numbered(NumberKind.ORDER, value) == number


@given(st.sampled_from(NumberKind), st.integers(1, 10**9), st.sampled_from(NumberKind), st.integers(1, 10**9))
def test_no_two_documents_have_one_number(
    kind: NumberKind, value: int, other_kind: NumberKind, other: int
) -> None:
    same = (kind, value) == (other_kind, other)
    assert (numbered(kind, value) == numbered(other_kind, other)) is same
