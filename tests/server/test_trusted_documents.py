"""Requests that name a document by its hash, and portals that run only what is on their list."""

import json
from collections.abc import Sequence
from time import monotonic
from typing import Any

import httpx
import pytest

import db
from db.connections import Connection
from execution import documents
from rules.permissions import StaffRole
from rules.trusted_documents import document_id, hash_of
from server import graphiql
from server.settings import Settings
from tenants import memory
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_trusted_documents import remove, uploaded
from tests.server.live import CHANGED, Serving, opened, order, streaming
from tests.world import PASSWORD, Portal, World

NAME = "query Name($size: Int) { portal { name } products(first: $size) { nodes { sku } } }"
TWO = "query One { portal { name } }"
CLEAR = "mutation { cartClear(input: {}) { errors { code } } }"
UPDATE = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
  portal { operationPolicy } errors { code } } }"""
NEVER = document_id(hash_of("never listed"))


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered, so that all that changes counts at once."""
    monkeypatch.setattr(memory, "SECONDS", 0)


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return await at(portal).sign_in("olga")


async def named(client: Client, text_or_id: str, **more: Any) -> httpx.Response:
    """Ask for a document by its id."""
    its_id = text_or_id if text_or_id.startswith("sha256:") else document_id(hash_of(text_or_id))
    token = {"authorization": f"Bearer {client.token}"} if client.token else {}
    return await client.http.post(
        f"/portals/{client.slug}/graphql", json={"documentId": its_id, **more}, headers=token | client.headers
    )


def code(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of the one error of an answer."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


async def restrict(olga: Client, policy: str = "TRUSTED_DOCUMENTS") -> None:
    answer = (await olga.ask(UPDATE, input={"operationPolicy": policy}))["portalUpdate"]
    assert answer == {"portal": {"operationPolicy": policy}, "errors": []}


async def test_a_document_of_one_portal_is_none_at_another_that_never_had_it(
    world: World, portal: Portal, olga: Client, bea: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    await uploaded(olga, NAME)
    assert (await named(bea, NAME)).status_code == 200
    there = [at(sister), await at(sister).sign_in("olga"), Client(bea.http, sister.slug, bea.token)]
    for client in there:
        client.headers["x-request-id"] = "same"
        answers = [await named(client, each) for each in (NAME, NEVER)]
        assert code(answers[0]) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")
        assert answers[0].content == answers[1].content
        assert answers[0].headers == answers[1].headers


async def test_a_listed_document_runs_by_its_id_with_variables_as_whoever_asks(
    olga: Client, bea: Client, portal: Portal, at: At
) -> None:
    await uploaded(olga, NAME, "{ viewer { account { userName } } }")
    body = (await named(bea, NAME, variables={"size": 1}, operationName="Name")).json()
    assert body["data"]["products"] == {"nodes": [{"sku": "A"}]}
    assert body["extensions"]["cost"]["limit"] > 0
    viewer = "{ viewer { account { userName } } }"
    assert (await named(bea, viewer)).json()["data"]["viewer"]["account"]["userName"] == "bea"
    assert (await named(at(portal), viewer)).json()["data"]["viewer"] is None


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_an_unknown_document_is_one_error_in_the_language_that_is_liked(
    bea: Client, accept: str
) -> None:
    bea.headers = {"accept": accept, "accept-language": "de"}
    response = await named(bea, NEVER)
    assert code(response) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")
    assert response.headers["content-type"].startswith(accept)
    assert response.headers["cache-control"] == "no-store"
    assert "Kein Dokument" in response.json()["errors"][0]["message"]


async def test_an_id_of_another_kind_is_an_unknown_document(bea: Client) -> None:
    ids = (NEVER, "", "abc", "md5:abc", "sha256:", hash_of(NAME), "sha256:" + "A" * 64, "ü", "x" * 100_000)
    url, headers = f"/portals/{bea.slug}/graphql", {"x-request-id": "same"}
    answers = [await bea.http.post(url, json={"documentId": each}, headers=headers) for each in ids]
    assert len({each.content for each in answers}) == 1
    assert code(answers[0]) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": 1},
        {"documentId": ["a"]},
        {"documentId": None},
        {"documentId": NEVER, "query": "{ portal { slug } }"},
        {"documentId": NEVER, "query": ""},
        {"documentId": NEVER, "variables": []},
        {"documentId": NEVER, "operationName": 1},
    ],
)
async def test_what_is_no_request_for_one_document_is_refused(bea: Client, body: Any) -> None:
    response = await bea.http.post(f"/portals/{bea.slug}/graphql", json=body)
    assert code(response) == (400, "BAD_REQUEST")


