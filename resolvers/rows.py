"""Rows: many objects written with one call, each read by itself; whether a bad one stops the others, its policy says."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from resolvers.errors import Broken
from resolvers.turns import in_turns
from rules.broken import BrokenRule, BrokenRules, Path
from rules.rows import CodeTwice, RowPolicy

POLICY_DESCRIPTION = "What becomes of the good rows when others are bad."
ERRORS_DESCRIPTION = "What is wrong with which row: the path begins with rows and its index."

Given = TypeVar("Given")
Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


def _in_rows(index: int) -> Path:
    return "rows", str(index)


@dataclass(slots=True)
class Rows(Generic[Key, Row]):
    """The good rows by key, in the order of the input, and what is wrong with the others. `place` says where in the
    input a row stands."""

    good: dict[Key, Row] = field(default_factory=dict)
    place: Callable[[int], Path] = _in_rows
    _places: dict[Key, int] = field(default_factory=dict)
    _broken: dict[int, list[BrokenRule]] = field(default_factory=dict)

    def refuse(self, key: Key, rule: BrokenRule) -> None:
        """Take back a good row, for a rule that only all rows together could break."""
        del self.good[key]
        self._broken.setdefault(self._places[key], []).append(rule)

    def settle(self, policy: RowPolicy) -> list[Broken]:
        """What is wrong, in the order of the input. Raises BrokenRules when that stops the good rows too."""
        broken = [
            rule.at(*self.place(index)) for index in sorted(self._broken) for rule in self._broken[index]
        ]
        if broken and policy is RowPolicy.ALL_OR_NOTHING:
            raise BrokenRules(broken)
        return [Broken(rule) for rule in broken]


async def read_rows(
    given: Sequence[Given],
    *,
    key: Callable[[Given], Key],
    read: Callable[[Given], Row],
    named: str = "code",
    told: Callable[[Given], str] | None = None,
    place: Callable[[int], Path] = _in_rows,
) -> Rows[Key, Row]:
    """Read each row; `read` raises BrokenRules with all that is wrong with it. A key counts once, be its first
    row good or bad; `named` is the field in which the second one is told of, `told` how."""
    rows: Rows[Key, Row] = Rows(place=place)
    async for index, each in in_turns(enumerate(given)):
        row, wrong = _read(each, read)
        if key(each) in rows._places:
            repeated = told(each) if told else str(key(each))
            wrong.append(CodeTwice(repeated=repeated, path=(named,)))
        if row is not None and not wrong:
            rows.good[key(each)] = row
        else:
            rows._broken[index] = wrong
        rows._places.setdefault(key(each), index)
    return rows


def _read(given: Given, read: Callable[[Given], Row]) -> tuple[Row | None, list[BrokenRule]]:
    try:
        return read(given), []
    except BrokenRules as several:
        return None, several.rules
