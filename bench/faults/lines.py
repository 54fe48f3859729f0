"""Lines: what must hold, how it is tried, and what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.faults.places import Ground


class Skipped(Exception):
    """A line cannot be tried on this machine; the text says what is missing."""


@dataclass(slots=True)
class Claims:
    """What a run claims; those that do not hold are kept."""

    broken: list[str] = field(default_factory=list)

    def that(self, holds: bool, claim: str) -> None:
        """Claim something. The text is what is told when it does not hold."""
        if not holds:
            self.broken.append(claim)


# Tries a line on a ground, claims, and returns a figure.
Run: TypeAlias = Callable[[Ground, Claims], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what must hold, and one way in which it is tried."""

    number: str
    must: str
    done: str
    run: Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a line."""

    line: Line
    word: str  # holds, falls short, skipped
    figure: str


LATE = "start"  # a database that comes later than the server has no number
EVERY_ONE: list[Line] = []


def line(number: int | str, *, must: str, done: str) -> Callable[[Run], Run]:
    """Make a function a line, in the order in which files are read."""

    def enlist(run: Run) -> Run:
        EVERY_ONE.append(Line(str(number), must, done, run))
        return run

    return enlist