async def test_a_query_is_named_by_get_and_a_mutation_is_not(olga: Client, bea: Client) -> None:
    await uploaded(olga, NAME, CLEAR)
    url = f"/portals/{bea.slug}/graphql"
    accept = {"accept": "application/json", "authorization": f"Bearer {bea.token}"}
    given = {"documentId": document_id(hash_of(NAME)), "variables": json.dumps({"size": 1})}
    response = await bea.http.get(url, params=given, headers=accept)
    assert (response.status_code, "name" in response.json()["data"]["portal"]) == (200, True)
    given = {"documentId": document_id(hash_of(CLEAR))}
    assert (await bea.http.get(url, params=given, headers=accept)).status_code == 405
    given = {"documentId": NEVER}
    assert code(await bea.http.get(url, params=given, headers=accept)) == (
        400,
        "PERSISTED_DOCUMENT_NOT_FOUND",
    )


async def test_the_limits_of_operations_hold_for_listed_documents_too(olga: Client, bea: Client) -> None:
    await uploaded(olga, NAME)
    response = await named(bea, NAME, variables={"size": 1_000_000})
    assert code(response)[1] == "OPERATION_TOO_COMPLEX"
    assert code(await named(bea, NAME, operationName="Other")) == (400, "OPERATION_NOT_FOUND")


async def test_a_known_document_costs_no_statement_and_a_removed_one_is_soon_forgotten(
    olga: Client, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    fetch = Connection.fetch_text

    async def noting(self: Connection, sql: str, *values: Any) -> Sequence[Any]:
        if sql != db.budgets._take.sql:
            ran.append(sql)
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Connection, "fetch_text", noting)
    (mine,) = await uploaded(olga, NAME)
    monkeypatch.setattr(memory, "SECONDS", 100)
    await bea.post(NAME)  # the portal is known now, and is no more to be asked for
    ran.clear()
    await bea.post(NAME)
    in_full, ran[:] = len(ran), []
    await named(bea, NAME)
    first, ran[:] = len(ran), []
    await named(bea, NAME)
    assert (first, len(ran)) == (in_full + 1, in_full)
    await remove(olga, mine["id"])
    assert (await named(bea, NAME)).status_code == 200, "for some seconds"
    monkeypatch.setattr("tenants.memory.monotonic", lambda: monotonic() + 100)
    assert code(await named(bea, NAME)) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")


@pytest.mark.parametrize("removed", [False, True])
async def test_a_subscription_is_named_over_a_socket_and_a_stream(
    live: Serving, portal: Portal, olga: Client, bea: Client, removed: bool
) -> None:
    (mine,) = await uploaded(olga, CHANGED)
    if removed:
        await remove(olga, mine["id"])
    payload = {"documentId": mine["documentId"], "variables": {}}
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {bea.token}"}
    async with opened(live, portal.slug) as socket:
        await socket.begin(bea.token)
        await socket.say(type="subscribe", id="1", payload=payload)
        if removed:
            assert await socket.code() == "PERSISTED_DOCUMENT_NOT_FOUND"
            await socket.say(type="subscribe", id="1", payload=payload)
            assert await socket.code() == "PERSISTED_DOCUMENT_NOT_FOUND", "the socket goes on"
            return
        await live.watched(1)
        async with (
            httpx.AsyncClient(timeout=5) as http,
            http.stream("POST", live.url(portal.slug), headers=headers, json=payload) as response,
        ):
            await live.watched(2)
            number = await order(bea)
            assert await socket.numbers() == [number]
            async for chunk in response.aiter_text():
                if number in chunk:
                    break


async def test_only_listed_documents_run_where_the_portal_says_so(
    olga: Client, bea: Client, portal: Portal, at: At
) -> None:
    await uploaded(olga, NAME, CLEAR)
    await restrict(olga)
    for client in (bea, at(portal), Client(bea.http, bea.slug, "no such token")):
        for text in (TWO, NAME + " ", CHANGED, "{", "", "x" * 60_000):
            response = await client.post(text)
            expected = "TRUSTED_DOCUMENT_REQUIRED" if text else "BAD_REQUEST"
            assert code(response) == (400, expected), text
        assert (await client.post(NAME)).status_code == 200, "word for word"
        assert (await named(client, NAME)).status_code == 200
    assert (await bea.post(CLEAR)).json()["data"]["cartClear"] == {"errors": []}
    response = await bea.http.get(
        f"/portals/{bea.slug}/graphql", params={"query": TWO}, headers={"accept": "*/*"}
    )
    assert code(response) == (400, "TRUSTED_DOCUMENT_REQUIRED")
    await restrict(olga, "ANY_DOCUMENT")
    assert (await bea.post(TWO)).status_code == 200


