"""Quotations: the table of what may be done in which state, asked for every pair of it."""

from decimal import Decimal
from itertools import product

import pytest

from rules.broken import BrokenRule
from rules.quotations import (
    TRANSITIONS,
    Gone,
    QuotationAct,
    QuotationClosed,
    QuotationDatePast,
    QuotationExpired,
    QuotationIssued,
    QuotationNotIssued,
    QuotationState,
    UnitPriceInvalid,
    check,
    check_unit_price,
    refusal,
)

S, A = QuotationState, QuotationAct
# What is possible, written down once more; all the rest is refused.
POSSIBLE = {
    (S.DRAFT, A.ISSUE): S.ISSUED,
    (S.DRAFT, A.UPDATE): S.DRAFT,
    (S.DRAFT, A.DELETE): Gone,
    (S.ISSUED, A.ORDER): S.ORDERED,
    (S.ISSUED, A.DECLINE): S.DECLINED,
}
REFUSALS = {
    S.DRAFT: QuotationNotIssued,
    S.EXPIRED: QuotationExpired,
    S.ORDERED: QuotationClosed,
    S.DECLINED: QuotationClosed,
}


@pytest.mark.parametrize(("state", "act"), list(product(S, A)))
def test_each_act_in_each_state_has_one_outcome(state: QuotationState, act: QuotationAct) -> None:
    outcome = TRANSITIONS[state][act]
    if (state, act) in POSSIBLE:
        assert outcome is POSSIBLE[state, act]
        assert refusal(state, act) is None
        check(state, act)
        return
    expected = REFUSALS[state] if act in (A.ORDER, A.DECLINE) else QuotationIssued
    assert outcome is expected
    with pytest.raises(expected) as broken:
        check(state, act, "quotation")
    assert broken.value.path == ("quotation",)


def test_nothing_leads_to_a_state_that_is_only_derived() -> None:
    assert S.EXPIRED not in [outcome for acts in TRANSITIONS.values() for outcome in acts.values()]
    assert set(TRANSITIONS) == set(S)
    assert all(set(acts) == set(A) for acts in TRANSITIONS.values())


def test_a_draft_whose_day_has_gone_by_can_be_changed_and_not_issued() -> None:
    assert isinstance(refusal(S.DRAFT, A.ISSUE, is_past=True), QuotationDatePast)
    assert refusal(S.DRAFT, A.UPDATE, is_past=True) is None
    assert refusal(S.DRAFT, A.DELETE, is_past=True) is None


@pytest.mark.parametrize("price", ["0", "0.000001", "999999999999.999999", "12.50"])
def test_a_unit_price_has_up_to_six_places(price: str) -> None:
    check_unit_price(Decimal(price))


@pytest.mark.parametrize("price", ["-0.01", "0.0000001", "1000000000000"])
def test_what_is_no_unit_price_is_refused(price: str) -> None:
    with pytest.raises(UnitPriceInvalid):
        check_unit_price(Decimal(price))


def test_every_refusal_has_texts() -> None:
    for acts in TRANSITIONS.values():
        for outcome in acts.values():
            if isinstance(outcome, type) and issubclass(outcome, BrokenRule):
                assert outcome().message()
