"""Documents: what is not valid says so plainly, nothing runs, and nothing is given away about the schema."""

import asyncio
import dataclasses
import gc
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest
from graphql import DocumentNode, GraphQLError, Token, get_introspection_query, parse
from structlog.testing import capture_logs

from execution.documents import look, remembered
from execution.variables import PRICE
from schema.root import schema
from server.app import create
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.world import World


@pytest.fixture
async def anybody(world: World, at: At) -> Client:
    return at(await world.portal())


async def refused(client: Client, document: str, **more: Any) -> list[dict[str, Any]]:
    """The errors of a document that is not run; nothing was asked of the database."""
    with capture_logs() as logs:
        response = await client.post(document, **more)
    assert [log["statements"] for log in logs if log["event"] == "operation"] == [0]
    assert response.status_code == 400
    assert len(response.content) < 20_000
    body = response.json()
    assert "data" not in body
    errors: list[dict[str, Any]] = body["errors"]
    return errors


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ }", "GRAPHQL_PARSE_FAILED"),
        ("{ portal { } }", "GRAPHQL_PARSE_FAILED"),
        ("{ portal { slug } } }", "GRAPHQL_PARSE_FAILED"),
        ("\ufeff{ portal { slug }", "GRAPHQL_PARSE_FAILED"),
        ('{ product(sku: "\\uD800") { id } }', "GRAPHQL_PARSE_FAILED"),
        ("{ portal }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ portal { ...a } } fragment a on Portal { ...b }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ portal { ...a } } fragment a on Portal { ...a }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ portal { slug } } fragment a on Portal { ...b } fragment b on Portal { ...a }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("{ portal { slug } } { portal { name } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($a: Int) { portal { slug } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ products(first: $a) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a: portal { slug } a: viewer { permissions } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { products(first: $n) { totalCount } }", "BAD_USER_INPUT"),
        ("{ portal { slug } } type A { a: Int }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_not_valid_is_refused_with_a_code(anybody: Client, document: str, code: str) -> None:
    if code == "BAD_USER_INPUT":  # found when the variables are read, after the transaction began
        assert (await anybody.refusal(document))["extensions"]["code"] == code
        return
    assert {each["extensions"]["code"] for each in await refused(anybody, document)} == {code}


async def test_several_operations_without_a_name_run_none(anybody: Client) -> None:
    both = "query a { portal { slug } } query b { portal { name } }"
    assert [each["message"] for each in await refused(anybody, both)] == [
        "Several operations: name the one to run in operationName."
    ]
    answer = (await anybody.post(both, operationName="b")).json()
    assert list(answer["data"]["portal"]) == ["name"]


@pytest.mark.parametrize("name", ["c", "A", "null", " a"])
async def test_an_operation_that_is_not_there_is_not_run(anybody: Client, name: str) -> None:
    errors = await refused_plainly(anybody, "query a { portal { slug } }", operationName=name)
    assert errors == ["OPERATION_NOT_FOUND"]


async def test_a_document_without_an_operation_runs_nothing(anybody: Client) -> None:
    assert await refused_plainly(anybody, "fragment a on Portal { slug }") == ["OPERATION_NOT_FOUND"]
    assert await refused_plainly(anybody, "type A { a: Int }") == ["OPERATION_NOT_FOUND"]


async def test_a_subscription_is_refused(anybody: Client) -> None:
    assert await refused_plainly(anybody, "subscription { portal { slug } }") == ["OPERATION_NOT_SUPPORTED"]


async def refused_plainly(client: Client, document: str, **more: Any) -> list[str]:
    """The codes with which a request is refused before it is an operation."""
    response = await client.post(document, **more)
    assert response.status_code == 400
    body = response.json()
    assert "data" not in body
    return [each["extensions"]["code"] for each in body["errors"]]


MISSPELT = {
    "a field of Query": "{ portl { slug } }",
    "a field of a type": "{ portal { slg } }",
    "a field that another type has": "{ node(id: 1) { sku } }",
    "an object without selection": "{ portal }",
    "a mutation": "mutation { signOot { errors { code } } }",
    "an argument": "{ products(frst: 1) { totalCount } }",
    "an argument of a directive": "{ portal @include(iff: true) { slug } }",
    "a directive": "{ portal @inclde(if: true) { slug } }",
    "an enum value": "{ products(orderBy: [SKU_AS]) { totalCount } }",
    "an enum value as a string": '{ products(orderBy: ["SKU_ASC"]) { totalCount } }',
    "an enum value in a default": "query($o: ProductOrder = SKU_AS) { products(orderBy: [$o]) { totalCount } }",
    "a type condition": "{ node(id: 1) { ... on Prodct { sku } } }",
    "a fragment's type": "{ node(id: 1) { ...f } } fragment f on Prodct { sku }",
    "a variable's type": "query($f: ProductFiltr) { products(filter: $f) { totalCount } }",
    "an input field": '{ products(filter: {serch: "a"}) { totalCount } }',
    "an input field of a mutation": 'mutation { signIn(input: {usrName: "a", password: "b"}) { token } }',
    "a fragment": "{ portal { ...portl } } fragment portal on Portal { slug }",
}
MISSPELT_VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "an enum value": (
        "query($o: ProductOrder!) { products(orderBy: [$o]) { totalCount } }",
        {"o": "SKU_AS"},
    ),
    "an input field": (
        "query($f: ProductFilter) { products(filter: $f) { totalCount } }",
        {"f": {"serch": "a"}},
    ),
    "an enum value in an input": (
        "mutation($i: SignInInput!) { signIn(input: $i) { token } }",
        {"i": {"userName": "a", "password": "b", "transport": "COOKY"}},
    ),
}


@pytest.mark.parametrize("what", MISSPELT)
async def test_nothing_is_suggested_for_what_is_misspelt(anybody: Client, what: str) -> None:
    errors = await refused(anybody, MISSPELT[what])
    assert errors
    assert [each["message"] for each in errors if "did you mean" in each["message"].lower()] == []


@pytest.mark.parametrize("what", MISSPELT_VARIABLES)
async def test_nothing_is_suggested_for_what_is_misspelt_in_variables(anybody: Client, what: str) -> None:
    document, variables = MISSPELT_VARIABLES[what]
    error = await anybody.refusal(document, **variables)
    assert "did you mean" not in error["message"].lower()
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "document",
    [
        "{ portal { " + " ".join(f"z{i}" for i in range(900)) + " } }",
        "{ products(filter: {" + " ".join(f"a{i}: 1" for i in range(700)) + "}) { totalCount } }",
        "{ products(filter: {a: [" + "1 " * 2_000 + "] b: 1 c: 1 d: 1 e: 1 f: 1}) { totalCount } }",
        '{ nodes(ids: "' + "x" * 40_000 + '", id: {a: "' + "x" * 5_000 + '"}) { id } }',
        "{ z" + "z" * 40_000 + " }",
    ],
)
async def test_errors_about_a_large_document_are_small(anybody: Client, document: str) -> None:
    assert all(len(each["message"]) < 600 for each in await refused(anybody, document))


async def introspected(client: Client, document: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.ask(document))["__schema"]
    return found


async def test_the_schema_can_be_asked_for(anybody: Client) -> None:
    found = await introspected(anybody, get_introspection_query())
    assert {each["name"] for each in found["types"]} >= {"Query", "Product", "UserError"}


async def test_graphiql_can_ask_for_the_schema(anybody: Client) -> None:
    document = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    assert "includeDeprecated" in document
    assert document.count("ofType") >= 9
    assert (await introspected(anybody, document))["mutationType"]["name"] == "Mutation"


INTROSPECTIONS = [
    get_introspection_query(),
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Order") { name } }',
    "{ a: __schema { queryType { name } } portal { slug } }",
    "{ ...f } fragment f on Query { ... { __schema { queryType { name } } } }",
    "query($a: Boolean! = false) { __schema @include(if: $a) { queryType { name } } }",
]


@pytest.mark.parametrize("document", INTROSPECTIONS)
async def test_introspection_is_refused_where_it_is_switched_off(
    world: World, settings: Settings, document: str
) -> None:
    portal = await world.portal()
    closed = create(settings.model_copy(update={"introspection": False}), world.database, world.passwords)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(closed), base_url="http://kontor.test"
    ) as http:
        client = Client(http, portal.slug)
        for _ in range(2):  # the second time the document is remembered
            errors = await refused(client, document)
            assert [each["extensions"]["code"] for each in errors] == ["INTROSPECTION_DISABLED"]
        assert await client.ask("{ __typename portal { __typename } }") == {
            "__typename": "Query",
            "portal": {"__typename": "Portal"},
        }


async def test_a_document_is_parsed_and_measured_once_and_bound_to_its_variables_every_time(
    anybody: Client,
) -> None:
    paged = "query once($n: Int) { products(first: $n) { nodes { sku } } }"
    for size, code in ((5, "UNAUTHENTICATED"), (101, "OPERATION_TOO_COMPLEX"), (6, "UNAUTHENTICATED")):
        assert (await anybody.refusal(paged, n=size))["extensions"]["code"] == code
    known = [each for (_, text), each in remembered._known.items() if text == paged]
    assert len(known) == 1
    assert known[0].errors == []
    assert known[0].extents == {}
    fixed = "query fixed { products(first: 3) { nodes { sku } } }"
    await anybody.post(fixed)
    known = [each for (_, text), each in remembered._known.items() if text == fixed]
    assert list(known[0].extents) == ["fixed"]


async def test_what_is_remembered_is_bounded(anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.documents._REMEMBERED_MOST", 10)
    for i in range(15):
        await anybody.ask(f"{{ portal {{ a{i}: slug }} }}")
    assert len(remembered._known) == 10
    assert remembered._bytes == sum(each.bytes for each in remembered._known.values())
    monkeypatch.setattr("execution.documents._REMEMBERED_BYTES", 20_000)
    await anybody.ask("{ portal { slug } } # " + "-" * 15_000)
    assert len(remembered._known) == 1
    assert dataclasses.asdict(next(iter(remembered._known.values())))["bytes"] > 15_000


def test_a_document_that_is_forgotten_waits_for_no_garbage_collector() -> None:
    def tokens() -> int:
        return sum(isinstance(each, Token) for each in gc.get_objects())

    text = "{ portal { slug " + "name " * 50 + "} }"
    gc.collect()
    before = tokens()
    gc.disable()
    try:
        known = look(schema._schema, text, None, {})
        assert known.errors == []
        assert tokens() >= before + 50
        del known
        assert tokens() == before
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "text",
    ["{ portal { slug" + " slug" * 190 + " } }", "{ portal { slug" + " slug" * 300],
    ids=["valid", "cut off"],
)
def test_looking_at_a_document_rests_for_longer_than_it_works(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    rested: list[float] = []
    monkeypatch.setattr("execution.pace.time.sleep", rested.append)
    began = time.thread_time()
    with suppress(GraphQLError):
        look(schema._schema, text, None, {})
    worked = time.thread_time() - began
    assert len(rested) >= (2 if text.endswith("}") else 1)
    assert sum(rested) >= worked


async def test_what_several_send_at_once_is_parsed_once_it_is_known(
    anybody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def noting(text: str, **more: Any) -> DocumentNode:
        parsed.append(text)
        return parse(text, **more)

    monkeypatch.setattr("execution.documents.parse", noting)
    document = "query several { portal { slug name } }"
    answers = await asyncio.gather(*(anybody.post(document) for _ in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert 1 <= parsed.count(document) <= 3


@pytest.mark.parametrize(
    "document", ["query v { portal { slug } }", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"]
)
async def test_more_in_the_variables_than_there_may_be_is_refused_before_anything_is_made_of_it(
    anybody: Client, document: str
) -> None:
    (error,) = await refused(anybody, document, variables={"ids": [{"a": [1] * 999}] * 51})
    assert error["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    answer = await anybody.post(document, variables={"ids": [1] * 49_000})
    assert answer.json()["extensions"]["cost"]["requested"] >= 49_000 * PRICE
