"""Rate limits over HTTP, WebSockets and server-sent events: who is refused, how, and what everybody is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from graphql import GraphQLSchema

import db
from db.connections import Connection, Database
from execution import documents
from execution.limits import ROOT_FIELD
from rules.trusted_documents import document_id, hash_of
from server.app import create
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.server.live import CHANGED, asking, order, orders_of, serving, streaming, tell, watching
from tests.server.test_metrics import figures
from tests.tenants.test_sessions import sql
from tests.world import Portal, World

SLUG = "{ portal { slug } }"
SLUG_COSTS = ROOT_FIELD + 2
LIMIT = (
    "rateLimit { requested limit remaining perSecond resetAt portal { limit remaining perSecond resetAt } }"
)
GRAPHQL, JSON = "application/graphql-response+json", "application/json"
HOME, FAR = "192.0.2.1", "198.51.100.7"

Tight = Callable[..., AbstractAsyncContextManager["Servers"]]


class Servers:
    """An application whose budgets are small."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def as_(self, client: Client, address: str = HOME) -> Client:
        """The same client, asking this application from an address."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(address, 1))
        http = httpx.AsyncClient(transport=transport, base_url="http://kontor.test")
        return replace(client, http=http)


@pytest.fixture(autouse=True)
def new_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which documents are new depends on the tests before: that costs something only where a test asks for it."""
    monkeypatch.setattr(documents, "CHARACTER", 0)


