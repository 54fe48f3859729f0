"""supplierDocumentIssued on real sockets: who hears of which documents."""

import db
from resolvers.nodes import global_id
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.server.live import Serving, Socket, asking, is_silent, watching
from tests.world import Portal, World

ISSUED = """subscription($kinds: [DocumentKind!]) { supplierDocumentIssued(kinds: $kinds) { __typename number } }"""


async def heard(socket: Socket, count: int) -> list[str]:
    found = [(await socket.hear())["payload"]["data"]["supplierDocumentIssued"] for _ in range(count)]
    return [each["number"] for each in found]


async def test_an_outsider_is_refused(live: Serving, portal: Portal, at: At) -> None:
    async with asking(live, at(portal), ISSUED) as socket:
        assert await socket.code() == "UNAUTHENTICATED"


async def test_who_may_not_read_documents_may_not_watch_them(live: Serving, portal: Portal, at: At) -> None:
    await portal.account("nick", profile=None)
    async with asking(live, await at(portal).sign_in("nick"), ISSUED) as socket:
        assert await socket.code() == "MISSING_PERMISSION"


async def test_another_tenant_and_another_customer_hear_nothing(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("bea")
    await portal.account("carl", customer="C2")
    foreigner, carl = await at(other).sign_in("bea"), await at(portal).sign_in("carl")
    async with (
        watching(live, foreigner, ISSUED) as abroad,
        watching(live, carl, ISSUED) as next_door,
        watching(live, bea, ISSUED) as own,
    ):
        bill = await documents.invoice(portal, "IN-1")
        assert await heard(own, 1) == ["IN-1"]
        async with other.writing() as connection:  # even if it were told wrongly
            await db.document_kinds.announce(connection, [bill.id])
        assert await is_silent(abroad)
        assert await is_silent(next_door)


async def test_kinds_that_are_not_allowed_or_not_asked_for_are_not_heard(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    mia_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    await portal.group(
        "no invoices",
        mia_id,
        modes=Modes(document_kind=RestrictionMode.ALLOW_EXCEPT),
        lists={RestrictionKind.DOCUMENT_KIND: ["INVOICE"]},
    )
    async with (
        watching(live, await at(portal).sign_in("mia"), ISSUED) as restricted,
        watching(live, bea, ISSUED, kinds=["CREDIT_NOTE"]) as choosy,
    ):
        bill = await documents.invoice(portal, "IN-1")
        await documents.credit_note(portal, "CN-1", bill)
        assert await heard(restricted, 1) == ["CN-1"]
        assert await heard(choosy, 1) == ["CN-1"]
        assert await is_silent(restricted)
        assert await is_silent(choosy)


async def test_the_staff_hears_of_every_kind_and_of_a_draft_when_it_is_issued(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("simone")
    simone = await at(portal).sign_in("simone")
    given = {
        "customer": global_id("Customer", portal.customers["C1"]),
        "validUntil": "2999-12-31",
        "lines": [{"sku": "A", "quantity": "1", "unitPrice": "5"}],
        "draft": True,
    }
    order_id = await portal.order("SO-1")
    async with watching(live, simone, ISSUED) as all_, watching(live, bea, ISSUED) as own:
        made = await documents.one_of_each(portal, "1", "C1", order_id, "A")
        numbers = [number for kind, (_, number) in made.items() if kind != "Payment"]
        assert sorted(await heard(all_, 5)) == sorted(await heard(own, 5)) == sorted(numbers)
        issue = "mutation($input: QuotationIssueInput!) { quotationIssue(input: $input) { quotation { id version } errors { code } } }"
        draft = (await simone.ask(issue, input=given))["quotationIssue"]
        assert draft["errors"] == []
        assert await is_silent(all_)
        issued = {"quotation": draft["quotation"]["id"], "version": draft["quotation"]["version"]}
        assert (await simone.ask(issue, input=issued))["quotationIssue"]["errors"] == []
        assert await heard(own, 1) == await heard(all_, 1)
        shipped = "mutation($input: OrderShipInput!) { orderShip(input: $input) { goodsIssues { number } errors { code } } }"
        done = (await simone.ask(shipped, input={"order": global_id("Order", order_id)}))["orderShip"]
        assert await heard(own, 1) == [each["number"] for each in done["goodsIssues"]]
