"""Data: what the objects of a random schema hold, and what goes wrong with them; the same for the same seed.

Every value is worked out from its place (type, field, the object's number, the arguments), so two executors see the
same whatever the order in which they ask.
"""

import asyncio
import datetime
import decimal
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import GraphQLError

from tests.execution.specs import FieldSpec, SchemaSpec
from tests.execution.vocabulary import CodeValue, Kind

# Marks the error that a patient list has as its last item, where others fail as a whole.
LATE = "fails_the_list"


class Row:
    """An object by its number."""

    def __init__(self, data: "Data", number: int) -> None:
        self.data = data
        self.number = number


class Stranger:
    """An object of no type of any schema."""


class Trouble(Exception):
    """Raised by resolvers."""


class Data:
    """The data of one case. `faults` of a thousand values go wrong; patient lists have an error as their last item where others fail after some."""

    def __init__(self, spec: SchemaSpec, rows: dict[str, type], seed: int, faults: int) -> None:
        self.spec = spec
        self.rows = rows
        self.seed = seed
        self.faults = faults
        self.patient = False
        self.waited = False  # somebody had to wait for something
        self.done: list[str] = []  # what root fields did, in order

    def digit(self, sides: int, *place: object) -> int:
        """A number from 0 to `sides` - 1 for a place."""
        return zlib.crc32(repr((self.seed, *place)).encode()) % sides

    def fails(self, *place: object) -> bool:
        """Whether something goes wrong there."""
        return self.digit(1000, "fault", *place) < self.faults

    def row(self, name: str, number: int) -> Any:
        """An object of a type."""
        row: Any = object.__new__(self.rows[name])
        row.data, row.number = self, number
        return row

    def value(self, field: FieldSpec, owner: str, number: int, given: str) -> Any:
        """What a field of an object is. Raises Trouble and GraphQLError."""
        place = (owner, field.name.name, number, given)
        if self.fails("raise", *place):
            raise self._error(*place)
        return self._value(field, field.name.type, *place)

    async def waiting(self, times: int) -> None:
        """Let others go first."""
        self.waited = True
        for _ in range(times):
            await asyncio.sleep(0)

    def _error(self, *place: object) -> Exception:
        text = "/".join(map(str, place))
        if self.digit(2, "class", *place):
            return GraphQLError(f"refused {text}", extensions={"code": f"CODE_{self.digit(3, *place)}"})
        return Trouble(f"trouble {text}")

    def _value(self, field: FieldSpec, type_: str, *place: object) -> Any:
        if self.fails("returned", *place):
            return self._error("returned", *place)
        if type_.endswith("!"):
            if self.fails("null", *place):
                return None
            type_ = type_[:-1]
        elif self.digit(8, "null", *place) == 0:
            return None
        if type_.startswith("["):
            return self._list(field, type_[1:-1], *place)
        wrong = self.fails("wrong", *place)
        leaf = self._leaf(type_, wrong, self.digit(100, "leaf", *place))
        return leaf if leaf is not None else self._object(type_, wrong, *place)

    def _leaf(self, type_: str, wrong: bool, digit: int) -> Any:
        leaves: dict[str, tuple[Any, Any]] = {
            "String": (f"text {digit}", [digit]),
            "Int": (digit, 2**40 if digit % 2 else "many"),
            "Boolean": (digit % 2 == 0, "neither"),
            "Float": (float(digit) if digit % 2 else digit, float("nan")),
            "ID": (str(digit) if digit % 2 else digit, {}),
            "Kind": (list(Kind)[digit % 3], "huge"),
            "Decimal": (decimal.Decimal(digit) / 4, decimal.Decimal(digit)),
            "Date": (datetime.date(2026, 1, 1 + digit % 28), f"on {digit}"),
            "Code": (CodeValue(digit), digit),
        }
        return leaves[type_][wrong] if type_ in leaves else None

    def _object(self, type_: str, wrong: bool, *place: object) -> Any:
        if wrong and self.digit(2, "stranger", *place):
            return Stranger()
        possible = self.spec.possible(type_)
        if wrong:  # of another type
            possible = tuple(each.name for each in self.spec.objects if each.name not in possible)
        return self.row(possible[self.digit(len(possible), "type", *place)], self.digit(40, "number", *place))

    def _list(self, field: FieldSpec, item: str, *place: object) -> Any:
        if self.fails("no list", *place):
            return 17 if self.digit(2, "no list?", *place) else "text is no list"
        count = (0, 1, 2, 2, 3)[self.digit(5, "count", *place)]
        ends = self._error("late", *place) if self.fails("late", *place) else None
        items = self._items(field, item, count, ends, *place)
        if item.startswith("[") or field.container in ("list", "tuple"):
            return tuple(items) if field.container == "tuple" else list(items)
        return items if field.container == "generator" else self._slowly(items)

    def _items(
        self, field: FieldSpec, item: str, count: int, ends: Exception | None, *place: object
    ) -> Iterator[Any]:
        lazy = not item.startswith("[") and "generator" in field.container
        for index in range(count):
            here = (*place, index)
            if field.items_wait and self.digit(2, "wait", *here):
                yield self._item(field, item, *here)
            else:
                yield self._value(field, item, *here)
        if ends is not None and lazy:
            if not self.patient:
                raise ends
            setattr(ends, LATE, True)
            yield ends

    async def _item(self, field: FieldSpec, item: str, *place: object) -> Any:
        await self.waiting(self.digit(3, "turns", *place))
        if self.fails("raise", *place):
            raise self._error(*place)
        return self._value(field, item, *place)

    async def _slowly(self, items: Iterator[Any]) -> AsyncIterator[Any]:
        await self.waiting(1)
        for each in items:
            yield each
            await asyncio.sleep(0)
