"""Budgets: nothing is refused for ever, and the time to wait is long enough."""

from hypothesis import given
from hypothesis import strategies as st

from rules.broken import Language
from rules.budgets import Budget, RateLimited

budgets = st.builds(Budget, units=st.integers(1, 10**9), per_second=st.integers(1, 10**9))


@given(budgets, st.integers(1, 10**9))
def test_an_operation_never_takes_more_than_there_can_be(budget: Budget, cost: int) -> None:
    taken = budget.takes(cost)
    assert 1 <= taken <= min(cost, budget.units)
    assert taken == cost or taken == budget.units


@given(budgets, st.integers(1, 10**9))
def test_after_the_wait_that_is_told_what_was_missing_has_come_back(budget: Budget, missing: int) -> None:
    seconds = budget.seconds_for(missing)
    assert seconds >= 1
    assert seconds * budget.per_second >= missing
    assert seconds == 1 or (seconds - 1) * budget.per_second < missing


def test_whoever_is_refused_reads_how_long_to_wait() -> None:
    refused = RateLimited(retry_after=7)
    assert refused.code() == "RATE_LIMITED"
    assert " 7 seconds" in refused.message()
    assert " 7 Sekunden" in refused.message(Language.GERMAN)
