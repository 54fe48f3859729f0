"""rmaRequestChanged on real sockets: who hears of which requests."""

import db
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import post, posted
from tests.rma_requests import asked, done
from tests.server.live import Serving, Socket, asking, is_silent, watching
from tests.world import Portal, World

CHANGED = """subscription($rmaRequest: ID) { rmaRequestChanged(rmaRequest: $rmaRequest) { id number stage version
  lines { state } } }"""


async def heard(socket: Socket) -> tuple[str, str, int]:
    found = (await socket.hear())["payload"]["data"]["rmaRequestChanged"]
    return found["number"], found["stage"], found["version"]


async def draft(portal: Portal, client: Client, number: str) -> str:
    """A draft for an invoice of its own."""
    bill = await documents.invoice(portal, number, (Sold("A", "3"),))
    lines = asked((1, "1", "broken"))
    made = await done(client, "rmaRequestCreate", invoice=global_id("Invoice", bill.id), lines=lines)
    request_id: str = made["id"]
    return request_id


async def test_an_outsider_and_who_may_not_read_requests_are_refused(
    live: Serving, portal: Portal, at: At
) -> None:
    async with asking(live, at(portal), CHANGED) as socket:
        assert await socket.code() == "UNAUTHENTICATED"
    await portal.account("nick", profile=None)
    async with asking(live, await at(portal).sign_in("nick"), CHANGED) as socket:
        assert await socket.code() == "MISSING_PERMISSION"


async def test_another_tenant_and_another_customer_hear_nothing_and_the_staff_from_when_it_was_submitted(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("bea")
    await portal.account("carl", customer="C2")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    foreigner, carl, olga = [
        await at(place).sign_in(name) for place, name in ((other, "bea"), (portal, "carl"), (portal, "olga"))
    ]
    async with (
        watching(live, foreigner, CHANGED) as abroad,
        watching(live, carl, CHANGED) as next_door,
        watching(live, olga, CHANGED) as company,
        watching(live, bea, CHANGED) as own,
    ):
        key = await draft(portal, bea, "IN-1")
        assert await heard(own) == ("", "DRAFT", 1)
        await done(bea, "rmaRequestUpdate", rmaRequest=key, comment="Hello")
        assert await heard(own) == ("", "DRAFT", 2)
        await done(bea, "rmaRequestSubmit", rmaRequest=key)
        assert await heard(own) == await heard(company) == ("RM-000001", "SUBMITTED", 3)
        async with portal.writing() as connection:
            rows = await connection.fetch_text("select id from rma_requests")
        async with other.writing() as connection:  # even if it were told wrongly
            await db.rma_requests.announce(connection, [rows[0][0]])
        assert await is_silent(abroad)
        assert await is_silent(next_door)


async def test_one_request_can_be_watched_and_not_another_customers(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    first, second = [await draft(portal, bea, number) for number in ("IN-1", "IN-2")]
    await portal.account("carl", customer="C2")
    for key in (first, "x"):
        async with asking(live, await at(portal).sign_in("carl"), CHANGED, rmaRequest=key) as socket:
            assert await socket.code() == "NOT_FOUND"
    async with watching(live, bea, CHANGED, rmaRequest=first) as socket:
        await done(bea, "rmaRequestSubmit", rmaRequest=second)
        await done(bea, "rmaRequestSubmit", rmaRequest=first)
        assert await heard(socket) == ("RM-000002", "SUBMITTED", 2)


async def test_a_customer_hears_what_the_staff_does_with_its_request_also_where_the_stage_stays(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga, key = await at(portal).sign_in("olga"), await draft(portal, bea, "IN-1")
    sent = (await done(bea, "rmaRequestSubmit", rmaRequest=key))["number"]
    async with watching(live, bea, CHANGED, rmaRequest=key) as socket:
        line = {"position": 1, "resolution": "REPLACE"}
        await posted(olga, "rmaRequestDecide", rmaRequest=key, lines=[line])
        assert await heard(socket) == (sent, "AUTHORISED", 3)
        assert (await post(olga, "rmaRequestReplace", rmaRequest=key))["errors"] == []
        assert await heard(socket) == (sent, "AUTHORISED", 3)
        await posted(olga, "goodsReturnReceive", rmaRequest=key)
        assert await heard(socket) == (sent, "RECEIVED", 4)
        await posted(olga, "creditNoteIssue", rmaRequest=key)
        assert await heard(socket) == (sent, "COMPLETED", 5)
