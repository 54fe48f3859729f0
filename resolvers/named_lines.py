"""Named lines: what an input says of lines that are there already, each named by its position."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from rules.broken import BrokenRule, BrokenRules, NotFound
from rules.fulfilments import LineTwice
from rules.invoices import LinesMissing


class Named(Protocol):
    """A line of an input that names a line."""

    position: int


AnyNamed = TypeVar("AnyNamed", bound=Named)
Line = TypeVar("Line")
Made = TypeVar("Made")


def named(
    given: Sequence[AnyNamed], lines: Mapping[int, Line], make: Callable[[Line, AnyNamed], Made]
) -> list[tuple[Line, Made]]:
    """What is made of each line that is named, with the line. Raises LinesMissing, or BrokenRules with all that is
    wrong."""
    if not given:
        raise LinesMissing(path=("lines",))
    made: dict[int, tuple[Line, Made]] = {}
    seen: set[int] = set()
    broken: list[BrokenRule] = []
    for index, each in enumerate(given):
        path = ("lines", str(index))
        line = lines.get(each.position)
        if line is None:
            broken.append(NotFound(path=(*path, "position")))
        elif each.position in seen:
            broken.append(LineTwice(position=each.position, path=(*path, "position")))
        else:
            seen.add(each.position)
            try:
                made[each.position] = line, make(line, each)
            except BrokenRule as rule:
                broken.append(rule.at(*path))
    if broken:
        raise BrokenRules(broken)
    return list(made.values())
