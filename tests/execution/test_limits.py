"""What a document may ask for: hostile documents are refused with a code, in a small answer, before any SQL."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from execution.documents import MOST_CHARACTERS, MOST_TOKENS
from execution.limits import (
    LIST_SIZE,
    MOST_ALIASES,
    MOST_DEPTH,
    MOST_DIRECTIVES,
    MOST_FIELDS,
    MOST_GIVEN,
    MOST_ROOT_FIELDS,
    MOST_VALUES,
    ROOT_FIELD,
    Extent,
    Measure,
    check_operation,
)
from schema.root import schema
from tests.client import Client
from tests.conftest import At
from tests.world import World

SCHEMA = schema._schema
_together: Any = SCHEMA.type_map["Order"]
TOGETHER = _together.fields["placedTogether"].extensions["strawberry-definition"].metadata.get(LIST_SIZE, 1)


@pytest.fixture
async def anybody(world: World, at: At) -> Client:
    return at(await world.portal())


async def refusal(client: Client, document: str, variables: dict[str, Any] | None = None) -> str:
    """The code with which a document is refused, after nothing was asked of the database."""
    with capture_logs() as logs:
        response = await client.post(document, variables)
    its = response.headers["x-request-id"]  # what others asked for may end meanwhile
    assert [log["statements"] for log in logs if log.get("request_id") == its] == [0]
    assert response.status_code == 400
    assert len(response.content) < 5_000
    body = response.json()
    assert "data" not in body
    code: str = body["errors"][0]["extensions"]["code"]
    return code


def bomb(levels: int, body: str, on: str = "Order", leaf: str = "id") -> str:
    """Fragments of which each holds the next one twice."""
    each = [f"fragment f{i} on {on} {{ {body.replace('NEXT', f'...f{i + 1}')} }}" for i in range(levels)]
    return " ".join([*each, f"fragment f{levels} on {on} {{ {leaf} }}"])


BOMBS: dict[str, Callable[[int], str]] = {
    "plain": lambda levels: "{ ...f0 } " + bomb(levels, "NEXT NEXT", "Query", "portal { slug }"),
    "leaves": lambda levels: '{ order(number: "1") { ...f0 } } ' + bomb(levels, "NEXT NEXT"),
    "aliased": lambda levels: (
        '{ order(number: "1") { ...f0 } } '
        + bomb(levels, "a: placedTogether { NEXT } b: placedTogether { NEXT }")
    ),
    "inline": lambda levels: (
        '{ order(number: "1") { ...f0 } } ' + bomb(levels, "... on Order { NEXT } ... { NEXT }")
    ),
    "in a mutation": lambda levels: (
        "mutation { orderPlace(input: {}) { orders { ...f0 } } } " + bomb(levels, "NEXT NEXT NEXT")
    ),
    "of mutations": lambda levels: (
        "mutation { ...f0 } " + bomb(levels, "NEXT NEXT", "Mutation", "signOut { errors { code } }")
    ),
    "of errors": lambda levels: (
        "mutation { signOut { errors { ...f0 } } } " + bomb(levels, "NEXT NEXT", "UserError", "code")
    ),
    "of introspection": lambda levels: (
        "{ __schema { types { ...f0 } } } "
        + bomb(levels, "ofType { NEXT } ofType { NEXT }", "__Type", "name")
    ),
}


@pytest.mark.parametrize("levels", [21, 40, 60])
@pytest.mark.parametrize("kind", BOMBS)
async def test_a_fragment_bomb_is_refused(anybody: Client, kind: str, levels: int) -> None:
    assert await refusal(anybody, BOMBS[kind](levels)) == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize(
    "document",
    [
        "{ portal { " + " ".join(f"a{i}: slug" for i in range(3_000)) + " } }",
        "{ portal { " + " ".join(f"a{i}: slug" for i in range(MOST_ALIASES + 1)) + " } }",
        "{ " + " ".join(f"a{i}: portal {{ slug }}" for i in range(MOST_ROOT_FIELDS + 1)) + " }",
        "{ ...a ...a } fragment a on Query { " + "portal { slug } " * (MOST_ROOT_FIELDS // 2 + 1) + "}",
        "mutation { "
        + " ".join(
            f'a{i}: signIn(input: {{userName: "a", password: "b"}}) {{ token }}'
            for i in range(MOST_ROOT_FIELDS + 1)
        )
        + " }",
        "{ portal { " + "slug " * 10_000 + "} }",
        "{ portal { " + "slug " * (MOST_FIELDS + 1) + "} }",
        "{ portal { " + "slug " * (MOST_FIELDS - 1) + "} }",
        "{ portal " + "@include(if: true) " * 10_000 + "{ slug } }",
        "{ portal " + "@include(if: true) " * (MOST_DIRECTIVES + 1) + "{ slug } }",
        "query " + "@a " * (MOST_DIRECTIVES + 1) + "{ portal { slug } }",
        "{ portal { ...f } } fragment f on Portal " + "@a " * (MOST_DIRECTIVES + 1) + "{ slug }",
        "{ portal { ...f "
        + "@include(if: true) " * 60
        + "...f "
        + "@skip(if: true) " * 60
        + "} } fragment f on Portal { slug }",
        "{ portal { " + "...f " * 21 + "} } fragment f on Portal { " + "slug @include(if: true) " * 5 + "}",
    ],
    ids=itertools.count(1),
)
async def test_repeating_aliases_fields_or_directives_is_refused(anybody: Client, document: str) -> None:
    assert await refusal(anybody, document) == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize("fragments", [10, 60, 100, 300])
async def test_one_field_spread_over_many_fragments_is_refused(anybody: Client, fragments: int) -> None:
    """The rule that merges fields compares each pair of fragments with each other, and each pair of fields."""
    spreads = " ".join(f"...f{i}" for i in range(fragments))
    many = " ".join(
        f"fragment f{i} on Portal {{ {'slug ' * (1_900 // fragments)} }}" for i in range(fragments)
    )
    assert await refusal(anybody, f"{{ portal {{ {spreads} }} }} {many}") == "OPERATION_TOO_COMPLEX"


def nested(levels: int, breadth: int) -> str:
    inner = nested(levels - 1, breadth) if levels else "id"
    return f"placedTogether {{ {inner} }} " * breadth


@pytest.mark.parametrize(("levels", "breadth"), [(1, 40), (2, 11), (4, 4), (8, 2)])
async def test_one_object_repeated_on_every_level_is_refused(
    anybody: Client, levels: int, breadth: int
) -> None:
    document = f'{{ order(number: "1") {{ {nested(levels, breadth)} }} }}'
    assert await refusal(anybody, document) == "OPERATION_TOO_COMPLEX"


DEEP = {
    "fields": lambda n: "{ portal " * n + "{ slug }" + " }" * n,
    "inline fragments": lambda n: "{ " + "... on Query { " * n + "portal { slug }" + " }" * n + " }",
    "lists": lambda n: "{ nodes(ids: " + "[" * n + "]" * n + ") { id } }",
    "objects": lambda n: "{ products(filter: " + "{search:" * n + "1" + "}" * n + ") { totalCount } }",
    "default value": lambda n: "query($a: [ID!]! = " + "[" * n + "]" * n + ") { nodes(ids: $a) { id } }",
    "type": lambda n: "query($a: " + "[" * n + "ID" + "]" * n + ") { nodes(ids: $a) { id } }",
    "brackets that never close": lambda n: "{ a(b: " + "[" * n,
    "brackets after a string with quotes": lambda n: '{ a(b: "\\"[", c: ' + "[" * n,
    "brackets after a block string": lambda n: '{ a(b: """\\\\""" """, c: ' + "{d:" * n,
    "brackets after a comment": lambda n: '# " \n{ a(b: ' + "[" * n,
    "brackets after a comment with quotes": lambda n: '# """ \n{ a(b: ' + "[" * n,
}


