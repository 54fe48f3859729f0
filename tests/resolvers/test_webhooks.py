"""Webhooks over HTTP: who makes them, what is refused, and what is told of them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

import db
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from rules.webhooks import MOST_WEBHOOKS
from server.app import create
from server.settings import Settings
from tenants import targets
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

NEW = {"name": "ERP", "url": "http://127.0.0.1:9/hook", "events": ["ORDER_PLACED"]}
FIELDS = """id name url events query permissions active switchedOff failingSince version createdAt
  createdBy { userName } actions { name allowed reason { code } missingPermission }"""
CREATE = f"""mutation($input: WebhookCreateInput!) {{ webhookCreate(input: $input) {{ secret webhook {{ {FIELDS} }}
  errors {{ code path message }} }} }}"""
UPDATE = f"""mutation($input: WebhookUpdateInput!) {{ webhookUpdate(input: $input) {{ secret webhook {{ {FIELDS} }}
  errors {{ code path message }} }} }}"""
DELETE = "mutation($input: WebhookDeleteInput!) { webhookDelete(input: $input) { deletedId errors { code path } } }"
TEST = "mutation($input: WebhookTestInput!) { webhookTest(input: $input) { webhook { id } errors { code path } } }"
RETRY = (
    "mutation($input: WebhookRetryInput!) { webhookRetry(input: $input) { retried errors { code path } } }"
)
ALL = f"{{ webhooks {{ {FIELDS} }} }}"
ONE = f"query($id: ID!) {{ webhook(id: $id) {{ {FIELDS} }} node(id: $id) {{ id }} }}"
DELIVERIES = "{ webhookDeliveries { totalCount nodes { id event } } }"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    await portal.staff_member("axel", role=StaffRole.AGENT)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def do(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The payload of a mutation that has to work."""
    (answer,) = (await client.ask(mutation, input=given)).values()
    assert answer["errors"] == [], answer
    done: dict[str, Any] = answer
    return done


async def refused(client: Client, mutation: str, **given: Any) -> tuple[str, list[str]]:
    """The code and path of the one error of a mutation that does nothing."""
    (answer,) = (await client.ask(mutation, input=given)).values()
    (error,) = answer["errors"]
    return error["code"], error["path"]


async def make(client: Client, **given: Any) -> str:
    made = await do(client, CREATE, **(NEW | given))
    return str(made["webhook"]["id"])


@pytest.mark.parametrize("who", [None, "bea", "axel"])
async def test_nobody_else_sees_or_makes_webhooks(
    portal: Portal, at: At, olga: Client, who: str | None
) -> None:
    hook = await make(olga)
    somebody = at(portal) if who is None else await at(portal).sign_in(who)
    code = "UNAUTHENTICATED" if who is None else "MISSING_PERMISSION"
    for query in (ALL, DELIVERIES):
        assert (await somebody.refusal(query))["extensions"]["code"] == code
    for mutation, given in (
        (CREATE, NEW | {"name": "Mine"}),
        (UPDATE, {"webhook": hook, "active": False}),
        (DELETE, {"webhook": hook}),
        (TEST, {"webhook": hook}),
        (RETRY, {"webhook": hook}),
    ):
        assert (await refused(somebody, mutation, **given))[0] == code
    if who is not None:
        assert await somebody.ask("query($id: ID!) { node(id: $id) { id } }", id=hook) == {"node": None}


async def test_another_companys_webhook_is_as_if_it_never_was(olga: Client, world: World, at: At) -> None:
    hook = await make(olga)
    other = await world.portal()
    await other.staff_member("otto", role=StaffRole.OWNER)
    otto = await at(other).sign_in("otto")
    assert await otto.ask(ALL) == {"webhooks": []}
    assert await otto.ask(ONE, id=hook) == {"webhook": None, "node": None}
    for mutation in (UPDATE, DELETE, TEST, RETRY):
        assert await refused(otto, mutation, webhook=hook) == ("NOT_FOUND", ["webhook"])
    assert (await olga.ask(ALL))["webhooks"][0]["version"] == 1


