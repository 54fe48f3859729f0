"""A statement: built with SQLAlchemy Core, compiled once, run by asyncpg, its rows slotted objects."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.expression import ClauseElement

_DIALECT = dialect()  # type: ignore[no-untyped-call]

Row = TypeVar("Row")


class TenantForgotten(Exception):
    """A statement on tenant tables does not name the tenant."""


class Statement(Generic[Row]):
    """One SQL text with its parameters by name, and what a row of it becomes.

    `row` is a dataclass whose fields are the selected columns, in that order, or a function of the
    columns, or None for a statement that returns nothing or a single value. Every statement names the tenant,
    except on the registry.
    """

    __slots__ = ("_defaults", "_names", "make", "names_tenant", "sql")

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


def _match_columns(built: Select[Any], row: Callable[..., Any]) -> None:
    selected = [column.name for column in built.selected_columns]
    expected = [field.name for field in fields(row)]  # type: ignore[arg-type]
    if selected != expected:
        raise TypeError(f"{row.__name__} has the fields {expected}, its statement selects {selected}")
