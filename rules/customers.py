"""Customers: what a company keeps of one."""

from dataclasses import dataclass

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class CodeTwice(BrokenRule):
    """Two rows of one call have the same code."""

    english = "{repeated} stands in an earlier row already."
    german = "{repeated} steht schon in einer früheren Zeile."

    repeated: str


class CreditLimitInvalid(BrokenRule):
    """A credit limit is below zero, or larger than any amount."""

    english = "A credit limit is zero or more, and not larger than any amount can be."
    german = "Ein Kreditlimit ist null oder größer und nicht höher, als ein Betrag sein kann."
