"""Credit: what an order makes of a limit."""

import pytest

from rules.broken import Language
from rules.credit import Exposure, credit


@pytest.mark.parametrize(
    ("limit", "balance", "open_orders", "total", "exceeded"),
    [
        (100, 0, 0, 100, False),
        (100, 0, 0, 101, True),
        (100, 60, 30, 10, False),
        (100, 60, 30, 11, True),
        (100, -50, 0, 150, False),
        (0, 0, 0, 1, True),
        (100, 200, 0, 0, False),
        (100, 200, 0, 1, True),
    ],
)
def test_a_limit_is_exceeded_by_an_order_that_takes_what_is_used_over_it(
    limit: int, balance: int, open_orders: int, total: int, exceeded: bool
) -> None:
    found = credit(limit, Exposure(balance, open_orders), total, "EUR")
    assert (found.used, found.after) == (balance + open_orders, balance + open_orders + total)
    assert (found.broken is not None) is exceeded


def test_the_text_tells_no_amounts_to_whoever_may_not_read_balances() -> None:
    broken = credit(100, Exposure(777, 0), 1, "EUR").broken
    assert broken is not None
    assert (broken.limit, broken.would_be) == (100, 778)
    assert all(not any(map(str.isdigit, broken.message(each))) for each in Language)
