"""Lists over documents of all kinds: their keys in one order, read in windows; then the documents themselves.

Each kind is an arm of one UNION ALL with the filters inside. For a window each arm gives the first of its own, in the
list's order, which an index of that kind serves; the list's are the first of those. Left to itself, PostgreSQL reads and
sorts all that passes.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Label, Select, Text, Uuid, column, func, select, union_all

from db import documents
from db.connections import Connection
from db.document_filters import BESIDE, CONDITIONS, Kind, parameters
from db.pages import Key, Listing, Page, Window, windowed
from db.restrictions import WhoseDocuments, whose_documents
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class DocumentKey:
    """Which document stands where in a list. Times are UTC; the number of a draft is empty."""

    id: UUID
    issued_at: datetime
    number: str


_ID = column("id", Uuid)
_ISSUED_AT = column("issued_at", DateTime(timezone=True))
_NUMBER = column("number", Text)

ORDERS: dict[str, Key] = {
    "ISSUED_AT_ASC": Key(_ISSUED_AT),
    "ISSUED_AT_DESC": Key(_ISSUED_AT, descending=True),
    "NUMBER_ASC": Key(_NUMBER),
    "NUMBER_DESC": Key(_NUMBER, descending=True),
}


def _keys_of(kind: Kind, whose: WhoseDocuments, filters: frozenset[str]) -> Select[Any]:
    """The documents of one kind that are seen and pass the filters."""
    number = kind.table.c.number
    may_lack = number.nullable and whose is None
    return select(
        kind.table.c.id.label("id"),
        kind.issued_at.label("issued_at"),
        (func.coalesce(number, "") if may_lack else number).label("number"),
    ).where(
        *kind.conditions(whose),
        *(CONDITIONS[name](kind, whose, filters) for name in sorted(filters - BESIDE)),
    )


def _together(arms: Sequence[Select[Any]]) -> Select[Any]:
    return select(_ID, _ISSUED_AT, _NUMBER).select_from(union_all(*arms).subquery("documents"))


def _keys(whose: Any, filters: frozenset[str] = frozenset()) -> Select[Any]:
    return _together([_keys_of(kind, whose, filters) for kind in documents.KINDS])


def _first(arm: Select[Any], keys: Sequence[Key], shape: tuple[bool, bool, bool]) -> Select[Any]:
    """What an arm has in a window: its own columns, not the names that the list has for them, so that an index knows
    them."""
    own = {each.name: each.element for each in arm.selected_columns if isinstance(each, Label)}
    return windowed(arm, [Key(own[key.column.name], key.descending) for key in keys], shape)


class _Keys(Listing[DocumentKey]):
    """What a filter means, depends on the kind: it goes into the arms."""

    def filtered(self, shape: Hashable, filters: frozenset[str]) -> Select[Any]:
        """The keys of what is seen and passes."""
        return _keys(shape, filters)

    def _build_page(
        self, whose: Any, filters: frozenset[str], order: tuple[str, ...], shape: tuple[bool, bool, bool]
    ) -> Statement[DocumentKey]:
        keys = self.keys(order)
        arms = [_first(_keys_of(kind, whose, filters), keys, shape) for kind in documents.KINDS]
        return Statement(windowed(_together(arms), keys, shape), DocumentKey)


_listing = _Keys(DocumentKey, _keys, {}, ORDERS, _ID, whose=whose_documents, values=parameters)
keys, count = _listing.keys, _listing.count


async def page(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], order: tuple[str, ...], window: Window
) -> Page:
    """A window of what the viewer may see and passes the filters of db.document_filters, with two statements."""
    found = await _listing.page(connection, viewer, filters, order, window)
    rows = await documents.by_ids(connection, viewer, [each.id for each in found.rows])
    return Page([rows[each.id] for each in found.rows], found.has_next, found.has_previous, found.rows)


async def ids(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], order: tuple[str, ...], most: int
) -> list[UUID]:
    """The first of what `page` would give: their ids alone."""
    found = await _listing.page(connection, viewer, filters, order, Window(size=most))
    return [each.id for each in found.rows]