@pytest.mark.parametrize("levels", [300, 5_000, 20_000])
@pytest.mark.parametrize("kind", DEEP)
async def test_what_is_nested_deeply_is_refused(anybody: Client, kind: str, levels: int) -> None:
    assert await refusal(anybody, DEEP[kind](levels)) == "OPERATION_TOO_COMPLEX"


async def test_more_levels_than_allowed_are_refused_and_as_many_as_allowed_are_not(anybody: Client) -> None:
    def order(levels: int) -> str:
        inner = "id"
        for _ in range(levels):
            inner = f"placedTogether {{ {inner} }}"
        return f'{{ order(number: "1") {{ {inner} }} }}'

    assert await refusal(anybody, order(MOST_DEPTH - 1)) == "OPERATION_TOO_COMPLEX"
    error = await anybody.refusal(order(2))
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "text",
    ['"[[["', '"\\"{"', '"""[\\"""[ " """', '"a" # [[[\n', '"{{{" #"""\n'],
)
async def test_brackets_in_strings_and_comments_nest_nothing(anybody: Client, text: str) -> None:
    many = "".join(f"a{i}: node(id: {text}\n) {{ id }} " for i in range(30))
    response = await anybody.post(f"{{ {many} }}")
    assert {each["extensions"]["code"] for each in response.json()["errors"]} == {"UNAUTHENTICATED"}


