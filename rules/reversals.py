"""Reversals: what was posted is taken back whole, unless something stands on it."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.broken import BrokenRule
from rules.documents import DocumentKind, DocumentStatus

_NAMES: dict[str, tuple[str, str]] = {
    DocumentKind.CREDIT_NOTE: ("credit note", "Gutschrift"),
    DocumentKind.GOODS_RETURN: ("goods return", "Warenrückgabe"),
    DocumentKind.TAX_INVOICE: ("tax invoice", "Steuerrechnung"),
}


class AlreadyReversed(BrokenRule):
    """A document was reversed before."""

    english = "This was reversed already."
    german = "Dies wurde bereits storniert."


@dataclass(eq=False, kw_only=True)
class DocumentInUse(BrokenRule):
    """Other documents stand on one that is to be reversed: they are reversed first."""

    english = "Reverse what stands on it first: {english_kinds}."
    german = "Stornieren Sie zuerst, was darauf beruht: {german_kinds}."

    kinds: tuple[str, ...]

    @property
    def english_kinds(self) -> str:
        """What stands on it, as people read it."""
        return ", ".join(_NAMES[kind][0] for kind in self.kinds)

    @property
    def german_kinds(self) -> str:
        """The same in German."""
        return ", ".join(_NAMES[kind][1] for kind in self.kinds)


class RefundsUncovered(BrokenRule):
    """Without what is to be reversed, more would have been paid back from the account than lay there."""

    english = "Some of this was paid back: reverse the refund first."
    german = "Davon wurde etwas zurückgezahlt: stornieren Sie zuerst die Rückzahlung."


def check_reverse(state: str, standing: Iterable[str] = ()) -> None:
    """Refuse to reverse what was reversed, or what something stands on: `standing` are the kinds of that. Raises
    AlreadyReversed or DocumentInUse."""
    if state == DocumentStatus.REVERSED:
        raise AlreadyReversed
    if kinds := sorted(set(standing)):
        raise DocumentInUse(kinds=tuple(kinds))


def check_covered(before: int, after: int) -> None:
    """Refuse to take from an account what was paid back: before and after are what the ledger says of it, below zero
    for what lies there. Raises RefundsUncovered."""
    if after > 0 and after > before:
        raise RefundsUncovered
