"""Operations: parsed, checked, and run in their context.

What Strawberry does around an operation, without its extensions: they are made, looked through and entered anew for
each operation, which took longer than many an operation itself.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from typing import Any, Protocol, TypeVar

import graphql
import strawberry
from graphql import GraphQLError
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType
from strawberry.utils.await_maybe import await_maybe

from execution import documents, inputs, variables
from execution.documents import Known
from execution.limits import ROOT_FIELD, DocumentRefused

Result = TypeVar("Result")

_PLAIN = (OperationType.QUERY, OperationType.MUTATION)
_LIVE = (OperationType.SUBSCRIPTION,)


class Costs(Protocol):
    """Who pays for an operation."""

    async def spend(self, cost: int) -> None:
        """Called before anything of an operation runs. Raises what refuses it."""

    async def pay(self, cost: int) -> None:
        """Called for what an operation that runs goes on to cost, one result after the other: waits until that can be
        paid."""

    def told(self) -> dict[str, Any]:
        """What the extensions of an answer say of its cost."""


class Context(Protocol):
    """In what an operation runs."""

    introspection_allowed: bool
    operation_name: str | None  # of the operation in its document, once it was found there
    executed: str | None  # how it ran (execution/compiled.py)

    @property
    def costs(self) -> Costs:
        """Who pays for it."""

    def running(self, *, mutation: bool) -> AbstractAsyncContextManager[None]:
        """Opened before the first field of a valid operation is resolved, and closed after the last; of a subscription
        that is only its beginning."""

    async def beside(self, work: Callable[[], Result]) -> Result:
        """Called with what keeps a core busy and waits for nothing: does it where it holds up nobody, in its turn."""

    async def rest(self) -> None:
        """Called before a result of a subscription is handed out: writing it to a client that reads slowly must hold
        nothing."""


class Refused(Exception):
    """An operation that cannot be run, and all that is wrong with it."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__(*errors)
        self.errors = errors

    def told(self) -> list[GraphQLError]:
        """What is wrong with the document. Raises CannotGetOperationTypeError and InvalidOperationTypeError, which are
        wrong with the request."""
        for error in self.errors:
            if not isinstance(error, GraphQLError):
                raise error
        return [error for error in self.errors if isinstance(error, GraphQLError)]


