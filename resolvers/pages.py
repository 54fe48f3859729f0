"""Connections: windows over a list by opaque cursors, as the Relay specification has them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Protocol
from uuid import UUID

import strawberry

from db.connections import Connection as DatabaseConnection
from db.pages import Key, Page, Window
from execution.levels import level
from resolvers import cursors
from resolvers.context import BatchedRead, Context
from rules.pages import DEFAULT_PAGE, LARGEST_PAGE, InvalidPage
from rules.viewers import Viewer

First = Annotated[
    int | None, strawberry.argument(description="How many from the start, 1 to 100; 20 when nothing is said.")
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


class Pageable(Protocol):
    """A module of the db floor that can be read in windows."""

    __name__: str

    def keys(self, order: Sequence[str]) -> list[Key]: ...

    async def page(
        self,
        connection: DatabaseConnection,
        viewer: Viewer,
        filters: Mapping[str, Any],
        order: tuple[str, ...],
        window: Window,
    ) -> Page: ...

    async def count(
        self, connection: DatabaseConnection, viewer: Viewer, filters: Mapping[str, Any]
    ) -> int: ...


class OfParents(Pageable, Protocol):
    """A module of the db floor whose first rows can be read for many parents at once: by a parent's key and how
    many."""

    async def first(
        self, connection: DatabaseConnection, viewer: Viewer, keys: Sequence[tuple[Any, int]]
    ) -> Mapping[tuple[Any, int], list[Any]]: ...


@dataclass(slots=True)
class Asked:
    """The window that a client asks for, as it came."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None


@dataclass(slots=True)
class Edge:
    """A row and its cursor."""

    node: Any
    cursor: str


@dataclass(slots=True)
class PageInfo:
    """What lies on either side of a window."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(slots=True)
class Connection:
    """A window over a list; cursors and the count are worked out when they are asked for."""

    source: Pageable
    filters: Mapping[str, Any]
    order: tuple[str, ...]
    page: Page
    cursor_key: bytes
    # How many there are, where that is read for many parents at once: the read, and this one's key.
    counted: tuple[BatchedRead[Any, int], Any] | None = None

    @property
    def nodes(self) -> list[Any]:
        """The rows."""
        return self.page.rows

    @property
    def edges(self) -> list[Edge]:
        """The rows with their cursors."""
        keys = self.source.keys(self.order)
        return [
            Edge(row, self._cursor(keys, position))
            for row, position in zip(self.page.rows, self.page.positions, strict=True)
        ]

    @property
    def page_info(self) -> PageInfo:
        """What lies on either side."""
        keys, positions = self.source.keys(self.order), self.page.positions
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=self._cursor(keys, positions[0]) if positions else None,
            end_cursor=self._cursor(keys, positions[-1]) if positions else None,
        )

    def _cursor(self, keys: Sequence[Key], position: Any) -> str:
        return cursors.sealed(
            self.cursor_key,
            [self.source.__name__, *self.order],
            [getattr(position, str(key.column.key)) for key in keys],
        )


@level
async def total_count(roots: Sequence[Connection], context: Context) -> list[int]:
    """Connection.totalCount: a statement of its own, run only when it is asked for; of the lists of many parents one
    for all."""
    of_parents = await context.load_any([root.counted for root in roots])
    alone = [root for root in roots if root.counted is None]
    counts = iter(
        await asyncio.gather(
            *(root.source.count(context.connection, context.signed_in, root.filters) for root in alone)
        )
    )
    return [
        next(counts) if root.counted is None else count or 0
        for root, count in zip(roots, of_parents, strict=True)
    ]


async def connection(
    context: Context,
    source: Pageable,
    filters: Mapping[str, Any],
    order: Sequence[Enum | str],
    asked: Asked,
) -> Connection:
    """The window of a source; a filter that is None is none. A list that has one order alone is given its name.
    Raises InvalidPage or InvalidCursor."""
    filters = {name: value for name, value in filters.items() if value is not None}
    names = tuple(dict.fromkeys(str(each.value if isinstance(each, Enum) else each) for each in order))
    window = _window(context.facilities.cursor_key, source, names, asked)
    page = await source.page(context.connection, context.signed_in, filters, names, window)
    return Connection(source, filters, names, page, context.facilities.cursor_key)


async def of_parents(
    context: Context,
    source: OfParents,
    parents: Sequence[tuple[Any, Mapping[str, Any]]],
    order: Sequence[str],
    asked: Asked,
    counts: BatchedRead[Any, int] | None = None,
) -> list[Connection]:
    """The windows of what belongs to each of many parents, which are said by their keys and by the filters that find
    it: the first pages come with one statement, and with `counts` so do their numbers. Raises InvalidPage or
    InvalidCursor."""
    counted = [None if counts is None else (counts, key) for key, _ in parents]
    if (asked.after, asked.last, asked.before) != (None, None, None):
        found = await asyncio.gather(
            *(connection(context, source, filters, order, asked) for _, filters in parents)
        )
        return [replace(each, counted=how) for each, how in zip(found, counted, strict=True)]
    cursor_key = context.facilities.cursor_key
    size = _window(cursor_key, source, tuple(order), asked).size
    lists = await context.load_lists(source.first, [(key, size + 1) for key, _ in parents])
    return [
        Connection(source, filters, tuple(order), _first_page(rows, size), cursor_key, how)
        for (_, filters), rows, how in zip(parents, lists, counted, strict=True)
    ]


def _first_page(rows: list[Any], size: int) -> Page:
    return Page(rows[:size], has_next=len(rows) > size, has_previous=False)


def _window(cursor_key: bytes, source: Pageable, order: tuple[str, ...], asked: Asked) -> Window:
    if asked.first is not None and asked.last is not None:
        raise InvalidPage(path=("last",))
    for name, size in (("first", asked.first), ("last", asked.last)):
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise InvalidPage(path=(name,))
    keys, list_name = source.keys(order), [source.__name__, *order]
    return Window(
        size=asked.first or asked.last or DEFAULT_PAGE,
        after=_position(cursor_key, keys, list_name, asked.after, "after"),
        before=_position(cursor_key, keys, list_name, asked.before, "before"),
        backwards=asked.last is not None,
    )


def _position(
    cursor_key: bytes, keys: Sequence[Key], list_name: Sequence[str], cursor: str | None, name: str
) -> tuple[Any, ...] | None:
    values = cursors.opened(cursor_key, list_name, len(keys), cursor, name)
    if values is None:
        return None
    return tuple(_typed(key, value) for key, value in zip(keys, values, strict=True))


def _typed(key: Key, value: Any) -> Any:
    kind = key.column.type.python_type
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    return UUID(value) if kind is UUID else value
