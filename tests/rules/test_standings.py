"""Standings: debt and prepayments are never one number, and differ by the sum of all movements."""

from hypothesis import given
from hypothesis import strategies as st

from rules.balances import Aged, AgeingBucket, Standing

AMOUNTS = st.integers(0, 10**12)


@given(st.lists(AMOUNTS, min_size=5, max_size=5), st.integers(-(10**12), 10**12), AMOUNTS)
def test_debt_less_prepayments_is_the_sum_of_all_movements(
    opened: list[int], on_account: int, overpaid: int
) -> None:
    aged = tuple(Aged(bucket, amount) for bucket, amount in zip(AgeingBucket, opened, strict=True))
    standing = Standing("GBP", aged, on_account, overpaid)
    assert standing.debt - standing.prepayments == sum(opened) + on_account - overpaid
    assert standing.debt >= 0
    assert standing.prepayments >= 0
    assert 0 <= standing.overdue <= standing.debt
    assert standing.overdue == sum(opened[1:])
