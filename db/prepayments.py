"""Prepayments: what a customer has paid ahead at the end of a day: what lies on account, document by document, and what
was paid beyond invoices."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, func, literal_column, select, union_all

from db.balance_reports import COUNTED, GIVEN, Filters, in_currency, total, whose
from db.connections import Connection
from db.movement_documents import DOCUMENT_ID, DOCUMENT_TYPE, number_of
from db.movements import movements
from db.pages import Condition, Key, Listing
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class Prepayment:
    """An invoice that was paid beyond its total (`document_type` is Invoice), or a payment or credit note of which
    something lies on account. `amount` is in minor units of `currency`; of a refund from the account it is below
    zero. `since` is when its first movement was, in UTC; `filters` are those of the report."""

    id: UUID
    document_type: str
    number: str
    since: datetime
    currency: str
    amount: int
    filters: Filters = frozenset()


@dataclass(slots=True)
class PrepaymentSource:
    """What a payment or credit note brought to an invoice, in minor units; of a refund it is below zero."""

    settles_id: UUID
    document_id: UUID
    document_type: str
    document_number: str
    amount: int
    currency: str


_SINCE = func.min(movements.c.moved_at).label("since")
_AHEAD = -total(movements.c.amount)
_grouped = union_all(
    select(
        movements.c.settles_id.label("ahead_id"),
        literal_column("'Invoice'", Text).label("document_type"),
        _SINCE,
        movements.c.currency,
        _AHEAD.label("amount"),
    )
    .where(*COUNTED, movements.c.settles_id.is_not(None))
    .group_by(movements.c.settles_id, movements.c.currency)
    .having(func.sum(movements.c.amount) < 0),
    select(
        DOCUMENT_ID.label("ahead_id"),
        DOCUMENT_TYPE.label("document_type"),
        _SINCE,
        movements.c.currency,
        _AHEAD.label("amount"),
    )
    .where(*COUNTED, movements.c.settles_id.is_(None))
    .group_by(literal_column("ahead_id"), literal_column("document_type"), movements.c.currency)
    .having(func.sum(movements.c.amount) != 0),
).subquery("ahead")
_every_one = select(
    _grouped.c.ahead_id.label("id"),
    _grouped.c.document_type,
    number_of(_grouped.c.ahead_id).label("number"),
    _grouped.c.since,
    _grouped.c.currency,
    _grouped.c.amount,
)


def _row(*values: Any) -> Prepayment:
    return Prepayment(*values)


_CONDITIONS: dict[str, Condition] = {
    **GIVEN,
    "currency": _grouped.c.currency == bindparam("currency", type_=Text),
}
ORDERS = {"SINCE_ASC": Key(_grouped.c.since)}
# Filters: those of a report.
_listing = Listing(
    _row, lambda _: _every_one, _CONDITIONS, ORDERS, _grouped.c.ahead_id.label("id"), whose=whose
)
keys, page, count = _listing.keys, _listing.page, _listing.count
_all = Statement(
    _every_one.where(in_currency(_grouped.c.currency)).order_by(
        _grouped.c.currency, _grouped.c.since, _grouped.c.ahead_id
    ),
    _row,
)

_settling = (
    select(
        movements.c.settles_id,
        DOCUMENT_ID.label("document_id"),
        DOCUMENT_TYPE.label("document_type"),
        _AHEAD.label("amount"),
        movements.c.currency,
        _SINCE,
    )
    .where(
        *COUNTED,
        movements.c.settles_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        movements.c.invoice_id.is_(None),
    )
    .group_by(
        movements.c.settles_id,
        literal_column("document_id"),
        literal_column("document_type"),
        movements.c.currency,
    )
    .having(func.sum(movements.c.amount) != 0)
    .subquery("settling")
)
_sources = Statement(
    select(
        _settling.c.settles_id,
        _settling.c.document_id,
        _settling.c.document_type,
        number_of(_settling.c.document_id).label("document_number"),
        _settling.c.amount,
        _settling.c.currency,
    ).order_by(_settling.c.since, _settling.c.document_id),
    PrepaymentSource,
)


async def sources(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[Filters, UUID]]
) -> Mapping[tuple[Filters, UUID], list[PrepaymentSource]]:
    """The payments and credit notes that settled each invoice, the first one first."""
    found: dict[tuple[Filters, UUID], list[PrepaymentSource]] = {key: [] for key in keys}
    for filters in {filters for filters, _ in keys}:
        values = {
            **dict(filters),
            **whose(viewer)[1],
            "ids": [key for given, key in keys if given == filters],
        }
        for row in await connection.rows(_sources, **_sources.needed(values)):
            found[filters, row.settles_id].append(row)
    return found


def every(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[Prepayment]]:
    """All prepayments of a report, by currency, the first one first, a chunk at a time."""
    values = {**filters, **whose(viewer)[1]}
    return connection.chunks(_all, at_once, **_all.needed(values))
