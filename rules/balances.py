"""Balances: the kinds of movements that make up what a customer owes, and how far an order is paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule


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


class BalanceReportKind(StrEnum):
    """Which report on what a customer owes: in all, by order, or movement by movement."""

    CUSTOMER = "CUSTOMER"
    BY_ORDER = "BY_ORDER"
    RECONCILIATION = "RECONCILIATION"


class AgeingBucket(StrEnum):
    """How many days an open invoice is over its last day."""

    NOT_DUE = "NOT_DUE"
    DAYS_1_TO_30 = "DAYS_1_TO_30"
    DAYS_31_TO_60 = "DAYS_31_TO_60"
    DAYS_61_TO_90 = "DAYS_61_TO_90"
    OVER_90_DAYS = "OVER_90_DAYS"


# The most days over for each bucket but the last, which is without end.
LAST_DAYS: dict[AgeingBucket, int] = {
    AgeingBucket.NOT_DUE: 0,
    AgeingBucket.DAYS_1_TO_30: 30,
    AgeingBucket.DAYS_31_TO_60: 60,
    AgeingBucket.DAYS_61_TO_90: 90,
}


class CustomerMissing(BrokenRule):
    """Whoever sees all customers has to say whose balance is meant."""

    english = "Say of which customer."
    german = "Geben Sie an, welcher Kunde gemeint ist."


class PeriodNotUsed(BrokenRule):
    """A period was given for a report that has none: it is as of a day."""

    english = "This report is as of a day (asOf); only a reconciliation has a period."
    german = "Dieser Bericht gilt für einen Tag (asOf); nur ein Saldenabgleich hat einen Zeitraum."


class PaymentState(StrEnum):
    """How much of what was invoiced is paid."""

    UNPAID = "UNPAID"
    PARTLY_PAID = "PARTLY_PAID"
    PAID = "PAID"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the ledger says of an order in one currency, in its minor units.

    `charged` is what invoices say, `credited` what credit notes take back, `paid` payments less refunds. `open` is what
    is still to be paid of its invoices, `prepaid` what was paid beyond one of them or lies on account for the order:
    never one number, so that one invoice's overpayment does not hide that another is open.
    """

    currency: str
    charged: int = 0
    credited: int = 0
    paid: int = 0
    open: int = 0
    prepaid: int = 0

    @property
    def invoiced(self) -> int:
        """What is to be paid in all."""
        return self.charged - self.credited


@dataclass(frozen=True, slots=True)
class Aged:
    """The open invoices of a bucket: what is open of them in minor units, and how many they are."""

    bucket: AgeingBucket
    amount: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer owes and has paid ahead in one currency, in its minor units; never one number.

    `on_account` is the sum of what settles no invoice, as a rule below zero, `overpaid` what was paid beyond
    invoices. debt - prepayments is the sum of all movements.
    """

    currency: str
    aged: tuple[Aged, ...]
    on_account: int
    overpaid: int

    @property
    def debt(self) -> int:
        """What is open of invoices, and what was paid back beyond what lay on account."""
        return sum(each.amount for each in self.aged) + max(self.on_account, 0)

    @property
    def prepayments(self) -> int:
        """What was paid or credited beyond invoices, and what lies on account."""
        return self.overpaid + max(-self.on_account, 0)

    @property
    def overdue(self) -> int:
        """What is open of invoices whose last day has gone by."""
        return sum(each.amount for each in self.aged if each.bucket is not AgeingBucket.NOT_DUE)


def payment_state(settlements: Sequence[Settlement]) -> PaymentState:
    """How far an order is paid, over all currencies: paid when invoices came and nothing is open in any.

    What is not invoiced yet does not count; without an invoice an order is unpaid, or with a prepayment partly
    paid.
    """
    if any(each.charged > 0 for each in settlements) and not any(each.open for each in settlements):
        return PaymentState.PAID
    return PaymentState.PARTLY_PAID if any(each.paid > 0 for each in settlements) else PaymentState.UNPAID