async def test_a_webhook_is_made_and_its_secret_told_once(olga: Client) -> None:
    given = NEW | {"permissions": ["ORDERS_READ"], "query": "query($id: ID!) { node(id: $id) { id } }"}
    made = await do(olga, CREATE, **given, idempotencyKey="one")
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 50
    repeated = await do(olga, CREATE, **given, idempotencyKey="one")
    assert (repeated["secret"], repeated["webhook"]["id"]) == (None, made["webhook"]["id"])
    (found,) = (await olga.ask(ALL))["webhooks"]
    assert found | given == found
    assert (await olga.ask(ONE, id=found["id"]))["webhook"] == found
    assert (found["active"], found["switchedOff"], found["failingSince"], found["version"]) == (
        True,
        None,
        None,
        1,
    )
    assert found["createdBy"] == {"userName": "olga"}
    assert [(each["name"], each["allowed"]) for each in found["actions"]] == [
        ("UPDATE", True),
        ("TEST", True),
        ("RETRY", False),
        ("DELETE", True),
    ]
    assert found["actions"][2]["reason"] == {"code": "WEBHOOK_NOTHING_DEAD"}


QUERIES = [
    ("{", "Syntax Error"),
    ("", "Syntax Error"),
    ("{ nothing }", "Cannot query field"),
    ("mutation { signOut { errors { code } } }", "It has to be a query."),
    ("subscription { orderChanged { id } }", "It has to be a query."),
    ("query A { portal { slug } } query B { portal { slug } }", "There has to be one operation."),
    ("fragment A on Order { id }", "There has to be one operation."),
    ("query($id: String!) { portal(slug: $id) { slug } }", "Unknown argument"),
    ("query($id: ID!, $n: Int) { node(id: $id) { id } products(first: $n) { totalCount } }", "$id: ID!"),
    ("query($order: ID!) { node(id: $order) { id } }", "$id: ID!"),
    ("{ __schema { types { name } } }", "It cannot ask for the schema."),
    ("{" + " ".join(f"a{n}: portal {{ slug }}" for n in range(101)) + "}", "at most"),
    ("{ a(x: " + "[" * 300 + "]" * 300 + ") }", "tokens"),
]


@pytest.mark.parametrize(("query", "reason"), QUERIES)
async def test_a_query_that_could_not_be_run_later_is_refused_with_the_reason(
    olga: Client, query: str, reason: str
) -> None:
    (answer,) = (await olga.ask(CREATE, input=NEW | {"query": query})).values()
    (error,) = answer["errors"]
    assert (error["code"], error["path"]) == ("WEBHOOK_QUERY_INVALID", ["query"])
    assert reason in error["message"]
    hook = await make(olga)
    assert await refused(olga, UPDATE, webhook=hook, query=query) == ("WEBHOOK_QUERY_INVALID", ["query"])


async def test_what_else_is_refused(olga: Client, portal: Portal) -> None:
    hook = await make(olga)
    for given, code, path in (
        ({"name": " "}, "TEXT_MISSING", ["name"]),
        ({"name": "x" * 201}, "TEXT_TOO_LONG", ["name"]),
        ({"name": "ERP"}, "NAME_TAKEN", ["name"]),
        ({"name": "B", "events": []}, "WEBHOOK_EVENTS_MISSING", ["events"]),
        ({"name": "B", "events": ["WEBHOOK_TEST"]}, "INVALID_INPUT", ["events", "0"]),
        ({"name": "B", "url": "erp.example"}, "WEBHOOK_URL_INVALID", ["url"]),
        ({"name": "B", "url": "https://olga:secret@erp.example"}, "WEBHOOK_URL_INVALID", ["url"]),
        ({"name": "B", "query": "x" * 20_001}, "TEXT_TOO_LONG", ["query"]),
        ({"name": "B", "permissions": ["ORDERS_PLACE"]}, "PERMISSION_NOT_HELD", ["permissions"]),
    ):
        assert await refused(olga, CREATE, **(NEW | given)) == (code, path), given
        if code != "NAME_TAKEN":
            assert await refused(olga, UPDATE, webhook=hook, **given) == (code, path), given
    other = await make(olga, name="Other")
    assert await refused(olga, UPDATE, webhook=other, name="ERP") == ("NAME_TAKEN", ["name"])
    assert await refused(olga, UPDATE, webhook=hook, version=7) == ("VERSION_CONFLICT", ["version"])
    assert await refused(olga, RETRY) == ("NOT_FOUND", ["webhook"])
    assert await refused(olga, RETRY, delivery=hook) == ("NOT_FOUND", ["delivery"])


