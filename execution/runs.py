"""Runs: a plan carried out once, level by level.

A frame holds all objects of one level. Its fields are resolved one after the other, each for all objects; what has to
be waited for becomes tasks, what comes of it new frames. Everything that is resolved is put where it
belongs in the answer at once; faults are kept, and dealt with at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult
from strawberry.types.field import StrawberryField

from execution import faults
from execution.completion import Completion
from execution.faults import Fault
from execution.fields import Field
from execution.frames import Frame
from execution.infos import ResolveInfo
from execution.plans import Plan

if TYPE_CHECKING:
    from execution.compiled import CompiledExecution


class Run:
    """One execution of a plan."""

    def __init__(self, execution: "CompiledExecution", plan: Plan) -> None:
        self.execution = execution
        self.plan = plan
        self._faults: list[Fault] = []
        self._frames: list[Frame] = []  # whose fields are still to be resolved
        self._begun: list[tuple[Awaitable[Any], Callable[[Any], None]]] = []  # to be waited for, no task yet
        self._info_class = execution.schema._strawberry_schema.config.info_class  # type: ignore[attr-defined]
        self._root = Frame(plan.root)

    def answer(self, *, serially: bool) -> ExecutionResult | Coroutine[Any, Any, ExecutionResult]:
        """The result, or what has to be awaited for it."""
        self._root.add(self.execution.root_value, 0)
        if serially:
            return self._one_by_one(iter(self.plan.root.fields))
        self._frames.append(self._root)
        self._work()
        return self._to_the_end() if self._begun else self._result()

    def _one_by_one(self, fields: Iterator[Field]) -> ExecutionResult | Coroutine[Any, Any, ExecutionResult]:
        """Each of these fields with all that is selected of it, before the next."""
        for field in fields:
            field.resolve(self, self._root)
            self._work()
            if self._begun:
                return self._one_by_one_when_there(fields)
            if faults.reaches_root(self._faults):
                break
        return self._result()

    async def _one_by_one_when_there(self, fields: Iterator[Field]) -> ExecutionResult:
        await self._arrivals()
        if faults.reaches_root(self._faults):
            return self._result()
        rest = self._one_by_one(fields)
        return rest if isinstance(rest, ExecutionResult) else await rest

    async def _to_the_end(self) -> ExecutionResult:
        await self._arrivals()
        return self._result()

    def _result(self) -> ExecutionResult:
        data: dict[str, Any] | None = self._root.objects[0]
        if not self._faults:
            return ExecutionResult(data, None)
        errors, root_is_null = faults.settle(self._faults)
        return ExecutionResult(None if root_is_null else data, errors)

    def _work(self) -> None:
        """Resolve the fields of all frames that are there, and of those that come of it."""
        frames, self._frames = self._frames, []
        while frames:
            for frame in frames:
                for field in frame.selection.fields:
                    field.resolve(self, frame)
            frames, self._frames = self._frames, []

    async def _arrivals(self) -> None:
        """Wait for all that was begun, and for what comes of it; on the way out nothing is left running."""
        # Several may wait for the same future: whoever loads the same key.
        running: dict[asyncio.Future[Any], list[Callable[[Any], None]]] = {}
        arrived: list[asyncio.Future[Any]] = []
        loop = asyncio.get_running_loop()
        news = loop.create_future()  # not an Event: those are dear, and this waits once a level

        def arrive(future: asyncio.Future[Any]) -> None:
            arrived.append(future)
            if not news.done():
                news.set_result(None)

        try:
            while self._begun or running:
                begun, self._begun = self._begun, []
                for awaitable, receive in begun:
                    future: asyncio.Future[Any] = (
                        loop.create_task(awaitable)
                        if type(awaitable) is CoroutineType
                        else asyncio.ensure_future(awaitable)
                    )
                    if future not in running:
                        running[future] = []
                        future.add_done_callback(arrive)
                    running[future].append(receive)
                await news
                news = loop.create_future()
                done = arrived.copy()
                arrived.clear()
                for future in done:
                    value = _outcome(future)
                    for receive in running.pop(future):
                        receive(value)
                self._work()
        finally:
            for future in running:
                future.cancel()
            if running:
                await asyncio.gather(*running, return_exceptions=True)

    # What fields call.

    def info(self, frame: Frame, field: Field, index: int, declared: StrawberryField) -> Any:
        """Strawberry's info for one object's field."""
        return self._info_class(
            _raw_info=ResolveInfo(self.execution, frame, field, index),
            _field=declared,
        )

    def wait_for_level(self, frame: Frame, field: Field, answers: Awaitable[Sequence[Any]]) -> None:
        """What comes is one answer for each of a frame's objects, or an exception for all of them."""

        def receive(given: Any) -> None:
            values = [given] * len(frame.sources) if isinstance(given, Exception) else given
            Completion(self, frame, field).put(values, range(len(values)), arrived=True)

        self._begun.append((answers, receive))

    def complete(self, frame: Frame, field: Field, values: Sequence[Any]) -> None:
        """Put what was resolved into the answer, one value for each of a frame's objects.

        An exception is a fault; an awaitable is waited for.
        """
        Completion(self, frame, field).put(values, range(len(values)), arrived=False)

    def wait_for(self, awaitables: Sequence[Awaitable[Any]], receive: Callable[[list[Any]], None]) -> None:
        """Wait for several at once; what comes is a value or an exception for each."""
        if len(awaitables) == 1:
            self._begun.append((awaitables[0], lambda value: receive([value])))
        else:
            self._begun.append((_together(awaitables), receive))

    def begin(self, frame: Frame) -> None:
        """The fields of these objects are to be resolved as well."""
        self._frames.append(frame)

    def fail(self, fault: Fault) -> None:
        """Something went wrong; it is told at the end."""
        self._faults.append(fault)


def _outcome(future: asyncio.Future[Any]) -> Any:
    """A value or an exception. Raises CancelledError, and whatever else is no Exception."""
    error = future.exception()
    if error is None:
        return future.result()
    if not isinstance(error, Exception):
        raise error
    return error


async def _together(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    arrived = await asyncio.gather(*awaitables, return_exceptions=True)
    for value in arrived:
        if isinstance(value, BaseException) and not isinstance(value, Exception):
            raise value
    return arrived
