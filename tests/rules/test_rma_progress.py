"""RMA progress: of which line of a request something was ordered instead."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.rma_progress import Replacement, RMALineProgress, attribute
from rules.rma_requests import Resolution

REQUEST, A, B = UUID(int=1), UUID(int=2), UUID(int=3)


def line(
    position: int,
    quantity: str,
    resolution: Resolution | None = Resolution.REPLACE,
    *,
    product: UUID | None = A,
    sku: str = "A",
) -> RMALineProgress:
    asked, nothing = Decimal(quantity), Decimal(0)
    return RMALineProgress(
        asked, resolution, asked, nothing, nothing, nothing, REQUEST, position, position, product, sku
    )


def ordered(quantity: str, product: UUID | None = A, sku: str = "A") -> Replacement:
    return Replacement(REQUEST, product, sku, Decimal(quantity))


def replaced(lines: list[RMALineProgress], *orders: Replacement) -> list[int]:
    return [int(each.replaced_quantity) for each in attribute(lines, orders)]


def test_what_is_to_be_replaced_comes_first_then_the_others_in_their_order() -> None:
    lines = [line(1, "2", Resolution.REFUND), line(2, "2"), line(3, "1")]
    assert replaced(lines, ordered("1")) == [0, 1, 0]
    assert replaced(lines, ordered("3")) == [0, 2, 1]
    assert replaced(lines, ordered("4")) == [1, 2, 1]


def test_what_is_more_is_told_of_the_first_that_is_to_be_replaced() -> None:
    assert replaced([line(1, "2", None), line(2, "2")], ordered("9")) == [2, 7]


def test_a_product_is_the_same_under_another_sku_and_a_sku_is_enough_without_a_product() -> None:
    assert replaced([line(1, "2"), line(2, "2", product=B)], ordered("2", B, "A")) == [0, 2]
    assert replaced([line(1, "2", product=None)], ordered("2", B, "A")) == [2]
    assert replaced([line(1, "2")], ordered("2", None, "B"), ordered("1", None, "A")) == [1]


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([None, *Resolution])), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), max_size=4),
)
def test_all_that_was_ordered_is_told_of_some_line_and_once(
    asked: list[tuple[int, Resolution | None]], orders: list[int]
) -> None:
    lines = [line(place, str(quantity), how) for place, (quantity, how) in enumerate(asked, start=1)]
    assert sum(replaced(lines, *(ordered(str(each)) for each in orders))) == sum(orders)
