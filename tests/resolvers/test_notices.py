"""Notices, over HTTP: who is told what, in which words; what the staff reads of it and tries again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import uuid_utils.compat as uuid

from db.isolation import Mode
from db.rma_requests import RMARequest, RMARequestLine
from resolvers import notices
from resolvers.context import Context
from resolvers.nodes import global_id
from rules.notices import CODE_MASK
from rules.permissions import StaffRole
from server.app import facilities_of
from server.settings import Settings
from tenants.storage import Storage
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_accounts import Office, refused, settle
from tests.tenants.test_sessions import sql
from tests.tenants.test_walkthrough import do
from tests.world import Portal, World

NOTICE = """id kind address language subject body at state tries nextTryAt lastError sentAt version
  account { id userName } node { __typename id }"""
LIST = f"""query($filter: NoticeFilter, $orderBy: [NoticeOrder!]) {{ notices(filter: $filter, orderBy: $orderBy) {{
  totalCount nodes {{ {NOTICE} }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on Notice {{ {NOTICE} }} }} }}"
PLACE = "mutation($input: OrderPlaceInput!) { orderPlace(input: $input) { orders { id number } errors { code } } }"


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def listed(client: Client, **filter: Any) -> list[dict[str, Any]]:
    """The notices that pass a filter, newest first."""
    page = (await client.ask(LIST, filter=filter))["notices"]
    assert page["totalCount"] == len(page["nodes"])
    found: list[dict[str, Any]] = page["nodes"]
    return found


async def only(client: Client, **filter: Any) -> dict[str, Any]:
    """The one notice that passes a filter."""
    (found,) = await listed(client, **filter)
    return found


async def jobs(portal: Portal) -> list[str]:
    """The ids of the portal's notices that are to be sent by a worker."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            "select convert_from(payload, 'utf8') from jobs.pgqueuer where entrypoint = 'notice.send'"
        )
    ours = [row[0].split(" ") for row in rows]
    return [key for tenant, key in ours if tenant == str(portal.tenant_id)]


async def fail(portal: Portal) -> None:
    """All notices of a portal have failed."""
    await sql(
        portal,
        "update notices set state = 'FAILED', next_try_at = null, last_error = '550 no', tries = 3, version = 4",
    )


async def retry(client: Client, notice: str, **given: Any) -> list[tuple[str, list[str]]]:
    return await refused(client, "noticeRetry", notice=notice, **given)


async def order(client: Client, *skus: str, **given: Any) -> list[dict[str, Any]]:
    """Place an order of two pieces of each SKU."""
    lines = [{"sku": sku, "quantity": "2"} for sku in skus]
    await do(client, "cartAddItems", "cart { id }", items=lines)
    answer = (await client.ask(PLACE, input=given))["orderPlace"]
    assert answer["errors"] == []
    placed: list[dict[str, Any]] = answer["orders"]
    return placed


async def test_an_outsider_and_a_customer_learn_and_change_nothing(office: Office, at: At) -> None:
    await office.provision()
    await fail(office.portal)
    notice = (await only(office.mona))["id"]
    bea, before = await at(office.portal).sign_in("bea"), await sql(office.portal, "select * from notices")
    assert (await at(office.portal).refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await bea.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
    assert await bea.ask(NODE, id=notice) == {"node": None}
    assert await retry(at(office.portal), notice) == [("UNAUTHENTICATED", [])]
    assert await retry(bea, notice) == [("MISSING_PERMISSION", [])]
    assert await sql(office.portal, "select * from notices") == before


async def test_another_tenants_notices_are_as_if_they_never_existed(
    world: World, office: Office, at: At
) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    await sister.provision()
    await fail(sister.portal)
    notice, before = await only(sister.mona), await sql(sister.portal, "select * from notices")
    assert await listed(office.mona) == []
    assert await listed(office.mona, account=sister.bea) == []
    assert await listed(office.mona, node=notice["node"]["id"]) == []
    assert await office.mona.ask(NODE, id=notice["id"]) == {"node": None}
    unknown = await retry(office.mona, global_id("Notice", uuid.uuid7()))
    assert await retry(office.mona, notice["id"]) == unknown == [("NOT_FOUND", ["notice"])]
    assert await sql(sister.portal, "select * from notices") == before


@pytest.mark.parametrize("role", StaffRole)
async def test_who_reads_notices_and_who_tries_again(role: StaffRole, office: Office, at: At) -> None:
    await office.provision()
    await fail(office.portal)
    notice = (await only(office.mona))["id"]
    await office.portal.staff_member("sam", role=role, here_only=True)
    sam = await at(office.portal).sign_in("sam")
    if role is StaffRole.ACCOUNTANT:
        assert (await sam.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
        assert await sam.ask(NODE, id=notice) == {"node": None}
    else:
        assert (await only(sam))["id"] == notice
    may = role in (StaffRole.OWNER, StaffRole.MANAGER)
    assert await retry(sam, notice) == ([] if may else [("MISSING_PERMISSION", [])])


async def test_a_new_account_is_told_its_code_and_nobody_reads_it_anywhere_else(office: Office) -> None:
    made = await office.provision()
    told = await only(office.mona)
    assert told == await only(office.mona, kinds=["ACTIVATION"], states=["WAITING"])
    assert (told["kind"], told["state"], told["tries"]) == ("ACTIVATION", "WAITING", 0)
    assert (told["address"], told["account"]["userName"]) == ("mia@customers.example", "mia")
    assert told["node"] == {"__typename": "Account", "id": made["account"]["id"]}
    assert f"http://{office.portal.slug}.localhost:8000/graphql" in told["body"]
    assert "User name: mia" in told["body"]
    assert f"\n    {CODE_MASK}\n" in told["body"]
    assert made["activationCode"] not in told["body"]
    assert [global_id("Notice", uuid.UUID(key)) for key in await jobs(office.portal)] == [told["id"]]


async def test_who_was_given_a_password_is_told_no_code(office: Office) -> None:
    await office.provision(password="a quiet harbour")
    assert await listed(office.mona) == []


async def test_whose_access_is_reset_is_told_the_new_code_and_a_repeat_tells_nobody(office: Office) -> None:
    for _ in range(2):
        given = {"account": office.bea, "idempotencyKey": "once"}
        await do(office.mona, "accountResetAccess", "account { id }", **given)
    told = await only(office.mona, account=office.bea)
    assert (told["kind"], told["address"]) == ("ACTIVATION", "bea@customers.example")
    assert len(await jobs(office.portal)) == 1


async def test_what_is_rolled_back_is_not_told(office: Office) -> None:
    past = [{"group": office.group, "endsOn": "2000-01-01"}]
    assert await refused(office.mona, "accountProvision", **office.new(groups=past)) != []
    assert await listed(office.mona) == []
    assert await jobs(office.portal) == []


@pytest.mark.parametrize(
    "email",
    ["<mia@customers.example>", "mia,eve@evil.example", "mia@customers.example\r\nBcc: eve@evil.example"],
)
async def test_no_account_has_an_address_that_would_be_more_than_one(office: Office, email: str) -> None:
    new = office.new(email=email)
    assert await refused(office.mona, "accountProvision", **new) == [("INVALID_EMAIL", ["email"])]


async def test_whoever_places_orders_is_told_once_of_all_of_them_and_nobody_else_is(
    office: Office, at: At
) -> None:
    portal = office.portal
    await portal.account("bert")
    await portal.product("A", name="Mug", price="10.00")
    await portal.product("B", name="Cup", price="2.50", stock_at={"W2": "100"})
    bea = await at(portal).sign_in("bea")
    placed = await order(bea, "A", "B", purchaseOrderNumber="PO 7")
    assert len(placed) == 2
    told = await only(office.mona)
    assert (told["kind"], told["address"]) == ("ORDER_RECEIVED", "bea@customers.example")
    assert (told["account"]["id"], told["language"]) == (office.bea, "ENGLISH")
    assert told["node"] == {"__typename": "Order", "id": placed[0]["id"]}
    assert told == await only(office.mona, node=placed[0]["id"])
    assert told["subject"] == f"Your orders {placed[0]['number']}, {placed[1]['number']}"
    for text in (
        "Dear Bea,",
        "Mug (A)\n    2 pcs \u00d7 10.00 GBP = 20.00 GBP\n  Net: 20.00 GBP\n  VAT: 4.00 GBP\n  Total: 24.00 GBP",
        "Cup (B)\n    2 pcs \u00d7 2.50 GBP = 5.00 GBP",
        "All together: 30.00 GBP",
        "your number: PO 7",
        f"help@{portal.slug}.example",
        f"http://{portal.slug}.localhost:8000/graphql",
    ):
        assert text in told["body"]


async def test_at_a_german_portal_the_mail_is_german_whatever_language_is_asked_in(
    world: World, at: At
) -> None:
    portal = await world.portal(locale="de", currency="EUR")
    await portal.product("A", price="1234.50")
    await portal.account("greta")
    await portal.staff_member("sam")
    greta = await at(portal).sign_in("greta")
    greta.headers["accept-language"] = "en"
    (placed,) = await order(greta, "A")
    told = await only(await at(portal).sign_in("sam"))
    assert (told["subject"], told["language"]) == (f"Ihr Auftrag {placed['number']}", "GERMAN")
    assert "Guten Tag Greta," in told["body"]
    assert "2 pcs \u00d7 1.234,50 EUR = 2.469,00 EUR" in told["body"]


async def test_the_portal_is_named_by_the_companys_own_host(office: Office) -> None:
    await do(
        office.mona, "portalUpdate", "portal { id }", hosts=["shop.harbour.example"], name="Eve\r\nBcc: x"
    )
    await office.provision()
    told = await only(office.mona)
    assert "http://shop.harbour.example:8000/graphql" in told["body"]
    assert told["subject"] == "Your access to Eve Bcc: x"


async def test_what_failed_is_tried_again_to_the_address_of_today(office: Office) -> None:
    mia = (await office.provision())["account"]["id"]
    told = (await only(office.mona))["id"]
    assert await retry(office.mona, told) == [("NOTICE_NOT_FAILED", ["notice"])]
    await fail(office.portal)
    await do(office.mona, "accountUpdate", "account { id }", account=mia, email="mia@right.example")
    assert await retry(office.mona, told, version=1) == [("VERSION_CONFLICT", ["version"])]
    again = await do(
        office.mona, "noticeRetry", f"notice {{ {NOTICE} }}", notice=told, version=4, idempotencyKey="once"
    )
    now = again["notice"]
    assert (now["state"], now["tries"], now["lastError"]) == ("WAITING", 0, None)
    assert (now["address"], now["version"]) == ("mia@right.example", 5)
    assert now["nextTryAt"] is not None
    assert (await office.mona.ask(NODE, id=told))["node"] == now
    repeated = await do(
        office.mona, "noticeRetry", "notice { id version }", notice=told, version=4, idempotencyKey="once"
    )
    assert repeated["notice"] == {"id": told, "version": 5}
    assert len(await jobs(office.portal)) == 2  # that of the beginning, and this one
    assert await listed(office.mona, states=["FAILED"]) == []


async def test_notices_come_newest_first_or_oldest_first(office: Office) -> None:
    for each in ("mia", "max"):
        await office.provision(userName=each)
    orders = {
        order: [
            each["account"]["userName"]
            for each in (await office.mona.ask(LIST, orderBy=[order]))["notices"]["nodes"]
        ]
        for order in ("AT_ASC", "AT_DESC")
    }
    assert orders == {"AT_ASC": ["mia", "max"], "AT_DESC": ["max", "mia"]}


@asynccontextmanager
async def acting(world: World, settings: Settings, client: Client, portal: Portal) -> AsyncIterator[Context]:
    """A mutation at work, as somebody."""
    facilities = facilities_of(settings, world.database, world.passwords, Storage.in_memory())
    context = Context(facilities, portal.tenant_id, token=client.token, language=None, request_id="test")
    async with context.running(mutation=True):
        await context.begin(Mode.WRITE)
        yield context
        await context.end()


def request_of(account_id: uuid.UUID) -> tuple[RMARequest, list[RMARequestLine]]:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    request = RMARequest(
        id=uuid.uuid7(),
        number="RM-000001",
        customer_id=uuid.uuid7(),
        invoice_id=uuid.uuid7(),
        account_id=account_id,
        stage="AUTHORISED",
        lifecycle_status_id=uuid.uuid7(),
        comment=None,
        note="Send it soon",
        expected_on=date(2026, 12, 3),
        created_at=moment,
        submitted_at=moment,
        decided_at=moment,
        closed_at=None,
        version=3,
    )
    line = RMARequestLine(
        rma_request_id=request.id,
        position=1,
        invoice_position=1,
        product_id=None,
        sku="A",
        name="Mug",
        unit="pcs",
        quantity=Decimal(3),
        problem="Broken",
        serial_number=None,
        wish=None,
        resolution="REFUND",
        authorised_quantity=Decimal(2),
        reason="One was used",
    )
    return request, [line]


async def test_whoever_asked_to_return_goods_is_told_what_was_decided(
    world: World, office: Office, settings: Settings
) -> None:
    bea = (await sql(office.portal, "select id from accounts where user_name = 'bea'"))[0][0]
    request, lines = request_of(bea)
    async with acting(world, settings, office.mona, office.portal) as context:
        await notices.rma_decided(context, request, lines)
    told = await only(office.mona)
    assert (told["kind"], told["address"]) == ("RMA_DECIDED", "bea@customers.example")
    assert told["subject"] == "Your request RM-000001 to return goods"
    assert "Mug (A)\n    return with refund, 2 pcs of 3 pcs\n    One was used" in told["body"]
    assert (await sql(office.portal, "select node_type, node_id from notices")) == [
        ("RMARequest", request.id)
    ]


class Ticket:
    """What a ticket has."""

    def __init__(self, account_id: uuid.UUID | None) -> None:
        self.id, self.account_id = uuid.uuid7(), account_id
        self.number, self.subject = "ST-000001", "Where is\r\nBcc: my order?"


async def test_whoever_asked_is_told_the_answer_unless_it_may_not_come_in_or_is_nobody(
    world: World, office: Office, settings: Settings
) -> None:
    gone = await office.portal.account("gone")
    await sql(office.portal, "update accounts set active = false where user_name = 'gone'")
    bea = (await sql(office.portal, "select id from accounts where user_name = 'bea'"))[0][0]
    async with acting(world, settings, office.mona, office.portal) as context:
        for each in (bea, gone, None):
            await notices.ticket_answered(context, Ticket(each), "On its way.\nSam")
    told = await only(office.mona)
    assert (told["kind"], told["address"]) == ("TICKET_ANSWERED", "bea@customers.example")
    assert told["subject"] == "[ST-000001] Where is Bcc: my order?"
    assert "> On its way.\n> Sam\n" in told["body"]
