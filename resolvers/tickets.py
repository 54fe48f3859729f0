"""Tickets: reading them; resolvers/ticket_changes.py opens, answers and closes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.staff_members import StaffMember
from db.tickets import SupportTicket
from execution.levels import level
from resolvers import actions as acts
from resolvers import nodes, pages
from resolvers.actions import Action
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import Relation, relation
from rules.periods import check_period, midnight, next_day
from rules.texts import LONGEST_NAME, check_text
from rules.tickets import (
    ABOUT,
    NEEDS,
    Promises,
    TicketSide,
    TicketState,
    TicketTarget,
    acts_of,
    refusal,
)


class SupportTicketOrder(Enum):
    """In what order tickets come."""

    LAST_MESSAGE_AT_ASC = "LAST_MESSAGE_AT_ASC"
    LAST_MESSAGE_AT_DESC = "LAST_MESSAGE_AT_DESC"
    OPENED_AT_ASC = "OPENED_AT_ASC"
    OPENED_AT_DESC = "OPENED_AT_DESC"
    NUMBER_ASC = "NUMBER_ASC"
    NUMBER_DESC = "NUMBER_DESC"


publish(
    SupportTicketOrder,
    description="In what order tickets come.",
    value={
        SupportTicketOrder.LAST_MESSAGE_AT_ASC: "By the time of the last message, oldest first.",
        SupportTicketOrder.LAST_MESSAGE_AT_DESC: "By the time of the last message, newest first.",
        SupportTicketOrder.OPENED_AT_ASC: "By the time of opening, oldest first.",
        SupportTicketOrder.OPENED_AT_DESC: "By the time of opening, newest first.",
        SupportTicketOrder.NUMBER_ASC: "By number, lowest first.",
        SupportTicketOrder.NUMBER_DESC: "By number, highest first.",
    }.__getitem__,
)


@strawberry.input(description="Which tickets; all that is given must hold.")
class SupportTicketFilter:
    """supportTickets(filter:)."""

    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    states: list[TicketState] | None = strawberry.field(default=None, description="In one of these states.")
    customer: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")
    assignee: strawberry.ID | None = strawberry.field(
        default=None, description="That this staff member takes care of; customers are not told."
    )
    assigned: bool | None = strawberry.field(
        default=None,
        description="True: that somebody takes care of. False: that nobody does. Customers are not told.",
    )
    about: strawberry.ID | None = strawberry.field(default=None, description="About this object.")
    search: str | None = strawberry.field(
        default=None, description="All of these words stand in the subject."
    )
    overdue: bool | None = strawberry.field(
        default=None,
        description="True: something was to be done by now that is still to be done. False: the others.",
    )
    opened_from: date | None = strawberry.field(
        default=None, description="Opened on this day or later (UTC)."
    )
    opened_to: date | None = strawberry.field(default=None, description="Opened on this day or before (UTC).")


_Filter = Annotated[SupportTicketFilter | None, strawberry.argument(description="Which tickets.")]
_Order = Annotated[
    list[SupportTicketOrder] | None,
    strawberry.argument(
        description="In what order; those with the newest messages first when nothing is said."
    ),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.supportTickets. Raises TextTooLong and PeriodReversed."""
    order = order_by or [SupportTicketOrder.LAST_MESSAGE_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    filters = await _filters(info.context, filter or SupportTicketFilter())
    return await pages.connection(info.context, db.tickets, filters, order, asked)


async def _filters(context: Context, given: SupportTicketFilter) -> dict[str, Any]:
    """The filters' values. What a ticket is about is not told of what the viewer may not see, so nothing is found by it."""
    check_text(given.search, LONGEST_NAME, "filter", "search")
    check_period(given.opened_from, given.opened_to, "filter", "openedTo")
    about = None if given.about is None else await _about(context, str(given.about))
    return {
        "number": given.number or None,
        "states": None if given.states is None else [state.value for state in given.states],
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "assignee_id": nodes.key_or_nothing(given.assignee, "StaffMember"),
        "assigned": given.assigned or None,
        "unassigned": given.assigned is False or None,
        "about_type": about and about[0],
        "about_id": about and about[1],
        "search": given.search or None,
        "overdue": given.overdue or None,
        "not_overdue": given.overdue is False or None,
        "opened_from": given.opened_from and midnight(given.opened_from),
        "opened_before": given.opened_to and midnight(next_day(given.opened_to)),
    }


async def _about(context: Context, id: str) -> tuple[str, UUID]:
    found = await nodes.by_global_id(context, id, *ABOUT)
    return ("", nodes.NOTHING) if found is None else (type(found).__name__, found.id)


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Number = Annotated[str | None, strawberry.argument(description="The ticket's number.")]


async def ticket(info: Info, id: _Id = None, number: _Number = None) -> SupportTicket | None:
    """Query.supportTicket: by exactly one of id and number."""
    found: SupportTicket | None = await nodes.by_one_of(
        info.context, "SupportTicket", id, db.tickets.by_numbers, number
    )
    return found


@level
async def about_this(
    roots: Sequence[Any],
    context: Context,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> list[pages.Connection]:
    """The tickets of an object that can be asked about. Raises InvalidPage or InvalidCursor."""
    asked = pages.Asked(first, after, last, before)
    keys = [(type(root).__name__, root.id) for root in roots]
    abouts = [(key, {"about_type": key[0], "about_id": key[1]}) for key in keys]
    order = [SupportTicketOrder.LAST_MESSAGE_AT_DESC.value]
    return await pages.of_parents(context, db.tickets, abouts, order, asked, db.tickets.counts)


# SupportTicket.about: None when it is about nothing, or about what the viewer may not see any more.
about = nodes.relation_to_any(attrgetter("about"))


# SupportTicket.customer.
customer = relation(db.customers.by_ids, "customer_id")


def _told_to_staff(key: str) -> Relation:
    """The staff member by the key in an attribute; None for customers, who deal with the company."""
    key_of = attrgetter(key)

    async def answers(roots: Sequence[Any], context: Context) -> Sequence[StaffMember | None]:
        if not context.signed_in.is_staff:
            return [None] * len(roots)
        return await context.load_level(db.staff_members.by_ids, [key_of(root) for root in roots])

    return level(answers)


# SupportTicket.assignee: None for customers.
assignee = _told_to_staff("assignee_id")


@dataclass(slots=True)
class SupportPerson:
    """Somebody who writes: an account or a staff member, as it was called then."""

    name: str
    account_id: UUID | None
    staff_member_id: UUID | None


def opened_by(root: strawberry.Parent[SupportTicket]) -> SupportPerson:
    """SupportTicket.openedBy."""
    return SupportPerson(root.opened_by, root.account_id, root.staff_member_id)


def person_side(root: strawberry.Parent[SupportPerson]) -> TicketSide:
    """SupportPerson.side."""
    return TicketSide.COMPANY if root.account_id is None else TicketSide.CUSTOMER


# SupportPerson.account.
person_account = relation(db.accounts.by_ids, "account_id")


# SupportPerson.staffMember: None for customers, who are told the name alone.
person_staff_member = _told_to_staff("staff_member_id")


def _promises(root: SupportTicket) -> Promises:
    return Promises(
        root.first_answer_due_at, root.first_answered_at, root.resolution_due_at, root.resolved_at
    )


def first_answer(root: strawberry.Parent[SupportTicket]) -> TicketTarget:
    """SupportTicket.firstAnswer."""
    return _promises(root).first_answer(datetime.now(UTC))


def resolution(root: strawberry.Parent[SupportTicket]) -> TicketTarget:
    """SupportTicket.resolution."""
    return _promises(root).resolution(datetime.now(UTC))


def overdue(root: strawberry.Parent[SupportTicket]) -> bool:
    """SupportTicket.overdue."""
    return _promises(root).is_overdue(datetime.now(UTC))


def version_seen(context: Context, ticket: SupportTicket) -> int:
    """How often a ticket was changed, as far as the viewer can notice: who takes care of it is the staff's business."""
    return ticket.version + (ticket.assignments if side_of(context) is TicketSide.COMPANY else 0)


def version(root: strawberry.Parent[SupportTicket], info: Info) -> int:
    """SupportTicket.version."""
    return version_seen(info.context, root)


def side_of(context: Context) -> TicketSide:
    """On which side of tickets the viewer is; who looks as an account is on the account's."""
    return TicketSide.COMPANY if context.signed_in.is_staff else TicketSide.CUSTOMER


def actions(root: strawberry.Parent[SupportTicket], info: Info) -> list[Action]:
    """SupportTicket.actions: by the table that guards the mutations."""
    side = side_of(info.context)
    return [
        acts.weigh(info.context, act, NEEDS[act], refusal(root.state, side, act)) for act in acts_of(side)
    ]


@level
async def messages(
    roots: Sequence[SupportTicket],
    context: Context,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> list[pages.Connection]:
    """SupportTicket.messages. Raises InvalidPage or InvalidCursor."""
    source, asked = db.ticket_messages, pages.Asked(first, after, last, before)
    tickets = [(root.id, {"ticket_id": root.id}) for root in roots]
    return await pages.of_parents(context, source, tickets, ["AT_ASC"], asked, source.counts)
