"""The judge: a case run by the compiled executor and by graphql-core, and the two answers compared.

What is compared, and how:

* `data` byte by byte as orjson writes it, the order of keys included. Always.
* What the root fields of a mutation did, in order. Always.
* Errors by message, path, extensions and locations, as a multiset. They are equal wholly ("exactly") wherever
  nothing had to be waited for. (graphql-core does not wait for what it gave up; the compiled executor tells.)
* Where something is awaited and several errors make one place null, graphql-core tells those that came first in
  time. Only there the two may differ: each error that one of them tells and the other does not lies under a null of
  the data, and both tell at least one error under the outermost null there.
* Always, the compiled executor's errors are those that the oracle (see there) finds with graphql-core on the schema's
  nullable twin: of what is possible the first in the order of the document. graphql-core's own are among the
  possible ones, and where nothing was awaited exactly the oracle's, which proves the oracle.
  The oracle does not know the parent's type nor the locations of "Cannot return null for non-nullable field"; those
  are compared where the two executors are equal.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLError, parse, validate
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.compiled import CompiledExecution
from tests.execution.data import Data
from tests.execution.dice import Dice
from tests.execution.operations import Operation, draw_operation
from tests.execution.oracle import Oracle, Told, roughly, told
from tests.execution.schemas import Built, build
from tests.execution.specs import SchemaSpec, draw_schema


class Different(AssertionError):
    """The executors do not answer alike."""


@dataclass(frozen=True)
class Town:
    """A schema built three times: for either executor, and with everything nullable."""

    spec: SchemaSpec
    compiled: Built
    core: Built
    twin: Built


@dataclass(frozen=True)
class Case:
    """An operation on a town's schema, with the data that it meets."""

    town: Town
    operation: Operation
    seed: int
    faults: int


@dataclass(frozen=True)
class Verdict:
    """What a case was good for."""

    exact: bool  # the errors are wholly equal, not only possible
    waited: bool
    failed: bool
    nulled: bool


@dataclass(frozen=True)
class Answer:
    """What came of a case."""

    data: Any
    errors: list[GraphQLError]
    waited: bool
    done: list[str]

    def told(self) -> Counter[Told]:
        return Counter(told(each) for each in self.errors)


def draw_town(dice: Dice, execution: type[Any] = CompiledExecution) -> Town:
    """A schema at random."""
    spec = draw_schema(dice)
    return Town(spec, build(spec, execution=execution), build(spec), build(spec, nullable=True))


def draw_case(dice: Dice, town: Town) -> Case:
    """An operation at random, and how much goes wrong."""
    operation = draw_operation(dice, town.spec)
    return Case(town, operation, dice.below(1_000_000), dice.pick([30, 0, 10, 100]))


def valid(case: Case) -> DocumentNode | None:
    """The case's document, if it is one for its schema."""
    document = parse(case.operation.text)
    return None if validate(case.town.core.schema._schema, document) else document


async def judge(case: Case, document: DocumentNode) -> list[Verdict]:
    """Compare the answers to a case, and to it with other data and conditions: plans are used again.

    Raises Different.
    """
    variables = case.operation.variables
    flipped = {name: not value if isinstance(value, bool) else value for name, value in variables.items()}
    rounds = [variables, flipped, variables] if flipped != variables else [variables, variables]
    return [
        await _judge(
            replace(case, seed=case.seed + each, operation=replace(case.operation, variables=given)), document
        )
        for each, given in enumerate(rounds)
    ]


async def _judge(case: Case, document: DocumentNode) -> Verdict:
    core = await answer(case, case.town.core, document)
    ours = await answer(case, case.town.compiled, document)
    patient = await answer(case, case.town.twin, document, patient=True)
    oracle = Oracle(case.town.spec, case.operation.fields, patient.data, patient.errors)
    problem = _compared(ours, core, oracle)
    if problem:
        raise Different(report(case, problem, ours, core, oracle))
    return Verdict(
        exact=ours.told() == core.told(),
        waited=ours.waited,
        failed=bool(core.errors),
        nulled=core.data is None,
    )