@pytest.fixture
def tight(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Tight:
    """`tight(viewer=…, portal=…)`: another process with other budgets, that do not fill while a test empties them."""

    @asynccontextmanager
    async def started(
        *,
        viewer: int = 10**9,
        portal: int = 10**9,
        per_second: int = 1,
        character: int = 0,
        database: Database | None = None,
    ) -> AsyncIterator[Servers]:
        monkeypatch.setattr(documents, "CHARACTER", character)
        changed = {
            "budget_units": viewer,
            "budget_per_second": per_second,
            "portal_budget_units": portal,
            "portal_budget_per_second": per_second,
        }
        yield Servers(
            create(settings.model_copy(update=changed), database or world.database, world.passwords)
        )

    return started


def fresh() -> str:
    """A name that no document has yet."""
    return f"N{uuid4().hex}"


async def code(client: Client, query: str = SLUG) -> str | None:
    """The code of what an operation is refused with; None when it passes."""
    body = (await client.post(query)).json()
    return body["errors"][0]["extensions"]["code"] if "errors" in body else None


async def test_an_outsider_who_asks_too_much_holds_up_no_other_address_and_nobody_who_is_signed_in(
    tight: Tight, portal: Portal, bea: Client, at: At
) -> None:
    async with tight(viewer=5 * SLUG_COSTS) as servers:
        near, far = servers.as_(at(portal)), servers.as_(at(portal), FAR)
        bea = servers.as_(bea)
        assert await code(bea) is None  # her first request here is the address's
        assert [await code(near) for _ in range(5)] == [None] * 4 + ["RATE_LIMITED"]
        assert await code(far) is None
        assert [await code(bea) for _ in range(6)] == [None] * 5 + ["RATE_LIMITED"]


async def test_another_portal_is_not_held_up(
    tight: Tight, world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    async with tight(portal=5 * SLUG_COSTS) as servers:
        assert [await code(servers.as_(bea)) for _ in range(6)] == [None] * 5 + ["RATE_LIMITED"]
        assert await code(servers.as_(at(portal), FAR)) == "RATE_LIMITED"
        assert [await code(servers.as_(at(other))) for _ in range(5)] == [None] * 5


async def test_a_session_that_has_ended_takes_no_longer_from_its_accounts_budget(
    tight: Tight, portal: Portal, bea: Client, at: At
) -> None:
    ended = await at(portal).sign_in("bea")
    async with tight(viewer=4 * SLUG_COSTS) as servers:
        assert await code(servers.as_(ended, FAR)) is None  # its address pays, and it is known
        await ended.ask("mutation { signOut { errors { code } } }")
        assert await code(servers.as_(ended, FAR)) is None  # the account pays, and it is found to have ended
        assert [await code(servers.as_(ended, FAR)) for _ in range(4)] == [None] * 3 + ["RATE_LIMITED"]
        assert await code(servers.as_(bea)) is None
        assert [await code(servers.as_(bea)) for _ in range(4)] == [None] * 3 + ["RATE_LIMITED"]


async def test_all_sessions_of_an_account_have_one_budget(
    tight: Tight, portal: Portal, bea: Client, at: At
) -> None:
    second = await at(portal).sign_in("bea")
    async with tight(viewer=6 * SLUG_COSTS) as servers:
        for each in (bea, second):
            assert await code(servers.as_(each)) is None  # and from now on they are known
        assert [await code(servers.as_(bea)) for _ in range(3)] == [None] * 3
        assert [await code(servers.as_(second)) for _ in range(4)] == [None] * 3 + ["RATE_LIMITED"]


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_refusal_is_429_with_the_time_to_wait(
    tight: Tight, portal: Portal, at: At, accept: str
) -> None:
    async with tight(viewer=SLUG_COSTS, per_second=100) as servers:
        client = servers.as_(at(portal))
        client.headers = {"accept": accept, "accept-language": "de"}
        assert (await client.post(SLUG)).status_code == HTTPStatus.OK
        response = await client.post(SLUG)
        assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert response.headers["content-type"].startswith(accept)
        assert response.headers["cache-control"] == "no-store"
        body = response.json()
        (error,) = body["errors"]
        wait = error["extensions"].pop("retryAfter")
        assert 9 <= wait <= 11
        assert response.headers["retry-after"] == str(wait)
        assert error["extensions"] == {"code": "RATE_LIMITED"}
        assert f"in {wait} Sekunden" in error["message"]
        assert "data" not in body
        cost = body["extensions"]["cost"]
        assert (cost["requested"], cost["limit"]) == (SLUG_COSTS, SLUG_COSTS)
        assert 0 <= cost["remaining"] < SLUG_COSTS


@pytest.mark.parametrize("most", [50])
async def test_of_200_requests_at_once_at_two_processes_exactly_as_many_pass_as_the_viewer_can_pay(
    tight: Tight, portal: Portal, at: At, database_url: str, most: int
) -> None:
    own = await Database.open(database_url, size=5, wait_seconds=20)
    async with (
        tight(viewer=most * SLUG_COSTS) as one,
        tight(viewer=most * SLUG_COSTS, database=own) as another,
    ):
        clients = [one.as_(at(portal)), another.as_(at(portal))]
        codes = await asyncio.gather(*(code(client) for client in clients for _ in range(100)))
    await own.close()
    assert (codes.count(None), codes.count("RATE_LIMITED")) == (most, 200 - most)


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ " + " ".join(f"a{n}: portal {{ slug }}" for n in range(20)) + " }", 20 * SLUG_COSTS),
        ("{ orders(first: 100) { nodes { number } } }", ROOT_FIELD + 300),
        ("mutation { a: signOut { errors { code } } b: signOut { errors { code } } }", 2 * ROOT_FIELD + 6),
    ],
)
async def test_aliases_and_pages_count_for_as_much_as_they_ask_for(
    tight: Tight, portal: Portal, at: At, document: str, cost: int
) -> None:
    async with tight(viewer=cost + SLUG_COSTS) as servers:
        client = servers.as_(at(portal))
        body = (await client.post(document)).json()
        assert body["extensions"]["cost"]["requested"] == cost
        assert await code(client) is None
        assert await code(client) == "RATE_LIMITED"


async def test_what_is_not_valid_costs_too(tight: Tight, portal: Portal, at: At) -> None:
    wrong = (
        "{",
        "{ nothing }",
        "query($a: Int) { portal { slug(a: $a) } }",
        "{ ...a } fragment a on A { a }",
    )
    async with tight(viewer=4 * SLUG_COSTS) as servers:
        client = servers.as_(at(portal))
        for document in wrong:
            assert await code(client, document) in ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED")
        assert await code(client, wrong[0]) == "RATE_LIMITED"


async def test_a_document_that_is_new_costs_by_its_length_and_once(
    tight: Tight, portal: Portal, at: At
) -> None:
    document = f"query {fresh()} {{ portal {{ slug }} }}"
    async with tight(viewer=100_000, character=20) as servers:
        client = servers.as_(at(portal))
        left = [(await client.post(document)).json()["extensions"]["cost"] for _ in range(3)]
    assert [each["requested"] for each in left] == [SLUG_COSTS] * 3
    spent = [100_000 - each["remaining"] for each in left]
    looked = 20 * len(document)
    for found, expected in zip(
        spent, (looked + SLUG_COSTS, looked + 2 * SLUG_COSTS, looked + 3 * SLUG_COSTS), strict=True
    ):
        assert 0 <= expected - found <= 5  # what came back meanwhile


