"""GraphQL over HTTP: addresses, media types, methods, statuses, headers; what spoofed headers do not change."""

import gzip
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.conftest import At
from tests.world import Portal, World

RESPONSE, JSON = "application/graphql-response+json", "application/json"
SLUG = "{ portal { slug } }"
WHAT_IS_NOT_RUN = {
    "a syntax error": {"query": "{"},
    "an unknown field": {"query": "{ nothing }"},
    "a variable that is missing": {"query": "query($i: SignInInput!) { portal { slug } }"},
    "a variable of the wrong type": {
        "query": "query($n: Int) { products(first: $n) { totalCount } }",
        "variables": {"n": "x"},
    },
    "too much": {"query": "{ products(first: 101) { totalCount } }"},
    "several operations": {"query": "query a { portal { slug } } query b { portal { slug } }"},
}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    return portal


@pytest.fixture
def url(portal: Portal) -> str:
    return f"/portals/{portal.slug}/graphql"


def code(response: httpx.Response) -> str:
    """The code of the one error of an answer that is GraphQL JSON."""
    assert response.headers["content-type"].split(";")[0] in (RESPONSE, JSON)
    errors = response.json()["errors"]
    assert len(errors) == 1
    found: str = errors[0]["extensions"]["code"]
    return found


@pytest.mark.parametrize(
    "address",
    [
        "http://nobody.localhost/graphql",
        "http://localhost/graphql",
        "http://127.0.0.1:8000/graphql",
        "http://kontor.test/portals/nobody/graphql",
        "http://kontor.test/portals/%2e%2e/graphql",
        "http://kontor.test/portals/%ff/graphql",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_where_no_portal_is_the_answer_is_graphql_too(
    http: httpx.AsyncClient, method: str, address: str
) -> None:
    response = await http.request(method, address, params={"query": SLUG})
    assert (response.status_code, code(response)) == (404, "PORTAL_NOT_FOUND")


@pytest.mark.parametrize("path", ["/", "/nothing", "/portals", "/portals//graphql", "/graphql/x"])
async def test_where_nothing_is_the_answer_is_graphql_too(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


async def test_a_portal_answers_at_its_host_and_at_its_path(http: httpx.AsyncClient, portal: Portal) -> None:
    for address in (
        f"http://{portal.slug}.localhost/graphql",
        f"http://{portal.slug}.LOCALHOST:8000/graphql",
        f"http://{portal.slug}.localhost./graphql",
        f"http://kontor.test/portals/{portal.slug}/graphql",
    ):
        response = await http.get(address, params={"query": SLUG})
        assert response.json()["data"] == {"portal": {"slug": portal.slug}}


@pytest.mark.parametrize("at_host", [True, False])
async def test_spoofed_headers_change_nothing(
    world: World, http: httpx.AsyncClient, at: At, portal: Portal, at_host: bool
) -> None:
    other = await world.portal()
    bea = await at(portal).sign_in("bea")
    asked = {"query": "{ portal { slug } viewer { account { userName } } }"}
    host = f"{portal.slug}.localhost" if at_host else f"{other.slug}.localhost"
    spoofed = {
        "x-forwarded-host": f"{other.slug}.localhost",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-prefix": f"/portals/{other.slug}",
        "x-original-url": f"/portals/{other.slug}/graphql",
        "x-rewrite-url": f"/portals/{other.slug}/graphql",
        "x-http-method-override": "GET",
        "forwarded": f"for=127.0.0.1;host={other.slug}.localhost",
        "x-tenant": str(other.tenant_id),
        "x-tenant-id": str(other.tenant_id),
        "x-portal": other.slug,
        "cookie": f"tenant={other.tenant_id}; portal={other.slug}",
    }
    session = {"authorization": f"Bearer {bea.token}"}
    path = "/graphql" if at_host else f"/portals/{portal.slug}/graphql"
    response = await http.post(f"http://{host}{path}", json=asked, headers=spoofed | session)
    assert response.json()["data"] == {
        "portal": {"slug": portal.slug},
        "viewer": {"account": {"userName": "bea"}},
    }


async def test_a_session_is_none_at_another_portal(world: World, at: At, portal: Portal) -> None:
    bea = await at(portal).sign_in("bea")
    elsewhere = at(await world.portal())
    elsewhere.token = bea.token
    assert await elsewhere.ask("{ viewer { permissions } }") == {"viewer": None}


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "Bearer  ", "Bearer x", "Token x", "Bearer \xff", ""]
)
async def test_what_is_no_token_is_nobody(http: httpx.AsyncClient, url: str, header: str) -> None:
    response = await http.get(
        url,
        params={"query": "{ viewer { permissions } }"},
        headers={b"authorization": header.encode("latin-1")},
    )
    assert response.json()["data"] == {"viewer": None}


ACCEPTED = [
    (None, JSON),
    ("", JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (RESPONSE, RESPONSE),
    ("Application/GraphQL-Response+JSON", RESPONSE),
    (f"{RESPONSE}; charset=utf-8", RESPONSE),
    (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
    (f"{JSON}, {RESPONSE}", JSON),
    (f"{RESPONSE};q=0.8, {JSON};q=0.9", JSON),
    (f"{JSON};q=0.1, {RESPONSE};q=0.2", RESPONSE),
    (f"*/*, {RESPONSE}", RESPONSE),
    (f"*/*;q=0.1, {RESPONSE};q=0", JSON),
    (f"{JSON};q=0, */*", RESPONSE),
    (f"text/html;q=0.5, {RESPONSE}", RESPONSE),
    (f"text/plain, {JSON};q=0.001", JSON),
    (f"text/event-stream, {RESPONSE}", RESPONSE),
    (f"{JSON};q=nan, {RESPONSE};q=0.1", RESPONSE),
]


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED)
async def test_the_answer_has_the_media_type_that_is_liked_best(
    http: httpx.AsyncClient, url: str, accept: str | None, expected: str
) -> None:
    request = http.build_request("POST", url, json={"query": SLUG})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await http.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/plain", "image/*", f"{JSON};q=0", f"{JSON};q=x", f"{JSON};q=2", "*/*;q=0", ";", "\xff"]
)
async def test_a_client_that_takes_neither_media_type_is_told_so(
    http: httpx.AsyncClient, url: str, accept: str
) -> None:
    response = await http.post(url, json={"query": SLUG}, headers={b"accept": accept.encode("latin-1")})
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("what", WHAT_IS_NOT_RUN)
async def test_what_is_not_run_is_400_to_those_who_know_the_media_type(
    http: httpx.AsyncClient, url: str, what: str
) -> None:
    for accept, status in ((RESPONSE, 400), (JSON, 200)):
        response = await http.post(url, json=WHAT_IS_NOT_RUN[what], headers={"accept": accept})
        assert response.status_code == status
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        body = response.json()
        assert "data" not in body
        assert all(each["message"] and each["extensions"]["code"] for each in body["errors"])


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_an_error_of_a_field_is_200(http: httpx.AsyncClient, url: str, accept: str) -> None:
    asked = {"query": '{ portal { slug } product(sku: "A") { id } orders { nodes { id } } }'}
    response = await http.post(
        url, json={"query": '{ product(sku: "A") { id } }'}, headers={"accept": accept}
    )
    assert (response.status_code, response.json()["data"]) == (200, {"product": None})
    response = await http.post(url, json=asked, headers={"accept": accept})
    assert (response.status_code, response.json()["data"]) == (200, None)


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_a_mutation_by_get_is_not_run(http: httpx.AsyncClient, url: str, accept: str) -> None:
    for more in ({}, {"operationName": "m"}):
        asked = {"query": "mutation m { signOut { errors { code } } }", **more}
        response = await http.get(url, params=asked, headers={"accept": accept})
        assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "POST"


async def test_a_query_beside_a_mutation_can_be_got_by_name(
    http: httpx.AsyncClient, url: str, portal: Portal
) -> None:
    both = "query q($s: String!) { a: product(sku: $s) { id } portal { slug } } mutation m { signOut { errors { code } } }"
    asked = {"query": both, "operationName": "q", "variables": '{"s": "A"}', "extensions": ""}
    response = await http.get(url, params=asked)
    assert response.json()["data"] == {"a": None, "portal": {"slug": portal.slug}}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_other_methods_are_refused(http: httpx.AsyncClient, url: str, method: str) -> None:
    response = await http.request(method, url, json={"query": SLUG})
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert response.headers["cache-control"] == "no-store"
    if method != "HEAD":
        assert code(response) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/jsonp",
        "*/*",
    ],
)
async def test_what_a_form_could_post_is_refused(http: httpx.AsyncClient, url: str, kind: str | None) -> None:
    """A browser sends a form to anybody without asking; JSON it does not."""
    headers = {} if kind is None else {"content-type": kind}
    response = await http.post(url, content=b'{"query": "{ portal { slug } }"}', headers=headers)
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response.headers["accept"] == JSON


