"""The traps of a compiled executor, each by an example of its own."""

import asyncio
import gc
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
import strawberry
from graphql import build_schema, parse

from execution import compiled, fallbacks
from execution.compiled import CompiledExecution
from execution.fallbacks import Reason
from execution.levels import level
from execution.plans import MOST_OUTCOMES, Plan, Plans

begun: list[str] = []
ended: list[str] = []


async def _uneven(roots: Sequence["Item"], context: Any, *, more: int) -> Sequence[int]:
    return [each.number for each in roots][: len(roots) + min(more, 0)] + [0] * max(more, 0)


@strawberry.type
class Item:
    number: int
    uneven: int | None = strawberry.field(resolver=level(_uneven))

    @strawberry.field
    def odd(self) -> int | None:
        if self.number % 2 == 0:
            raise ValueError(f"{self.number} is even")
        return self.number

    @strawberry.field
    def me(self) -> "Item":
        return self

    @strawberry.field
    async def slow(self) -> int:
        begun.append(f"slow {self.number}")
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(f"slow {self.number}")
        return self.number

    @strawberry.field
    async def fails(self) -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    @strawberry.field
    async def stops(self) -> int | None:
        raise KeyboardInterrupt


@strawberry.type
class Query:
    @strawberry.field
    def items(self, count: int = 3) -> list[Item]:
        return [Item(number=each) for each in range(count)]

    @strawberry.field
    def item(self, number: int = 1) -> Item | None:
        return Item(number=number)

    @strawberry.field
    def which(self) -> str:
        return "one"


@strawberry.type(name="Query")
class OtherQuery:
    @strawberry.field
    def which(self) -> str:
        return "other"


SCHEMA = strawberry.Schema(Query, execution_context_class=CompiledExecution)


def asked(
    document: Any, /, schema: strawberry.Schema = SCHEMA, variables: dict[str, Any] | None = None
) -> Any:
    """An executor of a document."""
    parsed = parse(document) if isinstance(document, str) else document
    execution = CompiledExecution.build(
        schema._schema, parsed, root_value=None, raw_variable_values=variables
    )
    assert isinstance(execution, CompiledExecution)
    return execution


def test_a_plan_of_one_schema_is_never_run_for_another() -> None:
    document = parse("{ which }")
    other = strawberry.Schema(OtherQuery, execution_context_class=CompiledExecution)
    for _ in range(2):
        assert asked(document).execute_operation().data == {"which": "one"}
        assert asked(document, other).execute_operation().data == {"which": "other"}


@pytest.mark.parametrize("more", [-1, -3, 1, 7])
async def test_a_level_that_answers_too_few_or_too_many_is_an_error_at_each_object(more: int) -> None:
    result = await SCHEMA.execute(f"{{ items {{ number uneven(more: {more}) }} }}")
    assert result.data == {"items": [{"number": each, "uneven": None} for each in range(3)]}
    assert result.errors is not None
    assert [each.path for each in result.errors] == [["items", each, "uneven"] for each in range(3)]
    assert {each.message for each in result.errors} == {f"_uneven gave {3 + more} answers for 3 objects"}


async def test_a_level_that_answers_evenly_is_no_error() -> None:
    result = await SCHEMA.execute("{ items { uneven(more: 0) } }")
    assert (result.data, result.errors) == ({"items": [{"uneven": each} for each in range(3)]}, None)


async def test_a_failing_leaf_makes_its_own_field_null_and_no_other() -> None:
    result = await SCHEMA.execute("{ items { number odd } }")
    assert result.data == {
        "items": [{"number": each, "odd": each if each % 2 else None} for each in range(3)]
    }
    assert [each.path for each in result.errors or ()] == [["items", 0, "odd"], ["items", 2, "odd"]]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{ __schema { queryType { name } } }", Reason.INTROSPECTION),
        ('{ which __type(name: "Item") { name } }', Reason.INTROSPECTION),
        ("query @experimental_disableErrorPropagation { which }", Reason.ERROR_PROPAGATION),
    ],
)
def test_what_is_not_compiled_is_counted_by_its_reason(document: str, reason: Reason) -> None:
    before, compiled_before = fallbacks.fallbacks[reason], fallbacks.compiled
    assert asked(document).execute_operation().data
    assert (fallbacks.fallbacks[reason], fallbacks.compiled) == (before + 1, compiled_before)
    assert asked("{ which __typename }").execute_operation().data
    assert (fallbacks.fallbacks[reason], fallbacks.compiled) == (before + 1, compiled_before + 1)


async def test_a_timeout_ends_all_that_was_begun() -> None:
    begun.clear()
    ended.clear()
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await SCHEMA.execute("{ items(count: 5) { slow } item { slow } }")
    assert len(begun) == 6
    assert sorted(ended) == sorted(begun)
    assert asyncio.all_tasks() == before


