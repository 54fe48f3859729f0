"""The compiled executor answers as graphql-core does, whatever the schema, the operation, the data and the faults."""

import asyncio
import gc
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import HealthCheck, Phase, given, settings

from execution import fallbacks, faults, plans
from execution.compiled import CompiledExecution
from execution.fallbacks import Reason
from tests.execution.dice import Dice, dice, repeated, seeded, smallest
from tests.execution.judge import Different, answer, draw_case, draw_town, judge, valid

SCHEMAS = 100
OPERATIONS = 5  # of each

# graphql-core leaves coroutines behind that nobody awaits, where a null makes them needless.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture(autouse=True)
def only_when_told() -> Iterator[None]:
    """Garbage is collected between cases only: what graphql-core left goes while its warnings are ignored."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    forget()
    gc.enable()
    gc.unfreeze()


def forget() -> None:
    """Let go of the cases so far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.timeout(300)  # it is at work all the time, and may share its core
@settings(
    max_examples=SCHEMAS,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(dice())
async def test_the_compiled_executor_answers_as_graphql_core(dice: Dice) -> None:
    fallbacks.fallbacks.clear()
    town = draw_town(dice)
    for _ in range(OPERATIONS):
        case = draw_case(dice, town)
        document = valid(case)
        if document is not None:
            await judge(case, document)
    assert {*fallbacks.fallbacks} <= {Reason.NOT_COLLECTED}  # a condition that is null
    forget()


async def found(execution: type[Any] = CompiledExecution, *, towns: int = 60) -> str:
    """The report of the first difference there is among random cases."""
    for seed in range(towns):
        drawn = seeded(seed)
        town = draw_town(drawn, execution)
        for _ in range(4):
            case = draw_case(drawn, town)
            document = valid(case)
            if document is not None:
                try:
                    await judge(case, document)
                except Different as different:
                    return str(different)
    return "nothing"


async def test_most_cases_are_valid_fail_now_and_then_and_are_compared_exactly() -> None:
    counted: Counter[str] = Counter()
    for seed in range(15):
        drawn = seeded(seed)
        town = draw_town(drawn)
        for _ in range(5):
            case = draw_case(drawn, town)
            document = valid(case)
            counted["valid"] += document is not None
            for verdict in await judge(case, document) if document is not None else ():
                counted["rounds"] += 1
                counted["exact"] += verdict.exact
                counted["waited"] += verdict.waited
                counted["failed"] += verdict.failed
    assert counted["valid"] > 0.8 * 75
    assert counted["exact"] > 0.9 * counted["rounds"]
    assert counted["waited"] > 0.2 * counted["rounds"]
    assert counted["failed"] > 0.2 * counted["rounds"]


async def test_the_compiled_executor_leaves_neither_tasks_nor_coroutines() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for seed in range(40):
            drawn = seeded(seed)
            case = draw_case(drawn, draw_town(drawn))
            document = valid(case)
            if document is not None:
                before = asyncio.all_tasks()
                await answer(case, case.town.compiled, document)
                assert {each for each in asyncio.all_tasks() - before if not is_given_up(each)} == set()
        gc.collect()
    assert {str(each.message) for each in caught} == set()


def is_given_up(task: "asyncio.Task[Any]") -> bool:
    """Whether it is of a resolver that began it itself, and was given up on."""
    return "_resolver" in repr(task.get_coro())


class _Elsewhere(CompiledExecution):
    """Tells errors at a place that is not theirs."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        result = super().execute_operation(serially)
        for error in getattr(result, "errors", None) or ():
            if error.path:
                error.path = [*error.path[:-1], "elsewhere"]
        return result


class _Silent(CompiledExecution):
    """Tells the first error only."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        result = super().execute_operation(serially)
        if getattr(result, "errors", None):
            del result.errors[1:]
        return result


class _Uncoded(CompiledExecution):
    """Forgets the codes of errors."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        result = super().execute_operation(serially)
        if getattr(result, "errors", None):
            result.errors = [GraphQLError(each.message, each.nodes, path=each.path) for each in result.errors]
        return result


class _Unordered(CompiledExecution):
    """Gives the fields of the root in another order."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        result = super().execute_operation(serially)
        if getattr(result, "data", None):
            result.data = dict(reversed(result.data.items()))
        return result


@pytest.mark.parametrize(
    ("broken", "what"),
    [(_Elsewhere, "differ"), (_Silent, "differ"), (_Uncoded, "differ"), (_Unordered, "the data differ")],
)
async def test_the_judge_finds_a_wrong_answer(broken: type[Any], what: str) -> None:
    assert what in (await found(broken)).splitlines()[0]


async def test_the_judge_finds_a_null_that_is_not_propagated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_make_null", lambda *_place: None)
    assert (await found()).startswith("the data differ")


async def test_the_judge_finds_an_error_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(faults: Any) -> tuple[list[GraphQLError], bool]:
        _, root_is_null = settle(faults)
        return [each.located() for each in faults], root_is_null

    settle = faults.settle
    monkeypatch.setattr(faults, "settle", all_of_them)
    assert (await found()).splitlines()[0] not in ("nothing", "the data differ")


async def test_the_judge_finds_a_plan_of_other_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_CONDITIONS", ())
    assert (await found()).startswith("the data differ")


async def test_the_judge_finds_answers_that_went_to_the_wrong_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("execution.fields.even", lambda _answers, _roots, given: given[::-1])
    assert await found(towns=150) != "nothing"


async def test_the_judge_finds_mutations_that_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    once = CompiledExecution.execute_operation
    monkeypatch.setattr(
        CompiledExecution, "execute_operation", lambda self, _serially=None: once(self, False)
    )
    assert "the mutation did" in await found(towns=200)


async def test_a_failing_case_is_made_smaller() -> None:
    thrown = [5, 9, 3, 7, 1, 8]
    assert smallest(thrown, lambda some: sum(some) > 15) in ([9, 7], [9, 8], [7, 9], [7, 1, 8], [3, 7, 8])
    assert repeated([4]).pick("abcde") == "e"
