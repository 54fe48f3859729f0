"""supportTicketMessage on real sockets: who hears of which messages."""

import db
from resolvers.nodes import key_of
from tests.client import Client
from tests.conftest import At
from tests.server.live import Serving, Socket, asking, is_silent, watching
from tests.tickets import act, asked, said
from tests.world import Portal, World

WRITTEN = """subscription($ticket: ID) { supportTicketMessage(ticket: $ticket) { text internal author { name side }
  ticket { number state } } }"""


async def heard(socket: Socket) -> dict[str, object]:
    told: dict[str, object] = (await socket.hear())["payload"]["data"]["supportTicketMessage"]
    return told


async def test_an_outsider_is_refused(live: Serving, portal: Portal, at: At) -> None:
    async with asking(live, at(portal), WRITTEN) as socket:
        assert await socket.code() == "UNAUTHENTICATED"


async def test_who_may_not_read_tickets_may_not_watch_them(live: Serving, portal: Portal, at: At) -> None:
    await portal.account("nick", profile=None)
    async with asking(live, await at(portal).sign_in("nick"), WRITTEN) as socket:
        assert await socket.code() == "MISSING_PERMISSION"


async def test_another_tenant_and_another_customer_hear_nothing(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("bea")
    await portal.account("carl", customer="C2")
    foreigner, carl = await at(other).sign_in("bea"), await at(portal).sign_in("carl")
    async with (
        watching(live, foreigner, WRITTEN) as abroad,
        watching(live, carl, WRITTEN) as next_door,
        watching(live, bea, WRITTEN) as own,
    ):
        ticket = await asked(bea)
        assert (await heard(own))["text"] == "Where is it? Please."
        message = key_of(ticket["messages"]["nodes"][0]["id"], "SupportMessage")
        assert message is not None
        async with other.writing() as connection:  # even if it were told wrongly
            await db.events.notify(connection, "SupportMessage", [message])
        assert await is_silent(abroad)
        assert await is_silent(next_door)


async def test_another_customers_ticket_cannot_be_watched(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    ticket = await asked(bea)
    await portal.account("carl", customer="C2")
    async with asking(live, await at(portal).sign_in("carl"), WRITTEN, ticket=ticket["id"]) as socket:
        assert await socket.code() == "NOT_FOUND"


async def test_both_sides_hear_what_is_said_and_the_staff_alone_of_notes(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("simone")
    simone = await at(portal).sign_in("simone")
    ticket, other = await asked(bea, "One"), await asked(bea, "Two")
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    through = await simone.view_as(account)
    async with (
        watching(live, bea, WRITTEN) as own,
        watching(live, bea, WRITTEN, ticket=other["id"]) as choosy,
        watching(live, simone, WRITTEN) as staff,
        watching(live, through, WRITTEN) as looking,
    ):
        noted = await act(simone, "Reply", ticket=ticket["id"], text="Hm", internal=True)
        assert noted["errors"] == []
        assert (await heard(staff))["internal"] is True
        assert await is_silent(own)
        await said(simone, ticket, "Soon")
        wanted = {
            "text": "Soon",
            "internal": False,
            "author": {"name": "Simone", "side": "COMPANY"},
            "ticket": {"number": ticket["number"], "state": "ANSWERED"},
        }
        assert await heard(own) == await heard(staff) == await heard(looking) == wanted
        assert await is_silent(choosy)
        await said(bea, other, "And this?")
        assert (await heard(choosy))["text"] == "And this?"