@pytest.mark.parametrize("end", ["", " nothing } }", " } }"], ids=["no document", "not valid", "valid"])
async def test_a_document_that_is_new_is_not_looked_at_before_that_is_paid(
    tight: Tight, portal: Portal, at: At, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    looked: list[str] = []
    look = documents.look

    def noting(schema: GraphQLSchema, text: str, *more: Any) -> documents.Known:
        looked.append(text)
        return look(schema, text, *more)

    monkeypatch.setattr(documents, "look", noting)
    asked = [f"query {fresh()} {{ portal {{ slug{end}" for _ in range(4)]
    async with tight(viewer=2 * (20 * len(asked[0]) + SLUG_COSTS) + ROOT_FIELD, character=20) as servers:
        client = servers.as_(at(portal))
        codes = [await code(client, each) for each in asked]
    assert codes[2:] == ["RATE_LIMITED"] * 2
    assert "RATE_LIMITED" not in codes[:2]
    assert looked == asked[:2]


async def test_what_was_not_looked_at_to_its_end_is_new_the_next_time_too(
    tight: Tight, portal: Portal, at: At
) -> None:
    document = f"query {fresh()} {{ portal {{ slug }} }}"
    async with tight(viewer=100_000, character=20) as servers:
        client = servers.as_(at(portal))
        assert (await client.post(document, operationName="Another")).status_code == HTTPStatus.BAD_REQUEST
        left = (await client.post(document)).json()["extensions"]["cost"]["remaining"]
    expected = 2 * 20 * len(document) + ROOT_FIELD + SLUG_COSTS
    assert 0 <= expected - (100_000 - left) <= 5  # what came back meanwhile


async def test_a_text_within_a_mutation_costs_the_same_whether_somebody_has_sent_it_or_not(
    tight: Tight, portal: Portal, at: At
) -> None:
    name = fresh()
    document = f'mutation {name} {{ signIn(input: {{userName: "bea", password: "{name}"}}) {{ errors {{ code }} }} }}'
    async with tight(viewer=100_000, character=20) as servers:
        victim, other = servers.as_(at(portal)), servers.as_(at(portal), FAR)
        costs = []
        for each in (victim, other):
            assert (await each.post(document, operationName="Another")).status_code == HTTPStatus.BAD_REQUEST
            body = (await each.post(SLUG)).json()
            costs.append(100_000 - body["extensions"]["cost"]["remaining"])
    assert costs[0] >= 20 * len(document)
    assert abs(costs[0] - costs[1]) <= 5  # what came back meanwhile


async def test_looking_for_a_document_that_is_nowhere_is_paid_before_it_is_looked_for(
    tight: Tight, portal: Portal, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = db.trusted_documents.text_of

    async def noting(connection: Connection, hash: str) -> str | None:
        looked.append(hash)
        return await look(connection, hash)

    monkeypatch.setattr(db.trusted_documents, "text_of", noting)
    body = {"documentId": document_id(hash_of("never listed"))}
    async with tight(viewer=3 * ROOT_FIELD) as servers:
        client = servers.as_(at(portal))
        path = f"/portals/{client.slug}/graphql"
        answers = [(await client.http.post(path, json=body, headers={"accept": GRAPHQL})) for _ in range(5)]
    codes = [each.json()["errors"][0]["extensions"]["code"] for each in answers]
    assert codes == ["PERSISTED_DOCUMENT_NOT_FOUND"] * 3 + ["RATE_LIMITED"] * 2
    assert len(looked) == 3
    assert answers[-1].status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["extensions"]["cost"]["requested"] == ROOT_FIELD


async def test_a_mutation_that_is_refused_has_changed_nothing(
    tight: Tight, portal: Portal, bea: Client
) -> None:
    add = 'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
    async with tight(viewer=3 * ROOT_FIELD) as servers:
        codes = [await code(servers.as_(bea), each) for each in (SLUG, add, add, add)]
    assert codes == [None, None, None, "RATE_LIMITED"]
    assert (await sql(portal, "select sum(quantity) from cart_items"))[0][0] == 2


async def test_the_rate_limit_and_the_extensions_say_what_happened(
    tight: Tight, portal: Portal, bea: Client, at: At
) -> None:
    spent = 0
    document = f"{{ {LIMIT} }}"
    async with tight(viewer=100_000, portal=300_000) as servers:
        outsider = servers.as_(at(portal))
        for _ in range(5):
            body = (await outsider.post(document)).json()
            told, cost = body["data"]["rateLimit"], body["extensions"]["cost"]
            spent += cost["requested"]
            assert told.pop("portal") is None
            assert told.pop("perSecond") == 1
            assert told == cost
            assert cost["limit"] == 100_000
            assert 0 <= cost["remaining"] - (100_000 - spent) <= 5  # what came back meanwhile
            full = datetime.fromisoformat(cost["resetAt"])
            (now,) = (await sql(portal, "select clock_timestamp()"))[0]
            assert abs((full - now).total_seconds() - spent) < 5


async def test_staff_sees_what_the_portal_has_left_and_customers_do_not(
    tight: Tight, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("sam")
    sam = await at(portal).sign_in("sam")
    async with tight(viewer=100_000, portal=300_000) as servers:
        for each in (bea, bea, sam):
            assert (await servers.as_(each).ask(f"{{ {LIMIT} }}"))["rateLimit"]["requested"] > ROOT_FIELD
        assert (await servers.as_(bea).ask(f"{{ {LIMIT} }}"))["rateLimit"]["portal"] is None
        told = (await servers.as_(sam).ask(f"{{ {LIMIT} }}"))["rateLimit"]
        assert told["portal"]["limit"] == 300_000
        assert told["portal"]["remaining"] < 300_000 - 5 * ROOT_FIELD
        assert told["portal"]["perSecond"] == 1
        assert told["portal"]["resetAt"] > told["resetAt"]


async def test_refusals_are_counted_by_whose_budget_it_was(tight: Tight, portal: Portal, at: At) -> None:
    async with tight(viewer=2 * SLUG_COSTS, portal=3 * SLUG_COSTS) as servers:
        near, far = servers.as_(at(portal)), servers.as_(at(portal), FAR)
        for _ in range(3):
            await code(near)
            await code(far)
        told = await figures(near.http)
    assert told["kontor_rate_limited_total viewer"] == 1
    assert told["kontor_rate_limited_total portal"] == 2
    assert told["kontor_operations_total none RATE_LIMITED"] == 3
    assert told["kontor_database_waiting"] == 0


async def test_too_many_requests_of_one_portal_that_wait_are_refused_and_those_of_another_are_not(
    tight: Tight, world: World, portal: Portal, at: At, database_url: str
) -> None:
    other = await world.portal()
    pool = await Database.open(database_url, size=1, wait_seconds=20)
    async with tight(database=pool) as servers:
        loud, quiet = servers.as_(at(portal)), servers.as_(at(other))
        for each in (loud, quiet):
            assert await code(each) is None
        async with pool.connect(None):
            waiting = [asyncio.create_task(loud.post(SLUG)) for _ in range(80)]
            while pool.use.waiting < 50:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            refused = await loud.post(SLUG)
            asked = asyncio.create_task(code(quiet))
            while pool.use.waiting < 51:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await asked is None
        statuses = [(await each).status_code for each in waiting]
    await pool.close()
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert (statuses.count(200), statuses.count(429)) == (50, 30)


async def test_subscriptions_cost_too_over_whatever_they_come(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    async with serving(
        settings, world.database, world.passwords, budget_units=1_500, budget_per_second=1
    ) as live:
        async with asking(live, bea, CHANGED) as socket:
            await live.watched(1)  # which her address has paid
            async with asking(live, bea, CHANGED) as another:
                await live.watched(2)  # and she this one
                await another.subscribe(CHANGED, id="2")
                message = await another.hear()
                assert (message["type"], message["id"]) == ("error", "2")
                (error,) = message["payload"]
                assert error["extensions"]["code"] == "RATE_LIMITED"
                assert error["extensions"]["retryAfter"] >= 1
            await socket.say(type="complete", id="1")
        async with streaming(live, portal.slug, bea.token) as stream:
            assert await stream.code() == "RATE_LIMITED"


async def test_events_are_paid_and_wait_until_they_can_be(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    await order(bea)
    changed = "subscription { orderChanged { number lines { sku } } }"
    async with (
        serving(
            settings, world.database, world.passwords, budget_units=4 * ROOT_FIELD, budget_per_second=500
        ) as live,
        watching(live, bea, changed) as socket,
    ):
        (own,) = await orders_of(portal)
        heard = []
        for _ in range(5):
            await tell(portal, own)
            heard += await socket.numbers(1)
        assert len(heard) == 5
        assert live.app.state.facilities.budgets.refused["viewer"] >= 1
