"""RMA requests: who may do what at each stage, and where a request and its lines stand."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.rma_requests import (
    TAKEN_BACK,
    TRANSITIONS,
    UNDECIDED_STAGES,
    LineProgress,
    Resolution,
    RMAAct,
    RMAActor,
    RMALineState,
    RMAStage,
    RMAWish,
    check,
    line_state,
    reserved_quantity,
    stage,
)

ALLOWED = {
    RMAActor.CUSTOMER: {
        RMAStage.DRAFT: {RMAAct.UPDATE, RMAAct.DELETE, RMAAct.SUBMIT},
        RMAStage.SUBMITTED: set(),
        RMAStage.IN_REVIEW: set(),
        RMAStage.AUTHORISED: set(),
        RMAStage.RECEIVED: set(),
        RMAStage.COMPLETED: set(),
        RMAStage.DECLINED: set(),
        RMAStage.CLOSED: set(),
    },
    RMAActor.STAFF: {
        RMAStage.DRAFT: set(),
        RMAStage.SUBMITTED: {RMAAct.DECIDE, RMAAct.CLOSE},
        RMAStage.IN_REVIEW: {
            *(RMAAct.DECIDE, RMAAct.RECEIVE, RMAAct.CREDIT, RMAAct.REPLACE),
            *(RMAAct.REFUND, RMAAct.CLOSE),
        },
        RMAStage.AUTHORISED: {
            *(RMAAct.DECIDE, RMAAct.RECEIVE, RMAAct.CREDIT, RMAAct.REPLACE),
            *(RMAAct.REFUND, RMAAct.CLOSE),
        },
        RMAStage.RECEIVED: {
            *(RMAAct.DECIDE, RMAAct.RECEIVE, RMAAct.CREDIT, RMAAct.REPLACE),
            *(RMAAct.REFUND, RMAAct.CLOSE),
        },
        RMAStage.COMPLETED: {RMAAct.RECEIVE, RMAAct.REFUND},
        RMAStage.DECLINED: {RMAAct.DECIDE},
        RMAStage.CLOSED: {RMAAct.REFUND},
    },
}
# What whoever tries is told: the customer always the same, the staff by the stage.
REFUSALS = {
    RMAStage.DRAFT: "RMA_REQUEST_NOT_SUBMITTED",
    RMAStage.SUBMITTED: "RMA_REQUEST_UNDECIDED",
    RMAStage.IN_REVIEW: "RMA_REQUEST_ENDED",
    RMAStage.AUTHORISED: "RMA_REQUEST_ENDED",
    RMAStage.RECEIVED: "RMA_REQUEST_ENDED",
    RMAStage.COMPLETED: "RMA_REQUEST_ENDED",
    RMAStage.DECLINED: "RMA_REQUEST_ENDED",
    RMAStage.CLOSED: "RMA_REQUEST_ENDED",
}


@pytest.mark.parametrize(("at", "act", "actor"), list(product(RMAStage, RMAAct, RMAActor)))
def test_everybody_does_at_each_stage_what_the_table_says_and_nothing_else(
    at: RMAStage, act: RMAAct, actor: RMAActor
) -> None:
    told = None
    try:
        check(act, at, actor)
    except BrokenRule as broken:
        told = broken.code()
    if act in ALLOWED[actor][at]:
        assert told is None
    else:
        assert told == ("RMA_REQUEST_SUBMITTED" if actor is RMAActor.CUSTOMER else REFUSALS[at])


def test_the_table_allows_nothing_that_is_not_written_here() -> None:
    written = {(at, act, actor) for actor, stages in ALLOWED.items() for at in stages for act in stages[at]}
    assert written == TRANSITIONS


def test_a_customer_wishes_for_what_helps_it() -> None:
    assert [each.value for each in RMAWish] == ["REPAIR", "REPLACE", "RETURN", "REFUND"]
    assert {each.value for each in RMAWish} < {each.value for each in Resolution}


def line(
    resolution: Resolution | None = None,
    authorised: str | None = None,
    *,
    asked: str = "5",
    received: str = "0",
    credited: str = "0",
    replaced: str = "0",
) -> LineProgress:
    return LineProgress(
        Decimal(asked),
        resolution,
        None if authorised is None else Decimal(authorised),
        Decimal(received),
        Decimal(credited),
        Decimal(replaced),
    )


def state_of(each: LineProgress, *, submitted: bool = True, closed: bool = False) -> RMALineState:
    return line_state(each, submitted=submitted, closed=closed)


def test_a_line_goes_from_draft_to_done() -> None:
    assert state_of(line(), submitted=False) is RMALineState.DRAFT
    assert state_of(line()) is RMALineState.SUBMITTED
    assert state_of(line(Resolution.DIAGNOSE)) is RMALineState.IN_DIAGNOSIS
    for each in (*TAKEN_BACK, Resolution.REPAIR):
        assert state_of(line(each, "3")) is RMALineState.AUTHORISED
        assert state_of(line(each, "3", received="1")) is RMALineState.RECEIVED
    for each in (Resolution.RETURN, Resolution.REFUND):
        assert state_of(line(each, "3", received="3", credited="2")) is RMALineState.RECEIVED
        assert state_of(line(each, "3", received="3", credited="3")) is RMALineState.COMPLETED
    assert state_of(line(Resolution.REPLACE, "3", received="3", credited="3")) is RMALineState.RECEIVED
    assert state_of(line(Resolution.REPLACE, "3", credited="3", replaced="3")) is RMALineState.COMPLETED
    assert state_of(line(Resolution.DECLINED)) is RMALineState.DECLINED


def test_a_line_of_a_closed_request_is_closed_unless_it_was_done_or_declined() -> None:
    assert state_of(line(), closed=True) is RMALineState.CLOSED
    assert state_of(line(Resolution.REPAIR, "1", received="1"), closed=True) is RMALineState.CLOSED
    assert state_of(line(Resolution.RETURN, "1", credited="1"), closed=True) is RMALineState.COMPLETED
    assert state_of(line(Resolution.DECLINED), closed=True) is RMALineState.DECLINED


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "DRAFT"),
        (["DRAFT"], "DRAFT"),
        (["SUBMITTED", "SUBMITTED"], "SUBMITTED"),
        (["SUBMITTED", "DECLINED"], "IN_REVIEW"),
        (["SUBMITTED", "COMPLETED"], "IN_REVIEW"),
        (["IN_DIAGNOSIS"], "IN_REVIEW"),
        (["AUTHORISED", "DECLINED"], "AUTHORISED"),
        (["AUTHORISED", "RECEIVED"], "RECEIVED"),
        (["AUTHORISED", "COMPLETED"], "AUTHORISED"),
        (["COMPLETED", "DECLINED"], "COMPLETED"),
        (["DECLINED", "DECLINED"], "DECLINED"),
        (["COMPLETED", "CLOSED"], "CLOSED"),
    ],
)
def test_a_request_stands_at_what_the_company_has_to_do_next(states: list[str], expected: str) -> None:
    assert stage(RMALineState(each) for each in states) == expected


@given(st.lists(st.sampled_from(RMALineState), min_size=1))
def test_a_request_has_a_stage_whatever_its_lines_are_and_in_whatever_order(
    states: list[RMALineState],
) -> None:
    assert stage(states) is stage(reversed(states))
    undecided = {RMALineState.SUBMITTED, RMALineState.IN_DIAGNOSIS}
    if not set(states) & {RMALineState.DRAFT, RMALineState.CLOSED}:
        assert (stage(states) in UNDECIDED_STAGES) is bool(set(states) & undecided)


@pytest.mark.parametrize(
    ("each", "held"),
    [
        (line(), "5"),
        (line(Resolution.DIAGNOSE), "5"),
        (line(Resolution.REFUND, "3"), "3"),
        (line(Resolution.REFUND, "3", received="2"), "1"),
        (line(Resolution.REFUND, "3", received="2", credited="1"), "1"),
        (line(Resolution.REFUND, "3", credited="2"), "1"),
        (line(Resolution.REFUND, "3", received="4"), "0"),
        (line(Resolution.REFUND, "3", received="3", credited="3"), "0"),
        (line(Resolution.REPAIR, "3", received="3"), "0"),
        (line(Resolution.DECLINED), "0"),
    ],
)
def test_a_line_holds_what_was_asked_then_what_was_granted_until_it_is_back_or_credited(
    each: LineProgress, held: str
) -> None:
    assert reserved_quantity(each, state_of(each)) == Decimal(held)


def test_drafts_and_closed_requests_hold_nothing() -> None:
    for each in (line(), line(Resolution.REFUND, "3", received="1")):
        for given_state in (state_of(each, submitted=False), state_of(each, closed=True)):
            assert reserved_quantity(each, given_state) == 0
