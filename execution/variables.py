"""Variables: what an operation brings along, counted before anything else, and coerced without holding up anybody."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from execution.limits import DocumentRefused
from execution.pace import Pace

MOST = 50_000
# What a value costs, in units of `execution.limits.ROOT_FIELD`: it is coerced in some microseconds.
PRICE = 20
# So many are coerced in two or three milliseconds.
FEW = 1_000


def count(variables: Mapping[str, Any]) -> int:
    """How many values there are. Raises DocumentRefused when those are too many. Without recursion, as they nest as
    deep as JSON may."""
    found = 0
    left: list[Any] = [variables]
    while left:
        within = left.pop()
        found += len(within)
        if found > MOST:
            raise DocumentRefused(f"Variables have at most {MOST} values.")
        left += [
            each
            for each in (within.values() if isinstance(within, dict) else within)
            if isinstance(each, dict | list)
        ]
    return found


@contextmanager
def paced(variables: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same variables, but as long as the block lasts lists rest now and then while somebody goes through them:
    graphql-core does so to coerce them, and has no place of its own where it could rest."""
    pace = Pace()
    given = dict(variables)
    left: list[Any] = [given]
    while left:
        within = left.pop()
        pace.step()
        for key, value in within.items() if isinstance(within, dict) else enumerate(within):
            if isinstance(value, list):
                value = within[key] = _Paced(value, pace)
            if isinstance(value, dict | list):
                left.append(value)
    try:
        yield given
    finally:
        pace.end()


class _Paced(list[Any]):
    __slots__ = ("_pace",)

    def __init__(self, values: list[Any], pace: Pace) -> None:
        super().__init__(values)
        self._pace = pace

    def __iter__(self) -> Iterator[Any]:
        step = self._pace.step
        for each in super().__iter__():
            step()
            yield each
