"""Balances: how far an order is paid, without ever netting two currencies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.balances import PaymentState, Settlement, payment_state

UNPAID, PARTLY_PAID, PAID = PaymentState


@pytest.mark.parametrize(
    ("settlements", "state"),
    [
        ([], UNPAID),
        ([Settlement("GBP", 100, 0, 0)], UNPAID),
        ([Settlement("GBP", 100, 0, 40)], PARTLY_PAID),
        ([Settlement("GBP", 100, 0, 100)], PAID),
        ([Settlement("GBP", 100, 30, 70)], PAID),
        ([Settlement("GBP", 100, 100, 0)], PAID),
        ([Settlement("GBP", 0, 0, 50)], PARTLY_PAID),
        ([Settlement("GBP", 100, 0, 200), Settlement("EUR", 100, 0, 0)], PARTLY_PAID),
        ([Settlement("GBP", 100, 0, 100), Settlement("EUR", 0, 0, 5)], PAID),
    ],
)
def test_an_order_is_paid_when_nothing_is_open_in_any_currency(
    settlements: list[Settlement], state: PaymentState
) -> None:
    assert payment_state(settlements) is state


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-(10**6), 10**6))
def test_debt_and_prepayment_are_apart(charged: int, credited: int, paid: int) -> None:
    settlement = Settlement("GBP", charged, credited, paid)
    assert min(settlement.open, settlement.prepaid) == 0
    assert settlement.open - settlement.prepaid == settlement.invoiced - settlement.paid
