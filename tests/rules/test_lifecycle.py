"""The lifecycle of orders: every move that there could be, held against the table."""

import itertools

import pytest

from rules.lifecycle import (
    LARGEST_POSITION,
    OPEN_STATES,
    ORDER_MOVES,
    PREDEFINED,
    PositionInvalid,
    ProcessingState,
    Subject,
    TransitionNotAllowed,
    check_move,
    check_position,
    may_move,
)

# Named once more on purpose: whoever allows another move has to say so here too.
ALLOWED = {
    ("NOT_STARTED", "IN_PROGRESS"),
    ("NOT_STARTED", "CANCELLED"),
    ("IN_PROGRESS", "COMPLETED"),
    ("IN_PROGRESS", "CANCELLED"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ProcessingState, repeat=2)))
def test_an_order_moves_by_the_table_and_never_otherwise(
    before: ProcessingState, after: ProcessingState
) -> None:
    allowed = before == after or (before.value, after.value) in ALLOWED
    assert may_move(before, after) is allowed
    if allowed:
        check_move(before, after)
    else:
        with pytest.raises(TransitionNotAllowed) as refused:
            check_move(before, after, "status")
        assert (refused.value.before, refused.value.after, refused.value.path) == (before, after, ("status",))


def test_the_table_knows_every_state_and_an_end_is_an_end() -> None:
    assert set(ORDER_MOVES) == set(ProcessingState)
    assert {state for state, moves in ORDER_MOVES.items() if not moves} == set(ProcessingState) - set(
        OPEN_STATES
    )


def test_each_subject_has_one_predefined_status_a_state() -> None:
    for subject in Subject:
        assert [each.state for each in PREDEFINED if each.subject is subject] == list(ProcessingState)


@pytest.mark.parametrize("position", [None, 0, LARGEST_POSITION])
def test_a_position_is_a_place_in_a_list(position: int | None) -> None:
    check_position(position)


@pytest.mark.parametrize("position", [-1, LARGEST_POSITION + 1])
def test_a_position_elsewhere_is_refused(position: int) -> None:
    with pytest.raises(PositionInvalid):
        check_position(position, "position")
