"""Balances: how far an order is paid, without ever netting two currencies."""

import pytest

from rules.balances import PaymentState, Settlement, payment_state

UNPAID, PARTLY_PAID, PAID = PaymentState


@pytest.mark.parametrize(
    ("settlements", "state"),
    [
        ([], UNPAID),
        ([Settlement("GBP", charged=100, open=100)], UNPAID),
        ([Settlement("GBP", charged=100, paid=40, open=60)], PARTLY_PAID),
        ([Settlement("GBP", charged=100, paid=100)], PAID),
        ([Settlement("GBP", charged=100, credited=30, paid=70)], PAID),
        ([Settlement("GBP", charged=100, credited=100)], PAID),
        ([Settlement("GBP", paid=50, prepaid=50)], PARTLY_PAID),
        ([Settlement("GBP", charged=200, paid=200, open=100, prepaid=100)], PARTLY_PAID),
        (
            [Settlement("GBP", charged=100, paid=200, prepaid=100), Settlement("EUR", charged=100, open=100)],
            PARTLY_PAID,
        ),
        ([Settlement("GBP", charged=100, paid=100), Settlement("EUR", paid=5, prepaid=5)], PAID),
    ],
)
def test_an_order_is_paid_when_nothing_is_open_in_any_currency(
    settlements: list[Settlement], state: PaymentState
) -> None:
    assert payment_state(settlements) is state
