"""The demo's support tickets: what a made-up company's first customer asks, and what it is told."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.rma_requests import RMARequest
from db.ticket_messages import SupportMessage
from db.tickets import SupportTicket
from rules.numbers import NumberKind, numbered
from rules.tickets import TicketState, due
from rules.viewers import Viewer
from server.demo import people, personas, terms
from server.demo.portals import DemoPortal


@dataclass(frozen=True, slots=True)
class _Question:
    """A ticket in one language: what is asked, answered and noted."""

    subject: str
    text: str
    answer: str | None = None
    note: str | None = None


_ABOUT_REQUEST = {
    "en": _Question("Where do we send it?", "To you, or to the place where it was made?"),
    "de": _Question("Wohin damit?", "Zu Ihnen, oder dorthin, wo es hergestellt wurde?"),
}
_ABOUT_QUOTATION = {
    "en": _Question(
        "Is delivery included?",
        "Or does it come on top?",
        "It is included, the last line says so.",
        "They may get another five per cent if they ask.",
    ),
    "de": _Question(
        "Ist die Lieferung dabei?",
        "Oder kommt sie noch dazu?",
        "Sie ist dabei, das sagt die letzte Zeile.",
        "Weitere fünf Prozent sind möglich, wenn sie fragen.",
    ),
}
_ABOUT_NOTHING = {
    "en": _Question("Holidays", "Do you deliver in the last week of the year?", "Yes, until the 30th."),
    "de": _Question("Feiertage", "Liefern Sie in der letzten Woche des Jahres?", "Ja, bis zum 30."),
}


@dataclass(frozen=True, slots=True)
class _People:
    """Who asks and who answers."""

    buyer: Viewer
    buyer_name: str
    staff_member_id: UUID
    staff_name: str


async def add(connection: Connection, portal: DemoPortal, request: RMARequest) -> None:
    """A ticket that is closed, one that is answered, about the quotation, and an open one about a request."""
    who = await _people(connection, portal)
    number = numbered(NumberKind.QUOTATION, 1)
    quotation = (await db.quotations.by_numbers(connection, who.buyer, [number]))[number]
    locale = portal.locale
    await _open(connection, who, _ABOUT_NOTHING[locale], TicketState.CLOSED, None)
    await _open(connection, who, _ABOUT_QUOTATION[locale], TicketState.ANSWERED, ("Quotation", quotation.id))
    await _open(connection, who, _ABOUT_REQUEST[locale], TicketState.OPEN, ("RMARequest", request.id))


async def _people(connection: Connection, portal: DemoPortal) -> _People:
    buyer, *_ = personas.of_portal(portal.slug)
    staff = next(each for each in personas.of_portal(portal.slug) if each.role == "staff")
    login = await db.accounts.login(connection, staff.user_name)
    assert login is not None, "people come before what they write"
    assert login.staff_member_id is not None
    return _People(
        await people.first_buyer(connection, portal), buyer.name, login.staff_member_id, staff.name
    )


async def _open(
    connection: Connection,
    who: _People,
    question: _Question,
    state: TicketState,
    about: tuple[str, UUID] | None,
) -> None:
    """A ticket that was opened an hour ago and, as far as it was, answered just now."""
    assert who.buyer.customer_id is not None
    now = datetime.now(UTC)
    asked_at = now - timedelta(hours=1)
    ticket = SupportTicket(
        id=uuid.uuid7(),
        number=(await db.numbers.take(connection, NumberKind.TICKET, 1))[0],
        customer_id=who.buyer.customer_id,
        account_id=who.buyer.account_id,
        staff_member_id=None,
        opened_by=who.buyer_name,
        subject=question.subject,
        about_type=about[0] if about else None,
        about_id=about[1] if about else None,
        state=state.value,
        assignee_id=who.staff_member_id if question.answer else None,
        opened_at=asked_at,
        last_message_at=now if question.answer else asked_at,
        first_answered_at=now if question.answer else None,
        resolved_at=now if state is TicketState.CLOSED else None,
        first_answer_due_at=due(asked_at, terms.FIRST_ANSWER_HOURS),
        resolution_due_at=due(asked_at, terms.RESOLUTION_HOURS),
        assignments=0,
        version=1,
    )
    await db.tickets.add(connection, ticket)
    of, by = ticket.id, who.buyer.account_id
    said = [SupportMessage(uuid.uuid7(), of, by, None, who.buyer_name, question.text, False, asked_at)]
    for text, internal in ((question.note, True), (question.answer, False)):
        if text is not None:
            member = who.staff_member_id
            said.append(SupportMessage(uuid.uuid7(), of, None, member, who.staff_name, text, internal, now))
    for message in said:
        await db.ticket_messages.add(connection, message)
