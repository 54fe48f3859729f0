"""Opening, reading and answering tickets, as clients do; and tickets that are simply there."""

from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.attachments import NewAttachment
from db.ticket_messages import SupportMessage
from db.tickets import SupportTicket
from rules.tickets import TicketState
from tests.client import Client
from tests.files import uploaded
from tests.world import Portal

PERSON = "name side account { userName } staffMember { userName }"
MESSAGE = f"""id text internal at author {{ {PERSON} }} ticket {{ number }}
  attachments {{ id fileName mediaType size sha256 attachedAt download {{ url }} }}"""
TICKET = f"""id number subject state version about {{ __typename id }} customer {{ code }} openedBy {{ {PERSON} }}
  assignee {{ userName }} openedAt lastMessageAt firstAnsweredAt firstAnswerDueAt firstAnswer resolvedAt
  resolutionDueAt resolution overdue actions {{ name allowed reason {{ code }} }}
  messages {{ totalCount nodes {{ {MESSAGE} }} }}"""
LIST = f"""query($filter: SupportTicketFilter, $orderBy: [SupportTicketOrder!], $first: Int, $after: String) {{
  supportTickets(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{ totalCount
  pageInfo {{ hasNextPage endCursor }} nodes {{ {TICKET} }} }} }}"""
FIND = f"""query($id: ID!, $number: String!) {{ byId: supportTicket(id: $id) {{ {TICKET} }}
  byNumber: supportTicket(number: $number) {{ id }} node(id: $id) {{ id }} }}"""
MESSAGES = f"""query($id: ID!, $first: Int, $after: String, $last: Int) {{ supportTicket(id: $id) {{
  lastMessageAt version messages(first: $first, after: $after, last: $last) {{ totalCount pageInfo {{ hasNextPage
  hasPreviousPage endCursor }} edges {{ cursor node {{ text }} }} nodes {{ {MESSAGE} }} }} }} }}"""


def _mutation(act: str) -> str:
    more = f"message {{ {MESSAGE} }}" if act == "Reply" else ""
    return f"""mutation($input: SupportTicket{act}Input!) {{ supportTicket{act}(input: $input) {{
      supportTicket {{ {TICKET} }} {more}
      errors {{ code path ... on VersionConflictError {{ current }} ... on MissingPermissionError {{ permissions }} }} }} }}"""


ACTS = {act: _mutation(act) for act in ("Open", "Reply", "Close", "Reopen", "Assign")}


async def act(client: Client, name: str, **given: Any) -> dict[str, Any]:
    """The payload of a mutation on tickets."""
    answer: dict[str, Any] = (await client.ask(ACTS[name], input=given))[f"supportTicket{name}"]
    return answer


async def done(client: Client, name: str, **given: Any) -> dict[str, Any]:
    """The ticket after a mutation that has to work."""
    answer = await act(client, name, **given)
    assert answer["errors"] == [], answer
    ticket: dict[str, Any] = answer["supportTicket"]
    return ticket


async def refused(client: Client, name: str, **given: Any) -> list[tuple[str, list[str]]]:
    """The codes and paths of a mutation that has to be refused."""
    answer = await act(client, name, **given)
    assert answer["supportTicket"] is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def asked(client: Client, subject: str = "Where is it?", **given: Any) -> dict[str, Any]:
    """A ticket that somebody has opened."""
    return await done(client, "Open", **({"subject": subject, "text": f"{subject} Please."} | given))


async def said(client: Client, ticket: dict[str, Any], text: str, **given: Any) -> dict[str, Any]:
    """The ticket after a message or a note."""
    return await done(client, "Reply", ticket=ticket["id"], text=text, **given)


async def photo(client: Client, name: str = "photo.pdf") -> str:
    """The id of an upload that has come, to be attached."""
    return await uploaded(client, name=name)


async def found(client: Client, ticket: dict[str, Any]) -> dict[str, Any] | None:
    """The ticket as somebody sees it, by id, by number and as a node, or not at all."""
    answer = await client.ask(FIND, id=ticket["id"], number=ticket["number"])
    assert (answer["byId"] is None) is (answer["byNumber"] is None) is (answer["node"] is None)
    seen: dict[str, Any] | None = answer["byId"]
    return seen


async def subjects(client: Client, *, orderBy: list[str] | None = None, **filter: Any) -> list[str]:  # noqa: N803
    """The subjects of all tickets that somebody sees and pass a filter."""
    page = (await client.ask(LIST, filter=filter, orderBy=orderBy, first=100))["supportTickets"]
    assert page["totalCount"] == len(page["nodes"])
    return [each["subject"] for each in page["nodes"]]


def texts(ticket: dict[str, Any]) -> list[str]:
    """What was said, as far as somebody sees it."""
    assert ticket["messages"]["totalCount"] == len(ticket["messages"]["nodes"])
    return [each["text"] for each in ticket["messages"]["nodes"]]


def stands(ticket: dict[str, Any]) -> dict[str, str | None]:
    """What can be done with a ticket: None, or why not."""
    return {each["name"]: each["reason"] and each["reason"]["code"] for each in ticket["actions"]}


async def ticket(
    portal: Portal,
    number: str,
    *,
    account_id: UUID | None,
    staff_member_id: UUID | None = None,
    subject: str = "Help",
    customer: str = "C1",
    about: tuple[str, UUID] | None = None,
) -> SupportTicket:
    """A ticket that was opened without a word."""
    async with portal.writing() as connection:
        moment = await db.tickets.moment(connection)
        new = SupportTicket(
            id=uuid.uuid7(),
            number=number,
            customer_id=portal.customers[customer],
            account_id=account_id,
            staff_member_id=staff_member_id,
            opened_by="Somebody",
            subject=subject,
            about_type=about and about[0],
            about_id=about and about[1],
            state=TicketState.OPEN.value,
            assignee_id=None,
            opened_at=moment,
            last_message_at=moment,
            first_answered_at=None,
            resolved_at=None,
            first_answer_due_at=None,
            resolution_due_at=None,
            version=1,
            assignments=0,
        )
        await db.tickets.add(connection, new)
    return new


async def message(
    portal: Portal,
    to: SupportTicket,
    *,
    account_id: UUID | None,
    staff_member_id: UUID | None = None,
    internal: bool = False,
) -> tuple[UUID, UUID]:
    """A message with a file, which has no bytes; the ids of both."""
    upload_id = await portal.upload(state="USED")
    async with portal.writing() as connection:
        moment = await db.tickets.moment(connection)
        new = SupportMessage(
            uuid.uuid7(), to.id, account_id, staff_member_id, "Somebody", "Something", internal, moment
        )
        await db.ticket_messages.add(connection, new)
        attachment = NewAttachment(uuid.uuid7(), upload_id, ticket_message_id=new.id)
        await db.attachments.add(connection, [attachment])
    return new.id, attachment.id
