"""Tickets: the table of who may do what in which state, and how a ticket stands to the company's times."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permissions import FOR_CUSTOMERS, MissingPermission, Permission
from rules.texts import TextMissing, TextTooLong
from rules.tickets import (
    LONGEST_MESSAGE,
    NEEDS,
    TRANSITIONS,
    NoTicketHandler,
    Promises,
    TicketAct,
    TicketClosed,
    TicketNotClosed,
    TicketReopenedByReply,
    TicketSide,
    TicketState,
    TicketTarget,
    acts_of,
    after,
    check_message,
    due,
    refusal,
)

S, A = TicketState, TicketAct
CUSTOMER, COMPANY = TicketSide
# What can be done, by side, state and act, and where it leads.
POSSIBLE = {
    (CUSTOMER, S.OPEN, A.REPLY): S.OPEN,
    (CUSTOMER, S.OPEN, A.CLOSE): S.CLOSED,
    (CUSTOMER, S.ANSWERED, A.REPLY): S.OPEN,
    (CUSTOMER, S.ANSWERED, A.CLOSE): S.CLOSED,
    (CUSTOMER, S.CLOSED, A.REPLY): S.OPEN,
    (COMPANY, S.OPEN, A.REPLY): S.ANSWERED,
    (COMPANY, S.OPEN, A.CLOSE): S.CLOSED,
    (COMPANY, S.ANSWERED, A.REPLY): S.ANSWERED,
    (COMPANY, S.ANSWERED, A.CLOSE): S.CLOSED,
    (COMPANY, S.CLOSED, A.REPLY): S.CLOSED,
    (COMPANY, S.CLOSED, A.REOPEN): S.OPEN,
} | {(COMPANY, state, act): state for state in S for act in (A.NOTE, A.ASSIGN)}
REFUSED = {
    (side, state, A.REOPEN): TicketNotClosed for side in TicketSide for state in (S.OPEN, S.ANSWERED)
} | {
    (CUSTOMER, S.CLOSED, A.CLOSE): TicketClosed,
    (COMPANY, S.CLOSED, A.CLOSE): TicketClosed,
    (CUSTOMER, S.CLOSED, A.REOPEN): TicketReopenedByReply,
}


@pytest.mark.parametrize(("side", "state", "act"), list(product(TicketSide, S, A)))
def test_each_act_of_each_side_in_each_state_has_one_outcome(
    side: TicketSide, state: TicketState, act: TicketAct
) -> None:
    if (side, state, act) in POSSIBLE:
        assert refusal(state, side, act) is None
        assert after(state, side, act) is POSSIBLE[side, state, act]
        return
    wanted = REFUSED.get((side, state, act), MissingPermission)
    assert isinstance(refusal(state, side, act), wanted)
    with pytest.raises(wanted) as broken:
        after(state, side, act, "ticket")
    assert broken.value.path == ("ticket",)


def test_the_table_is_whole() -> None:
    assert set(TRANSITIONS) == set(product(TicketSide, S))
    assert all(set(acts) == set(A) for acts in TRANSITIONS.values())
    assert set(NEEDS) == set(A)


def test_notes_and_assignments_are_the_companys() -> None:
    assert acts_of(CUSTOMER) == [A.REPLY, A.CLOSE, A.REOPEN]
    assert acts_of(COMPANY) == list(A)
    assert {act for act in A if NEEDS[act] not in FOR_CUSTOMERS} == {A.NOTE, A.ASSIGN}
    broken = refusal(S.OPEN, CUSTOMER, A.NOTE)
    assert isinstance(broken, MissingPermission)
    assert broken.permissions == (Permission.TICKETS_HANDLE,)


def test_a_message_says_something_and_not_too_much() -> None:
    check_message("x" * LONGEST_MESSAGE)
    for text in ("", " \n"):
        with pytest.raises(TextMissing):
            check_message(text)
    with pytest.raises(TextTooLong):
        check_message("x" * (LONGEST_MESSAGE + 1))


def test_who_cannot_handle_tickets_is_named() -> None:
    assert NoTicketHandler(name="Anna").message() == "Anna does not handle tickets at this company."


T = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(hours: int) -> datetime:
    return T + timedelta(hours=hours)


def test_times_are_kept_as_hours_from_opening_on_or_not_at_all() -> None:
    assert due(T, None) is None
    assert due(T, 48) == datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due_at", "answered", "resolved", "now", "first", "last", "overdue"),
    [
        (None, None, None, 9, "NONE", "NONE", False),
        (4, None, None, 4, "PENDING", "PENDING", False),
        (4, None, None, 5, "MISSED", "MISSED", True),
        (4, 4, None, 5, "MET", "MISSED", True),
        (4, 5, None, 5, "MISSED", "MISSED", True),
        (4, 3, 4, 9, "MET", "MET", False),
        (4, None, 4, 9, "MET", "MET", False),
        (4, None, 5, 9, "MISSED", "MISSED", False),
        (4, 5, 5, 9, "MISSED", "MISSED", False),
    ],
)
def test_how_a_ticket_stands_to_both_times(
    due_at: int | None,
    answered: int | None,
    resolved: int | None,
    now: int,
    first: str,
    last: str,
    overdue: bool,
) -> None:
    moments = [None if each is None else at(each) for each in (due_at, answered, due_at, resolved)]
    promises = Promises(*moments)
    assert promises.first_answer(at(now)) is TicketTarget(first)
    assert promises.resolution(at(now)) is TicketTarget(last)
    assert promises.is_overdue(at(now)) is overdue


def test_an_answer_that_came_late_is_missed_and_not_overdue_any_more() -> None:
    promises = Promises(at(1), at(2), at(9), None)
    assert promises.first_answer(at(3)) is TicketTarget.MISSED
    assert promises.is_overdue(at(3)) is False


_hours = st.one_of(st.none(), st.integers(-5, 5))


@given(_hours, _hours, _hours, _hours, st.integers(-5, 5))
def test_what_is_overdue_is_missed_and_open(
    first_due: int | None, answered: int | None, last_due: int | None, resolved: int | None, now: int
) -> None:
    moments = [None if each is None else at(each) for each in (first_due, answered, last_due, resolved)]
    promises = Promises(*moments)
    if promises.is_overdue(at(now)):
        assert resolved is None
        assert TicketTarget.MISSED in (promises.first_answer(at(now)), promises.resolution(at(now)))
    assert (promises.resolution(at(now)) is TicketTarget.NONE) is (last_due is None)
