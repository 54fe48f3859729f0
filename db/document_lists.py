"""Lists over documents of all kinds: their keys in one order, read in windows; then the documents themselves.

Each kind is an arm of one UNION ALL with the filters inside, so that an index in the order serves each of them and
PostgreSQL merges what they give.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Select, Text, Uuid, column, func, select, union_all

from db import documents
from db.connections import Connection
from db.document_filters import BESIDE, CONDITIONS, Kind, parameters
from db.pages import Key, Listing, Page, Window
from db.restrictions import WhoseDocuments, whose_documents
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
    may_lack = kind.table.c.number.nullable and whose is None
    return select(
        kind.table.c.id.label("id"),
        kind.issued_at.label("issued_at"),
        (func.coalesce(number, "") if may_lack else number).label("number"),
    ).where(
        *kind.conditions(whose),
        *(CONDITIONS[name](kind, whose, filters) for name in sorted(filters - BESIDE)),
    )


def _keys(whose: Any, filters: frozenset[str] = frozenset()) -> Select[Any]:
    arms = [_keys_of(kind, whose, filters) for kind in documents.KINDS]
    return select(_ID, _ISSUED_AT, _NUMBER).select_from(union_all(*arms).subquery("documents"))


class _Keys(Listing[DocumentKey]):
    """What a filter means, depends on the kind: it goes into the arms."""

    def filtered(self, shape: Hashable, filters: frozenset[str]) -> Select[Any]:
        """The keys of what is seen and passes."""
        return _keys(shape, filters)


_listing = _Keys(DocumentKey, _keys, {}, ORDERS, _ID, whose=whose_documents, values=parameters)
keys, count = _listing.keys, _listing.count


async def page(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], order: tuple[str, ...], window: Window
) -> Page:
    """A window of what the viewer may see and passes the filters of db.document_filters, with two statements."""
    found = await _listing.page(connection, viewer, filters, order, window)
    rows = await documents.by_ids(connection, viewer, [each.id for each in found.rows])
    return Page([rows[each.id] for each in found.rows], found.has_next, found.has_previous, found.rows)
