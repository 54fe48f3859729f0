"""Customers: what a company keeps of one."""

from rules.broken import BrokenRule


class CreditLimitInvalid(BrokenRule):
    """A credit limit is below zero, or larger than any amount."""

    english = "A credit limit is zero or more, and not larger than any amount can be."
    german = "Ein Kreditlimit ist null oder größer und nicht höher, als ein Betrag sein kann."
