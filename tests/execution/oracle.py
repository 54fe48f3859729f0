"""The oracle: which errors an operation has by the specification, when the first in the document's order counts.

It asks graphql-core to run the operation on the schema's nullable twin, where nothing is lost: every output type is
nullable there, so each error stands alone. What the real types make of these errors is worked out here, over the
answer alone: an object's fields in their order, a list's items in theirs, an error of the place itself after those
below it; where a null must not be, its nearest nullable place becomes null, and what comes later below it is
not told.
"""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLError

from tests.execution.data import LATE
from tests.execution.specs import SchemaSpec

Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Told:
    """What is compared of an error."""

    path: str
    message: str
    extensions: str
    locations: str = ""


def told(error: GraphQLError) -> Told:
    """What is compared of an error, all of it."""
    formatted = error.formatted
    return Told(
        repr(formatted.get("path")),
        formatted["message"],
        repr(formatted.get("extensions")),
        repr(formatted.get("locations")),
    )


_NULL_TEXT = "Cannot return null for non-nullable field *."
_NULL = re.compile(r"^Cannot return null for non-nullable field \w+\.")


def roughly(error: Told) -> Told:
    """An error as the oracle can tell it: it does not know of which type an object is, nor where a null is written."""
    if _NULL.match(error.message):
        return Told(error.path, _NULL.sub(_NULL_TEXT, error.message), "None")
    return error


class _Nulled(Exception):
    """The place is null, and must not be."""


class Oracle:
    """The errors that may be, and of them those that are told."""

    def __init__(
        self,
        spec: SchemaSpec,
        fields: dict[str, str],
        data: dict[str, Any] | None,
        errors: Sequence[GraphQLError],
    ) -> None:
        self._spec = spec
        self._fields = fields
        self._late: set[Path] = set()  # items that stand for the failure of their list
        self._errors: dict[Path, Told] = {}
        for each in errors:
            path, one = tuple(each.path or ()), told(each)
            if getattr(each.original_error or each, LATE, False):
                self._late.add(path)
                path, one = path[:-1], replace(one, path=repr([*path[:-1]]))
            self._errors[path] = one
        self.told: list[Told] = []
        self.possible = set(self._errors.values())
        self.data: Any = None
        try:
            self.data = self._object(data or {}, ())
        except _Nulled:
            self.data = None

    def _object(self, answer: dict[str, Any], path: Path) -> dict[str, Any]:
        completed: dict[str, Any] = {}
        nulled = False
        for key, value in answer.items():
            name = self._fields.get(key, key)
            if name == "__typename":
                completed[key] = value
                continue
            type_ = self._spec.names[name].type
            if nulled:  # what is possible there is worth knowing, but it is not told
                self._quietly(value, type_, (*path, key))
                continue
            try:
                completed[key] = self._complete(value, type_, (*path, key))
            except _Nulled:
                nulled = True
        if nulled:
            raise _Nulled
        return completed

    def _complete(self, value: Any, type_: str, path: Path) -> Any:
        """The value for the real type. Raises _Nulled."""
        bare = type_.removesuffix("!")
        try:
            completed = self._below(value, bare, path)
            own = self._errors.get(path)
            if own is None and value is None and bare != type_:
                own = self._null(path)
            if own is not None:
                self.told.append(own)
                raise _Nulled
        except _Nulled:
            if bare != type_:
                raise
            return None
        return completed

    def _below(self, value: Any, bare: str, path: Path) -> Any:
        if isinstance(value, dict):
            return self._object(value, path)
        if not bare.startswith("["):
            return value
        completed: list[Any] = []
        nulled = False
        for index, item in enumerate(value or ()):
            if (*path, index) in self._late:
                continue
            if nulled:
                self._quietly(item, bare[1:-1], (*path, index))
                continue
            try:
                completed.append(self._complete(item, bare[1:-1], (*path, index)))
            except _Nulled:
                nulled = True
        if nulled:
            raise _Nulled
        return None if value is None else completed

    def _quietly(self, value: Any, type_: str, path: Path) -> None:
        kept = len(self.told)
        with contextlib.suppress(_Nulled):
            self._complete(value, type_, path)
        del self.told[kept:]

    def _null(self, path: Path) -> Told:
        key = next(each for each in reversed(path) if isinstance(each, str))
        error = Told(repr(list(path)), f"{_NULL_TEXT}{self._fields.get(key, key)}.", "None")
        self.possible.add(error)
        return error
