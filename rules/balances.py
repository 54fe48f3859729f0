"""Balances: the kinds of movements that make up what a customer owes, and how far an order is paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class MovementKind(StrEnum):
    """Why a balance moved: an invoice and a refund raise what is owed, a credit note and a payment lower it."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"


class PaymentKind(StrEnum):
    """Which way money went: from the customer, or back to it."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"


class PaymentState(StrEnum):
    """How much of what was invoiced is paid."""

    UNPAID = "UNPAID"
    PARTLY_PAID = "PARTLY_PAID"
    PAID = "PAID"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the ledger says of an order in one currency, in its minor units.

    `charged` is what invoices say, `credited` what credit notes take back, `paid` payments less refunds.
    """

    currency: str
    charged: int
    credited: int
    paid: int

    @property
    def invoiced(self) -> int:
        """What is to be paid in all."""
        return self.charged - self.credited

    @property
    def open(self) -> int:
        """What is still to be paid; what was paid too much is `prepaid`, and never one number with this."""
        return max(self.invoiced - self.paid, 0)

    @property
    def prepaid(self) -> int:
        """What was paid beyond what was invoiced."""
        return max(self.paid - self.invoiced, 0)


def payment_state(settlements: Sequence[Settlement]) -> PaymentState:
    """How far an order is paid, over all currencies: paid when invoices came and nothing is open in any.

    What is not invoiced yet does not count; without an invoice an order is unpaid, or with a prepayment partly
    paid.
    """
    if any(each.charged > 0 for each in settlements) and not any(each.open for each in settlements):
        return PaymentState.PAID
    return PaymentState.PARTLY_PAID if any(each.paid > 0 for each in settlements) else PaymentState.UNPAID