@pytest.mark.filterwarnings("ignore")
async def test_an_exception_leaves_no_coroutine_that_nobody_awaited() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = asyncio.all_tasks()
        result = await SCHEMA.execute("{ items(count: 2) { fails b: fails me { fails } } item { fails } }")
        gc.collect()
    assert result.data is None
    assert [each for each in caught if "never awaited" in str(each.message)] == []
    assert asyncio.all_tasks() == before


def test_what_is_no_exception_of_ours_passes() -> None:
    async def run() -> None:
        await asked("{ item { stops slow } }").execute_operation()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run())


async def test_a_deep_document_is_answered() -> None:
    depth = 60
    result = await SCHEMA.execute("{ item " + "{ me " * depth + "{ number }" + " }" * depth + " }")
    found = (result.data or {})["item"]
    for _ in range(depth):
        found = found["me"]
    assert found == {"number": 1}


async def test_a_wide_document_is_answered_in_its_order() -> None:
    names = [f"f{each}" for each in range(3_000)]
    result = await SCHEMA.execute(f"{{ item {{ {' '.join(f'{each}: number' for each in names)} }} }}")
    assert list((result.data or {})["item"]) == names


def test_fragments_that_double_are_compiled_once_each() -> None:
    def doubling(levels: int) -> str:
        fragments = "".join(
            f"fragment F{each} on Item {{ a: me {{ ...F{each + 1} }} a: me {{ ...F{each + 1} }} }} "
            for each in range(levels)
        )
        return f"{{ item {{ ...F0 }} }} {fragments} fragment F{levels} on Item {{ number }}"

    counts = []
    for levels in (5, 10, 20):
        plans = Plans()
        execution = asked(doubling(levels))
        plan = plans.get(execution)
        assert isinstance(plan, Plan)
        selection = plan.root
        while selection.fields and selection.fields[0].shape.kind == "object":
            selection = plan.selection(execution, selection.fields[0], selection.fields[0].shape.type)
        counts.append(plan.fields)
    assert counts == [7, 12, 22]


def test_conditions_make_no_more_plans_than_are_kept() -> None:
    plans = Plans()
    names = [f"v{each}" for each in range(8)]
    document = parse(
        f"query({' '.join(f'${each}: Boolean!' for each in names)}) "
        f"{{ {' '.join(f'{each}: which @include(if: ${each})' for each in names)} }}"
    )
    for outcome in range(256):
        given = {name: bool(outcome >> bit & 1) for bit, name in enumerate(names)}
        plan = plans.get(asked(document, variables=given))
        assert isinstance(plan, Plan)
        assert {each.name for each in plan.root.fields} == {name for name in names if given[name]}
    assert len(plans) == MOST_OUTCOMES


def test_plans_are_bounded_in_number_and_in_bytes() -> None:
    few = Plans(most=10)
    kept = [parse(f"{{ a{each}: which }}") for each in range(50)]
    for document in kept:
        few.get(asked(document))
    assert len(few) == 10
    small = Plans(most_bytes=100_000)
    for document in kept:
        small.get(asked(document))
        assert small.bytes <= 100_000
    assert 0 < len(small) < 50
    assert compiled.plans.bytes >= 0


def test_plans_weigh_as_much_as_the_documents_that_they_keep_alive() -> None:
    plans = Plans(most_bytes=4_000_000)
    for each in range(50):
        plans.get(asked(parse(f"{{ a{each}: which #{'-' * 10_000}\n }}")))
        assert plans.bytes <= 4_000_000
    assert len(plans) == 3


def test_a_plan_that_is_let_go_of_waits_for_no_garbage_collector() -> None:
    def there() -> int:
        return sum(isinstance(each, Plan) for each in gc.get_objects())

    gc.collect()
    before = there()
    gc.disable()
    try:
        plans = Plans(most=1)
        for each in range(3):
            plans.get(asked(parse(f"{{ a{each}: which }}")))
        assert there() == before + 1
    finally:
        gc.enable()


def test_a_mutation_with_a_text_in_it_leaves_no_plan_behind() -> None:
    schema = build_schema("type Query { a: Int } type Mutation { a(b: String): Int }")
    plans = Plans()
    for document, kept in (('mutation { a(b: "secret") }', 0), ("mutation($b: String) { a(b: $b) }", 1)):
        executor = CompiledExecution.build(schema, parse(document))
        assert isinstance(executor, CompiledExecution)
        assert isinstance(plans.get(executor), Plan)
        assert len(plans) == kept
        assert (plans.bytes > 0) == bool(kept)
