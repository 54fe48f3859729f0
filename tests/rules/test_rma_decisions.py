"""RMA decisions: what may be granted of a request, and how much of what was granted is left to be done."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.broken import BrokenRule, InvalidInput
from rules.documents import CreditOperation
from rules.lifecycle import ProcessingState, TransitionNotAllowed
from rules.quantities import QuantityNotDivisible, QuantityNotPositive
from rules.returnable_lines import MoreThanReturnable, Requested, ReturnableLine
from rules.rma_decisions import (
    STATES,
    MoreThanAsked,
    MoreThanAuthorised,
    MoreThanCredited,
    NothingAuthorised,
    NothingToRefund,
    ResolutionDiffers,
    RMALineUnderWay,
    RMAOutcome,
    RMARequestNotForOperation,
    check_done,
    check_left,
    check_operation,
    check_reason,
    check_refund,
    check_replaced,
    check_returnable,
    check_state,
    expected_credit,
    granted,
    is_under_way,
    left_to_credit,
    left_to_grant,
    left_to_receive,
    left_to_replace,
    stage_of,
    to_credit,
)
from rules.rma_progress import RMALineProgress
from rules.rma_requests import (
    TAKEN_BACK,
    LineProgress,
    Resolution,
    RMAAct,
    RMALineState,
    RMAStage,
    line_state,
    reserved_quantity,
)
from rules.texts import TextMissing

NONE = Decimal(0)
SOME_ID = UUID(int=1)
LEFT: list[Callable[[LineProgress], Decimal]] = [left_to_receive, left_to_credit, left_to_replace]
counts = st.integers(0, 6).map(Decimal)


@st.composite
def progress(draw: st.DrawFn) -> RMALineProgress:
    """A line of a request, decided or not, with whatever has happened."""
    quantity = draw(st.integers(1, 6).map(Decimal))
    resolution = draw(st.sampled_from([None, *Resolution]))
    has_quantity = resolution not in (None, Resolution.DECLINED)
    authorised = draw(st.integers(1, int(quantity)).map(Decimal)) if has_quantity else None
    done = (NONE, NONE, NONE)
    if resolution in TAKEN_BACK:
        done = (draw(counts), draw(counts), draw(counts))
    place = draw(st.integers(1, 3))
    return RMALineProgress(quantity, resolution, authorised, *done, SOME_ID, place, place, None, "A")


def fresh(
    quantity: str = "5", resolution: Resolution | None = None, authorised: str | None = None
) -> RMALineProgress:
    granted_ = None if authorised is None else Decimal(authorised)
    return RMALineProgress(
        Decimal(quantity), resolution, granted_, NONE, NONE, NONE, SOME_ID, 1, 1, None, "A"
    )


def refusal(call: Callable[[], object]) -> type[BrokenRule] | None:
    try:
        call()
    except BrokenRule as broken:
        return type(broken)
    return None


@given(progress())
def test_what_is_left_is_never_below_nothing_nor_beyond_what_was_granted(line: RMALineProgress) -> None:
    for left in LEFT:
        assert 0 <= left(line) <= (line.authorised_quantity or 0)
    if line.resolution not in TAKEN_BACK:
        assert [left(line) for left in LEFT] == [NONE] * 3


@given(st.lists(progress(), max_size=4, unique_by=lambda line: line.position))
def test_what_is_credited_when_nothing_is_said_is_left_to_be_credited(lines: list[RMALineProgress]) -> None:
    found = to_credit(lines)
    by_place = {line.invoice_position: line for line in lines}
    for place, quantity in found.items():
        assert 0 < quantity <= left_to_credit(by_place[place])
    if not any(line.received_quantity > 0 for line in lines):
        assert sum(found.values()) == sum(map(left_to_credit, lines))
    for place, quantity in found.items():
        back = by_place[place].received_quantity
        assert back == 0 or quantity <= back - by_place[place].credited_quantity


@given(progress(), st.sampled_from(Resolution), st.one_of(st.none(), st.integers(-1, 8).map(Decimal)))
def test_what_is_granted_was_asked_and_is_not_under_way(
    line: RMALineProgress, resolution: Resolution, quantity: Decimal | None
) -> None:
    try:
        found = granted(line, resolution, quantity, "pcs")
    except RMALineUnderWay:
        assert is_under_way(line)
    except InvalidInput:
        assert resolution is Resolution.DECLINED
        assert quantity is not None
    except QuantityNotPositive:
        assert quantity is not None
        assert quantity <= 0
    except MoreThanAsked:
        assert quantity is not None
        assert quantity > line.quantity
    else:
        assert not is_under_way(line)
        declined = resolution is Resolution.DECLINED
        assert found == (None if declined else line.quantity if quantity is None else quantity)


def test_all_that_is_asked_can_be_granted_whatever_the_unit_says() -> None:
    assert granted(fresh("2.5"), Resolution.REPAIR, Decimal("2.5"), "pcs") == Decimal("2.5")
    with pytest.raises(QuantityNotDivisible) as broken:
        granted(fresh("2.5"), Resolution.REPAIR, Decimal("1.5"), "pcs")
    assert broken.value.path == ("authorisedQuantity",)


def test_only_what_is_declined_needs_a_reason() -> None:
    for resolution in Resolution:
        needed = resolution is Resolution.DECLINED
        for reason in (None, "", " "):
            assert (refusal(lambda: check_reason(resolution, reason)) is TextMissing) is needed  # noqa: B023
        check_reason(resolution, "It is worn")


@given(progress(), counts, counts, counts)
def test_a_request_is_granted_what_nobody_else_has(
    line: RMALineProgress, invoiced: Decimal, returned: Decimal, held: Decimal
) -> None:
    assume(not is_under_way(line))
    own = reserved_quantity(line, line_state(line, submitted=True, closed=False))
    requested = (Requested(own, NONE, NONE), Requested(held, NONE, NONE))
    of_invoice = ReturnableLine(
        SOME_ID, 1, None, "A", "A", "pcs", invoiced, returned, NONE, NONE, requested, is_service=False
    )
    left = left_to_grant(of_invoice, line)
    assert left == max(invoiced - min(returned, invoiced) - held, NONE)
    assert refusal(lambda: check_returnable("A", left, left)) is None
    assert refusal(lambda: check_returnable("A", left + 1, left)) is MoreThanReturnable


def test_a_stage_has_a_state_unless_it_is_a_draft_or_closed() -> None:
    assert set(STATES) == set(RMAStage) - {RMAStage.DRAFT, RMAStage.CLOSED}
    assert {each.value for each in RMAOutcome} == {"COMPLETED", "CANCELLED"}
    for at, state in STATES.items():
        for named in ProcessingState:
            broken = refusal(lambda: check_state(ProcessingState.NOT_STARTED, at, named))  # noqa: B023
            assert broken is (None if named is state else TransitionNotAllowed)


@given(st.lists(progress(), min_size=1, max_size=4), st.booleans())
def test_the_stage_of_a_request_is_that_of_its_lines(lines: list[RMALineProgress], closed: bool) -> None:
    at = stage_of(lines, closed=closed)
    states = {line_state(line, submitted=True, closed=closed) for line in lines}
    assert at is not RMAStage.DRAFT
    assert (at is RMAStage.CLOSED) == (RMALineState.CLOSED in states)
    assert (at is RMAStage.COMPLETED) == (
        states <= {RMALineState.COMPLETED, RMALineState.DECLINED} and RMALineState.COMPLETED in states
    )


@pytest.mark.parametrize("act", RMAAct)
def test_what_has_nothing_left_is_refused(act: RMAAct) -> None:
    counted = act in (RMAAct.RECEIVE, RMAAct.CREDIT, RMAAct.REPLACE)
    for lines in ([], [fresh()], [fresh("5", Resolution.REPAIR, "5")]):
        assert refusal(lambda: check_left(act, lines)) is (NothingAuthorised if counted else None)  # noqa: B023
    resolution = Resolution.REPLACE if act is RMAAct.REPLACE else Resolution.REFUND
    line = replace(fresh("5", resolution, "5"), credited_quantity=Decimal(1))
    check_left(act, [fresh(), line])


def test_no_more_is_done_than_was_granted() -> None:
    line = fresh("5", Resolution.REPLACE, "3")
    check_done(line, Decimal(3), left_to_receive(line))
    check_replaced(line, Decimal(3))
    with pytest.raises(MoreThanAuthorised) as broken:
        check_done(line, Decimal(4), left_to_receive(line))
    assert (broken.value.sku, broken.value.left) == ("A", Decimal(3))
    assert broken.value.path == ("quantity",)
    assert refusal(lambda: check_replaced(line, Decimal(4))) is MoreThanAuthorised
    repaired = fresh("5", Resolution.REPAIR, "3")
    assert refusal(lambda: check_done(repaired, Decimal(1), Decimal(3))) is ResolutionDiffers
    refunded = fresh("5", Resolution.REFUND, "3")
    assert refusal(lambda: check_replaced(refunded, Decimal(1))) is ResolutionDiffers


def test_no_more_is_paid_back_than_was_credited() -> None:
    check_refund(500, 500, "GBP")
    with pytest.raises(MoreThanCredited) as broken:
        check_refund(501, 500, "GBP")
    assert (broken.value.left, broken.value.currency) == (Decimal("5.00"), "GBP")
    for left in (0, -500):
        with pytest.raises(NothingToRefund) as nothing:
            check_refund(1, left, "GBP")
        assert nothing.value.path == ("rmaRequest",)


def test_a_discount_is_given_for_no_request() -> None:
    for operation in CreditOperation:
        expected = RMARequestNotForOperation if operation is CreditOperation.DISCOUNT else None
        assert refusal(lambda: check_operation(operation)) is expected  # noqa: B023


@given(progress(), st.sampled_from([None, "REPAIR", "REPLACE", "RETURN", "REFUND"]), st.booleans())
def test_what_will_be_credited_is_what_is_granted_or_still_asked(
    line: RMALineProgress, wish: str | None, closed: bool
) -> None:
    expected = expected_credit(line, wish, closed=closed)
    undecided = line.resolution in (None, Resolution.DIAGNOSE)
    if closed:
        assert expected <= max(line.received_quantity - line.credited_quantity, NONE)
    elif undecided:
        assert expected == (0 if wish == "REPAIR" else line.quantity)
    else:
        assert expected == left_to_credit(line)
