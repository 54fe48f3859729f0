"""Reversals: what was posted is taken back whole, unless something stands on it."""

from collections.abc import Iterable

from rules.broken import BrokenRule
from rules.documents import DocumentStatus


class AlreadyReversed(BrokenRule):
    """A document was reversed before."""

    english = "This was reversed already."
    german = "Dies wurde bereits storniert."


class DocumentInUse(BrokenRule):
    """A tax invoice, a goods return or a credit note stands on what is to be reversed: that is reversed first."""

    english = "Reverse its tax invoice, its goods returns and its credit notes first."
    german = "Stornieren Sie zuerst die Steuerrechnung, Warenrückgaben und Gutschriften dazu."


class RefundsUncovered(BrokenRule):
    """Without what is to be reversed, more would have been paid back from the account than lay there."""

    english = "Some of this was paid back: reverse the refund first."
    german = "Davon wurde etwas zurückgezahlt: stornieren Sie zuerst die Rückzahlung."


def check_reverse(state: str, standing: Iterable[str] = ()) -> None:
    """Refuse to reverse what was reversed, or what something stands on: `standing` are the kinds of that. Raises
    AlreadyReversed or DocumentInUse."""
    if state == DocumentStatus.REVERSED:
        raise AlreadyReversed
    if any(standing):
        raise DocumentInUse


def check_covered(before: int, after: int) -> None:
    """Refuse to take from an account what was paid back: before and after are what the ledger says of it, below zero
    for what lies there. Raises RefundsUncovered."""
    if after > 0 and after > before:
        raise RefundsUncovered
