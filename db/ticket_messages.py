"""Ticket messages: what was said, and the notes that only the company's staff sees. They never change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    not_,
    select,
    true,
)

from db import events
from db.connections import Connection, many_each, one_each
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import checked, leads_to, refers_to, tenant_table
from db.tickets import OF_OWN_CUSTOMER, support_tickets, whose
from rules.viewers import Viewer

ticket_messages = tenant_table(
    "ticket_messages",
    Column("id", Uuid, nullable=False),
    Column("ticket_id", Uuid, nullable=False),
    Column("account_id", Uuid),  # who wrote it: an account or a staff member
    Column("staff_member_id", Uuid),
    Column("author", Text, nullable=False),  # that one's name
    Column("text", Text, nullable=False),
    Column("internal", Boolean, nullable=False),  # for the staff alone
    Column("at", DateTime(timezone=True), nullable=False),
    refers_to("support_tickets", "ticket_id", name="ticket_messages_ticket_fkey"),
    refers_to("accounts", "account_id", name="ticket_messages_account_fkey"),
    CheckConstraint("num_nonnulls(account_id, staff_member_id) = 1", name="ticket_messages_author_check"),
    CheckConstraint("not internal or staff_member_id is not null", name="ticket_messages_internal_check"),
    Index("ticket_messages_ticket_idx", "tenant_id", "ticket_id", "at", "id"),
)


@dataclass(slots=True)
class SupportMessage:
    """Something that somebody said about a ticket, or an internal note. `at` is UTC."""

    id: UUID
    ticket_id: UUID
    account_id: UUID | None
    staff_member_id: UUID | None
    author: str
    text: str
    internal: bool
    at: datetime


_NAMES = names_of(SupportMessage)
_every_one = select(*(ticket_messages.c[name] for name in _NAMES)).where(
    ticket_messages.c.tenant_id == bindparam("tenant_id")
)
_OF_TICKET = leads_to(ticket_messages.c.ticket_id, support_tickets)
# By db.tickets.whose: for the staff all; a customer sees what was said about its tickets, and no notes.
_VISIBLE: dict[str, Select[Any]] = {
    "all": _every_one,
    "own": _every_one.join(support_tickets, _OF_TICKET).where(
        checked(OF_OWN_CUSTOMER), not_(ticket_messages.c.internal)
    ),
}
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_by_ids = {
    shape: Statement(visible.where(ticket_messages.c.id == any_(_IDS)), SupportMessage)
    for shape, visible in _VISIBLE.items()
}


async def by_ids(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, SupportMessage]:
    """The messages among the ids that the viewer may see."""
    shape, mine = whose(viewer)
    return one_each(await connection.rows(_by_ids[shape], ids=ids, **mine), "id")


_CONDITIONS: dict[str, Condition] = {
    "ticket_id": ticket_messages.c.ticket_id == bindparam("ticket_id", type_=Uuid),
}
ORDERS = {"AT_ASC": Key(ticket_messages.c.at)}
# Filters: ticket_id.
_listing = Listing(
    SupportMessage, _VISIBLE.__getitem__, _CONDITIONS, ORDERS, ticket_messages.c.id, whose=whose
)
keys, page, count = _listing.keys, _listing.page, _listing.count

_asked = func.unnest(_IDS).table_valued(column("of_ticket_id", Uuid)).render_derived(name="asked")


def _first_of(visible: Select[Any]) -> Statement[SupportMessage]:
    found = (
        visible.where(ticket_messages.c.ticket_id == _asked.c.of_ticket_id)
        .order_by(ticket_messages.c.at, ticket_messages.c.id)
        .limit(bindparam("most", type_=Integer))
        .lateral("found")
    )
    return Statement(
        select(*(found.c[name] for name in _NAMES)).join_from(_asked, found, true()), SupportMessage
    )


def _counts_of(visible: Select[Any]) -> Statement[tuple[UUID, int]]:
    found = visible.where(ticket_messages.c.ticket_id == any_(_IDS)).subquery("found")
    return Statement(
        select(found.c.ticket_id, func.count()).group_by(found.c.ticket_id), lambda *values: values
    )


_first = {shape: _first_of(visible) for shape, visible in _VISIBLE.items()}
_counts = {shape: _counts_of(visible) for shape, visible in _VISIBLE.items()}


async def first(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[UUID, int]]
) -> Mapping[tuple[UUID, int], list[SupportMessage]]:
    """The first visible messages of tickets, oldest first: so many of each."""
    shape, mine = whose(viewer)
    found: dict[tuple[UUID, int], list[SupportMessage]] = {}
    for most in {each for _, each in keys}:
        ids = [key for key, each in keys if each == most]
        rows = await connection.rows(_first[shape], ids=ids, most=most, **mine)
        messages = many_each(rows, ids, "ticket_id")
        found |= {(key, most): messages[key] for key in ids}
    return found


async def counts(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many messages of each ticket the viewer may see."""
    shape, mine = whose(viewer)
    return dict(await connection.rows(_counts[shape], ids=ids, **mine))


_add = Statement[None](insert_rows(ticket_messages, _NAMES))


async def add(connection: Connection, new: SupportMessage) -> None:
    """Keep a new message, and tell whoever watches."""
    await connection.run(_add, **as_columns([new], _NAMES))
    await events.notify(connection, "SupportMessage", [new.id])