class Asked:
    """An operation that is asked for. The methods are its steps, to be called in their order."""

    def __init__(
        self, schema: "Schema", text: str, given: dict[str, Any] | None, context: Any, name: str | None
    ) -> None:
        self._schema = schema
        self._text = text
        self._variables = given or {}
        self._context: Context = context
        self._name = name
        self._known: Known
        self._brought = 0  # values in the variables
        self.cost = ROOT_FIELD  # what is refused was looked at

    async def look(self) -> None:
        """Find the document, and pay for looking at it where it is new. Raises GraphQLError, and what the context
        refuses it with."""
        self._brought = variables.count(self._variables)
        schema = self._schema._schema
        known = documents.remembered.find(schema, self._text)
        if known is None:
            await self._context.costs.spend(documents.price(self._text))
            work = partial(documents.look, schema, self._text, self._name, self._variables)
            known = await self._context.beside(work)
            documents.remembered.keep(schema, self._text, known)
        self._known = known

    def find(self, allowed: Iterable[OperationType]) -> OperationType:
        """Find the operation in its document. Raises GraphQLError, CannotGetOperationTypeError and
        InvalidOperationTypeError."""
        known = self._known
        if self._name is None:
            if len(known.operations) > 1:
                raise GraphQLError("Several operations: name the one to run in operationName.")
            self._name = next(iter(known.operations), None)
        operation = known.operations.get(self._name)
        if operation is None:
            raise CannotGetOperationTypeError(self._name)
        self._context.operation_name = self._name
        kind = OperationType(operation.operation.value)
        if kind not in allowed:
            raise InvalidOperationTypeError(kind)
        if kind in _LIVE and self._brought > variables.FEW:
            raise DocumentRefused(f"The variables of a subscription have at most {variables.FEW} values.")
        return kind

    def check(self) -> list[GraphQLError]:
        """Measure the operation with its variables, and validate its document; returns what is wrong."""
        schema, known = self._schema._schema, self._known
        try:
            extent = known.measured(schema, self._name, self._variables)
            if extent.introspects and not self._context.introspection_allowed:
                raise GraphQLError(
                    "Introspection is switched off here.", extensions={"code": "INTROSPECTION_DISABLED"}
                )
        except GraphQLError as refused:
            return [refused]
        self.cost = max(ROOT_FIELD, extent.cost) + variables.PRICE * self._brought
        return list(known.checked(schema))

    async def admit(self, allowed: Iterable[OperationType]) -> OperationType:
        """Find the operation, check it and let it be paid, valid or not: what is refused was looked at. Raises Refused
        with what is wrong, or what the context refuses it with."""
        kind, errors = None, list[Exception]()
        try:
            await self.look()
            kind = self.find(allowed)
            errors += self.check()
        except (GraphQLError, CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            errors.append(error)
        await self._context.costs.spend(self.cost)
        if kind is None or errors:
            raise Refused(errors)
        return kind

    @property
    def extensions(self) -> dict[str, Any]:
        """Of the answer."""
        return {"cost": self._context.costs.told()}

    async def run(self, kind: OperationType) -> graphql.ExecutionResult:
        """Run a query or a mutation."""
        executor = await self._built()
        if isinstance(executor, list):
            return graphql.ExecutionResult(None, executor)
        async with self._context.running(mutation=kind is OperationType.MUTATION):
            answer = executor.execute_operation()
            self._context.executed = getattr(executor, "executed", None)
            result: graphql.ExecutionResult = await await_maybe(answer)
            return result

    async def _built(self) -> Any:
        """An executor with the variables coerced, or what is wrong with these."""
        if self._brought <= variables.FEW:
            return self._build(self._variables)
        return await self._context.beside(self._build_pacing)

    def _build_pacing(self) -> Any:
        with variables.paced(self._variables) as given:
            return self._build(given)

    def _build(self, given: dict[str, Any]) -> Any:
        return self._schema.execution_context_class.build(
            self._schema._schema,
            self._known.document,
            None,
            self._context,
            given,
            self._name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it says bool and means it
            hide_suggestions=True,
        )

    async def begin(self) -> AsyncIterator[graphql.ExecutionResult] | graphql.ExecutionResult:
        """Begin a subscription: its results, or why there will be none."""
        async with self._context.running(mutation=False):
            return await await_maybe(
                graphql.subscribe(
                    self._schema._schema,
                    self._known.document,
                    context_value=self._context,
                    variable_values=self._variables,
                    operation_name=self._name,
                    executor_class=self._schema.execution_context_class,
                )
            )


class Schema(strawberry.Schema):
    """A Strawberry schema whose operations are checked and run here. What goes wrong is the server's to log."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        inputs.lay_out(self.schema_converter)

    async def execute(  # type: ignore[override]  # what Strawberry would give to root resolvers and extensions
        self,
        query: str,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        *,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] = _PLAIN,
    ) -> ExecutionResult:
        """Run a query or a mutation. Raises CannotGetOperationTypeError and InvalidOperationTypeError."""
        asked = Asked(self, query, variable_values, context_value, operation_name)
        try:
            kind = await asked.admit(allowed_operation_types)
            result = await asked.run(kind)
        except Refused as refused:
            return PreExecutionError(None, refused.told(), asked.extensions)
        except Exception as error:
            return PreExecutionError(None, [_located(error)], asked.extensions)
        return ExecutionResult(result.data, result.errors, asked.extensions)

    async def stream(  # type: ignore[override]  # the same
        self,
        query: str,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: None = None,
        operation_name: str | None = None,
        operation_extensions: None = None,
        allowed_operation_types: Iterable[OperationType] = _LIVE,
    ) -> AsyncGenerator[ExecutionResult, None]:
        """The results of a subscription; `subscribe` of Strawberry calls this. The last is a PreExecutionError where
        nothing could run."""
        return self._results(
            Asked(self, query, variable_values, context_value, operation_name), context_value
        )

    async def _results(self, asked: Asked, context: Context) -> AsyncGenerator[ExecutionResult, None]:
        try:
            await asked.admit(_LIVE)
            begun = await asked.begin()
            if isinstance(begun, graphql.ExecutionResult):
                await context.rest()
                yield PreExecutionError(None, begun.errors, asked.extensions)
                return
            async with aclosing(begun):  # type: ignore[type-var]
                async for result in begun:
                    await context.rest()
                    yield ExecutionResult(result.data, result.errors, asked.extensions)
                    await context.costs.pay(asked.cost)
        except Refused as refused:
            yield PreExecutionError(None, [_located(each) for each in refused.errors], asked.extensions)
        except Exception as error:
            await context.rest()
            yield ExecutionResult(None, [_located(error)], asked.extensions)


def _located(error: Exception) -> GraphQLError:
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
