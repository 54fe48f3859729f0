"""Rows: many objects written with one call, and what happens to the good ones when others are bad."""

from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

MOST_ROWS = 1_000


class RowPolicy(StrEnum):
    """What becomes of the good rows when others cannot be taken."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    GOOD_ROWS = "GOOD_ROWS"


@dataclass(eq=False, kw_only=True)
class CodeTwice(BrokenRule):
    """Two rows of one call are about the same."""

    english = "{repeated} stands in an earlier row already."
    german = "{repeated} steht schon in einer früheren Zeile."

    repeated: str


class ValueMissing(BrokenRule):
    """Something new was not said that everything of its kind has to say."""

    english = "This is needed for what is new."
    german = "Dies wird für Neues gebraucht."