async def test_there_is_a_limit_to_how_many_there_are(olga: Client, portal: Portal) -> None:
    hook = await make(olga)
    async with portal.writing() as connection:
        await connection.fetch_text(
            """insert into webhooks (tenant_id, id, name, url, events, permissions, created_by_id, secret)
            select tenant_id, gen_random_uuid(), 'W' || n, url, events, permissions, created_by_id, secret
            from webhooks, generate_series(2, $1) n""",
            MOST_WEBHOOKS,
        )
    assert await refused(olga, CREATE, **(NEW | {"name": "More"})) == ("TOO_MANY_WEBHOOKS", [])
    await do(olga, DELETE, webhook=hook)
    await make(olga, name="More")


async def test_nobody_gets_rights_by_changing_a_webhook_that_has_more(
    portal: Portal, olga: Client, at: At
) -> None:
    """A manager may not make staff; so neither a webhook that may, nor send elsewhere what that is told."""
    await portal.staff_member("mona", role=StaffRole.MANAGER)
    mona = await at(portal).sign_in("mona")
    hook = await make(olga, permissions=["STAFF_WRITE"])
    assert await refused(mona, CREATE, **(NEW | {"name": "B", "permissions": ["STAFF_WRITE"]})) == (
        "PERMISSION_NOT_HELD",
        ["permissions"],
    )
    assert await refused(mona, UPDATE, webhook=hook, url="http://127.0.0.1:1/") == (
        "PERMISSION_NOT_HELD",
        ["webhook"],
    )
    await do(mona, UPDATE, webhook=hook, permissions=["ORDERS_READ"])
    await do(mona, UPDATE, webhook=hook, url="http://127.0.0.1:1/")


async def test_a_webhook_is_changed_in_what_is_given_alone(olga: Client) -> None:
    query = "{ portal { slug } }"
    hook = await make(olga, query=query, permissions=["ORDERS_READ"])
    same = await do(olga, UPDATE, webhook=hook, name="ERP", version=1)
    assert (same["webhook"]["version"], same["secret"]) == (1, None)
    changed = await do(olga, UPDATE, webhook=hook, events=["TICKET_OPENED", "ORDER_PLACED"], active=False)
    assert changed["webhook"]["events"] == ["ORDER_PLACED", "TICKET_OPENED"]
    assert (changed["webhook"]["active"], changed["webhook"]["query"]) == (False, query)
    assert changed["webhook"]["version"] == 2
    without = await do(olga, UPDATE, webhook=hook, query=None, version=2)
    assert without["webhook"]["query"] is None
    rotated = await do(olga, UPDATE, webhook=hook, rotateSecret=True)
    assert rotated["secret"].startswith("whsec_")
    assert rotated["webhook"]["version"] == 4


async def test_a_webhook_goes_with_all_its_deliveries(portal: Portal, olga: Client) -> None:
    hook = await make(olga)
    await do(olga, TEST, webhook=hook)
    assert (await olga.ask(DELIVERIES))["webhookDeliveries"]["totalCount"] == 1
    assert (await do(olga, DELETE, webhook=hook, version=1))["deletedId"] == hook
    assert (await olga.ask(DELIVERIES))["webhookDeliveries"] == {"totalCount": 0, "nodes": []}
    assert await olga.ask(ALL) == {"webhooks": []}
    assert await refused(olga, DELETE, webhook=hook) == ("NOT_FOUND", ["webhook"])


async def test_deliveries_are_found_by_what_they_are(olga: Client, portal: Portal) -> None:
    first, second = await make(olga), await make(olga, name="Other")
    for hook in (first, first, second):
        await do(olga, TEST, webhook=hook)
    query = """query($f: WebhookDeliveryFilter, $o: [WebhookDeliveryOrder!]) {
      webhookDeliveries(filter: $f, orderBy: $o) { nodes { id node { id } } } }"""

    async def found(order: str = "CREATED_AT_ASC", **given: Any) -> list[str]:
        page = (await olga.ask(query, f=given, o=[order]))["webhookDeliveries"]
        return [each["node"]["id"] for each in page["nodes"]]

    assert await found() == [first, first, second]
    assert await found("CREATED_AT_DESC") == [second, first, first]
    assert await found(webhook=first) == await found(node=first) == [first, first]
    assert await found(states=["PENDING"], events=["WEBHOOK_TEST"], webhook=second) == [second]
    assert await found(states=["DEAD"]) == await found(events=["ORDER_PLACED"]) == []
    assert await found(webhook="x") == await found(node="x") == await found(webhook=portal.slug) == []


