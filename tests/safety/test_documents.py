"""Documents, lines 1 to 8: what asks for too much is refused before it costs anything, and tells nothing of the schema.

What is not here is in tests/execution/test_limits.py and tests/execution/test_documents.py: docs/safety.md names it.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_required_argument,
)

import rules.throttles
import tenants.passwords
from execution.limits import LARGEST_PAGE, MOST_ROOT_FIELDS
from rules.throttles import Bucket
from schema.root import schema
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.execution.test_limits import BOMBS, bomb, refusal
from tests.safety.turns import LONGEST_MS, turns
from tests.server.live import Serving, opened, order, serving, watching
from tests.world import Portal, World

LEVELS = range(21, 61)
RESPONSE, JSON = "application/graphql-response+json", "application/json"
TOO_MUCH = "OPERATION_TOO_COMPLEX"
_new = itertools.count()


@pytest.fixture
async def anybody(world: World, at: At) -> Client:
    return at(await world.portal())


def anew(document: str) -> str:
    """The same document as one that is not remembered from before."""
    return f"{document} # {next(_new)}"


async def test_a_turn_that_keeps_others_waiting_is_seen() -> None:
    """Otherwise the tests below would prove nothing."""

    def busy(milliseconds: float) -> None:
        ends = time.thread_time() + milliseconds / 1_000
        while time.thread_time() < ends:
            pass

    with turns() as spent:
        asyncio.get_running_loop().call_soon(busy, LONGEST_MS)
        await asyncio.sleep(0.01)
        assert max(spent) >= LONGEST_MS


@pytest.mark.parametrize("kind", BOMBS)
async def test_a_bomb_of_21_to_60_levels_takes_less_than_50_ms_and_holds_nobody_up(
    live: Serving, portal: Portal, kind: str
) -> None:
    url = live.url(portal.slug)
    async with httpx.AsyncClient(base_url=url.partition("/portals")[0]) as http:
        anybody = Client(http, portal.slug)
        with turns() as spent:
            for levels in LEVELS:
                spent.clear()
                assert await refusal(anybody, anew(BOMBS[kind](levels))) == TOO_MUCH
                assert sum(spent) < LONGEST_MS, levels


WATCHED = {
    "spread": "NEXT NEXT",
    "aliased": "a: placedTogether { NEXT } b: placedTogether { NEXT }",
    "inline": "... on Order { NEXT } ... { NEXT }",
}


@pytest.mark.parametrize("kind", WATCHED)
async def test_a_bomb_over_a_websocket_takes_no_longer_and_the_others_hear_their_events(
    live: Serving, portal: Portal, bea: Client, kind: str
) -> None:
    async with watching(live, bea) as other, opened(live, portal.slug) as socket:
        await socket.begin(bea.token)
        with turns() as spent:
            for levels in LEVELS:
                query = f"subscription {{ orderChanged {{ ...f0 }} }} {bomb(levels, WATCHED[kind])}"
                spent.clear()
                await socket.subscribe(anew(query), id=str(levels))
                assert await socket.code() == TOO_MUCH
                assert sum(spent) < LONGEST_MS, levels
        number = await order(bea)
        assert await other.numbers() == [number]


DEEP: dict[str, tuple[str, Callable[[int], str]]] = {
    "lists": ("$v: [ID!]!) { nodes(ids", lambda n: "[" * n + "]" * n),
    "objects": ("$v: ProductFilter) { products(filter", lambda n: '{"search":' * n + "1" + "}" * n),
    "both": ("$v: String!) { product(sku", lambda n: '[{"a":' * n + "1" + "}]" * n),
}


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("depth", [10, 200, 500, 5_000, 20_000])
async def test_variables_that_nest_deeply_are_refused_cleanly(anybody: Client, kind: str, depth: int) -> None:
    question, nested = DEEP[kind]
    document = f"query({question}: $v) {{ __typename }} }}"
    body = f'{{"query": "{document}", "variables": {{"v": {nested(depth)}}}}}'
    response = await anybody.http.post(
        f"/portals/{anybody.slug}/graphql", content=body, headers={"content-type": JSON, "accept": RESPONSE}
    )
    assert response.status_code == 400
    assert {each["extensions"]["code"] for each in response.json()["errors"]} <= {
        "BAD_USER_INPUT",
        "BAD_REQUEST",
    }
    assert len(response.content) < 5_000


@dataclass(frozen=True)
class Page:
    """A list that pages, and a document that asks for it with whatever stands for `%`."""

    name: str
    document: str

    def of(self, argument: str, size: object) -> str:
        return self.document.replace("%", f"{argument}: {size}")


@cache
def pages() -> list[Page]:
    """Every list of the schema that pages, on the shortest way to it."""
    query = schema._schema.query_type
    assert query is not None
    found: dict[str, Page] = {}
    seen: set[str] = {query.name}
    left: deque[tuple[GraphQLNamedType, str, str]] = deque([(query, "", "")])
    while left:
        type_, before, after = left.popleft()
        for name, field in fields(type_).items():
            given = f"({required(field)})" if required(field) else ""
            if "first" in field.args:
                arguments = f"({', '.join(filter(None, ['%', required(field)]))})"
                document = f"{before} {name}{arguments} {{ nodes {{ __typename }} }} {after}"
                found[f"{type_.name}.{name}"] = Page(f"{type_.name}.{name}", f"{{ {document} }}")
            for inner in possible(get_named_type(field.type)):
                if inner.name not in seen and fields(inner):
                    seen.add(inner.name)
                    way = f"{before} {name}{given} {{ ... on {inner.name} {{"
                    left.append((inner, way, "} } " + after))
    return list(found.values())


def fields(type_: GraphQLNamedType) -> dict[str, GraphQLField]:
    return dict(type_.fields) if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)) else {}


def possible(type_: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    """A type, and all that it may be."""
    yield type_
    if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
        yield from schema._schema.get_possible_types(type_)


def required(field: GraphQLField) -> str:
    """The arguments that a field cannot do without, of the plainest kind."""
    plain = {"ID": '"x"', "String": '"x"', "Int": "1", "Decimal": '"1"', "Date": '"2026-01-01"'}
    told = []
    for name, argument in field.args.items():
        if is_required_argument(argument):
            type_ = get_named_type(argument.type)
            value = (
                next(iter(type_.values))
                if isinstance(type_, GraphQLEnumType)
                else plain.get(type_.name, "{}")
            )
            told.append(f"{name}: {value}")
    return ", ".join(told)


def test_every_list_that_pages_is_asked() -> None:
    every = {
        f"{type_.name}.{name}"
        for type_ in schema._schema.type_map.values()
        for name, field in fields(type_).items()
        if "first" in field.args
    }
    assert {page.name for page in pages()} == every
    assert len(every) > 30


SIZES = [10**18, 2**31, LARGEST_PAGE + 1, 0, -1, -(10**18)]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
async def test_no_list_gives_a_page_that_is_huge_or_negative(anybody: Client, page: Page) -> None:
    for argument, size in itertools.product(("first", "last"), SIZES):
        by_variable = f"query($n: Int) {page.of(argument, '$n')}"
        assert await refusal(anybody, page.of(argument, size)) == TOO_MUCH
        assert await refusal(anybody, by_variable, {"n": size}) == TOO_MUCH
        assert await refusal(anybody, by_variable.replace("Int", f"Int = {size}")) == TOO_MUCH


def thrice(size: str, leaves: str = "id") -> str:
    """Three lists within each other."""
    return f"{{ orders{size} {{ nodes {{ tickets{size} {{ nodes {{ messages{size} {{ nodes {{ {leaves} }} }} }} }} }} }} }}"


async def test_lists_within_lists_within_lists_multiply_however_their_size_is_given(anybody: Client) -> None:
    by_variable = f"query($n: Int) {thrice('(first: $n)')}"
    by_default = by_variable.replace("Int", "Int = 100")
    unsaid = thrice("", " ".join(f"a{number}: id" for number in range(20)))
    assert await refusal(anybody, thrice("(first: 100)")) == TOO_MUCH
    assert await refusal(anybody, by_variable, {"n": 100}) == TOO_MUCH
    assert await refusal(anybody, by_default) == TOO_MUCH
    assert await refusal(anybody, unsaid) == TOO_MUCH, "what nobody says is twenty"
    assert (
        await refusal(anybody, f"query($n: Int) {unsaid[:8]}(first: $n){unsaid[8:]}", {"n": None}) == TOO_MUCH
    )
    for document, variables in ((by_variable, {"n": 5}), (by_default, {"n": 5}), (thrice(""), {})):
        assert (await anybody.refusal(document, **variables))["extensions"]["code"] == "UNAUTHENTICATED"


def misspelt(name: str) -> str:
    """A name with a letter too many, to which nothing is closer than the name itself."""
    return f"{name}{name[-1]}"


def selected() -> Iterator[str]:
    """A selection for every field and every argument, with its name misspelt."""
    for type_ in schema._schema.type_map.values():
        if not is_introspection_type(type_):
            for name, field in fields(type_).items():
                yield f"... on {type_.name} {{ {misspelt(name)} }}"
                for argument in field.args:
                    yield f"... on {type_.name} {{ {name}({misspelt(argument)}: 1) }}"


def declared() -> Iterator[str]:
    """What a variable may be declared as, for every type, input field and value of an enum, with its name misspelt."""
    for type_ in schema._schema.type_map.values():
        yield misspelt(type_.name)
        if isinstance(type_, GraphQLInputObjectType):
            yield from (f"{type_.name} = {{{misspelt(name)}: 1}}" for name in type_.fields)
        if isinstance(type_, GraphQLEnumType) and not is_introspection_type(type_):
            yield from (f"{type_.name} = {misspelt(value)}" for value in type_.values)


def mistakes() -> Iterator[str]:
    """Documents with a few mistakes each: only the first ones are told."""
    every = list(selected())
    for start in range(0, len(every), 10):
        yield f"{{ node(id: 1) {{ {' '.join(every[start : start + 10])} }} }}"
    every = list(declared())
    for start in range(0, len(every), 10):
        variables = (f"$v{number}: {each}" for number, each in enumerate(every[start : start + 10]))
        yield f"query({' '.join(variables)}) {{ portal {{ slug }} }}"


async def test_nothing_is_suggested_for_any_name_of_the_schema(anybody: Client) -> None:
    asked = 0
    for document in mistakes():
        told = (await anybody.post(document)).json()["errors"]
        assert len(told) >= document.count("... on ") or document.startswith("query")
        assert [each["message"] for each in told if "did you mean" in each["message"].lower()] == []
        asked += 1
    assert asked > 200


async def test_nothing_is_suggested_for_a_name_in_the_variables_of_any_input(anybody: Client) -> None:
    asked = 0
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            for name in type_.fields:
                error = await anybody.refusal(
                    f"query($v: {type_.name}) {{ portal {{ slug }} }}", v={misspelt(name): 1}
                )
                assert "did you mean" not in error["message"].lower()
                asked += 1
    assert asked > 300


@pytest.mark.parametrize(
    ("environment", "introspection", "allowed"),
    [
        ("production", None, False),
        ("production", True, True),
        ("development", None, True),
        ("development", False, False),
    ],
)
def test_production_tells_its_schema_only_where_a_setting_says_so(
    settings: Settings, environment: str, introspection: bool | None, allowed: bool
) -> None:
    given: dict[str, Any] = {
        "_env_file": None,
        "DATABASE_URL": settings.database_url,
        "environment": environment,
        "secret_key": "known-to-nobody-but-this-one-test",
        "introspection": introspection,
    }
    assert Settings(**given).introspection is allowed


async def test_the_schema_is_no_text_either_where_nobody_may_ask_for_it(
    world: World, settings: Settings, portal: Portal
) -> None:
    async with (
        serving(settings, world.database, world.passwords, introspection=False) as closed,
        httpx.AsyncClient() as http,
    ):
        response = await http.get(closed.url(portal.slug).replace("/graphql", "/schema.graphql"))
        assert (response.status_code, "Query" in response.text) == (404, False)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were looked at; without argon2, which takes a while."""
    seen: list[str] = []

    def verify(_password_hash: str, password: str) -> bool:
        seen.append(password)
        return False

    monkeypatch.setattr(tenants.passwords, "_verify", verify)
    return seen


