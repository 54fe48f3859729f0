"""Keyset pages: rows in a total order, from a position on, without counting and without offsets."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy import Integer as IntegerType

from db.connections import Connection
from db.statements import Statement
from rules.viewers import Viewer

Row = TypeVar("Row")


class Key(NamedTuple):
    """One part of an order: a column that is never null, and its direction."""

    column: ColumnElement[Any]
    descending: bool = False


@dataclass(slots=True, frozen=True)
class Window:
    """Which rows are asked for: `size` of them after and before positions, from the end if `backwards`.

    A position is the values of the order's keys in a row.
    """

    size: int
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    backwards: bool = False

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """What of the window changes the statement's text: has after, has before, backwards."""
        return self.after is not None, self.before is not None, self.backwards


def windowed(query: Select[Any], keys: Sequence[Key], shape: tuple[bool, bool, bool]) -> Select[Any]:
    """The query in the order of the keys, from the window's positions on, one row longer than its size."""
    has_after, has_before, backwards = shape
    if has_after:
        query = query.where(_beyond(keys, "after", forward=True))
    if has_before:
        query = query.where(_beyond(keys, "before", forward=False))
    for key in keys:
        descending = key.descending != backwards
        query = query.order_by(key.column.desc() if descending else key.column.asc())
    return query.limit(bindparam("row_limit", type_=IntegerType()))


def _beyond(keys: Sequence[Key], name: str, *, forward: bool) -> ColumnElement[bool]:
    given = [bindparam(f"{name}_{i}", type_=key.column.type) for i, key in enumerate(keys)]
    ups = [key.descending != forward for key in keys]
    if len(set(ups)) == 1:  # one direction: a row comparison, which an index answers as it stands
        row, position = tuple_(*(key.column for key in keys)), tuple_(*given)
        return row > position if ups[0] else row < position
    steps = []
    for i, (key, value, up) in enumerate(zip(keys, given, ups, strict=True)):
        equal_so_far = [keys[j].column == given[j] for j in range(i)]
        steps.append(and_(*equal_so_far, key.column > value if up else key.column < value))
    return or_(*steps)


@dataclass(slots=True)
class Page:
    """The rows of a window in the order asked for, and whether there are more on either side.

    `placed` has the order's keys for each row; None: the rows have them themselves.
    """

    rows: list[Any]
    has_next: bool
    has_previous: bool
    placed: list[Any] | None = None

    @property
    def positions(self) -> list[Any]:
        """What has the order's keys, for each row."""
        return self.rows if self.placed is None else self.placed


Condition: TypeAlias = ColumnElement[bool] | Callable[[Any], ColumnElement[bool]]
# What decides the text of the query for whoever asks, and the parameters that come with it.
Whose: TypeAlias = tuple[Hashable, Mapping[str, Any]]


def _everybodys(_viewer: Viewer) -> Whose:
    return None, {}


class Listing(Generic[Row]):
    """A list that can be filtered, ordered and read in windows; each combination is compiled once.

    `visible` gives the query for whoever asks, by a name or shape that decides its text and that `whose` knows;
    `conditions` are the filters (a function of that shape where it matters) and `orders` the orders, both by
    name; `id_column` makes every order total. `values` turns filters into the conditions' parameters, where
    they are not the same.
    """

    def __init__(
        self,
        row: Callable[..., Row],
        visible: Callable[[Any], Select[Any]],
        conditions: Mapping[str, Condition],
        orders: Mapping[str, Key],
        id_column: ColumnElement[UUID],
        *,
        whose: Callable[[Viewer], Whose] = _everybodys,
        values: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        self._row = row
        self._visible = visible
        self._conditions = conditions
        self._orders = orders
        self._id_column = id_column
        self._whose = whose
        self._values = values
        self._page = lru_cache(maxsize=512)(self._build_page)
        self._count = lru_cache(maxsize=64)(self._build_count)

    def keys(self, order: Sequence[str]) -> list[Key]:
        """The keys of an order, given by the names of its parts and made total by the id."""
        chosen = [self._orders[name] for name in order]
        return [*chosen, Key(self._id_column, descending=bool(chosen) and chosen[-1].descending)]

    async def page(
        self,
        connection: Connection,
        viewer: Viewer,
        filters: Mapping[str, Any],
        order: tuple[str, ...],
        window: Window,
    ) -> Page:
        """A window of what the viewer may see and passes the filters, which are given by name."""
        shape, mine = self._whose(viewer)
        values = {**self._values(filters), **mine, "row_limit": window.size + 1}
        for name, position in (("after", window.after), ("before", window.before)):
            for i, value in enumerate(position or ()):
                values[f"{name}_{i}"] = value
        statement = self._page(shape, frozenset(filters), order, window.shape)
        rows = await connection.rows(statement, **statement.needed(values))
        more = len(rows) > window.size
        del rows[window.size :]
        if window.backwards:
            rows.reverse()
            return Page(rows, has_next=window.before is not None, has_previous=more)
        return Page(rows, has_next=more, has_previous=window.after is not None)

    async def count(self, connection: Connection, viewer: Viewer, filters: Mapping[str, Any]) -> int:
        """How many rows the viewer may see pass the filters."""
        shape, mine = self._whose(viewer)
        statement = self._count(shape, frozenset(filters))
        values = {**self._values(filters), **mine}
        found: int = await connection.value(statement, **statement.needed(values))
        return found

    def filtered(self, shape: Hashable, filters: frozenset[str]) -> Select[Any]:
        """What whoever asks may see and passes the filters, whose names are given."""
        conditions = (self._conditions[name] for name in sorted(filters))
        return self._visible(shape).where(
            *(each if isinstance(each, ColumnElement) else each(shape) for each in conditions)
        )

    def _build_page(
        self,
        whose: Hashable,
        filters: frozenset[str],
        order: tuple[str, ...],
        shape: tuple[bool, bool, bool],
    ) -> Statement[Row]:
        return Statement(windowed(self.filtered(whose, filters), self.keys(order), shape), self._row)

    def _build_count(self, whose: Hashable, filters: frozenset[str]) -> Statement[int]:
        return Statement(select(func.count()).select_from(self.filtered(whose, filters).subquery()))
