"""RMA requests: what customers ask to return of what they were invoiced, and what the company decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    select,
)

from db import events
from db.connections import Connection, many_each, one_each
from db.invoices import invoices as invoices  # the foreign keys' targets
from db.lifecycle_statuses import lifecycle_statuses as lifecycle_statuses
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, checked, one_of, refers_to, tenant_table, unique
from rules.permissions import Permission
from rules.rma_requests import Resolution, RMAStage, RMAWish
from rules.viewers import Viewer

rma_requests = tenant_table(
    "rma_requests",
    Column("id", Uuid, nullable=False),
    Column("number", Text),  # taken when it is submitted: drafts can be deleted, and numbers have no gaps
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),  # who asks
    # As rules/rma_requests.py derives it from the lines; kept, so that requests are found by it.
    Column("stage", Text, nullable=False, server_default=RMAStage.DRAFT),
    Column("lifecycle_status_id", Uuid),  # empty while it is a draft
    Column("comment", Text),  # what the customer says
    Column("note", Text),  # what the company says to it
    Column("expected_on", Date),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("submitted_at", DateTime(timezone=True)),
    Column("decided_at", DateTime(timezone=True)),  # the last time
    Column("closed_at", DateTime(timezone=True)),  # by the staff, before all of it was done
    Column("version", Integer, nullable=False, server_default="1"),
    unique("number", name="rma_requests_number_key"),
    refers_to("customers", "customer_id", name="rma_requests_customer_fkey"),
    refers_to("invoices", "invoice_id", name="rma_requests_invoice_fkey"),
    refers_to("accounts", "account_id", name="rma_requests_account_fkey"),
    refers_to("lifecycle_statuses", "lifecycle_status_id", name="rma_requests_lifecycle_status_fkey"),
    one_of("stage", list(RMAStage), name="rma_requests_stage_check"),
    CheckConstraint(
        "(stage = 'DRAFT') = (submitted_at is null) and (submitted_at is null) = (number is null) "
        "and (number is null) = (lifecycle_status_id is null)",
        name="rma_requests_submitted_check",
    ),
    Index("rma_requests_created_at_idx", "tenant_id", "created_at", "id"),
    Index("rma_requests_customer_idx", "tenant_id", "customer_id", "created_at", "id"),
    Index("rma_requests_stage_idx", "tenant_id", "stage", "created_at", "id"),
    Index("rma_requests_invoice_idx", "tenant_id", "invoice_id"),
)

# A line is one line of the invoice, each at most once; it keeps its own copy of what that was.
rma_request_lines = tenant_table(
    "rma_request_lines",
    Column("rma_request_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("invoice_position", Integer, nullable=False),
    Column("product_id", Uuid),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),  # asked
    Column("problem", Text, nullable=False),
    Column("serial_number", Text),
    Column("wish", Text),
    Column("resolution", Text),  # empty until it is decided
    Column("authorised_quantity", QUANTITY),
    Column("reason", Text),  # why it is declined, or granted in part
    refers_to("rma_requests", "rma_request_id", name="rma_request_lines_rma_request_fkey"),
    unique("rma_request_id", "invoice_position", name="rma_request_lines_invoice_position_key"),
    CheckConstraint("quantity > 0", name="rma_request_lines_quantity_check"),
    CheckConstraint(
        "authorised_quantity > 0 and authorised_quantity <= quantity",
        name="rma_request_lines_authorised_check",
    ),
    CheckConstraint("resolution <> 'DECLINED' or reason is not null", name="rma_request_lines_reason_check"),
    one_of("wish", list(RMAWish), name="rma_request_lines_wish_check"),
    one_of("resolution", list(Resolution), name="rma_request_lines_resolution_check"),
    key=("rma_request_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class RMARequest:
    """A customer's request to return goods of one invoice. Times are UTC; `stage` is one of rules.rma_requests.RMAStage."""

    id: UUID
    number: str | None
    customer_id: UUID
    invoice_id: UUID
    account_id: UUID
    stage: str
    lifecycle_status_id: UUID | None
    comment: str | None
    note: str | None
    expected_on: date | None
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    closed_at: datetime | None
    version: int


@dataclass(slots=True)
class RMARequestLine:
    """What is asked of one line of the invoice, and what was decided; quantities of the line's unit."""

    rma_request_id: UUID
    position: int
    invoice_position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    problem: str
    serial_number: str | None
    wish: str | None
    resolution: str | None
    authorised_quantity: Decimal | None
    reason: str | None


_OF_TENANT = rma_requests.c.tenant_id == bindparam("tenant_id")
_every_one = select(*(rma_requests.c[name] for name in names_of(RMARequest))).where(_OF_TENANT)


