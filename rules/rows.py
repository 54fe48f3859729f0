"""Rows: many objects written with one call, and what happens to the good ones when others are bad."""

from enum import StrEnum

MOST_ROWS = 1_000


class RowPolicy(StrEnum):
    """What becomes of the good rows when others cannot be taken."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    GOOD_ROWS = "GOOD_ROWS"
