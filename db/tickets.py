"""Tickets: customers' questions, what they are about, and for whom they wait. What is said is in db/ticket_messages.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    column,
    false,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import checked, one_of, refers_to, tenant_table, unique
from db.words import patterns
from rules.permissions import Permission
from rules.tickets import ABOUT, TicketState
from rules.viewers import Viewer

# An object that can be asked about: its type and its key.
About: TypeAlias = tuple[str, UUID]

support_tickets = tenant_table(
    "support_tickets",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid),  # who opened it: an account or a staff member
    Column("staff_member_id", Uuid),
    Column("opened_by", Text, nullable=False),  # that one's name
    Column("subject", Text, nullable=False),
    Column("about_type", Text),  # no foreign key: it may lead to any of a dozen tables (docs/decisions/0031)
    Column("about_id", Uuid),
    Column("state", Text, nullable=False),
    Column("assignee_id", Uuid),  # the staff member who takes care of it
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("last_message_at", DateTime(timezone=True), nullable=False),  # of those that both sides see
    Column("first_answered_at", DateTime(timezone=True)),
    Column("resolved_at", DateTime(timezone=True)),  # when it was closed, as long as it is
    Column("first_answer_due_at", DateTime(timezone=True)),
    Column("resolution_due_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    # How often it changed hands: the staff's version counts that too, the customer's does not.
    Column("assignments", Integer, nullable=False),
    unique("number", name="support_tickets_number_key"),
    refers_to("customers", "customer_id", name="support_tickets_customer_fkey"),
    refers_to("accounts", "account_id", name="support_tickets_account_fkey"),
    one_of("state", list(TicketState), name="support_tickets_state_check"),
    one_of("about_type", ABOUT, name="support_tickets_about_type_check"),
    CheckConstraint("(about_type is null) = (about_id is null)", name="support_tickets_about_check"),
    CheckConstraint("num_nonnulls(account_id, staff_member_id) = 1", name="support_tickets_opened_check"),
    CheckConstraint("(state = 'CLOSED') = (resolved_at is not null)", name="support_tickets_resolved_check"),
    Index("support_tickets_opened_at_idx", "tenant_id", "opened_at", "id"),
    Index("support_tickets_last_message_at_idx", "tenant_id", "last_message_at", "id"),
    Index("support_tickets_customer_idx", "tenant_id", "customer_id", "last_message_at", "id"),
    Index("support_tickets_state_idx", "tenant_id", "state", "last_message_at", "id"),
    Index("support_tickets_assignee_idx", "tenant_id", "assignee_id", "last_message_at", "id"),
    Index("support_tickets_about_idx", "tenant_id", "about_id", "last_message_at", "id"),
)


@dataclass(slots=True)
class SupportTicket:
    """A question to the company. Times are UTC; `state` is one of rules.tickets.TicketState."""

    id: UUID
    number: str
    customer_id: UUID
    account_id: UUID | None
    staff_member_id: UUID | None
    opened_by: str
    subject: str
    about_type: str | None
    about_id: UUID | None
    state: str
    assignee_id: UUID | None
    opened_at: datetime
    last_message_at: datetime
    first_answered_at: datetime | None
    resolved_at: datetime | None
    first_answer_due_at: datetime | None
    resolution_due_at: datetime | None
    version: int
    assignments: int

    @property
    def about(self) -> About | None:
        """What it is about."""
        if self.about_type is None or self.about_id is None:
            return None
        return self.about_type, self.about_id


_NAMES = names_of(SupportTicket)
_OF_TENANT = support_tickets.c.tenant_id == bindparam("tenant_id")
_every_one = select(*(support_tickets.c[name] for name in _NAMES)).where(_OF_TENANT)
OF_OWN_CUSTOMER = support_tickets.c.customer_id == bindparam("own_customer_id", type_=Uuid)
_VISIBLE: dict[str, Select[Any]] = {"all": _every_one, "own": _every_one.where(OF_OWN_CUSTOMER)}


def whose(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """Whose tickets a viewer sees, and the parameter: its customer's, or for staff all; without tickets:read none."""
    if viewer.oversees(Permission.TICKETS_READ):
        return "all", {}
    return "own", {"own_customer_id": viewer.customer_id if viewer.may(Permission.TICKETS_READ) else None}


