"""Bodies: whatever is sent that is no operation is refused with 4xx and a code, and never is a fault of ours."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from server.app import create
from server.settings import Settings
from tests.world import Portal, World

RESPONSE, JSON = "application/graphql-response+json", "application/json"
MOST = Settings.model_fields["max_body_bytes"].default


@pytest.fixture
async def portal(world: World) -> Portal:
    return await world.portal()


@pytest.fixture
def url(portal: Portal) -> str:
    return f"/portals/{portal.slug}/graphql"


async def post(http: httpx.AsyncClient, url: str, body: Any) -> httpx.Response:
    return await http.post(url, content=body, headers={"content-type": JSON, "accept": RESPONSE})


def code(response: httpx.Response) -> str:
    """The code of the first error of an answer that is GraphQL JSON and small."""
    assert response.headers["content-type"] == f"{RESPONSE}; charset=utf-8"
    assert len(response.content) < 5_000
    body = response.json()
    assert "data" not in body
    found: str = body["errors"][0]["extensions"]["code"]
    return found


NO_OBJECTS = {
    "nothing": b"",
    "space": b" \n",
    "null": b"null",
    "a number": b"5",
    "a string": b'"x"',
    "a boolean": b"true",
    "an array": b"[]",
    "a batch": b'[{"query": "{ portal { slug } }"}, {"query": "{ portal { slug } }"}]',
    "NaN": b"NaN",
    "half an object": b'{"query": "{ portal { slug } }"',
    "two objects": b'{"query": "{ portal { slug } }"} {}',
    "a trailing comma": b'{"query": "{ portal { slug } }",}',
    "a comment": b'{"query": "{ portal { slug } }"} // x',
    "single quotes": b"{'query': '{ portal { slug } }'}",
    "GraphQL": b"{ portal { slug } }",
    "a form": b"query=%7B+portal+%7B+slug+%7D+%7D",
    "a byte order mark": b'\xef\xbb\xbf{"query": "{ portal { slug } }"}',
    "UTF-16": '{"query": "{ portal { slug } }"}'.encode("utf-16"),
    "UTF-32": '{"query": "{ portal { slug } }"}'.encode("utf-32"),
    "Latin-1": '{"query": "{ portal { slug } } # ü"}'.encode("latin-1"),
    "no UTF-8": b'{"query": "\xff\xfe"}',
    "half a character": b'{"query": "{ portal { slug } } # \xe2\x82"}',
    "a surrogate in bytes": b'{"query": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"query": "{ portal { slug } } # \\ud800"}',
    "a lone surrogate in a variable": b'{"query": "{ portal { slug } }", "variables": {"a": "\\udc00"}}',
    "a NUL byte": b'{"query": "{ portal { slug } }\x00"}',
    "NUL bytes": b"\x00" * 100,
    "an escaped NUL": b'{"query": "{ portal { slug } } # \\u0000"}',
    "an escaped NUL in a variable": b'{"query": "{ portal { slug } }", "variables": {"a": "b\\\\\\u0000"}}',
    "an escaped NUL in a name": b'{"query": "{ portal { slug } }", "\\u0000": 1}',
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets, closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "100,000 brackets in variables": b'{"query": "{ portal { slug } }", "variables": {"a": '
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}}",
    "a control character": b'{"query": "{ portal { slug } }\n"}',
    "a bare minus": b'{"query": -}',
    "a number with a leading zero": b'{"query": "{ portal { slug } }", "variables": {"a": 01}}',
}


@pytest.mark.parametrize("what", NO_OBJECTS)
async def test_what_is_no_json_object_is_a_bad_request(http: httpx.AsyncClient, url: str, what: str) -> None:
    response = await post(http, url, NO_OBJECTS[what])
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


NO_STRINGS: list[Any] = [0, 5, True, False, 1.5, [], {}, ["{ portal { slug } }"]]
NO_OBJECTS_EITHER: list[Any] = [0, 5, True, False, "", "{}", [], [1]]
NO_OPERATIONS: list[dict[str, Any]] = [
    {},
    {"qeury": "{ portal { slug } }"},
    {"Query": "{ portal { slug } }"},
    *({"query": each} for each in [None, "", " \n\t", *NO_STRINGS]),
    *({"query": "{ portal { slug } }", "operationName": each} for each in NO_STRINGS),
    *({"query": "{ portal { slug } }", "variables": each} for each in NO_OBJECTS_EITHER),
    *({"query": "{ portal { slug } }", "extensions": each} for each in NO_OBJECTS_EITHER),
]


@pytest.mark.parametrize("body", NO_OPERATIONS, ids=str)
async def test_what_is_no_operation_is_a_bad_request(
    http: httpx.AsyncClient, url: str, body: dict[str, Any]
) -> None:
    response = await post(http, url, orjson.dumps(body))
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"query": ""},
        {"query": "{ portal { slug } }", "variables": "{"},
        {"query": "{ portal { slug } }", "variables": "[]"},
        {"query": "{ portal { slug } }", "variables": "5"},
        {"query": "{ portal { slug } }", "variables": "[" * 5_000},
        {"query": "{ portal { slug } }", "variables": '{"a": "\\u0000"}'},
        {"query": "{ portal { slug } }", "extensions": "x"},
    ],
)
async def test_an_address_that_is_no_operation_is_a_bad_request(
    http: httpx.AsyncClient, url: str, query: dict[str, str]
) -> None:
    response = await http.get(url, params=query, headers={"accept": RESPONSE})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("query", ["query=%00", "query=%ff%fe", "query=%ed%a0%80", "query=%", "query=%7B"])
async def test_an_address_with_strange_bytes_does_not_parse(
    http: httpx.AsyncClient, url: str, query: str
) -> None:
    response = await http.get(f"{url}?{query}", headers={"accept": RESPONSE})
    assert (response.status_code, code(response)) == (400, "GRAPHQL_PARSE_FAILED")


VALUES: list[Any] = [
    10**18,
    2**63,
    1e308,
    -1.5,
    True,
    [],
    [[[]]],
    {},
    {"a": {"b": {}}},
    "x" * 100_000,
    "\ud7ff\ue000\U0010ffff",
    "￾￿",
    ["x"] * 10_000,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize(
    "document",
    [
        "query($v: String!) { product(sku: $v) { id } }",
        "query($v: ID!) { node(id: $v) { id } }",
        "query($v: Int!) { products(first: $v) { totalCount } }",
        "query($v: [ID!]!) { nodes(ids: $v) { id } }",
        "query($v: ProductFilter!) { products(filter: $v) { totalCount } }",
        "query($v: OrderFilter!) { orders(filter: $v) { totalCount } }",
        'query($v: Decimal!) { product(sku: "A") { price(quantity: $v) { minQuantity } } }',
        "mutation($v: SignInInput!) { signIn(input: $v) { token } }",
        "mutation($v: String!) { signIn(input: {userName: $v, password: $v}) { token } }",
    ],
)
async def test_no_value_of_a_variable_is_a_fault_of_ours(
    http: httpx.AsyncClient, url: str, document: str, value: Any
) -> None:
    response = await http.post(url, json={"query": document, "variables": {"v": value}})
    assert response.status_code < 500
    codes = {each["extensions"]["code"] for each in response.json().get("errors", [])}
    assert "INTERNAL_SERVER_ERROR" not in codes


async def test_huge_numbers_are_refused_or_taken_as_what_they_are(http: httpx.AsyncClient, url: str) -> None:
    for number in (b"1" * 100, b"-" + b"9" * 5_000, b"1e999", b"1" * 400_000):
        body = b'{"query": "query($n: Int) { products(first: $n) { totalCount } }", "variables": {"n": %b}}'
        response = await post(http, url, body % number)
        assert response.status_code == 400
        assert code(response) in ("BAD_REQUEST", "OPERATION_TOO_COMPLEX")


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ('{ product(sku: "\\u0000") { id } }', "BAD_USER_INPUT"),
        ('{ product(sku: "a\\\\\\u{00}") { id } }', "BAD_USER_INPUT"),
        ('{ product(sku: "\\\\u0000") { id } }', "UNAUTHENTICATED"),
        ('{ product(sku: "\\u{110000}") { id } }', "GRAPHQL_PARSE_FAILED"),
        ('{ product(sku: "\\uDC00") { id } }', "GRAPHQL_PARSE_FAILED"),
        ('{ product(sku: "\\uD83D\\uDE00") { id } }', "UNAUTHENTICATED"),
    ],
)
async def test_escapes_in_a_document_are_characters_or_refused(
    http: httpx.AsyncClient, url: str, document: str, error: str
) -> None:
    response = await post(http, url, orjson.dumps({"query": document}))
    assert response.json()["errors"][0]["extensions"]["code"] == error


async def test_an_escaped_backslash_before_u0000_is_text(http: httpx.AsyncClient, url: str) -> None:
    body = rb'{"query": "query($s: String!) { product(sku: $s) { id } }", "variables": {"s": "\\u0000"}}'
    assert (await post(http, url, body)).json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_bytes_are_a_fault_of_ours(http: httpx.AsyncClient, url: str, body: bytes) -> None:
    assert (await post(http, url, body)).status_code == 400


def sized(length: int) -> bytes:
    body = b'{"query": "{ portal { slug } }", "variables": {"a": "'
    return body + b"x" * (length - len(body) - 3) + b'"}}'


async def test_a_body_may_have_as_many_bytes_as_the_limit_and_not_one_more(
    http: httpx.AsyncClient, url: str
) -> None:
    assert (await post(http, url, sized(MOST))).status_code == 200
    response = await post(http, url, sized(MOST + 1))
    assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


# Without the time of its making: the names of tests are the same in every worker.
WHOLE = gzip.compress(b'{"query": "{ portal { slug } }"}', mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b'{"query": "{ portal { slug } }"}',
        WHOLE[:-1],
        WHOLE[:20],
        WHOLE + b"x",
        WHOLE * 2,
        WHOLE[2:],
    ],
)
async def test_what_is_not_whole_gzip_is_a_bad_request(
    http: httpx.AsyncClient, url: str, body: bytes
) -> None:
    response = await packed(http, url, body)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


async def test_a_body_in_gzip_may_become_as_large_as_the_limit_and_not_one_byte_larger(
    http: httpx.AsyncClient, url: str
) -> None:
    assert (await packed(http, url, gzip.compress(sized(MOST)))).status_code == 200
    response = await packed(http, url, gzip.compress(sized(MOST + 1)))
    assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


async def packed(http: httpx.AsyncClient, url: str, body: bytes) -> httpx.Response:
    headers = {"content-type": JSON, "content-encoding": "gzip", "accept": RESPONSE}
    return await http.post(url, content=body, headers=headers)


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(
    http: httpx.AsyncClient, url: str
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100_000
            yield b" " * 100_000

    response = await post(http, url, endless())
    assert "content-length" not in response.request.headers
    assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")
    assert sent <= MOST + 200_000


async def test_a_body_in_chunks_is_taken(http: httpx.AsyncClient, url: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in b'{"query": "{ portal { slug } }"}':
            yield bytes([byte])

    assert (await post(http, url, chunks())).status_code == 200


@pytest.mark.parametrize("length", ["9" * 30, "9" * 5_000, str(MOST + 1)])
async def test_a_length_over_the_limit_is_refused_unread(
    http: httpx.AsyncClient, url: str, length: str
) -> None:
    async def unread() -> AsyncIterator[bytes]:
        yield b""
        pytest.fail("the body was read")

    headers = {"content-type": JSON, "accept": RESPONSE, "content-length": length}
    response = await http.post(url, content=unread(), headers=headers)
    assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "\xb2", "0x10", "1, 1"])
async def test_a_length_that_is_no_number_does_not_disturb(
    http: httpx.AsyncClient, url: str, length: str
) -> None:
    headers = {b"content-type": JSON.encode(), b"content-length": length.encode("latin-1")}
    response = await http.post(url, content=sized(MOST), headers=headers)
    assert response.status_code == 200
    assert (await http.post(url, content=sized(MOST + 1), headers=headers)).status_code == 413


async def test_a_body_that_does_not_arrive_in_time_is_given_up(
    world: World, settings: Settings, url: str
) -> None:
    hasty = create(
        settings.model_copy(update={"request_deadline_seconds": 0.05}), world.database, world.passwords
    )

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(hasty), base_url="http://kontor.test") as http:
        response = await post(http, url, slow())
    assert (response.status_code, code(response)) == (408, "REQUEST_TIMEOUT")


async def test_a_client_that_goes_away_while_it_sends_is_no_fault(
    world: World, settings: Settings, url: str
) -> None:
    app = create(settings, world.database, world.passwords)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": url,
        "raw_path": url.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"kontor.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    with capture_logs() as logs:
        await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [(line["event"], line["log_level"]) for line in logs] == [("gone", "info")]
