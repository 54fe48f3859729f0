"""Fulfilments: what may be done with an order, in every state, by everybody."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
import uuid_utils.compat as uuid

from rules.broken import BrokenRule
from rules.fulfilments import (
    NEEDS,
    OrderAct,
    OrderOutstanding,
    OrderShipped,
    Shipping,
    Standing,
    check,
    check_end,
    closed_as,
    short,
)
from rules.lifecycle import OPEN_STATES, ProcessingState
from rules.permissions import STAFF_ROLES, Permission, StaffRole
from rules.portals import CancellationPolicy
from rules.viewers import Viewer

STAFF = Viewer(
    tenant_id=uuid.uuid7(),
    session_id=None,
    account_id=None,
    staff_member_id=uuid.uuid7(),
    customer_id=None,
    price_list_id=None,
    currency="GBP",
    permissions=STAFF_ROLES[StaffRole.AGENT],
)
BUYER = replace(
    STAFF,
    staff_member_id=None,
    account_id=uuid.uuid7(),
    customer_id=uuid.uuid7(),
    permissions=frozenset({Permission.ORDERS_READ, Permission.ORDERS_CANCEL}),
)
PEOPLE = {
    "staff": STAFF,
    "accountant": replace(STAFF, permissions=STAFF_ROLES[StaffRole.ACCOUNTANT]),
    "buyer": BUYER,
}
STANDINGS = [Standing(*each) for each in itertools.product(ProcessingState, (False, True), (False, True))]


def refusal(act: OrderAct, order: Standing, who: str, policy: CancellationPolicy) -> str | None:
    try:
        check(act, order, PEOPLE[who], policy)
    except BrokenRule as rule:
        return rule.code()
    return None


def expected(act: OrderAct, order: Standing, who: str, policy: CancellationPolicy) -> str | None:
    """The same said another way: the first line that applies."""
    is_open = order.state in OPEN_STATES
    lines = [
        (NEEDS[act] not in PEOPLE[who].permissions, "MISSING_PERMISSION"),
        (act is OrderAct.UPDATE, None),
        (not is_open, "ORDER_CLOSED"),
        (act is OrderAct.SHIP and not order.is_outstanding, "NOTHING_OUTSTANDING"),
        (act is OrderAct.CLOSE and order.state == "NOT_STARTED", "ORDER_NOT_IN_PROGRESS"),
        (act is OrderAct.CANCEL and order.is_shipped, "ORDER_SHIPPED"),
        (
            act is OrderAct.CANCEL and who == "buyer" and policy == "NOT_ALLOWED",
            "CANCELLATION_NOT_ALLOWED",
        ),
    ]
    return next((code for applies, code in lines if applies), None)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("act", OrderAct)
def test_what_may_be_done_in_every_state(act: OrderAct, who: str) -> None:
    for order, policy in itertools.product(STANDINGS, CancellationPolicy):
        assert refusal(act, order, who, policy) == expected(act, order, who, policy), (order, policy)


def test_an_order_that_is_closed_is_completed_when_something_was_shipped() -> None:
    for order in STANDINGS:
        assert closed_as(order) is (
            ProcessingState.COMPLETED if order.is_shipped else ProcessingState.CANCELLED
        )


@pytest.mark.parametrize("after", ProcessingState)
def test_no_status_ends_an_order_of_which_something_is_outstanding(after: ProcessingState) -> None:
    for order in STANDINGS:
        ends = after not in OPEN_STATES and after is not order.state
        if ends and order.is_outstanding:
            with pytest.raises(OrderOutstanding):
                check_end(after, order)
        elif ends and order.is_shipped and after is ProcessingState.CANCELLED:
            with pytest.raises(OrderShipped):
                check_end(after, order)
        else:
            check_end(after, order)


def test_lines_that_ship_from_one_place_share_what_is_on_hand() -> None:
    product_id, place = uuid.uuid7(), (uuid.uuid7(), uuid.uuid7())

    def wanted(quantity: int, number: int) -> Shipping:
        return Shipping(product_id, "A", place, Decimal(quantity), ("lines", str(number)))

    broken = short([wanted(4, 0), wanted(3, 1), wanted(2, 2)], {place: Decimal(6)})
    assert [(each.path, each.available) for each in broken] == [(("lines", "1"), 2)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_hand", [{}, {"place": Decimal("-2.5")}])
def test_what_is_not_there_cannot_be_shipped_but_a_service_can(on_hand: dict[str, Decimal]) -> None:
    place = (uuid.uuid7(), uuid.uuid7())
    goods = Shipping(place[0], "A", place, Decimal(1), ())
    there = dict.fromkeys([place], on_hand["place"]) if on_hand else {}
    assert [each.code() for each in short([goods], there)] == ["INSUFFICIENT_STOCK"]
    assert short([replace(goods, place=None)], there) == []
