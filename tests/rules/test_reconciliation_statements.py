"""Reconciliation statements: the table of what may be done in which state, and which periods can be stated."""

from datetime import date
from itertools import product

import pytest

from rules.broken import BrokenRule
from rules.documents import DocumentStatus
from rules.reconciliation_statements import (
    MOST_MOVEMENTS,
    TRANSITIONS,
    PeriodNotOver,
    StatementAct,
    StatementAnswered,
    StatementTooLong,
    after,
    check_length,
    check_over,
    refusal,
)

S, A = DocumentStatus, StatementAct
POSSIBLE = {(S.ISSUED, A.CONFIRM): S.CONFIRMED, (S.ISSUED, A.DISPUTE): S.DISPUTED}


@pytest.mark.parametrize(("state", "act"), list(product(TRANSITIONS, A)))
def test_each_act_in_each_state_has_one_outcome(state: DocumentStatus, act: StatementAct) -> None:
    if (state, act) in POSSIBLE:
        assert refusal(state, act) is None
        assert after(state, act) is POSSIBLE[state, act]
        return
    assert isinstance(refusal(state, act), StatementAnswered)
    with pytest.raises(StatementAnswered) as broken:
        after(state, act, "reconciliationStatement")
    assert broken.value.path == ("reconciliationStatement",)


def test_a_statement_is_issued_confirmed_or_disputed() -> None:
    assert set(TRANSITIONS) == {S.ISSUED, S.CONFIRMED, S.DISPUTED}
    assert all(set(acts) == set(A) for acts in TRANSITIONS.values())


def test_a_period_that_is_stated_is_over() -> None:
    check_over(date(2026, 3, 31), date(2026, 3, 31))
    with pytest.raises(PeriodNotOver):
        check_over(date(2026, 4, 1), date(2026, 3, 31))


def test_a_statement_holds_so_many_movements() -> None:
    check_length(MOST_MOVEMENTS)
    with pytest.raises(StatementTooLong) as broken:
        check_length(MOST_MOVEMENTS + 1)
    told: BrokenRule = broken.value
    assert "20001" in told.message()