async def test_the_audit_knows_who_did_it_and_no_secret(olga: Client, portal: Portal) -> None:
    made = await do(olga, CREATE, **(NEW | {"url": "http://127.0.0.1:9/hook?token=abc"}))
    hook = made["webhook"]["id"]
    rotated = await do(olga, UPDATE, webhook=hook, rotateSecret=True)
    async with portal.writing() as connection:
        kept = await connection.fetch_text(
            "select coalesce(before, '') || coalesce(after, '') from audit_entries"
        )
    text = " ".join(each for (each,) in kept)
    assert made["secret"] not in text
    assert rotated["secret"] not in text
    assert "token=abc" not in text
    assert "127.0.0.1" in text


@pytest.fixture
async def strict(world: World, settings: Settings) -> AsyncIterator[Callable[[Portal], Client]]:
    """The same application where private addresses are refused."""
    app = create(
        settings.model_copy(update={"webhook_private_targets": False}), world.database, world.passwords
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        yield lambda portal: Client(http, portal.slug)


async def test_only_names_with_public_addresses_alone_are_taken(
    portal: Portal, strict: Callable[[Portal], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "public.example": ["93.184.216.34"],
        "both.example": ["93.184.216.34", "10.0.0.1"],
        "inner.example": ["192.168.1.1"],
        "mapped.example": ["::ffff:127.0.0.1"],
    }
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host not in names:
            raise OSError
        return names[host]

    monkeypatch.setattr(targets, "resolve", resolve)
    olga = await strict(portal).sign_in("olga")
    for url in (
        "http://public.example/",
        "https://127.0.0.1/",
        "https://both.example/",
        "https://inner.example/",
        "https://mapped.example/",
        "https://nowhere.example/",
    ):
        assert await refused(olga, CREATE, **(NEW | {"url": url})) == ("WEBHOOK_URL_INVALID", ["url"]), url
    assert (await olga.ask(ALL))["webhooks"] == []
    hook = await make(olga, url="https://public.example/hook")
    assert await refused(olga, UPDATE, webhook=hook, url="https://inner.example/") == (
        "WEBHOOK_URL_INVALID",
        ["url"],
    )
    await do(olga, UPDATE, webhook=hook, name="Renamed")
    assert asked[-2:] == ["public.example", "inner.example"]


async def test_a_name_is_asked_for_while_no_connection_is_held(
    portal: Portal, world: World, strict: Callable[[Portal], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle: list[bool] = []

    async def resolve(_host: str, _port: int) -> list[str]:
        pool = world.database._pool
        idle.append(pool.get_idle_size() == pool.get_size())
        return ["93.184.216.34"]

    monkeypatch.setattr(targets, "resolve", resolve)
    await make(await strict(portal).sign_in("olga"), url="https://public.example/hook")
    assert idle == [True]


async def test_what_no_webhook_is_there_for_costs_one_statement_at_most(
    portal: Portal, olga: Client, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    fetch = db.connections.Connection.fetch_text

    async def noting(self: Any, sql: str, *values: Any) -> Any:
        ran.append(sql)
        return await fetch(self, sql, *values)

    monkeypatch.setattr(db.connections.Connection, "fetch_text", noting)
    bea = await at(portal).sign_in("bea")
    add = 'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
    place = "mutation { orderPlace(input: {}) { errors { code } } }"

    def webhooks_and_jobs() -> tuple[int, int]:
        webhooks = sum("webhook_deliveries" in sql for sql in ran)
        return webhooks, sum("jobs." in sql for sql in ran)

    ran.clear()
    await bea.ask(add)
    assert webhooks_and_jobs() == (0, 0)
    await bea.ask(place)
    assert webhooks_and_jobs() == (1, 1)  # the job is to tell the buyer by mail
    for name in ("One", "Two", "Three"):
        await make(olga, name=name)
    await bea.ask(add)
    ran.clear()
    await bea.ask(place)
    assert webhooks_and_jobs() == (1, 2)
    async with portal.writing() as connection:
        rows = await connection.fetch_text("select node_id from webhook_deliveries")
    (order,) = {each[0] for each in rows}
    assert len(rows) == 3
    assert await bea.ask("query($id: ID!) { node(id: $id) { id } }", id=global_id("Order", order)) != {
        "node": None
    }