async def answer(case: Case, built: Built, document: DocumentNode, *, patient: bool = False) -> Answer:
    """What a schema answers to a case; for a patient one see data.LATE."""
    data = Data(case.town.spec, built.rows, case.seed, case.faults)
    data.patient = patient
    class_: Any = built.schema.execution_context_class or StrawberryGraphQLCoreExecutionContext
    execution = class_.build(
        built.schema._schema,
        document,
        root_value=data.row(case.operation.kind.capitalize(), 0),
        context_value={"data": data},
        raw_variable_values=case.operation.variables,
        operation_name=case.operation.name,
    )
    if isinstance(execution, list):  # the variables do not fit
        return Answer(None, execution, False, [])
    result = execution.execute_operation()
    waited = isinstance(result, Awaitable)
    if waited:
        async with asyncio.timeout(30):
            result = await result
    return Answer(result.data, result.errors or [], waited, data.done)


def _compared(ours: Answer, core: Answer, oracle: Oracle) -> str | None:
    """What is wrong, if anything."""
    if orjson.dumps(ours.data) != orjson.dumps(core.data):
        return "the data differ"
    if ours.done != core.done:
        return f"the mutation did {ours.done}, but should {core.done}"
    if not any(each.path for each in core.errors + ours.errors):  # nothing was run, or nothing went wrong
        return None if ours.told() == core.told() else "the errors differ"
    mine, theirs = ours.told(), core.told()
    if mine != theirs:
        problem = _unlike(ours, core) if ours.waited else "the errors differ"
        if problem:
            return problem
    return _by_oracle(mine, theirs, oracle, waited=ours.waited)


def _unlike(ours: Answer, core: Answer) -> str | None:
    """Why errors may not be as unlike as they are."""
    for some, others in ((ours, core), (core, ours)):
        known = others.told()
        for error in some.errors:
            if known[told(error)] >= some.told()[told(error)]:
                continue
            region = _nulled_above(some.data, error.path or [])
            if region is None:
                return f"the errors differ at {error.path}, which is not under a null"
            if not any((each.path or [])[: len(region)] == region for each in others.errors):
                return f"only one executor tells an error under the null at {region}"
    return None


def _nulled_above(data: Any, path: list[str | int]) -> list[str | int] | None:
    """The outermost place of a path that is null."""
    for length in range(len(path) + 1):
        if data is None:
            return path[:length]
        if length < len(path):
            data = data[path[length]]
    return None


def _by_oracle(mine: Counter[Told], theirs: Counter[Told], oracle: Oracle, *, waited: bool) -> str | None:
    expected = Counter(roughly(each) for each in oracle.told)
    if not waited and Counter(map(roughly, theirs.elements())) != expected:
        return "the oracle is wrong"
    if Counter(map(roughly, mine.elements())) != expected:
        return "the errors are not the first in the order of the document"
    impossible = {roughly(each) for each in theirs} - {roughly(each) for each in oracle.possible}
    return f"the oracle does not know of {impossible}" if impossible else None


def report(case: Case, problem: str, ours: Answer, core: Answer, oracle: Oracle) -> str:
    """All that is needed to see a difference."""
    spec = case.town.spec
    ways = [
        f"  {each.name}.{one.name.name}: {one.way.value}"
        + "".join(f", {around.value}" for around in one.around)
        + (f", as {one.container}" if one.container != "list" else "")
        + (", items wait" if one.items_wait else "")
        for each in (*spec.interfaces, *spec.objects)
        for one in each.fields
    ]
    parts = [
        problem,
        case.town.core.schema.as_str(),
        *ways,
        case.operation.text,
        f"variables {case.operation.variables}, operation {case.operation.name}",
        f"seed {case.seed}, {case.faults} faults of 1000 values",
    ]
    for who, answer in (("compiled", ours), ("graphql-core", core)):
        parts.append(f"{who}: {orjson.dumps(answer.data).decode()}")
        parts += [f"  {each}" for each in sorted(answer.told().elements())]
    parts += ["oracle:", *(f"  {each}" for each in oracle.told)]
    return "\n".join(parts)
