"""A statement: built with SQLAlchemy Core, compiled once, run by asyncpg, its rows slotted objects."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.expression import ClauseElement

_DIALECT = dialect()  # type: ignore[no-untyped-call]

# How keys are asked for, as SQLAlchemy writes it.
_AMONG_KEYS = re.compile(r"= ANY \(\$(\d+)::(\w+)\[\]\)")

Row = TypeVar("Row")


class TenantForgotten(Exception):
    """A statement on tenant tables does not name the tenant."""


class Statement(Generic[Row]):
    """One SQL text with its parameters by name, and what a row of it becomes.

    `row` is a dataclass whose fields are the selected columns, in that order, or a function of the
    columns, or None for a statement that returns nothing or a single value. Every statement names the tenant,
    except on the registry.

    Where rows are selected by a list of keys there is a second text for a list of one: PostgreSQL keeps a plan for it,
    while that for a list, made for ten keys, looks too dear for one key to be kept, and is made anew each time.
    """

    __slots__ = ("_defaults", "_keys", "_names", "_sql_of_one", "make", "names_tenant", "sql")

    def __init__(
        self, built: ClauseElement, row: Callable[..., Row] | None = None, *, registry: bool = False
    ) -> None:
        compiled = built.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self.make = row
        self._names: list[str] = list(compiled.positiontup or ())  # type: ignore[attr-defined]
        self._defaults: dict[str, Any] = dict(compiled.params)
        self.names_tenant = "tenant_id" in self._names
        if not registry and not self.names_tenant:
            raise TenantForgotten(self.sql)
        self._keys = _keys(self.sql) if isinstance(built, Select) else None
        self._sql_of_one = "" if self._keys is None else _AMONG_KEYS.sub(r"= $\1::\2", self.sql)
        if is_dataclass(row) and isinstance(built, Select):
            _match_columns(built, row)

    def needed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What of the given values are parameters of this statement."""
        return {name: value for name, value in given.items() if name in self._defaults}

    def values(self, given: dict[str, Any]) -> list[Any]:
        """The parameters in the order of the placeholders. KeyError for a name that is not one of them."""
        if not given.keys() <= self._defaults.keys():
            raise KeyError(sorted(given.keys() - self._defaults.keys()))
        defaults = self._defaults
        return [given[name] if name in given else defaults[name] for name in self._names]

    def asked(self, given: dict[str, Any]) -> tuple[str, list[Any]]:
        """The text to be run, and its parameters, like `values`."""
        values = self.values(given)
        if self._keys is None:
            return self.sql, values
        keys = values[self._keys]
        if keys is None or len(keys) != 1:
            return self.sql, values
        (values[self._keys],) = keys
        return self._sql_of_one, values


def _keys(sql: str) -> int | None:
    """Which of the parameters is the list of keys, counted from 0: that by which alone rows are looked for."""
    lists = {int(each) for each, _ in _AMONG_KEYS.findall(sql)}
    if len(lists) != 1:
        return None
    (place,) = lists
    used = len(re.findall(rf"\${place}\b", sql))
    return place - 1 if used == len(_AMONG_KEYS.findall(sql)) else None


def _match_columns(built: Select[Any], row: Callable[..., Any]) -> None:
    selected = [column.name for column in built.selected_columns]
    expected = [field.name for field in fields(row)]  # type: ignore[arg-type]
    if selected != expected:
        raise TypeError(f"{row.__name__} has the fields {expected}, its statement selects {selected}")