_with_ids = _every_one.where(support_tickets.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_by_ids = {
    "all": Statement(_with_ids, SupportTicket),
    "own": Statement(_with_ids.where(checked(OF_OWN_CUSTOMER)), SupportTicket),
}
_by_numbers = {
    shape: Statement(
        visible.where(support_tickets.c.number == any_(bindparam("numbers", type_=ARRAY(Text)))),
        SupportTicket,
    )
    for shape, visible in _VISIBLE.items()
}


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, SupportTicket]:
    """The tickets among the ids that the viewer may see."""
    shape, mine = whose(viewer)
    return one_each(await connection.rows(_by_ids[shape], ids=ids, **mine), "id")


async def by_numbers(
    connection: Connection, viewer: Viewer, numbers: Sequence[str]
) -> Mapping[str, SupportTicket]:
    """The tickets among the numbers that the viewer may see."""
    shape, mine = whose(viewer)
    return one_each(await connection.rows(_by_numbers[shape], numbers=numbers, **mine), "number")


# What rules.tickets.Promises calls overdue.
_OVERDUE = and_(
    support_tickets.c.resolved_at.is_(None),
    or_(
        and_(
            support_tickets.c.first_answered_at.is_(None),
            func.coalesce(support_tickets.c.first_answer_due_at < func.now(), false()),
        ),
        func.coalesce(support_tickets.c.resolution_due_at < func.now(), false()),
    ),
)


_NEVER = support_tickets.c.id.is_(None)  # the word false would take the tenant out of the statement with it


def _of_staff(condition: ColumnElement[bool]) -> Condition:
    """A condition on what customers are not told: whatever they ask for, they find nothing by it."""
    return lambda shape: condition if shape == "all" else _NEVER


_CONDITIONS: dict[str, Condition] = {
    "number": support_tickets.c.number.op("^@")(bindparam("number", type_=Text)),
    "states": support_tickets.c.state == any_(bindparam("states", type_=ARRAY(Text))),
    "customer_id": support_tickets.c.customer_id == bindparam("customer_id", type_=Uuid),
    "assignee_id": _of_staff(support_tickets.c.assignee_id == bindparam("assignee_id", type_=Uuid)),
    "assigned": _of_staff(support_tickets.c.assignee_id.is_not(None)),
    "unassigned": _of_staff(support_tickets.c.assignee_id.is_(None)),
    "about_type": support_tickets.c.about_type == bindparam("about_type", type_=Text),
    "about_id": support_tickets.c.about_id == bindparam("about_id", type_=Uuid),
    "search": func.lower(support_tickets.c.subject, type_=Text).op("like")(
        all_(bindparam("patterns", type_=ARRAY(Text)))
    ),
    "overdue": _OVERDUE,
    "not_overdue": not_(_OVERDUE),
    "opened_from": support_tickets.c.opened_at >= bindparam("opened_from", type_=DateTime(timezone=True)),
    "opened_before": support_tickets.c.opened_at < bindparam("opened_before", type_=DateTime(timezone=True)),
}
ORDERS: dict[str, Key] = {
    "LAST_MESSAGE_AT_ASC": Key(support_tickets.c.last_message_at),
    "LAST_MESSAGE_AT_DESC": Key(support_tickets.c.last_message_at, descending=True),
    "OPENED_AT_ASC": Key(support_tickets.c.opened_at),
    "OPENED_AT_DESC": Key(support_tickets.c.opened_at, descending=True),
    "NUMBER_ASC": Key(support_tickets.c.number),
    "NUMBER_DESC": Key(support_tickets.c.number, descending=True),
}


def _values(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**filters, "patterns": patterns(str(filters.get("search", "")))}


# Filters: number (its beginning), states, customer_id, about_type and about_id, search (all of these words are in the
# subject), opened_from (UTC, from this moment on), opened_before (that moment excluded); assignee_id, for staff;
# overdue and not_overdue, assigned and unassigned (whatever they say).
_listing = Listing(
    SupportTicket,
    _VISIBLE.__getitem__,
    _CONDITIONS,
    ORDERS,
    support_tickets.c.id,
    whose=whose,
    values=_values,
)
keys, page, count = _listing.keys, _listing.page, _listing.count