async def test_what_is_not_listed_is_neither_parsed_nor_remembered(
    olga: Client, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restrict(olga)
    parsed: list[str] = []
    monkeypatch.setattr(documents, "_parsed", parsed.append)
    for text in (TWO, "{ " * 10_000, "{ a }" * 10_000):
        assert code(await bea.post(text)) == (400, "TRUSTED_DOCUMENT_REQUIRED")
    assert parsed == []


async def test_a_list_of_one_portal_restricts_no_other(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    await restrict(olga)
    assert (await at(sister).post(TWO)).status_code == 200
    await uploaded(await at(sister).sign_in("olga"), TWO)
    assert code(await at(portal).post(TWO)) == (400, "TRUSTED_DOCUMENT_REQUIRED")


async def test_who_may_write_the_list_runs_anything_and_other_staff_does_not(
    portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("agnes", role=StaffRole.AGENT)
    agnes = await at(portal).sign_in("agnes")
    await portal.account("cleo")
    seen = (await olga.ask("{ accounts(first: 10) { nodes { id userName } } }"))["accounts"]["nodes"]
    viewing = await olga.view_as(next(each["id"] for each in seen if each["userName"] == "cleo"))
    await restrict(olga)
    assert (await olga.post(TWO)).status_code == 200
    for client in (agnes, viewing):  # who looks through a customer's eyes sees what the customer gets
        assert code(await client.post(TWO)) == (400, "TRUSTED_DOCUMENT_REQUIRED")
    await olga.ask("mutation { signOut { errors { code } } }")
    assert code(await olga.post(TWO)) == (400, "TRUSTED_DOCUMENT_REQUIRED")


async def test_sockets_and_streams_are_held_to_the_list_from_the_next_subscription_on(
    live: Serving, portal: Portal, olga: Client, bea: Client
) -> None:
    async with opened(live, portal.slug) as socket:
        await socket.begin(bea.token)
        await socket.subscribe()
        await live.watched(1)
        await restrict(olga)
        await socket.subscribe(id="2")
        assert await socket.code() == "TRUSTED_DOCUMENT_REQUIRED"
        async with streaming(live, portal.slug, bea.token) as stream:
            assert await stream.code() == "TRUSTED_DOCUMENT_REQUIRED"
        await uploaded(olga, CHANGED)
        await socket.subscribe(id="3")
        await live.watched(2)


async def test_people_still_come_in_by_the_page_and_can_mend_the_list(
    portal: Portal, olga: Client, at: At
) -> None:
    await restrict(olga)
    page = {path.stem: path.read_text() for path in graphiql._DOCUMENTS.iterdir()}
    assert sorted(graphiql.documents()) == sorted(page.values())
    assert page.keys() == {"activate", "sign-in", "sign-out", "viewer"}
    variables = {"input": {"userName": "olga", "password": PASSWORD}}
    body = (await at(portal).post(page["sign-in"], variables)).json()
    again = Client(olga.http, olga.slug, body["data"]["entry"]["token"])
    assert (await again.post(page["viewer"])).json()["data"]["viewer"]["staffMember"]["userName"] == "olga"
    await uploaded(again, TWO)
    assert (await at(portal).post(TWO)).status_code == 200
    refused = {"input": {"userName": "nobody", "code": "x", "password": PASSWORD}}
    assert (await at(portal).post(page["activate"], refused)).json()["data"]["entry"]["errors"]
    assert (await again.post(page["sign-out"])).json()["data"]["signOut"] == {"errors": []}
    html = await olga.http.get(f"/portals/{olga.slug}/graphql", headers={"accept": "text/html"})
    assert html.status_code == 200


async def test_a_policy_counts_within_seconds(
    olga: Client, bea: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SECONDS", 10)
    assert (await bea.post(TWO)).status_code == 200
    await restrict(olga)
    assert (await bea.post(TWO)).status_code == 200
    monkeypatch.setattr("tenants.memory.monotonic", lambda: monotonic() + 10)
    assert code(await bea.post(TWO)) == (400, "TRUSTED_DOCUMENT_REQUIRED")