@pytest.mark.parametrize(
    "kind", [JSON, f"{JSON};charset=UTF-8", f'{JSON}; charset="utf-8"; x=y', "Application/JSON"]
)
async def test_json_in_utf_8_is_taken(http: httpx.AsyncClient, url: str, kind: str) -> None:
    response = await http.post(
        url, content='{"query": "{ portal { slug } } # ü"}'.encode(), headers={"content-type": kind}
    )
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "x", "identity, gzip", "gzip, gzip", "\xff"])
async def test_a_body_in_another_coding_than_gzip_is_refused_unread(
    http: httpx.AsyncClient, url: str, encoding: str
) -> None:
    headers = {b"content-type": JSON.encode(), b"content-encoding": encoding.encode("latin-1")}
    response = await http.post(url, content=gzip.compress(b"{}"), headers=headers)
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", " gzip "])
async def test_a_body_in_gzip_is_taken(http: httpx.AsyncClient, url: str, encoding: str) -> None:
    body = gzip.compress(b'{"query": "{ portal { slug } }"}')
    headers = {"content-type": JSON, "content-encoding": encoding}
    assert (await http.post(url, content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize("given", ["a", "A-b_c.1", "0" * 64])
async def test_a_sane_request_id_comes_back_and_is_in_the_log(
    http: httpx.AsyncClient, url: str, given: str
) -> None:
    with capture_logs() as logs:
        response = await http.post(url, json={"query": SLUG}, headers={"x-request-id": given})
    assert response.headers["x-request-id"] == given
    assert [log["request_id"] for log in logs] == [given]


@pytest.mark.parametrize(
    "given", ["", "a b", "a\tb", "0" * 65, "ä", '{"a":1}', "../..", "a;b", "%0d%0a", "a\n"]
)
async def test_an_insane_request_id_is_replaced(http: httpx.AsyncClient, url: str, given: str) -> None:
    response = await http.post(url, json={"query": SLUG}, headers={b"x-request-id": given.encode("latin-1")})
    assert len(response.headers["x-request-id"]) == 32
    assert response.headers["x-request-id"] != given


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portals/{}/graphql"),
        ("GET", "/portals/{}/graphql"),
        ("PUT", "/portals/{}/graphql"),
        ("POST", "/portals/nobody/graphql"),
        ("GET", "/nothing"),
        ("GET", "/healthz"),
        ("GET", "/portals/{}/schema.graphql"),
    ],
)
async def test_every_answer_carries_a_request_id(
    http: httpx.AsyncClient, portal: Portal, method: str, path: str
) -> None:
    response = await http.request(method, path.format(portal.slug), json={"query": SLUG})
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    "body", [{"query": SLUG}, {"query": "{"}, {"query": "{ orders { totalCount } }"}, {}, []]
)
async def test_no_answer_may_be_stored(http: httpx.AsyncClient, url: str, body: Any) -> None:
    for response in (await http.post(url, json=body), await http.get(url, params=body or None)):
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-de, en;q=0.5", "de"),
        ("fr, de;q=0.2", "de"),
        ("en;q=0.2, de;q=0.3", "de"),
        ("de;q=0, en", "en"),
        ("en-US", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        ("\xff", "en"),
        ("de;q=x", "en"),
    ],
)
async def test_texts_come_in_the_language_that_is_liked_best_and_codes_do_not_change(
    http: httpx.AsyncClient, url: str, accept: str, language: str
) -> None:
    response = await http.post(
        url,
        json={"query": "{ orders { totalCount } }"},
        headers={b"accept-language": accept.encode("latin-1")},
    )
    [error] = response.json()["errors"]
    texts = {"en": "Sign in at this portal first.", "de": "Melden Sie sich zuerst an diesem Portal an."}
    assert (error["message"], error["extensions"]["code"]) == (texts[language], "UNAUTHENTICATED")


async def test_a_portal_speaks_its_own_language_to_those_who_ask_for_none(world: World, at: At) -> None:
    portal = await world.portal(locale="de")
    assert (await at(portal).refusal("{ orders { totalCount } }"))["message"].startswith("Melden Sie")


async def test_names_of_statuses_are_translated_and_their_codes_are_not(portal: Portal, at: At) -> None:
    await portal.order("SO-1")
    bea = await at(portal).sign_in("bea")
    found = {}
    for language in ("en", "de"):
        bea.headers["accept-language"] = language
        order = (await bea.ask('{ order(number: "SO-1") { status { code name processingState } } }'))["order"]
        found[order["status"].pop("name")] = order["status"]
    same = {"code": "in-progress", "processingState": "IN_PROGRESS"}
    assert found == {"In progress": same, "In Bearbeitung": same}


async def test_the_schema_can_be_read_as_text(http: httpx.AsyncClient, portal: Portal) -> None:
    response = await http.get(f"/portals/{portal.slug}/schema.graphql")
    assert "type Query {" in response.text
    response = await http.get("/portals/nobody/schema.graphql")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