_OWN = rma_requests.c.customer_id == bindparam("own_customer_id", type_=Uuid)


def visible(*, to_staff: bool) -> Select[Any]:
    """The requests that are seen: a customer's own; the staff's those that were submitted."""
    if to_staff:
        return _every_one.where(rma_requests.c.stage != RMAStage.DRAFT.value)
    return _every_one.where(_OWN)


def _whose(viewer: Viewer) -> tuple[bool, dict[str, Any]]:
    """Whether it is the staff's view of requests, and its parameters."""
    if viewer.oversees(Permission.RMA_REQUESTS_READ):
        return True, {}
    return False, {"own_customer_id": viewer.customer_id}


def _both(found: ColumnElement[bool]) -> dict[bool, Statement[RMARequest]]:
    return {
        True: Statement(visible(to_staff=True).where(found), RMARequest),
        False: Statement(_every_one.where(found, checked(_OWN)), RMARequest),
    }


_BY_IDS = _both(rma_requests.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_BY_NUMBERS = _both(rma_requests.c.number == any_(bindparam("numbers", type_=ARRAY(Text))))


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, RMARequest]:
    """The requests among the ids that the viewer may see: a customer's own, for the staff all but drafts."""
    to_staff, mine = _whose(viewer)
    return one_each(await connection.rows(_BY_IDS[to_staff], ids=ids, **mine), "id")


async def by_numbers(
    connection: Connection, viewer: Viewer, numbers: Sequence[str]
) -> Mapping[str, RMARequest]:
    """The requests among the numbers that the viewer may see."""
    to_staff, mine = _whose(viewer)
    return one_each(await connection.rows(_BY_NUMBERS[to_staff], numbers=numbers, **mine), "number")


_CONDITIONS: dict[str, Condition] = {
    "stages": rma_requests.c.stage == any_(bindparam("stages", type_=ARRAY(Text))),
    "number": rma_requests.c.number.op("^@")(bindparam("number", type_=Text)),
    "customer_id": rma_requests.c.customer_id == bindparam("customer_id", type_=Uuid),
    "invoice_id": rma_requests.c.invoice_id == bindparam("invoice_id", type_=Uuid),
    "product_id": exists().where(
        rma_request_lines.c.tenant_id == rma_requests.c.tenant_id,
        rma_request_lines.c.rma_request_id == rma_requests.c.id,
        rma_request_lines.c.product_id == bindparam("product_id", type_=Uuid),
    ),
    "submitted_from": rma_requests.c.submitted_at
    >= bindparam("submitted_from", type_=DateTime(timezone=True)),
    "submitted_before": rma_requests.c.submitted_at
    < bindparam("submitted_before", type_=DateTime(timezone=True)),
}
ORDERS: dict[str, Key] = {
    "CREATED_AT_ASC": Key(rma_requests.c.created_at),
    "CREATED_AT_DESC": Key(rma_requests.c.created_at, descending=True),
}
# Filters: stages, number (its beginning), customer_id, invoice_id, product_id (of some line), submitted_from (UTC, from
# this moment on), submitted_before (UTC, that moment excluded).
_listing = Listing(
    RMARequest,
    lambda to_staff: visible(to_staff=to_staff),
    _CONDITIONS,
    ORDERS,
    rma_requests.c.id,
    whose=_whose,
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_lines_of = Statement(
    select(*(rma_request_lines.c[name] for name in names_of(RMARequestLine)))
    .where(
        rma_request_lines.c.tenant_id == bindparam("tenant_id"),
        rma_request_lines.c.rma_request_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(rma_request_lines.c.rma_request_id, rma_request_lines.c.position),
    RMARequestLine,
)


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[RMARequestLine]]:
    """The lines of each request, by position. Ask for requests that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "rma_request_id")


_NEW = names_of(RMARequest)
_NEW_LINE = names_of(RMARequestLine)
_add = Statement[None](insert_rows(rma_requests, _NEW))
_add_lines = Statement[None](insert_rows(rma_request_lines, _NEW_LINE))


async def add(connection: Connection, new: RMARequest, lines: Sequence[RMARequestLine]) -> None:
    """Keep a new request with its lines, and tell whoever watches."""
    await connection.run(_add, **as_columns([new], _NEW))
    await add_lines(connection, lines)
    await announce(connection, [new.id])


async def add_lines(connection: Connection, lines: Sequence[RMARequestLine]) -> None:
    """Keep lines of a request that has none."""
    await connection.run(_add_lines, **as_columns(lines, _NEW_LINE))


async def announce(connection: Connection, ids: Sequence[UUID]) -> None:
    """Tell whoever watches that requests have changed, once this transaction has committed."""
    await events.notify(connection, "RMARequest", ids)