@pytest.mark.parametrize(
    "document",
    [
        "{ portal { slug } } " + "#" * MOST_CHARACTERS,
        "{ portal { slug } } " + "#\n" * MOST_TOKENS,
        "{ " + '"\\' * MOST_CHARACTERS,
        "fragment f on Portal { slug } " * (MOST_TOKENS // 7 + 1),
        " ".join(f"query q{i} {{ portal {{ slug }} }}" for i in range(MOST_TOKENS // 7 + 1)),
    ],
    ids=itertools.count(1),
)
async def test_a_document_that_is_too_long_is_refused(anybody: Client, document: str) -> None:
    assert await refusal(anybody, document) == "OPERATION_TOO_COMPLEX"


PAGED = "query($n: Int) { products(first: $n) { nodes { sku } } }"


@pytest.mark.parametrize("size", ["0", "-1", "101", "1000000", "9" * 5_000, "-" + "9" * 5_000])
@pytest.mark.parametrize("argument", ["first", "last"])
async def test_a_page_that_is_too_large_or_negative_is_refused(
    anybody: Client, argument: str, size: str
) -> None:
    literal = f"{{ products({argument}: {size}) {{ nodes {{ sku }} }} }}"
    default = f"query($n: Int = {size}) {{ products({argument}: $n) {{ nodes {{ sku }} }} }}"
    fragment = f"{{ ...f }} fragment f on Query {{ products({argument}: {size}) {{ nodes {{ sku }} }} }}"
    for document in (literal, default, fragment):
        assert await refusal(anybody, document) == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize("size", [0, -1, 101, 2**31, 10**18, 1e300, 101.0, -0.5])
async def test_a_page_that_a_variable_makes_too_large_is_refused(anybody: Client, size: float) -> None:
    assert await refusal(anybody, PAGED, {"n": size}) == "OPERATION_TOO_COMPLEX"
    with_default = PAGED.replace("Int", "Int = 5")
    assert await refusal(anybody, with_default, {"n": size}) == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize("size", ["5", "", [], {}, [5], True, 2.5])
async def test_a_page_size_that_is_no_whole_number_is_refused(anybody: Client, size: object) -> None:
    response = await anybody.post(PAGED, {"n": size})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def values(document: str, variables: dict[str, Any] | None = None) -> int:
    """How many values the last operation of a document asks for at most."""
    parsed = parse(document)
    operation = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)][-1]
    return check_operation(SCHEMA, parsed, operation, variables or {}).values


def test_a_page_counts_for_as_many_as_it_can_hold() -> None:
    def page(size: int) -> int:
        return size * 3  # per object: the connection's share, the node and its one leaf

    assert values("{ products(first: 7) { nodes { sku } } }") == page(7)
    assert values("{ products(first: 7, last: 9) { nodes { sku } } }") == page(9)
    assert values("{ products { nodes { sku } } }") == page(20)
    assert values("{ products(first: null) { nodes { sku } } }") == page(20)
    assert values(PAGED) == page(20)
    assert values(PAGED, {"n": None}) == page(20)
    assert values(PAGED, {"n": 30}) == page(30)
    assert values(PAGED, {"n": 100.0}) == page(100)
    assert values(PAGED, {"n": "what is no number"}) == page(100)
    with_default = PAGED.replace("Int", "Int = 40")
    assert values(with_default) == page(40)
    assert values(with_default, {"n": 50}) == page(50)
    assert values(with_default, {"n": None}) == page(20)


FILLED = "mutation($csv: String!) { cartFill(input: {from: {csv: $csv}}) { rejected { sku } } }"
LISTED = "mutation($in: CartFillInput!) { cartFill(input: $in) { ...f } } fragment f on CartFillPayload { added { sku } }"


def test_what_is_told_line_by_line_counts_for_as_many_lines_as_are_given() -> None:
    def told(lines: int) -> int:
        return 1 + lines * 2  # the payload; of each line the object and its one leaf

    assert values(FILLED) == told(2)
    assert values(FILLED, {"csv": None}) == told(2)
    assert values(FILLED, {"csv": "A,1\n" * 299 + "A,1"}) == told(300)
    assert values(FILLED, {"csv": "A,1\r\n" * 299 + "A,1"}) == told(300)
    assert values(FILLED, {"csv": "A,1\n" * 50_000}) == told(MOST_GIVEN)
    lines = [{"sku": "A", "quantity": "1"}]
    assert values(LISTED, {"in": {"from": {"lines": lines}}}) == told(20)
    assert values(LISTED, {"in": {"from": {"lines": lines * 300}}}) == told(300)
    literal = "mutation { cartFill(input: {from: {lines: [%s]}}) { adjusted { sku } } }"
    assert values(literal % ('{sku: "A", quantity: "1"} ' * 30)) == told(30)


async def test_a_list_that_is_told_at_length_is_measured_each_time_it_is_given(anybody: Client) -> None:
    document = "mutation($csv: String!) { cartFill(input: {from: {csv: $csv}}) { rejected { %s } } }"
    document %= " ".join(f"a{i}: reasons {{ code message }}" for i in range(40))
    assert await refusal(anybody, document, {"csv": "A,1\n" * 1_000}) == "OPERATION_TOO_COMPLEX"
    answer = await anybody.ask(document, csv="A,1")
    assert answer == {"cartFill": {"rejected": None}}
    assert await refusal(anybody, document, {"csv": "A,1\n" * 1_000}) == "OPERATION_TOO_COMPLEX"


async def test_pages_within_pages_multiply(anybody: Client) -> None:
    many = " ".join(
        f"l{i}: orders(first: 100) {{ nodes {{ lines {{ product {{ stock {{ onHand available }} }} }} }} }}"
        for i in range(20)
    )
    assert await refusal(anybody, f"{{ {many} }}") == "OPERATION_TOO_COMPLEX"


async def test_leaves_count_as_much_as_objects(anybody: Client) -> None:
    aliases = " ".join(f"a{i}: id" for i in range(90))
    document = f"{{ orders(first: 100) {{ nodes {{ lines {{ product {{ stock {{ warehouse {{ {aliases} }} }} }} }} }} }} }}"
    assert values("{ orders(first: 100) { nodes { id } } }") == 300
    assert await refusal(anybody, document) == "OPERATION_TOO_COMPLEX"


def test_the_introspection_query_counts_for_about_what_it_answers() -> None:
    assert 1_000 < values(get_introspection_query()) < MOST_VALUES // 2


async def test_introspection_cannot_be_multiplied(anybody: Client) -> None:
    many = " ".join(
        f"a{i}: types {{ fields {{ type {{ fields {{ name type {{ name }} }} }} }} }}" for i in range(9)
    )
    assert await refusal(anybody, f"{{ __schema {{ {many} }} }}") == "OPERATION_TOO_COMPLEX"


async def test_what_an_ordinary_client_asks_passes(anybody: Client) -> None:
    """Thirty-two components with a fragment each, spread where they are shown, as Relay and Apollo compile them."""
    components = "\n".join(
        f"fragment c{i} on Product {{ id sku name unit price {{ unitPrice {{ amount currency }} }} "
        f"category {{ id name }} {f'...c{i + 1}' if i % 8 < 7 else ''} }}"
        for i in range(32)
    )
    spreads = " ".join(f"...c{i}" for i in range(0, 32, 8))
    document = (
        f"query Page {{ portal {{ name }} products(first: 20) {{ nodes {{ {spreads} }} }} }} {components}"
    )
    error = await anybody.refusal(document)
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_cost_is_told_with_every_answer(anybody: Client) -> None:
    for document, cost in (
        ("{ portal { slug name } }", ROOT_FIELD + 3),
        ("{ a: portal { slug } ...b } fragment b on Query { b: portal { slug } }", 2 * (ROOT_FIELD + 2)),
        ("{ portal { slug nothing } }", ROOT_FIELD + 3),  # what is refused was looked at
        ("{", ROOT_FIELD),
    ):
        body = (await anybody.post(document)).json()
        assert body["extensions"]["cost"]["requested"] == cost


slowly = settings(deadline=None, max_examples=80)

# Random documents about orders: a fragment spreads only later ones, so that none contains itself.
FRAGMENTS = 4


def selections(first_fragment: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["id", "number", "a: id", "b: number @include(if: true)"])
    spread = (
        st.integers(first_fragment, FRAGMENTS - 1).map(lambda i: f"...f{i}")
        if first_fragment < FRAGMENTS
        else leaf
    )
    return st.recursive(
        leaf | spread,
        lambda inner: st.builds(
            lambda head, many: f"{head} {{ {' '.join(many)} }}",
            st.sampled_from(
                ["placedTogether", "c: placedTogether", "... on Order", "...", "... @skip(if: false)"]
            ),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=6,
    )


@st.composite
def documents(draw: st.DrawFn) -> str:
    body = draw(selections(0))
    fragments = [f"fragment f{i} on Order {{ {draw(selections(i + 1))} }}" for i in range(FRAGMENTS)]
    return " ".join(
        [f"{{ orders(first: {draw(st.integers(1, 100))}) {{ nodes {{ {body} }} }} }}", *fragments]
    )


@dataclass
class Unfolded:
    """A field with everything below it, fragments replaced by what they stand for."""

    node: FieldNode
    fields: list["Unfolded"]

    @property
    def depth(self) -> int:
        return 1 + max((each.depth for each in self.fields), default=0)

    @property
    def all(self) -> list[FieldNode]:
        return [self.node, *(node for each in self.fields for node in each.all)]

    @property
    def values(self) -> int:
        size: int = {"placedTogether": TOGETHER}.get(self.node.name.value, 1)
        if self.node.name.value == "orders":
            assert self.node.arguments
            first: Any = self.node.arguments[0].value
            size = int(first.value)
        return size * (1 + sum(each.values for each in self.fields))


def unfolded(document: DocumentNode) -> tuple[list[Unfolded], int]:
    """The fields of the first operation, and how many directives stand on the way to them."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    directives = 0

    def below(selections: SelectionSetNode | None) -> list[Unfolded]:
        nonlocal directives
        found: list[Unfolded] = []
        for each in selections.selections if selections else ():
            directives += len(each.directives or ())
            found += one(each)
        return found

    def one(selection: SelectionNode) -> list[Unfolded]:
        if isinstance(selection, FieldNode):
            return [Unfolded(selection, below(selection.selection_set))]
        if isinstance(selection, FragmentSpreadNode):
            return below(fragments[selection.name.value].selection_set)
        assert isinstance(selection, InlineFragmentNode)
        return below(selection.selection_set)

    first = document.definitions[0]
    assert isinstance(first, OperationDefinitionNode)
    return below(first.selection_set), directives


def measure(document: DocumentNode) -> Measure:
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return Measure(SCHEMA, document, operation, {})


@slowly
@given(documents())
def test_what_is_measured_is_what_unfolding_counts_and_each_selection_is_looked_at_once(text: str) -> None:
    document = parse(text)
    one = measure(document)
    fields, directives = unfolded(document)
    nodes = [node for each in fields for node in each.all]
    assert one.operation() == Extent(
        width=len(fields),
        depth=max(each.depth for each in fields),
        fields=len(nodes),
        aliases=sum(node.alias is not None for node in nodes),
        directives=directives,
        values=sum(each.values for each in fields),
    )
    assert one.steps <= document.token_count


@slowly
@given(st.integers(1, 50), st.integers(1, 20))
def test_a_bomb_is_measured_in_steps_linear_in_its_text(levels: int, breadth: int) -> None:
    one = measure(parse('{ order(number: "1") { ...f0 } } ' + bomb(levels, "NEXT " * breadth)))
    assert one.operation().fields == 1 + breadth**levels
    assert one.steps == 2 + levels * breadth + 1


@slowly
@given(documents(), st.integers(0, FRAGMENTS - 1), st.integers(0, FRAGMENTS - 1))
def test_a_circle_is_refused_wherever_it_closes(text: str, later: int, earlier: int) -> None:
    later, earlier = max(later, earlier), min(later, earlier)
    links = " ".join(f"fragment f{i} on Order {{ ...f{i + 1} }}" for i in range(earlier, later))
    circle = (
        f"{{ orders {{ nodes {{ ...f{earlier} }} }} }} {links} fragment f{later} on Order {{ ...f{earlier} }}"
    )
    with pytest.raises(GraphQLError, match="contains itself"):
        measure(parse(circle)).operation()
