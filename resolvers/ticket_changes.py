"""Ticket changes: opening a ticket, and what both sides do with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.staff_members import StaffMember
from db.ticket_messages import SupportMessage
from db.tickets import SupportTicket
from resolvers import attachments, nodes, notices
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.tickets import side_of, version_seen
from rules.broken import NotFound, check_version
from rules.events import Event
from rules.numbers import NumberKind
from rules.permissions import STAFF_ROLES, MissingPermission
from rules.texts import check_name
from rules.tickets import (
    ABOUT,
    NEEDS,
    NoTicketHandler,
    TicketAct,
    TicketCustomerMissing,
    TicketSide,
    TicketState,
    after,
    check_message,
    due,
)

_TEXT = "What there is to say, 1 to 20,000 characters."
_ATTACHMENTS = "Uploads of one's own that go with it, at most 20."


@strawberry.input(description="A question to the company, or from its staff to a customer.")
class SupportTicketOpenInput:
    """supportTicketOpen(input:)."""

    subject: str = strawberry.field(description="What it is about in a few words, 1 to 200 characters.")
    text: str = strawberry.field(description=_TEXT)
    about: strawberry.ID | None = strawberry.field(
        default=None,
        description="What it is about: an order, a supplier document of any kind, a product, a request to return goods, "
        "a payment or a shared file, as far as the viewer may see it.",
    )
    customer: strawberry.ID | None = strawberry.field(
        default=None,
        description="For staff: with whom; may be left out when it is about something of a customer's.",
    )
    attachments: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ATTACHMENTS)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A message to the other side of a ticket, or a note of the staff's own.")
class SupportTicketReplyInput:
    """supportTicketReply(input:)."""

    ticket: strawberry.ID = strawberry.field(description="The ticket.")
    text: str = strawberry.field(description=_TEXT)
    attachments: list[strawberry.ID] = strawberry.field(default_factory=list, description=_ATTACHMENTS)
    internal: bool = strawberry.field(
        default=False,
        description="A note that customers never see, and that changes nothing of the ticket. Needs `tickets:handle`.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A ticket about which nothing more is to be done.")
class SupportTicketCloseInput:
    """supportTicketClose(input:)."""

    ticket: strawberry.ID = strawberry.field(description="The ticket.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A closed ticket about which something is to be done after all.")
class SupportTicketReopenInput:
    """supportTicketReopen(input:)."""

    ticket: strawberry.ID = strawberry.field(description="The ticket.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="Who is to take care of a ticket.")
class SupportTicketAssignInput:
    """supportTicketAssign(input:)."""

    ticket: strawberry.ID = strawberry.field(description="The ticket.")
    assignee: strawberry.ID | None = strawberry.field(
        default=None, description="The staff member who takes care of it from now on; nobody when left out."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class SupportTicketPayload(Payload):
    """The ticket as it is now."""

    support_ticket: SupportTicket | None = None


@dataclass(slots=True)
class SupportTicketReplyPayload(Payload):
    """The ticket as it is now, and what was written."""

    support_ticket: SupportTicket | None = None
    message: SupportMessage | None = None


_OpenInput = Annotated[SupportTicketOpenInput, strawberry.argument(description="The question.")]
_ReplyInput = Annotated[SupportTicketReplyInput, strawberry.argument(description="The message.")]
_CloseInput = Annotated[SupportTicketCloseInput, strawberry.argument(description="Which ticket.")]
_ReopenInput = Annotated[SupportTicketReopenInput, strawberry.argument(description="Which ticket.")]
_AssignInput = Annotated[SupportTicketAssignInput, strawberry.argument(description="Which ticket, and who.")]


async def open_(info: Info, input: _OpenInput) -> SupportTicketPayload:
    """Mutation.supportTicketOpen."""
    context = info.context
    check_name(input.subject, "subject")
    check_message(input.text, "text")
    about = await _about(context, input.about)
    customer_id = await _customer(context, input.customer, about)
    ticket = await _new(context, input.subject, customer_id, about)
    await db.tickets.add(context.connection, ticket)
    context.record(
        "SupportTicket",
        ticket.id,
        before=None,
        after=facts_of(ticket),
        customer_id=customer_id,
        event=Event.TICKET_OPENED if ticket.account_id else None,
    )
    message = _message(ticket, ticket.opened_by, context, input.text, ticket.opened_at)
    await _write(context, ticket, message, input.attachments)
    return SupportTicketPayload(ticket)


async def _about(context: Context, id: strawberry.ID | None) -> Any:
    """What a ticket is to be about. Raises NotFound for what the viewer may not see, or nobody can ask about."""
    if id is None:
        return None
    found = await nodes.by_global_id(context, str(id), *ABOUT)
    if found is None:
        raise NotFound(path=("about",))
    return found


async def _customer(context: Context, id: strawberry.ID | None, about: Any) -> UUID:
    """Whose ticket it is to be: the viewer's own customer's, or whom the staff names.

    Raises NotFound, also for what a ticket of this customer cannot be about because it is another's, and
    TicketCustomerMissing.
    """
    owner: UUID | None = getattr(about, "customer_id", None)
    named: UUID | None = context.signed_in.customer_id or owner
    if id is not None:
        named = (await nodes.found(context, str(id), "Customer", "customer")).id
    if named is None:
        raise TicketCustomerMissing(path=("customer",))
    if owner not in (None, named):
        raise NotFound(path=("about",))
    return named


async def _new(context: Context, subject: str, customer_id: UUID, about: Any) -> SupportTicket:
    """A new ticket. One that the company opens waits for the customer: its first answer is what it begins with."""
    viewer, portal = context.signed_in, context.portal
    asks = side_of(context) is TicketSide.CUSTOMER
    number = (await db.numbers.take(context.connection, NumberKind.TICKET, 1))[0]
    moment = await db.tickets.moment(context.connection)
    return SupportTicket(
        id=uuid.uuid7(),
        number=number,
        customer_id=customer_id,
        account_id=viewer.account_id,
        staff_member_id=viewer.staff_member_id,
        opened_by=await _own_name(context),
        subject=subject,
        about_type=None if about is None else type(about).__name__,
        about_id=None if about is None else about.id,
        state=(TicketState.OPEN if asks else TicketState.ANSWERED).value,
        assignee_id=None,
        opened_at=moment,
        last_message_at=moment,
        first_answered_at=None if asks else moment,
        resolved_at=None,
        first_answer_due_at=due(moment, portal.first_answer_hours) if asks else None,
        resolution_due_at=due(moment, portal.resolution_hours),
        version=1,
        assignments=0,
    )


async def _own_name(context: Context) -> str:
    viewer = context.signed_in
    if viewer.account_id is not None:
        account = await context.load(db.accounts.by_ids, viewer.account_id)
        assert account is not None, "who is signed in is there"
        return account.name
    staff_member = await context.load(db.staff_members.by_ids, viewer.actor_id)
    assert staff_member is not None, "who is signed in is there"
    return staff_member.name


def _message(
    ticket: SupportTicket, author: str, context: Context, text: str, at: datetime, *, internal: bool = False
) -> SupportMessage:
    viewer = context.signed_in
    return SupportMessage(
        uuid.uuid7(), ticket.id, viewer.account_id, viewer.staff_member_id, author, text, internal, at
    )


async def _write(
    context: Context,
    ticket: SupportTicket,
    message: SupportMessage,
    attached: Sequence[strawberry.ID],
    event: Event | None = None,
) -> None:
    """Keep a message with its attachments, and say so."""
    await db.ticket_messages.add(context.connection, message)
    await attachments.attach(context, attached, "attachments", ticket_message_id=message.id)
    context.record(
        "SupportMessage",
        message.id,
        before=None,
        after=facts_of(message, attachments=len(attached)),
        customer_id=ticket.customer_id,
        event=event,
        subject_id=ticket.id,
    )


async def reply(info: Info, input: _ReplyInput) -> SupportTicketReplyPayload:
    """Mutation.supportTicketReply. A note leaves the ticket as it is, its version too: customers would see it move."""
    context, side = info.context, side_of(info.context)
    check_message(input.text, "text")
    act = TicketAct.NOTE if input.internal else TicketAct.REPLY
    if not context.signed_in.may(NEEDS[act]):
        raise MissingPermission(permissions=(NEEDS[act],), path=("internal",))
    ticket = await _locked(context, input.ticket, input.version)
    state = after(ticket.state, side, act, "ticket")
    moment = await db.tickets.moment(context.connection)
    name = await _own_name(context)
    message = _message(ticket, name, context, input.text, moment, internal=input.internal)
    asks = side is TicketSide.CUSTOMER
    await _write(context, ticket, message, input.attachments, Event.TICKET_REPLIED if asks else None)
    if input.internal:
        return SupportTicketReplyPayload(ticket, message)
    answered = replace(
        ticket,
        state=state.value,
        last_message_at=moment,
        first_answered_at=ticket.first_answered_at or (None if asks else moment),
        resolved_at=ticket.resolved_at if state is TicketState.CLOSED else None,
        version=ticket.version + 1,
    )
    kept = await _keep(context, ticket, answered)
    if not asks:
        await notices.ticket_answered(context, kept, input.text)
    return SupportTicketReplyPayload(kept, message)


async def _locked(context: Context, id: strawberry.ID, version: int | None) -> SupportTicket:
    """A ticket that the viewer may see, and nobody else changes now. Raises NotFound or VersionConflict."""
    seen = await nodes.found(context, str(id), "SupportTicket", "ticket")
    ticket = await db.tickets.lock(context.connection, seen.id)
    if ticket is None:
        raise NotFound(path=("ticket",))
    check_version(version, version_seen(context, ticket))
    return ticket


async def _keep(context: Context, before: SupportTicket, changed: SupportTicket) -> SupportTicket:
    kept = await db.tickets.keep(context.connection, changed)
    context.record(
        "SupportTicket",
        kept.id,
        before=facts_of(before),
        after=facts_of(kept),
        customer_id=kept.customer_id,
    )
    return kept


async def close(info: Info, input: _CloseInput) -> SupportTicketPayload:
    """Mutation.supportTicketClose."""
    return await _move(info.context, TicketAct.CLOSE, input)


async def reopen(info: Info, input: _ReopenInput) -> SupportTicketPayload:
    """Mutation.supportTicketReopen."""
    return await _move(info.context, TicketAct.REOPEN, input)


async def _move(
    context: Context, act: TicketAct, input: SupportTicketCloseInput | SupportTicketReopenInput
) -> SupportTicketPayload:
    ticket = await _locked(context, input.ticket, input.version)
    state = after(ticket.state, side_of(context), act, "ticket")
    resolved_at = await db.tickets.moment(context.connection) if state is TicketState.CLOSED else None
    moved = replace(ticket, state=state.value, resolved_at=resolved_at, version=ticket.version + 1)
    return SupportTicketPayload(await _keep(context, ticket, moved))


async def assign(info: Info, input: _AssignInput) -> SupportTicketPayload:
    """Mutation.supportTicketAssign."""
    context = info.context
    assignee_id = None if input.assignee is None else (await _handler(context, input.assignee)).id
    ticket = await _locked(context, input.ticket, input.version)
    after(ticket.state, side_of(context), TicketAct.ASSIGN, "ticket")
    if ticket.assignee_id == assignee_id:
        context.record_nothing()
        return SupportTicketPayload(ticket)
    assigned = replace(ticket, assignee_id=assignee_id, assignments=ticket.assignments + 1)
    return SupportTicketPayload(await _keep(context, ticket, assigned))


async def _handler(context: Context, id: strawberry.ID) -> StaffMember:
    """Somebody on the staff who can handle tickets here. Raises NotFound or NoTicketHandler."""
    member: StaffMember = await nodes.found(context, str(id), "StaffMember", "assignee")
    roles = await context.load_list(db.staff_members.roles_of, member.id)
    here = [each.held.role for each in roles if each.at_tenant_id in (None, context.tenant_id)]
    if not member.active or not any(NEEDS[TicketAct.ASSIGN] in STAFF_ROLES[role] for role in here):
        raise NoTicketHandler(name=member.name, path=("assignee",))
    return member
