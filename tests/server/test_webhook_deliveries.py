"""Telling the company's systems: a worker, and a receiver that is there, or is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import WebhookVerificationError

import db
from db.isolation import Mode
from db.workers import Later
from resolvers.context import Context
from resolvers.nodes import global_id, key_of
from rules.permissions import BuiltInProfile, StaffRole
from rules.webhooks import MOST_ATTEMPTS
from server import deliveries, workers
from server.app import facilities_of
from server.jobs import Tools
from server.metrics import Metrics
from server.outgoing import Outgoing
from server.settings import Settings
from server.storing import open_storage
from tests.client import Client
from tests.conftest import At
from tests.db.test_workers import forget_all
from tests.receiver import Receiver, receiving
from tests.world import Portal, World

CREATE = """mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) { secret errors { code path }
  webhook { id name active } } }"""
UPDATE = """mutation($input: WebhookUpdateInput!) { webhookUpdate(input: $input) { secret errors { code path }
  webhook { active switchedOff failingSince } } }"""
WEBHOOK = "query($id: ID!) { webhook(id: $id) { active switchedOff failingSince version actions { name allowed } } }"
RETRY = """mutation($input: WebhookRetryInput!) { webhookRetry(input: $input) { retried errors { code path }
  webhook { id } } }"""
TEST = "mutation($input: WebhookTestInput!) { webhookTest(input: $input) { webhook { id } errors { code } } }"
DELIVERIES = """query($filter: WebhookDeliveryFilter) { webhookDeliveries(filter: $filter, orderBy: [CREATED_AT_ASC]) {
  totalCount nodes { id event happenedAt state nextAttemptAt endedAt createdAt body nodeId node { id }
  webhook { name } attempts { number at durationMs status error answer } } } }"""
ADD = 'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
PLACE = "mutation { orderPlace(input: {}) { orders { id number } errors { code } } }"
CANCEL = 'mutation($o: ID!) { orderCancel(input: {order: $o, reason: "A mistake"}) { errors { code } } }'
ORDER_QUERY = """query Told($id: ID!) { node(id: $id) { ... on Order { number customer { code } lines { sku }
  totals { total { amount } } } } }"""
QUICK = {
    "worker_heartbeat_seconds": 1,
    "worker_poll_seconds": 0.2,
    "webhook_pause_factor": 0.02,
    "webhook_seconds": 0.8,
}


@pytest.fixture
async def portal(world: World) -> AsyncIterator[Portal]:
    await forget_all(world)
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100000"})
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    yield portal
    await forget_all(world)


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


@pytest.fixture
async def tools(world: World, settings: Settings) -> AsyncIterator[Tools]:
    quick = settings.model_copy(update=QUICK)
    outgoing = Outgoing(private=True, seconds=quick.webhook_seconds)
    yield Tools(quick, facilities_of(quick, world.database, world.passwords, open_storage(quick)), outgoing)
    await outgoing.close()


@asynccontextmanager
async def at_work(tools: Tools) -> AsyncIterator[None]:
    metrics = Metrics(tools.facilities)
    async with workers.working(tools.settings, tools.facilities, metrics) as worker:
        await asyncio.wait_for(worker.working.wait(), 5)
        yield


async def webhook(client: Client, receiver: Receiver, **given: Any) -> tuple[str, str]:
    """A new webhook for orders; its id and its secret."""
    given = {"name": "ERP", "url": receiver.url, "events": ["ORDER_PLACED", "ORDER_CANCELLED"]} | given
    made = (await client.ask(CREATE, input=given))["webhookCreate"]
    assert made["errors"] == [], made
    return made["webhook"]["id"], made["secret"]


async def order(client: Client) -> str:
    await client.ask(ADD)
    placed = (await client.ask(PLACE))["orderPlace"]
    assert placed["errors"] == []
    return str(placed["orders"][0]["id"])


async def log(client: Client, **filter: Any) -> list[dict[str, Any]]:
    page = (await client.ask(DELIVERIES, filter=filter))["webhookDeliveries"]
    nodes: list[dict[str, Any]] = page["nodes"]
    assert page["totalCount"] == len(nodes)
    return nodes


async def state_becomes(client: Client, state: str, count: int = 1, **filter: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := await log(client, states=[state], **filter)) < count:  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
    return found


def key(id: str, kind: str = "WebhookDelivery") -> UUID:
    found = key_of(id, kind)
    assert found is not None
    return found


async def test_another_companys_webhook_is_told_nothing(
    portal: Portal, bea: Client, olga: Client, world: World, at: At, tools: Tools
) -> None:
    other = await world.portal()
    await other.staff_member("otto", role=StaffRole.OWNER)
    async with receiving() as theirs, receiving() as ours, at_work(tools):
        await webhook(await at(other).sign_in("otto"), theirs)
        await webhook(olga, ours)
        await order(bea)
        await ours.becomes(1)
        await asyncio.sleep(0.3)
    assert theirs.told == []


async def test_an_order_is_told_signed_with_what_the_company_asked_for(
    bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver, at_work(tools):
        hook, secret = await webhook(
            olga, receiver, query=ORDER_QUERY, permissions=["ORDERS_READ", "CUSTOMERS_READ"]
        )
        placed = await order(bea)
        (told,) = await receiver.becomes(1)
        (entry,) = await state_becomes(olga, "DELIVERED", webhook=hook)
    message = told.verified(secret)
    assert message["type"] == "order.placed"
    assert message["data"] == {
        "node": {
            "number": message["data"]["node"]["number"],
            "customer": {"code": "C1"},
            "lines": [{"sku": "A"}],
            "totals": {"total": {"amount": "12.00"}},
        }
    }
    assert told.path == "/hook?source=kontor"
    assert told.headers["content-type"] == "application/json"
    assert told.headers["user-agent"].startswith("Kontor-Webhooks/")
    assert told.id == str(key(entry["id"]))
    assert (entry["event"], entry["nodeId"], entry["node"]) == ("ORDER_PLACED", placed, {"id": placed})
    assert entry["happenedAt"] == message["timestamp"]
    assert entry["body"].encode() == told.body
    assert (entry["nextAttemptAt"], entry["webhook"]) == (None, {"name": "ERP"})
    assert entry["endedAt"] >= entry["createdAt"]
    (attempt,) = entry["attempts"]
    assert (attempt["number"], attempt["status"], attempt["error"], attempt["answer"]) == (
        1,
        200,
        None,
        "thank you",
    )
    with pytest.raises(WebhookVerificationError):
        told.verified("whsec_" + "A" * 44)


async def test_without_a_query_the_id_and_type_are_told(bea: Client, olga: Client, tools: Tools) -> None:
    async with receiving() as receiver, at_work(tools):
        _, secret = await webhook(olga, receiver)
        placed = await order(bea)
        (told,) = await receiver.becomes(1)
    assert told.verified(secret)["data"] == {"id": placed, "type": "Order"}


async def test_what_the_webhook_may_not_see_is_null(bea: Client, olga: Client, tools: Tools) -> None:
    query = """query($id: ID!) { node(id: $id) { id ... on Order { number } } orders { totalCount }
      viewer { permissions staffMember { id } } }"""
    async with receiving() as receiver, at_work(tools):
        await webhook(olga, receiver, query=query, permissions=["PRODUCTS_READ"])
        await order(bea)
        (told,) = await receiver.becomes(1)
    assert told.message["data"] is None
    assert [each["extensions"]["code"] for each in told.message["errors"]] == ["MISSING_PERMISSION"]
    query = "query($id: ID!) { node(id: $id) { id } viewer { permissions staffMember { id } } }"
    async with receiving() as receiver, at_work(tools):
        await webhook(olga, receiver, name="Less", query=query, permissions=["PRODUCTS_READ"])
        await order(bea)
        (told,) = await receiver.becomes(1)
    viewer = {"permissions": ["PRODUCTS_READ"], "staffMember": None}
    assert told.message["data"] == {"node": None, "viewer": viewer}


async def test_what_is_about_who_asks_is_empty_for_a_webhook(bea: Client, olga: Client, tools: Tools) -> None:
    query = """{ sessions { id } viewer { account { id } staffMember { id } customer { id } viewedBy { id } accessGroups
      { id } } supplier { portals { slug } } portal { slug } }"""
    async with receiving() as receiver, at_work(tools):
        await webhook(olga, receiver, query=query, permissions=["SUPPLIER_READ"])
        await order(bea)
        (told,) = await receiver.becomes(1)
    viewer: dict[str, Any] = {
        "account": None,
        "staffMember": None,
        "customer": None,
        "viewedBy": None,
        "accessGroups": [],
    }
    assert told.message["data"] == {
        "sessions": [],
        "viewer": viewer,
        "supplier": {"portals": []},
        "portal": {"slug": bea.slug},
    }


async def test_a_link_to_a_file_is_not_for_a_webhook(bea: Client, olga: Client, tools: Tools) -> None:
    query = (
        "{ supplierDocuments(first: 1) { nodes { id } } orderStatement { download(format: CSV) { url } } }"
    )
    async with receiving() as receiver, at_work(tools):
        await webhook(olga, receiver, query=query, permissions=["DOCUMENTS_READ", "ORDERS_READ"])
        await order(bea)
        (told,) = await receiver.becomes(1)
    assert [each["extensions"]["code"] for each in told.message["errors"]] == ["UNAUTHENTICATED"]


async def test_a_receiver_that_was_down_is_told_all_in_order_when_it_is_up(
    bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
    async with at_work(tools):
        orders = [await order(bea) for _ in range(3)]
        for each in orders:
            await bea.ask(CANCEL, o=each)
        await asyncio.sleep(0.3)
        async with receiver.listening():
            await receiver.becomes(6)
            await state_becomes(olga, "DELIVERED", 6)
    for each in orders:
        of_it = [told.message["type"] for told in receiver.told if told.message["data"]["id"] == each]
        assert of_it == ["order.placed", "order.cancelled"]


async def test_one_that_fails_holds_up_its_own_subject_and_no_other(
    bea: Client, olga: Client, tools: Tools
) -> None:
    stuck: list[str] = []
    async with receiving() as receiver, at_work(tools):
        receiver.answers = lambda told: 500 if told.message["data"]["id"] in stuck else 200
        await webhook(olga, receiver)
        stuck.append(first := await order(bea))
        await bea.ask(CANCEL, o=first)
        second = await order(bea)
        await state_becomes(olga, "DELIVERED", node=second)
        assert {each["event"] for each in await log(olga, states=["PENDING"])} == {
            "ORDER_PLACED",
            "ORDER_CANCELLED",
        }
        seen = [told.message["type"] for told in receiver.told if told.message["data"]["id"] == first]
        assert set(seen) == {"order.placed"}
        stuck.clear()
        await state_becomes(olga, "DELIVERED", 2, node=first)
    assert receiver.told[-1].message["type"] == "order.cancelled"


async def test_the_body_and_the_id_stay_and_the_time_is_new_at_every_attempt(
    bea: Client, olga: Client, tools: Tools
) -> None:
    tries: list[int] = []

    def twice_not(_told: object) -> int:
        tries.append(1)
        return 503 if len(tries) < 3 else 200

    query = "query($id: ID!) { node(id: $id) { ... on Order { number status { name } } } }"
    async with receiving(answers=twice_not) as receiver, at_work(tools):
        hook, secret = await webhook(olga, receiver, query=query, permissions=["ORDERS_READ"])
        await order(bea)
        await receiver.becomes(3)
        (entry,) = await state_becomes(olga, "DELIVERED", webhook=hook)
    assert len({told.body for told in receiver.told}) == len({told.id for told in receiver.told}) == 1
    assert [each["status"] for each in entry["attempts"]] == [503, 503, 200]
    for told in receiver.told:
        told.verified(secret)
    found = (await olga.ask(WEBHOOK, id=hook))["webhook"]
    assert (found["active"], found["failingSince"]) == (True, None)


async def test_what_is_gone_when_it_is_told_is_null(portal: Portal, olga: Client, tools: Tools) -> None:
    query = "query($id: ID!) { node(id: $id) { ... on Webhook { name } } }"
    async with receiving() as receiver:
        hook, _ = await webhook(olga, receiver, query=query, permissions=["WEBHOOKS_READ"])
        await olga.ask(TEST, input={"webhook": hook})
        async with portal.writing() as connection:
            await connection.fetch_text("update webhook_deliveries set node_id = gen_random_uuid()")
        async with at_work(tools):
            (told,) = await receiver.becomes(1)
    assert told.message["data"] == {"node": None}


async def test_a_test_is_told_also_to_a_webhook_that_is_switched_off_and_to_no_other(
    olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver, receiving() as other, at_work(tools):
        hook, secret = await webhook(olga, receiver, active=False)
        await webhook(olga, other, name="Other")
        answer = (await olga.ask(TEST, input={"webhook": hook}))["webhookTest"]
        assert answer == {"webhook": {"id": hook}, "errors": []}
        (told,) = await receiver.becomes(1)
        (entry,) = await state_becomes(olga, "DELIVERED", events=["WEBHOOK_TEST"])
    assert told.verified(secret)["type"] == "webhook.test"
    assert told.message["data"] == {"id": hook, "type": "Webhook"}
    assert (entry["nodeId"], other.told) == (hook, [])


async def test_after_a_limit_a_delivery_is_dead_and_can_be_taken_up_again(
    bea: Client, olga: Client, tools: Tools
) -> None:
    dying = replace(tools, settings=tools.settings.model_copy(update={"webhook_pause_factor": 1e-6}))
    async with receiving(status=500, answer="no " * 5_000) as receiver:
        async with at_work(dying):
            hook, _ = await webhook(olga, receiver)
            first = await order(bea)
            await bea.ask(CANCEL, o=first)
            dead = await state_becomes(olga, "DEAD", 2)
        assert [len(each["attempts"]) for each in dead] == [MOST_ATTEMPTS] * 2
        assert {len(each["answer"]) for each in dead[0]["attempts"]} == {2_000}
        assert dead[0]["nextAttemptAt"] is None
        retries = [each["allowed"] for each in (await olga.ask(WEBHOOK, id=hook))["webhook"]["actions"]]
        assert retries == [True, True, True, True]
        receiver.status = 200
        receiver.told.clear()
        async with at_work(tools):
            answer = (await olga.ask(RETRY, input={"delivery": dead[1]["id"]}))["webhookRetry"]
            assert answer == {"retried": 1, "errors": [], "webhook": {"id": hook}}
            await receiver.becomes(1)
            await state_becomes(olga, "DELIVERED")
            assert (await olga.ask(RETRY, input={"webhook": hook}))["webhookRetry"]["retried"] == 1
            await receiver.becomes(2)
            await state_becomes(olga, "DELIVERED", 2)
        for given, path in (({"webhook": hook}, "webhook"), ({"delivery": dead[0]["id"]}, "delivery")):
            refused = (await olga.ask(RETRY, input=given))["webhookRetry"]["errors"]
            assert refused == [{"code": "WEBHOOK_NOTHING_DEAD", "path": [path]}]
    assert [told.message["type"] for told in receiver.told] == ["order.cancelled", "order.placed"]


async def test_410_switches_a_webhook_off_and_switched_on_it_goes_on(
    bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving(status=410) as receiver, AsyncExitStack() as working:
        hook, _ = await webhook(olga, receiver)
        first = await order(bea)
        await bea.ask(CANCEL, o=first)
        await working.enter_async_context(at_work(tools))
        await state_becomes(olga, "DEAD")
        found = (await olga.ask(WEBHOOK, id=hook))["webhook"]
        assert (found["active"], found["switchedOff"], found["version"]) == (False, "GONE", 2)
        (left,) = await log(olga, states=["PENDING"])
        assert (left["event"], len(receiver.told)) == ("ORDER_CANCELLED", 1)
        await order(bea)
        assert len(await log(olga)) == 2
        receiver.status = 200
        changed = (await olga.ask(UPDATE, input={"webhook": hook, "active": True}))["webhookUpdate"]
        assert changed["webhook"] == {"active": True, "switchedOff": None, "failingSince": None}
        await state_becomes(olga, "DELIVERED")


async def test_a_webhook_that_has_only_failed_for_long_is_switched_off_and_says_so(
    bea: Client, olga: Client, tools: Tools
) -> None:
    impatient = replace(tools, settings=tools.settings.model_copy(update={"webhook_patience_hours": 1e-5}))
    async with receiving(status=500) as receiver, at_work(impatient):
        hook, _ = await webhook(olga, receiver)
        await order(bea)
        async with asyncio.timeout(10):
            while (found := (await olga.ask(WEBHOOK, id=hook))["webhook"])["active"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert found["switchedOff"] == "FAILING"
    assert found["failingSince"] is not None


async def test_a_new_secret_signs_beside_the_one_before(bea: Client, olga: Client, tools: Tools) -> None:
    async with receiving() as receiver, at_work(tools):
        hook, old = await webhook(olga, receiver)
        new = (await olga.ask(UPDATE, input={"webhook": hook, "rotateSecret": True}))["webhookUpdate"][
            "secret"
        ]
        assert new != old
        await order(bea)
        (told,) = await receiver.becomes(1)
    assert told.verified(old) == told.verified(new)


async def test_a_day_later_the_old_secret_signs_no_more(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver, at_work(tools):
        hook, old = await webhook(olga, receiver)
        new = (await olga.ask(UPDATE, input={"webhook": hook, "rotateSecret": True}))["webhookUpdate"][
            "secret"
        ]
        async with portal.writing() as connection:
            await connection.fetch_text("update webhooks set old_secret_until = now()")
        await order(bea)
        (told,) = await receiver.becomes(1)
    told.verified(new)
    with pytest.raises(WebhookVerificationError):
        told.verified(old)


async def test_a_redirect_is_not_followed_and_what_breaks_is_told(
    bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as elsewhere, receiving() as receiver, at_work(tools):
        receiver.status, receiver.headers = 302, f"location: {elsewhere.url}\r\n"
        await webhook(olga, receiver)
        await order(bea)
        await receiver.becomes(1)
        receiver.answers = lambda _told: None
        await receiver.becomes(2)
        receiver.answers, receiver.seconds = None, 2.0
        await receiver.becomes(3)
        receiver.seconds, receiver.status = 0.0, 200
        (entry,) = await state_becomes(olga, "DELIVERED")
    statuses = [each["status"] for each in entry["attempts"]]
    errors = [each["error"] or "" for each in entry["attempts"]]
    assert (statuses[0], statuses[-1], elsewhere.told) == (302, 200, [])
    assert any("connection broke" in each for each in errors)
    assert any("no answer within" in each for each in errors)


async def test_where_private_addresses_are_refused_none_is_asked(
    bea: Client, olga: Client, tools: Tools
) -> None:
    strict = Outgoing(private=False, seconds=1)
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await order(bea)
        (entry,) = await log(olga)
        tenant_id = await tenant_of(tools, olga)
        await deliveries.deliver(replace(tools, outgoing=strict), tenant_id, key(entry["id"]))
        (entry,) = await log(olga)
    await strict.close()
    assert receiver.told == []
    assert "Nothing can be sent there" in entry["attempts"][0]["error"]


async def tenant_of(tools: Tools, client: Client) -> UUID:
    async with tools.facilities.database.transaction(Mode.SNAPSHOT, None) as connection:
        found = await db.portals.tenant_by_slug(connection, client.slug)
    assert found is not None
    return found


async def test_two_workers_never_send_the_same_at_once(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving(seconds=0.3) as receiver:
        await webhook(olga, receiver)
        await order(bea)
        (entry,) = await log(olga)
        both = [deliveries.deliver(tools, portal.tenant_id, key(entry["id"])) for _ in range(2)]
        ended = await asyncio.gather(*both, return_exceptions=True)
    assert len(receiver.told) == 1
    assert [type(each) for each in ended if each is not None] == [Later]


async def test_what_a_dead_worker_had_begun_is_sent_again_when_its_time_is_over(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await order(bea)
        (entry,) = await log(olga)
        claim = await deliveries._claim(tools, portal.tenant_id, key(entry["id"]))
        assert claim is not None
        deliveries._on_the_way.clear()
        with pytest.raises(Later):
            await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
        async with portal.writing() as connection:
            await connection.fetch_text("update webhook_deliveries set leased_until = now()")
        await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
        (entry,) = await log(olga)
    assert [(each["number"], each["status"], each["durationMs"] is None) for each in entry["attempts"]] == [
        (1, None, True),
        (2, 200, False),
    ]


async def test_a_job_that_comes_again_for_what_was_delivered_sends_nothing(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        hook, _ = await webhook(olga, receiver)
        await order(bea)
        (entry,) = await log(olga)
        for _ in range(3):
            await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
        await olga.ask(
            "mutation($w: ID!) { webhookDelete(input: {webhook: $w}) { errors { code } } }", w=hook
        )
        await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
    assert len(receiver.told) == 1


async def test_a_query_that_fails_by_our_fault_is_tried_again(
    portal: Portal, bea: Client, olga: Client, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_level = Context.load_level

    async def failing(self: Context, read: Any, keys: Any) -> Any:
        if read is db.orders.lines_of:
            raise RuntimeError("the password is swordfish")
        return await load_level(self, read, keys)

    async with receiving() as receiver:
        await webhook(olga, receiver, query=ORDER_QUERY, permissions=["ORDERS_READ"])
        await order(bea)
        (entry,) = await log(olga)
        with monkeypatch.context() as patched:
            patched.setattr(Context, "load_level", failing)
            await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
        (entry,) = await log(olga)
        assert (receiver.told, entry["body"], entry["state"]) == ([], None, "PENDING")
        assert entry["attempts"][0]["error"] == "the query failed: INTERNAL_SERVER_ERROR"
        async with at_work(tools):
            await receiver.becomes(1)


async def test_while_it_sends_a_worker_holds_no_connection(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving(seconds=0.4) as receiver:
        await webhook(olga, receiver, query=ORDER_QUERY, permissions=["ORDERS_READ"])
        await order(bea)
        (entry,) = await log(olga)
        sending = asyncio.create_task(deliveries.deliver(tools, portal.tenant_id, key(entry["id"])))
        await receiver.becomes(1)
        pool = tools.facilities.database._pool
        assert pool.get_idle_size() == pool.get_size()
        await sending


async def test_all_events_that_the_portal_knows_are_told(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    """Of an order, its cancellation by either side, a quotation, statements and an account."""
    every = [
        "ORDER_PLACED",
        "ORDER_CANCELLED",
        "QUOTATION_DECLINED",
        "STATEMENT_CONFIRMED",
        "STATEMENT_DISPUTED",
        "ACCOUNT_ACTIVATED",
    ]
    async with receiving() as receiver:
        await webhook(olga, receiver, events=every)
        await bea.ask(CANCEL, o=await order(bea))
        await olga.ask(CANCEL, o=await order(bea))
        await decline(portal, bea)
        await answer_statements(portal, olga)
        await activate(portal, olga)
        async with at_work(tools):
            await receiver.becomes(8)
    assert sorted(told.message["type"] for told in receiver.told) == sorted(
        [
            "order.placed",
            "order.cancelled",
            "order.placed",
            "order.cancelled",
            "quotation.declined",
            "statement.confirmed",
            "statement.disputed",
            "account.activated",
        ]
    )


async def decline(portal: Portal, bea: Client) -> None:
    offer = await portal.quotation("QU-1", skus=("A",))
    answer = await bea.ask(
        'mutation($q: ID!) { quotationDecline(input: {quotation: $q, reason: "No"}) { errors { code } } }',
        q=global_id("Quotation", offer),
    )
    assert answer["quotationDecline"]["errors"] == []


async def answer_statements(portal: Portal, olga: Client) -> None:
    await portal.account("kai", profile=BuiltInProfile.ACCOUNTANT)
    kai = await Client(olga.http, olga.slug).sign_in("kai")
    customer = global_id("Customer", portal.customers["C1"])
    issue = """mutation($input: ReconciliationStatementIssueInput!) { reconciliationStatementIssue(input: $input) {
      reconciliationStatement { id } errors { code } } }"""
    for month, act, more in (("02", "Confirm", ""), ("03", "Dispute", ', reason: "No"')):
        given = {"customer": customer, "periodFrom": f"2026-{month}-01", "periodTo": f"2026-{month}-28"}
        issued = (await olga.ask(issue, input=given))["reconciliationStatementIssue"]
        assert issued["errors"] == []
        answered = await kai.ask(
            f"""mutation($s: ID!) {{ answer: reconciliationStatement{act}(input: {{
              reconciliationStatement: $s{more} }}) {{ errors {{ code }} }} }}""",
            s=issued["reconciliationStatement"]["id"],
        )
        assert answered["answer"]["errors"] == []


async def activate(portal: Portal, olga: Client) -> None:
    groups = (await olga.ask("{ accessGroups { id } }"))["accessGroups"]
    provision = """mutation($input: AccountProvisionInput!) { accountProvision(input: $input) {
      activationCode errors { code path } } }"""
    made = (
        await olga.ask(
            provision,
            input={
                "customer": global_id("Customer", portal.customers["C1"]),
                "userName": "nina",
                "name": "Nina",
                "email": "nina@customers.example",
                "groups": [{"group": groups[0]["id"]}],
            },
        )
    )["accountProvision"]
    assert made["errors"] == [], made
    answer = await Client(olga.http, olga.slug).ask(
        "mutation($input: AccountActivateInput!) { accountActivate(input: $input) { errors { code } } }",
        input={"userName": "nina", "code": made["activationCode"], "password": "a quiet harbour town"},
    )
    assert answer["accountActivate"]["errors"] == []


async def test_what_was_told_long_ago_is_forgotten_and_what_was_left_lying_is_tried(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        async with at_work(tools):
            await order(bea)
            await state_becomes(olga, "DELIVERED")
        lying = await order(bea)
        async with portal.writing() as connection:
            await connection.fetch_text("delete from jobs.pgqueuer")
            await connection.fetch_text(
                "update webhook_deliveries set created_at = now() - interval '31 days' where state <> 'PENDING'"
            )
            await connection.fetch_text(
                "update webhook_deliveries set next_attempt_at = now() - interval '1 hour' where state = 'PENDING'"
            )
        await workers._look_after(tools)
        assert [each["nodeId"] for each in await log(olga)] == [lying]
        async with at_work(tools):
            await receiver.becomes(2)