SIGN_IN = "mutation($input: SignInInput!) {{ {} }} fragment f on Mutation {{ {} }}"
WRONG = {"userName": "bea", "password": "wrong horse battery"}


def sign_ins(first: int, last: int) -> str:
    return " ".join(f"s{each}: signIn(input: $input) {{ errors {{ code }} }}" for each in range(first, last))


async def test_a_hundred_sign_ins_by_alias_are_too_many_for_one_operation(
    anybody: Client, verified: list[str]
) -> None:
    assert MOST_ROOT_FIELDS < 100
    plain = SIGN_IN.format(sign_ins(0, 100), "__typename")
    spread = SIGN_IN.format(sign_ins(0, 50) + " ...f", sign_ins(50, 100))
    for document in (plain, spread):
        assert await refusal(anybody, document, {"input": WRONG}) == TOO_MUCH
    assert verified == []


async def test_a_hundred_sign_ins_by_alias_in_two_operations_count_as_a_hundred(
    portal: Portal, at: At, verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for bucket in ("NAME_AT_ADDRESS", "ADDRESS", "NAME"):
        monkeypatch.setattr(rules.throttles, bucket, Bucket(capacity=1_000, refill_seconds=10**9))
    for part in (sign_ins(0, 50), sign_ins(50, 100)):
        codes = await at(portal).ask(SIGN_IN.format("...f", part), input=WRONG)
        assert [each["errors"] for each in codes.values()] == [[{"code": "SIGN_IN_REFUSED"}]] * 50
    async with portal.writing() as connection:
        left = await connection.fetch_text("select round(tokens) from throttles")
    assert [int(row[0]) for row in left] == [900] * 3
    assert len(verified) == 100
