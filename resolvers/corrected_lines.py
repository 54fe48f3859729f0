"""Corrected lines: which lines of an invoice a credit note or a goods return is about."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from rules.broken import BrokenRule, BrokenRules, NotFound
from rules.credit_notes import InvoicedLine
from rules.fulfilments import LineTwice
from rules.invoices import LinesMissing


class Named(Protocol):
    """A line of an input that names a line of an invoice."""

    position: int
    quantity: Decimal | None


AnyNamed = TypeVar("AnyNamed", bound=Named)
Made = TypeVar("Made")


def corrected(
    given: Sequence[AnyNamed],
    lines: Mapping[int, InvoicedLine],
    make: Callable[[InvoicedLine, AnyNamed], Made],
) -> list[tuple[InvoicedLine, Made]]:
    """What is made of each line that is named, with the line. Raises LinesMissing, or BrokenRules with all that is
    wrong."""
    if not given:
        raise LinesMissing(path=("lines",))
    made: dict[int, tuple[InvoicedLine, Made]] = {}
    broken: list[BrokenRule] = []
    for index, each in enumerate(given):
        path = ("lines", str(index))
        line = lines.get(each.position)
        if line is None:
            broken.append(NotFound(path=(*path, "position")))
        elif each.position in made:
            broken.append(LineTwice(position=each.position, path=(*path, "position")))
        else:
            try:
                made[each.position] = line, make(line, each)
            except BrokenRule as rule:
                broken.append(rule.at(*path))
    if broken:
        raise BrokenRules(broken)
    return list(made.values())