_asked = (
    func.unnest(bindparam("types", type_=ARRAY(Text)), bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued(column("of_type", Text), column("of_id", Uuid))
    .render_derived(name="asked")
)
_ABOUT_ASKED = and_(
    support_tickets.c.about_type == _asked.c.of_type, support_tickets.c.about_id == _asked.c.of_id
)


def _first_of(visible: Select[Any]) -> Statement[SupportTicket]:
    found = (
        visible.where(_ABOUT_ASKED)
        .order_by(support_tickets.c.last_message_at.desc(), support_tickets.c.id.desc())
        .limit(bindparam("most", type_=Integer))
        .lateral("found")
    )
    return Statement(
        select(*(found.c[name] for name in _NAMES)).join_from(_asked, found, true()), SupportTicket
    )


def _counts_of(visible: Select[Any]) -> Statement[tuple[str, UUID, int]]:
    found = visible.join(_asked, _ABOUT_ASKED).subquery("found")
    return Statement(
        select(found.c.about_type, found.c.about_id, func.count()).group_by(
            found.c.about_type, found.c.about_id
        ),
        lambda *values: values,
    )


_first = {shape: _first_of(visible) for shape, visible in _VISIBLE.items()}
_counts = {shape: _counts_of(visible) for shape, visible in _VISIBLE.items()}


async def first(
    connection: Connection, viewer: Viewer, keys: Sequence[tuple[About, int]]
) -> Mapping[tuple[About, int], list[SupportTicket]]:
    """The visible tickets about objects, with the newest words first: so many of each."""
    shape, mine = whose(viewer)
    found: dict[tuple[About, int], list[SupportTicket]] = {key: [] for key in keys}
    for most in {each for _, each in keys}:
        asked = [about for about, each in keys if each == most]
        for ticket in await connection.rows(_first[shape], most=most, **_named(asked), **mine):
            about = ticket.about
            assert about is not None, "it was found by that"
            found[about, most].append(ticket)
    return found


async def counts(connection: Connection, viewer: Viewer, keys: Sequence[About]) -> Mapping[About, int]:
    """How many visible tickets there are about each object."""
    shape, mine = whose(viewer)
    rows = await connection.rows(_counts[shape], **_named(keys), **mine)
    return {(type_name, key): how_many for type_name, key, how_many in rows}


def _named(abouts: Sequence[About]) -> dict[str, list[Any]]:
    return {"types": [name for name, _ in abouts], "ids": [key for _, key in abouts]}


_moment = Statement[datetime](
    select(func.clock_timestamp(type_=DateTime(timezone=True))).where(
        bindparam("tenant_id", type_=Uuid).is_not(None)
    )
)
_add = Statement[None](insert_rows(support_tickets, _NAMES))
_THIS = support_tickets.c.id == bindparam("the_id", type_=Uuid)
_lock = Statement(_every_one.where(_THIS).with_for_update(key_share=True), SupportTicket)
_CHANGING = (
    "state",
    "assignee_id",
    "last_message_at",
    "first_answered_at",
    "resolved_at",
    "version",
    "assignments",
)
_keep = Statement(
    update(support_tickets)
    .where(_OF_TENANT, _THIS)
    .values({name: bindparam(f"new_{name}", type_=support_tickets.c[name].type) for name in _CHANGING})
    .returning(*_every_one.selected_columns),
    SupportTicket,
)


async def moment(connection: Connection) -> datetime:
    """The time by the database's clock, which is one for all servers: what is said later has a later one."""
    found: datetime = await connection.value(_moment)
    return found


async def add(connection: Connection, new: SupportTicket) -> None:
    """Keep a new ticket; its first message comes next."""
    await connection.run(_add, **as_columns([new], _NAMES))


async def lock(connection: Connection, id: UUID) -> SupportTicket | None:
    """A ticket as it is now; nobody else changes it until this transaction ends. Who may see it, has to be asked first."""
    return await connection.row(_lock, the_id=id)


async def keep(connection: Connection, changed: SupportTicket) -> SupportTicket:
    """Keep a locked ticket as it was changed."""
    new = {f"new_{name}": getattr(changed, name) for name in _CHANGING}
    kept = await connection.row(_keep, the_id=changed.id, **new)
    assert kept is not None, "a row that is locked is there"
    return kept
