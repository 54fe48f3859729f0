"""Tickets: questions to the company, from anywhere, about anything."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.ticket_changes
import resolvers.ticket_messages
import resolvers.tickets
from rules.permissions import Permission
from rules.tickets import TicketSide, TicketState, TicketTarget
from schema.actions import Action
from schema.attachments import Attachment
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query, subscription
from schema.nodes import Node
from schema.pages import Connection

if TYPE_CHECKING:  # what an account or a staff member has leads to what can be asked about
    from schema.accounts import Account
    from schema.staff_members import StaffMember

_Account = Annotated["Account", strawberry.lazy("schema.accounts")]
_StaffMember = Annotated["StaffMember", strawberry.lazy("schema.staff_members")]

# What everything says that can be asked about.
ABOUT_THIS = (
    "The viewer's tickets about it, those with the newest messages first; for staff those of all customers."
)


@strawberry.type(description="Somebody who writes.")
class SupportPerson:
    """resolvers.tickets.SupportPerson."""

    name: Annotated[str, field(description="The person's name, as it was then.")]
    side: Annotated[
        TicketSide, field(resolvers.tickets.person_side, description="On which side of the ticket.")
    ]
    account: Annotated[
        _Account | None,
        field(
            resolvers.tickets.person_account,
            description="The customer's account, as far as the viewer may see it.",
        ),
    ]
    staff_member: Annotated[
        _StaffMember | None,
        field(resolvers.tickets.person_staff_member, description="The staff member; null for customers."),
    ]


@strawberry.type(description="Something that somebody said about a ticket, or a note of the staff's own.")
class SupportMessage(Node):
    """db.ticket_messages.SupportMessage."""

    ticket: Annotated[
        Annotated["SupportTicket", strawberry.lazy("schema.tickets")] | None,
        field(resolvers.ticket_messages.ticket, description="The ticket."),
    ]
    author: Annotated[SupportPerson, field(resolvers.ticket_messages.author, description="Who wrote it.")]
    text: Annotated[str, field(description="What was said.")]
    internal: Annotated[bool, field(description="Whether it is a note that customers never see.")]
    at: Annotated[datetime, field(description="When it was written.")]
    attachments: Annotated[
        list[Attachment],
        field(
            resolvers.ticket_messages.attachments,
            description="The files that go with it, in the order in which they were named.",
            size=2,
        ),
    ]


@strawberry.type(description="A question to the company, with all that was said to it.")
class SupportTicket(Node):
    """db.tickets.SupportTicket."""

    number: Annotated[str, field(description="Its number, e.g. ST-000123.")]
    subject: Annotated[str, field(description="What it is about in a few words.")]
    state: Annotated[TicketState, field(description="For whom it waits.")]
    about: Annotated[
        Node | None,
        field(
            resolvers.tickets.about,
            description="What it is about; null for nothing, and for what the viewer may not see any more.",
        ),
    ]
    customer: Annotated[Customer | None, field(resolvers.tickets.customer, description="Whose ticket it is.")]
    opened_by: Annotated[SupportPerson, field(resolvers.tickets.opened_by, description="Who opened it.")]
    assignee: Annotated[
        _StaffMember | None,
        field(
            resolvers.tickets.assignee,
            description="Who on the staff takes care of it; null for nobody, and for customers.",
        ),
    ]
    messages: Annotated[
        Connection[SupportMessage],
        field(
            resolvers.tickets.messages, description="What was said, oldest first; for staff with its notes."
        ),
    ]
    last_message_at: Annotated[
        datetime, field(description="When something was said last; notes do not count.")
    ]
    opened_at: Annotated[datetime, field(description="When it was opened.")]
    first_answered_at: Annotated[
        datetime | None, field(description="When the company first said something; null: not yet.")
    ]
    first_answer_due_at: Annotated[
        datetime | None,
        field(
            description="By when the company wanted to answer when it was opened; null: within any time, or it opened "
            "the ticket itself."
        ),
    ]
    first_answer: Annotated[
        TicketTarget,
        field(
            resolvers.tickets.first_answer,
            description="How the first answer stands to that; closing the ticket counts as one.",
        ),
    ]
    resolved_at: Annotated[
        datetime | None, field(description="When it was closed; null as long as it is not.")
    ]
    resolution_due_at: Annotated[
        datetime | None,
        field(
            description="By when the company wanted it to be closed when it was opened; null: within any time."
        ),
    ]
    resolution: Annotated[
        TicketTarget, field(resolvers.tickets.resolution, description="How closing it stands to that.")
    ]
    overdue: Annotated[
        bool,
        field(
            resolvers.tickets.overdue,
            description="Whether something was to be done by now that is still to be done.",
        ),
    ]
    version: Annotated[
        int,
        field(
            resolvers.tickets.version,
            description="Counts the changes that the viewer can notice; notes are none, and who takes care of it counts "
            "for the staff alone.",
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.tickets.actions,
            description="What can be done with it: REPLY, CLOSE and REOPEN; for staff also NOTE and ASSIGN.",
            size=5,
        ),
    ]


@strawberry.type(description="What a mutation on a ticket answers.")
class SupportTicketPayload:
    """resolvers.ticket_changes.SupportTicketPayload."""

    support_ticket: Annotated[SupportTicket | None, field(description="The ticket as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type(description="What supportTicketReply answers.")
class SupportTicketReplyPayload:
    """resolvers.ticket_changes.SupportTicketReplyPayload."""

    support_ticket: Annotated[SupportTicket | None, field(description="The ticket as it is now.")]
    message: Annotated[SupportMessage | None, field(description="What was written.")]
    errors: Annotated[list[UserError], field(description="Why nothing was written.", size=2)]


@strawberry.type
class TicketQueries:
    """Query fields on tickets."""

    support_tickets: Annotated[
        Connection[SupportTicket],
        query(
            resolvers.tickets.page,
            needs=Permission.TICKETS_READ,
            description="The customer's tickets, or for staff those of all customers.",
        ),
    ]
    support_ticket: Annotated[
        SupportTicket | None,
        query(
            resolvers.tickets.ticket,
            needs=Permission.TICKETS_READ,
            description="One ticket, by exactly one of id and number.",
        ),
    ]


@strawberry.type
class TicketSubscriptions:
    """Subscription fields on tickets."""

    support_ticket_message: Annotated[
        SupportMessage | None,
        subscription(
            resolvers.ticket_messages.written,
            needs=Permission.TICKETS_READ,
            description="Every message as it is written: on the customer's tickets, or for staff on those of all "
            "customers, with its notes.",
        ),
    ]


@strawberry.type
class TicketMutations:
    """Mutation fields on tickets."""

    support_ticket_open: Annotated[
        SupportTicketPayload,
        mutation(
            resolvers.ticket_changes.open_,
            needs=Permission.TICKETS_WRITE,
            description="Ask the company something, about anything that one sees or about nothing in particular; staff "
            "writes to a customer.",
        ),
    ]
    support_ticket_reply: Annotated[
        SupportTicketReplyPayload,
        mutation(
            resolvers.ticket_changes.reply,
            needs=Permission.TICKETS_WRITE,
            description="Write to the other side. What a customer writes opens a closed ticket again.",
        ),
    ]
    support_ticket_close: Annotated[
        SupportTicketPayload,
        mutation(
            resolvers.ticket_changes.close,
            needs=Permission.TICKETS_WRITE,
            description="Say that nothing more is to be done about a ticket.",
        ),
    ]
    support_ticket_reopen: Annotated[
        SupportTicketPayload,
        mutation(
            resolvers.ticket_changes.reopen,
            needs=Permission.TICKETS_WRITE,
            description="Take a closed ticket up again, for the staff; customers reply.",
        ),
    ]
    support_ticket_assign: Annotated[
        SupportTicketPayload,
        mutation(
            resolvers.ticket_changes.assign,
            needs=Permission.TICKETS_HANDLE,
            description="Say who on the staff takes care of a ticket, or that nobody does.",
        ),
    ]
