"""Internal notes, over HTTP: nothing that a customer can ask for, count or compare tells that there are any; and what the
audit and the feed of changes are told of tickets."""

from typing import Any

import pytest

from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_audit import log
from tests.tickets import LIST, MESSAGES, act, asked, done, found, photo, refused, said, texts
from tests.world import Portal, World

NODE = """query($id: ID!) { node(id: $id) { id ... on SupportMessage { text } ... on Attachment { fileName } } }"""
NOTE = "She always says so"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.CUSTOMER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def noted(client: Client, ticket: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A note of the staff's."""
    answer = await act(client, "Reply", ticket=ticket["id"], text=NOTE, internal=True, **given)
    assert answer["errors"] == [], answer
    message: dict[str, Any] = answer["message"]
    assert message["internal"] is True
    return message


async def changes(portal: Portal) -> list[tuple[Any, ...]]:
    """The feed of changes to tickets and messages: type, operation, event, and whether the subject is another object."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            """select node_type, operation, event, subject_id <> node_id, subject_id, customer_id from changes
            where node_type ^@ 'Support' order by position"""
        )
    assert {row[5] for row in rows} == {portal.customers["C1"]}
    return [tuple(row[:4]) for row in rows]


async def test_customers_write_no_notes(bea: Client, olga: Client) -> None:
    ticket = await asked(bea)
    answer = await act(bea, "Reply", ticket=ticket["id"], text=NOTE, internal=True)
    assert answer["message"] is None
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("MISSING_PERMISSION", ["internal"])
    ]
    assert await found(bea, ticket) == ticket
    assert set(ticket["actions"][0]) == {"name", "allowed", "reason"}
    assert "NOTE" not in [each["name"] for each in ticket["actions"]]


async def test_all_that_a_customer_is_told_is_the_same_with_a_note_as_without(
    portal: Portal, bea: Client, olga: Client
) -> None:
    ticket = await asked(bea)
    await said(olga, ticket, "On its way")
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    through = await olga.view_as(account)
    one = """query($id: ID!) { supportTicket(id: $id) { version lastMessageAt messages(last: 1) { totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { text } } } }"""

    async def everything(client: Client) -> list[dict[str, Any]]:
        return [
            await client.ask(LIST),
            await client.ask(one, id=ticket["id"]),
            await client.ask(MESSAGES, id=ticket["id"], first=2),
            await client.ask(LIST, filter={"search": NOTE}),
            {"ticket": await found(client, ticket)},
        ]

    before = await everything(bea)
    note = await noted(olga, ticket, attachments=[await photo(olga)])
    assert await everything(bea) == before == await everything(through)
    (attachment,) = note["attachments"]
    for hidden in (note["id"], attachment["id"]):
        assert await bea.ask(NODE, id=hidden) == await through.ask(NODE, id=hidden) == {"node": None}
        assert (await olga.ask(NODE, id=hidden))["node"]["id"] == hidden
    # A version that was read before the note still is the newest one.
    assert (await said(bea, ticket, "Thanks", version=2))["version"] == 3


async def test_the_staff_sees_notes_in_their_place_and_may_write_them_on_what_is_closed(
    bea: Client, olga: Client
) -> None:
    ticket = await asked(bea)
    await noted(olga, ticket)
    await said(bea, ticket, "Hello?")
    closed = await done(olga, "Close", ticket=ticket["id"])
    assert texts(closed) == ["Where is it? Please.", NOTE, "Hello?"]
    await noted(olga, ticket)
    now = await found(olga, ticket)
    assert now is not None
    assert texts(now)[-1] == NOTE
    unmoved = ("state", "version", "lastMessageAt", "firstAnsweredAt", "resolvedAt")
    assert {name: now[name] for name in unmoved} == {name: closed[name] for name in unmoved}
    assert texts(await said(bea, ticket, "Still there")) == ["Where is it? Please.", "Hello?", "Still there"]


async def test_a_note_is_no_answer(bea: Client, olga: Client) -> None:
    ticket = await asked(bea)
    await noted(olga, ticket)
    now = await found(olga, ticket)
    assert now is not None
    assert (now["state"], now["firstAnsweredAt"]) == ("OPEN", None)


async def test_a_note_on_what_has_changed_since_it_was_read_is_a_conflict(bea: Client, olga: Client) -> None:
    ticket = await asked(bea)
    given = {"ticket": ticket["id"], "text": NOTE, "internal": True, "version": 7}
    assert await refused(olga, "Reply", **given) == [("VERSION_CONFLICT", ["version"])]


async def test_events_are_what_customers_do_and_messages_come_in_the_order_of_their_ticket(
    portal: Portal, bea: Client, olga: Client
) -> None:
    ticket = await asked(bea)
    opened = [
        ("SupportTicket", "CREATED", "ticket.opened", False),
        ("SupportMessage", "CREATED", None, True),
    ]
    assert await changes(portal) == opened
    await said(olga, ticket, "Soon")
    await noted(olga, ticket)
    await said(bea, ticket, "Thanks")
    await done(bea, "Close", ticket=ticket["id"])
    assert (await changes(portal))[2:] == [
        ("SupportMessage", "CREATED", None, True),
        ("SupportTicket", "UPDATED", None, False),
        ("SupportMessage", "CREATED", None, True),
        ("SupportMessage", "CREATED", "ticket.replied", True),
        ("SupportTicket", "UPDATED", None, False),
        ("SupportTicket", "UPDATED", None, False),
    ]
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            "select count(distinct subject_id) from changes where node_type ^@ 'Support'"
        )
    assert rows[0][0] == 1


async def test_what_the_staff_opens_is_no_event(portal: Portal, bea: Client, olga: Client) -> None:
    customer = (await bea.ask("{ viewer { customer { id } } }"))["viewer"]["customer"]["id"]
    await done(olga, "Open", subject="Hello", text="Hello", customer=customer)
    assert {each[2] for each in await changes(portal)} == {None}


async def test_the_audit_tells_the_staff_who_wrote_for_whom(bea: Client, olga: Client) -> None:
    ticket = await asked(bea)
    await noted(olga, ticket)
    entries = await log(olga, actions=["supportTicketReply"])
    assert [each["node"]["__typename"] for each in entries] == ["SupportMessage"]
    assert entries[0]["onBehalfOf"] == {"code": "C1"}
    assert entries[0]["staffMember"] == {"userName": "olga"}
    opened = await log(olga, actions=["supportTicketOpen"])
    assert sorted(each["node"]["__typename"] for each in opened) == ["SupportMessage", "SupportTicket"]


@pytest.mark.parametrize(
    "sql",
    ["update ticket_messages set text = 'x'", "delete from ticket_messages", "delete from support_tickets"],
)
async def test_the_server_itself_cannot_change_what_was_said(sql: str, portal: Portal, bea: Client) -> None:
    await asked(bea)
    with pytest.raises(Exception, match="permission denied"):
        async with portal.writing() as connection:
            await connection.fetch_text(sql)
