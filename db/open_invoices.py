"""Open invoices: what of a customer's invoices is still to be paid at the end of a day, by how long they are due."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, and_, bindparam, func, select

from db.balance_reports import AS_OF, GIVEN, SETTLED, Filters, bucket_of, in_currency, whose
from db.connections import Connection
from db.invoices import invoices
from db.pages import Condition, Key, Listing
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class OpenInvoice:
    """An invoice of which something is open. `total` and `open` are minor units of `currency`; `bucket` is one of
    rules.balances.AgeingBucket, `days_overdue` below one while it is not due."""

    id: UUID
    number: str
    issued_at: datetime
    due_on: date
    currency: str
    total: int
    open: int
    bucket: str
    days_overdue: int


class FirstOf(NamedTuple):
    """The first open invoices of a bucket in one currency."""

    currency: str
    bucket: str
    most: int


_OF_INVOICE = and_(
    invoices.c.tenant_id == bindparam("tenant_id"),
    invoices.c.id == SETTLED.c.settles_id,
    SETTLED.c.open > 0,
)
_open = (
    select(
        invoices.c.id,
        invoices.c.number,
        invoices.c.issued_at,
        invoices.c.due_on,
        SETTLED.c.currency,
        invoices.c.total,
        SETTLED.c.open,
        bucket_of(invoices.c.due_on).label("bucket"),
        (AS_OF - invoices.c.due_on).cast(Integer).label("days_overdue"),
    )
    .select_from(SETTLED.join(invoices, _OF_INVOICE))
    .subquery("open_invoices")
)
_every_one = select(*_open.c)
_CONDITIONS: dict[str, Condition] = {
    **GIVEN,
    "currency": _open.c.currency == bindparam("currency", type_=Text),
    "bucket": _open.c.bucket == bindparam("bucket", type_=Text),
}
ORDERS = {"DUE_ON_ASC": Key(_open.c.due_on)}
# Filters: those of a report, bucket.
_listing = Listing(OpenInvoice, lambda _: _every_one, _CONDITIONS, ORDERS, _open.c.id, whose=whose)
keys, page, count = _listing.keys, _listing.page, _listing.count

_place = func.row_number().over(
    partition_by=(_open.c.currency, _open.c.bucket), order_by=(_open.c.due_on, _open.c.id)
)
_placed = select(*_open.c, _place.label("place")).subquery("placed")
_first = Statement(
    select(*(_placed.c[field.name] for field in fields(OpenInvoice)))
    .where(_placed.c.place <= bindparam("most", type_=Integer))
    .order_by(_placed.c.due_on, _placed.c.id),
    OpenInvoice,
)
_all = Statement(
    _every_one.where(in_currency(_open.c.currency)).order_by(_open.c.currency, _open.c.due_on, _open.c.id),
    OpenInvoice,
)


async def first(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[Filters, FirstOf]]
) -> Mapping[tuple[Filters, FirstOf], list[OpenInvoice]]:
    """The first open invoices of each bucket, the longest due first; one statement for all buckets of a report."""
    found: dict[tuple[Filters, FirstOf], list[OpenInvoice]] = {key: [] for key in keys}
    for filters, most in {(filters, each.most) for filters, each in keys}:
        given = {name: value for name, value in filters if name != "currency"}
        for row in await connection.rows(_first, **given, most=most, **whose(viewer)[1]):
            if (key := (filters, FirstOf(row.currency, row.bucket, most))) in found:
                found[key].append(row)
    return found


def every(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[OpenInvoice]]:
    """All open invoices of a report, by currency, the longest due first, a chunk at a time."""
    return connection.chunks(_all, at_once, **filters, **whose(viewer)[1])
