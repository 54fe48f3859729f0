"""Payments: what of a payment settles which invoice, and what of it lies on account."""

from dataclasses import dataclass
from decimal import Decimal

from rules.amounts import LARGEST_AMOUNT
from rules.balances import PaymentKind
from rules.broken import BrokenRule
from rules.documents import DocumentStatus
from rules.money import to_major, to_minor

LONGEST_REFERENCE = 200
MOST_ALLOCATIONS = 1_000


class AmountInvalid(BrokenRule):
    """An amount of money is zero, negative, too large, or has more places than its currency."""

    english = "This is an amount above zero, in whole minor units of its currency."
    german = "Dies ist ein Betrag über null, in ganzen kleinsten Einheiten seiner Währung."


@dataclass(eq=False, kw_only=True)
class MoreThanOpen(BrokenRule):
    """More is to be settled than is open of an invoice."""

    english = "Only {left} {currency} of {number} are open."
    german = "Von {number} sind nur {left} {currency} offen."

    number: str
    left: Decimal
    currency: str


@dataclass(eq=False, kw_only=True)
class MoreThanPrepaid(BrokenRule):
    """More is to be paid back than was paid too much."""

    english = "Only {left} {currency} were paid too much here."
    german = "Hier wurden nur {left} {currency} zu viel gezahlt."

    left: Decimal
    currency: str


@dataclass(eq=False, kw_only=True)
class MoreThanAmount(BrokenRule):
    """More is to be allocated than there is of a payment."""

    english = "Only {left} {currency} are there to be allocated."
    german = "Es sind nur {left} {currency} zuzuordnen."

    left: Decimal
    currency: str


@dataclass(eq=False, kw_only=True)
class InvoiceTwice(BrokenRule):
    """An invoice stands in two allocations of one payment."""

    english = "{number} stands in another allocation already."
    german = "{number} steht schon in einer anderen Zuordnung."

    number: str


class InvoiceOfAnother(BrokenRule):
    """A payment settles invoices of its own customer alone."""

    english = "This invoice is another customer's."
    german = "Diese Rechnung gehört einem anderen Kunden."


@dataclass(eq=False, kw_only=True)
class InvoiceCurrencyDiffers(BrokenRule):
    """A payment settles invoices in its own currency alone."""

    english = "This invoice is in {currency}."
    german = "Diese Rechnung ist in {currency}."

    currency: str


class PaymentReversed(BrokenRule):
    """A payment was reversed: nothing is done with it any more."""

    english = "This payment was reversed."
    german = "Diese Zahlung wurde storniert."


class NothingOnAccount(BrokenRule):
    """All of a payment settles invoices, or was paid back."""

    english = "Nothing of this payment lies on account."
    german = "Von dieser Zahlung liegt nichts auf dem Konto."


class PaidInFuture(BrokenRule):
    """A payment is recorded when it was made."""

    english = "A payment is recorded once it was made, not before."
    german = "Eine Zahlung wird verbucht, wenn sie erfolgt ist, nicht vorher."


def minor(amount: Decimal, currency: str, *path: str) -> int:
    """An amount of money as minor units. Raises AmountInvalid."""
    if not amount.is_finite() or not 0 < amount <= to_major(LARGEST_AMOUNT, currency):
        raise AmountInvalid(path=path)
    whole = to_minor(amount, currency)
    if to_major(whole, currency) != amount:
        raise AmountInvalid(path=path)
    return whole


def moved(kind: PaymentKind, amount: int) -> int:
    """By how much a payment moves what the customer owes: money that comes in lowers it."""
    return amount if kind is PaymentKind.REFUND else -amount


def check_settles(kind: PaymentKind, amount: int, number: str, open_amount: int, currency: str) -> None:
    """Refuse to settle more than is open of an invoice, or to pay back more than is prepaid there. Raises MoreThanOpen
    or MoreThanPrepaid."""
    left = max(-open_amount if kind is PaymentKind.REFUND else open_amount, 0)
    if amount <= left:
        return
    told = to_major(left, currency)
    if kind is PaymentKind.REFUND:
        raise MoreThanPrepaid(left=told, currency=currency, path=("amount",))
    raise MoreThanOpen(number=number, left=told, currency=currency, path=("amount",))


def check_on_account(kind: PaymentKind, rest: int, on_account: int, currency: str) -> None:
    """Refuse to pay back more from the account than lies there; `on_account` is what the ledger says of it, below
    zero for what lies there. Raises MoreThanPrepaid."""
    left = max(-on_account, 0)
    if kind is PaymentKind.REFUND and rest > left:
        raise MoreThanPrepaid(left=to_major(left, currency), currency=currency, path=("amount",))


def left_on_account(kind: PaymentKind, of_payment: int, on_account: int) -> int:
    """What of a payment can still be allocated, in minor units.

    `of_payment` and `on_account` are what the ledger says of the payment's part of the account, and of the whole: what
    was paid back from the account is no longer there, whosever payment it was.
    """
    if kind is PaymentKind.REFUND:
        return max(of_payment, 0)
    return max(min(-of_payment, -on_account), 0)


def check_allocate(state: str, left: int) -> None:
    """Raises PaymentReversed or NothingOnAccount."""
    if state == DocumentStatus.REVERSED:
        raise PaymentReversed
    if left <= 0:
        raise NothingOnAccount
