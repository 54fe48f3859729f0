"""Returnable lines: never more than was invoiced, each piece counted once, and every reason told."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule, Language
from rules.returnable_lines import (
    MOST_RETURN_DAYS,
    Requested,
    ReturnableLine,
    ReturnTerms,
    check,
    check_return_days,
    last_day,
    obstacles,
    returnable,
)

TODAY = date(2026, 3, 10)
OPEN = ReturnTerms("UNPAID", None, TODAY)
OVER = ReturnTerms("PAID", date(2026, 3, 9), TODAY)
REVERSED = ReturnTerms("REVERSED", None, TODAY)


def line(
    quantity: str = "10",
    *,
    returned: str = "0",
    credited: str = "0",
    credited_returned: str = "0",
    requested: tuple[tuple[str, str, str], ...] = (),
    is_service: bool = False,
    unit: str = "pcs",
) -> ReturnableLine:
    """Requests as what they hold, what was received, and what was credited for them."""
    return ReturnableLine(
        invoice_id=UUID(int=1),
        position=1,
        product_id=None,
        sku="A",
        name="A",
        unit=unit,
        quantity=Decimal(quantity),
        returned_quantity=Decimal(returned),
        credited_quantity=Decimal(credited),
        credited_returned=Decimal(credited_returned),
        requested=tuple(Requested(*map(Decimal, each)) for each in requested),
        is_service=is_service,
    )


def told(of: ReturnableLine, terms: ReturnTerms = OPEN) -> dict[str, int]:
    return {each.rule.code(): int(each.quantity) for each in obstacles(of, terms)}


def left(of: ReturnableLine, terms: ReturnTerms = OPEN) -> int:
    return int(returnable(of, terms))


def test_of_an_untouched_line_all_can_be_returned() -> None:
    assert (left(line()), told(line())) == (10, {})


def test_what_came_back_and_was_credited_for_that_counts_once() -> None:
    back = line(returned="4", credited="4", credited_returned="4")
    assert (left(back), told(back)) == (6, {"ALREADY_RETURNED": 4})


def test_what_was_credited_without_coming_back_counts_besides() -> None:
    both = line(returned="4", credited="7", credited_returned="4")
    assert (left(both), told(both)) == (3, {"ALREADY_RETURNED": 4, "ALREADY_CREDITED": 3})


def test_what_was_received_and_credited_for_a_request_counts_once_though_no_document_names_the_other() -> (
    None
):
    asked = line(returned="3", credited="3", requested=(("2", "3", "3"),))
    assert (left(asked), told(asked)) == (5, {"ALREADY_RETURNED": 3, "IN_ANOTHER_REQUEST": 2})
    early = line(returned="1", credited="3", requested=(("0", "1", "3"),))
    assert (left(early), told(early)) == (7, {"ALREADY_RETURNED": 1, "ALREADY_CREDITED": 2})


def test_what_requests_hold_counts_and_never_more_than_there_is() -> None:
    held = line(requested=(("4", "0", "0"), ("9", "0", "0")))
    assert (left(held), told(held)) == (0, {"IN_ANOTHER_REQUEST": 10})


def test_a_service_and_a_reversed_invoice_and_a_day_too_late_let_nothing_back() -> None:
    assert (left(line(is_service=True)), told(line(is_service=True))) == (0, {"SERVICE": 10})
    assert (left(line(), REVERSED), told(line(returned="4"), REVERSED)) == (0, {"INVOICE_REVERSED": 10})
    late = line(returned="4")
    assert (left(late, OVER), told(late, OVER)) == (0, {"ALREADY_RETURNED": 4, "RETURN_PERIOD_OVER": 6})
    on_the_last_day = replace(OVER, last_day=TODAY)
    assert (left(late, on_the_last_day), told(late, on_the_last_day)) == (6, {"ALREADY_RETURNED": 4})
    whole = line(returned="10")
    assert told(whole, OVER) == {"ALREADY_RETURNED": 10}


def test_a_line_that_gives_back_is_nothing_to_return() -> None:
    assert (left(line("-3")), told(line("-3"))) == (0, {})
    assert refusal(line("-3"), "1") == ("MORE_THAN_RETURNABLE", ("quantity",))


def refusal(
    of: ReturnableLine, quantity: str, terms: ReturnTerms = OPEN
) -> tuple[str, tuple[str, ...]] | None:
    try:
        check(of, terms, Decimal(quantity))
    except BrokenRule as broken:
        return broken.code(), broken.path
    return None


def test_a_request_asks_for_what_is_left_in_what_its_unit_allows() -> None:
    some = line(returned="4")
    assert refusal(some, "6") is None
    assert refusal(some, "7") == ("MORE_THAN_RETURNABLE", ("quantity",))
    assert refusal(some, "0") == ("QUANTITY_NOT_POSITIVE", ("quantity",))
    assert refusal(some, "-1") == ("QUANTITY_NOT_POSITIVE", ("quantity",))
    assert refusal(some, "NaN") == ("QUANTITY_NOT_POSITIVE", ("quantity",))
    assert refusal(some, "1.5") == ("QUANTITY_NOT_DIVISIBLE", ("quantity",))
    assert refusal(line(unit="kg"), "1.5") is None
    assert refusal(line("2.5"), "2.5") is None  # all that an import has brought
    assert refusal(some, "1", OVER) == ("RETURN_PERIOD_OVER", ("quantity",))
    assert refusal(line(is_service=True), "1") == ("SERVICE", ("quantity",))
    assert refusal(some, "1", REVERSED) == ("INVOICE_REVERSED", ("quantity",))


@pytest.mark.parametrize("days", [0, 1, MOST_RETURN_DAYS, None])
def test_the_last_day_is_counted_from_the_issue(days: int | None) -> None:
    check_return_days(days, "returnDays")
    expected = None if days is None else TODAY + timedelta(days=days)
    assert last_day(TODAY, days) == expected
    assert last_day(date.max, days) == (None if days is None else date.max)


@pytest.mark.parametrize("days", [-1, MOST_RETURN_DAYS + 1])
def test_the_time_for_returns_has_bounds(days: int) -> None:
    with pytest.raises(BrokenRule) as broken:
        check_return_days(days, "returnDays")
    assert (broken.value.code(), broken.value.path) == ("RETURN_DAYS_INVALID", ("returnDays",))
    assert "3650" in broken.value.message(Language.GERMAN)


AMOUNT = st.decimals(0, 50, places=2)


@given(
    st.decimals(-5, 50, places=2),
    AMOUNT,
    AMOUNT,
    AMOUNT,
    st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT), max_size=3),
    st.booleans(),
    st.sampled_from([OPEN, OVER, REVERSED]),
)
def test_what_can_and_what_cannot_be_returned_is_never_negative_and_together_what_was_invoiced(
    quantity: Decimal,
    returned: Decimal,
    credited: Decimal,
    credited_returned: Decimal,
    requested: list[tuple[Decimal, Decimal, Decimal]],
    is_service: bool,
    terms: ReturnTerms,
) -> None:
    whatever = replace(
        line(is_service=is_service),
        quantity=quantity,
        returned_quantity=returned,
        credited_quantity=credited,
        credited_returned=credited_returned,
        requested=tuple(Requested(*each) for each in requested),
    )
    found = obstacles(whatever, terms)
    assert returnable(whatever, terms) >= 0
    assert all(each.quantity > 0 for each in found)
    assert returnable(whatever, terms) + sum(each.quantity for each in found) == max(quantity, Decimal(0))


# One thing after another that can be done with ten pieces of a line: to ask, to receive for a request or for none, to
# credit what came back or what did not. The model knows each piece by itself.
PIECES = 10
STEP = st.tuples(
    st.sampled_from(["ask", "receive", "receive for none", "credit", "credit apart"]), st.integers(0, 9)
)


@given(st.lists(STEP, max_size=30))
def test_pieces_that_are_told_apart_count_once_each(steps: list[tuple[str, int]]) -> None:
    free, asked, back, back_for_none = PIECES, 0, 0, 0
    credited_back = credited_back_for_none = credited_apart = 0
    for what, number in steps:
        if what == "ask":
            taken = min(number, free)
            free, asked = free - taken, asked + taken
        elif what == "receive":
            taken = min(number, asked)
            asked, back = asked - taken, back + taken
        elif what == "receive for none":
            taken = min(number, free)
            free, back_for_none = free - taken, back_for_none + taken
        elif what == "credit":
            credited_back += min(number, back - credited_back)
            credited_back_for_none += min(number, back_for_none - credited_back_for_none)
        else:
            taken = min(number, free)
            free, credited_apart = free - taken, credited_apart + taken
    of = line(
        str(PIECES),
        returned=str(back + back_for_none),
        credited=str(credited_back + credited_back_for_none + credited_apart),
        credited_returned=str(credited_back_for_none),
        requested=((str(asked), str(back), str(credited_back)),),
    )
    assert left(of) == free
