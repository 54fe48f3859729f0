"""Completion: what was resolved becomes the answer, as the specification's "Value Completion" has it."""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLObjectType, Undefined
from graphql.execution.executor import default_type_resolver, invalid_return_type_error
from graphql.pyutils import UndefinedType, is_iterable

from execution.classes import PLAIN, is_by_class
from execution.faults import Fault
from execution.fields import Field
from execution.frames import Frame, Origin
from execution.infos import ResolveInfo
from execution.shapes import Shape

if TYPE_CHECKING:
    from execution.runs import Run

_NO_LEAF = frozenset((NoneType, UndefinedType))


class Completion:
    """The values of one field of a frame's objects, on their way into the answer.

    Objects among them make frames, one for each type. `holder` and `key` are where in the answer a value belongs,
    `origin` where in the frame's field. What is usual goes through short loops, the rest value by value.
    """

    __slots__ = ("_field", "_frame", "_frames", "_run")

    def __init__(self, run: "Run", frame: Frame, field: Field) -> None:
        self._run = run
        self._frame = frame
        self._field = field
        self._frames: dict[GraphQLObjectType, Frame] = {}

    def put(self, values: Sequence[Any], indices: Sequence[int], *, arrived: bool) -> None:
        """Complete the values of the objects with these indices. An exception is a fault; what has to be awaited
        is, unless the values have `arrived` that way."""
        usual = {"leaf": self._put_leaves, "list": self._put_lists}.get(
            self._field.shape.kind, self._put_objects
        )
        rest = usual(values, indices)
        is_awaitable = self._run.execution.is_awaitable
        waiting: list[tuple[int, Any]] = []
        for index, value in rest:
            if arrived or PLAIN[value.__class__] or not is_awaitable(value):
                self._put(self._field.shape, self._frame.objects[index], self._field.name, index, value)
            else:
                waiting.append((index, value))
        if waiting:
            there = [index for index, _ in waiting]
            self._run.wait_for(
                [value for _, value in waiting],
                lambda come: Completion(self._run, self._frame, self._field).put(come, there, arrived=True),
            )

    def _put_leaves(self, values: Sequence[Any], indices: Sequence[int]) -> list[tuple[int, Any]]:
        """Put what is a leaf; returns what is something else."""
        shape, name, objects = self._field.shape, self._field.name, self._frame.objects
        as_is, output = shape.as_is, shape.output
        if len(values) == len(objects):
            leaves = _leaves(shape, values)
            if leaves is not None:
                for answer, leaf in zip(objects, leaves, strict=True):
                    answer[name] = leaf
                return []
        rest: list[tuple[int, Any]] = []
        for index, value in zip(indices, values, strict=True):
            class_ = value.__class__
            if class_ is as_is:
                objects[index][name] = value
            elif value is not None and PLAIN[class_]:
                try:
                    leaf = output(value)
                    if leaf is None or leaf is Undefined:
                        leaf = shape.coerce(value)
                    objects[index][name] = leaf
                except Exception as error:
                    self._fail(index, error)
            else:
                rest.append((index, value))
        return rest

    def _put_objects(self, values: Sequence[Any], indices: Sequence[int]) -> list[tuple[int, Any]]:
        """Put what is an object, and known by its class; returns what is something else."""
        name, objects, types = self._field.name, self._frame.objects, self._field.shape.types
        type_ = _one_type(types, values)
        if type_ is not None:
            answers = self._frame_of(type_).add_all(values, indices)
            for index, answer in zip(indices, answers, strict=True):
                objects[index][name] = answer
            return []
        rest: list[tuple[int, Any]] = []
        for index, value in zip(indices, values, strict=True):
            type_ = types.get(value.__class__)
            if type_ is None:
                rest.append((index, value))
            else:
                objects[index][name] = self._frame_of(type_).add(value, index)
        return rest

    def _put_lists(self, values: Sequence[Any], indices: Sequence[int]) -> list[tuple[int, Any]]:
        """Put what is a plain list; returns what is something else."""
        shape, name, objects = self._field.shape, self._field.name, self._frame.objects
        if set(map(type, values)) == {list} and self._put_all_items(values, indices):
            return []
        rest: list[tuple[int, Any]] = []
        for index, value in zip(indices, values, strict=True):
            if value.__class__ is list:
                self._put_items(shape, objects[index], name, index, value, None)
            else:
                rest.append((index, value))
        return rest

    def _put_all_items(self, lists: Sequence[list[Any]], indices: Sequence[int]) -> bool:
        """Put the items of all lists at once, where all are objects of one type, known by their class."""
        items = [item for each in lists for item in each]
        of = self._field.shape.item
        type_ = None if of is None else _one_type(of.types, items)
        if type_ is None:
            return False
        places = list(zip(indices, map(len, lists), strict=True))
        origins = [(index, place) for index, length in places for place in range(length)]
        answers = iter(self._frame_of(type_).add_all(items, origins))
        name, objects = self._field.name, self._frame.objects
        for index, length in places:
            objects[index][name] = list(islice(answers, length))
        return True

    def _put(self, shape: Shape, holder: Any, key: str | int, origin: Origin, value: Any) -> None:
        try:
            if value is None or value is Undefined:
                if shape.non_null:
                    raise TypeError(f"Cannot return null for non-nullable field {self._where()}.")
            elif isinstance(value, Exception):
                raise value
            elif shape.kind == "leaf":
                holder[key] = shape.coerce(value)
            elif shape.kind == "list":
                self._put_list(shape, holder, key, origin, value)
            elif shape.kind == "object":
                self._put_object(shape, shape.type, holder, key, origin, value)
            else:
                self._put_abstract(shape, holder, key, origin, value)
        except Exception as error:
            self._fail(origin, error)

    def _put_list(self, shape: Shape, holder: Any, key: str | int, origin: Origin, value: Any) -> None:
        if self._run.execution.is_async_iterable(value):
            self._later(
                _awaited_items(value),
                origin,
                lambda given: self._put_items(shape, holder, key, origin, *given),
            )
        elif is_iterable(value):
            self._put_items(shape, holder, key, origin, *_items(value))
        else:
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{self._where()}'.")

    def _put_items(
        self,
        shape: Shape,
        holder: Any,
        key: str | int,
        origin: Origin,
        items: list[Any],
        failed: Exception | None,
    ) -> None:
        """Put the items of a list, as many as could be had before it failed."""
        of = shape.item
        assert of is not None
        above = origin if isinstance(origin, tuple) else (origin,)
        types, as_is, is_awaitable = of.types, of.as_is, self._run.execution.is_awaitable
        type_ = _one_type(types, items)
        if type_ is not None and failed is None:
            origins = [(*above, index) for index in range(len(items))]
            holder[key] = self._frame_of(type_).add_all(items, origins)
            return
        answers: list[Any] = [None] * len(items)
        holder[key] = answers
        waiting: list[int] = []
        for index, item in enumerate(items):
            class_ = item.__class__
            if class_ is as_is:
                answers[index] = item
            elif (type_ := types.get(class_)) is not None:
                answers[index] = self._frame_of(type_).add(item, (*above, index))
            elif PLAIN[class_] or not is_awaitable(item):
                self._put(of, answers, index, (*above, index), item)
            else:
                waiting.append(index)
        if waiting:
            self._put_later(of, answers, above, waiting, [items[index] for index in waiting])
        if failed is not None:
            self._fail(origin, failed, after=len(items))

    def _put_later(
        self,
        shape: Shape,
        answers: list[Any],
        above: tuple[int, ...],
        waiting: list[int],
        awaitables: list[Any],
    ) -> None:
        """Items that have to be awaited, together."""

        def receive(arrived: list[Any]) -> None:
            self._frames.clear()  # those have been begun before these came
            for index, item in zip(waiting, arrived, strict=True):
                self._put(shape, answers, index, (*above, index), item)

        self._run.wait_for(awaitables, receive)

    def _put_abstract(self, shape: Shape, holder: Any, key: str | int, origin: Origin, value: Any) -> None:
        execution, info = self._run.execution, self._info(origin)
        named = (shape.type.resolve_type or execution.type_resolver)(value, info, shape.type)

        def receive(name: Any) -> None:
            type_ = execution.ensure_valid_runtime_type(name, shape.type, self._field.details, info, value)
            self._put_object(shape, type_, holder, key, origin, value)

        if execution.is_awaitable(named):
            self._later(named, origin, receive)
        else:
            receive(named)

    def _put_object(
        self, shape: Shape, type_: GraphQLObjectType, holder: Any, key: str | int, origin: Origin, value: Any
    ) -> None:
        """Put the answer to an object where it belongs, still empty."""

        def receive(fits: Any) -> None:
            if not fits:
                raise invalid_return_type_error(type_, value, self._field.details)
            holder[key] = self._frame_of(type_).add(value, origin)

        fits = type_.is_type_of is None or type_.is_type_of(value, self._info(origin))
        if self._run.execution.is_awaitable(fits):
            self._later(fits, origin, receive)
            return
        receive(fits)
        named = shape.kind == "object" or is_by_class(shape.type.resolve_type or default_type_resolver)
        if named and is_by_class(type_.is_type_of) and PLAIN[value.__class__]:
            shape.types[value.__class__] = type_

    def _frame_of(self, type_: GraphQLObjectType) -> Frame:
        """The frame of the objects of this type that come at the same time."""
        frame = self._frames.get(type_)
        if frame is None:
            run, field = self._run, self._field
            selection = field.selections.get(type_) or run.plan.selection(run.execution, field, type_)
            frame = self._frames[type_] = Frame(selection, self._frame, field)
            run.begin(frame)
        return frame

    def _later(self, awaitable: Any, origin: Origin, receive: Callable[[Any], None]) -> None:
        """Go on when something has come that tells more of a value."""

        def go_on(arrived: list[Any]) -> None:
            (come,) = arrived
            self._frames.clear()
            try:
                if isinstance(come, Exception):
                    raise come
                receive(come)
            except Exception as error:
                self._fail(origin, error)

        self._run.wait_for([awaitable], go_on)

    def _info(self, origin: Origin) -> Any:
        index = origin[0] if isinstance(origin, tuple) else origin
        return ResolveInfo(self._run.execution, self._frame, self._field, index)

    def _where(self) -> str:
        return f"{self._field.parent_type}.{self._field.definition_name}"

    def _fail(self, origin: Origin, error: Exception, *, after: int | None = None) -> None:
        self._run.fail(Fault(self._frame, self._field, origin, error, after))


def _leaves(shape: Shape, values: Sequence[Any]) -> Sequence[Any] | None:
    """The leaves of all values, where they have one class and nothing is wrong with any."""
    classes = set(map(type, values))
    if len(classes) != 1:
        return None
    class_ = classes.pop()
    if class_ is shape.as_is:
        return values
    if class_ is NoneType or not PLAIN[class_]:
        return None
    with suppress(Exception):  # then it is found out whose it is
        leaves = list(map(shape.output, values))
        if _NO_LEAF.isdisjoint(map(type, leaves)):
            return leaves
    return None


def _one_type(types: Mapping[type, GraphQLObjectType], values: Sequence[Any]) -> GraphQLObjectType | None:
    """The object type of all values, where they have one class that tells it."""
    classes = set(map(type, values))
    return types.get(classes.pop()) if len(classes) == 1 else None


def _items(value: Iterable[Any]) -> tuple[list[Any], Exception | None]:
    """What can be had of a list, and why no more."""
    items: list[Any] = []
    try:
        items.extend(value)
    except Exception as error:
        return items, error
    return items, None


async def _awaited_items(value: AsyncIterable[Any]) -> tuple[list[Any], Exception | None]:
    items: list[Any] = []
    try:
        async for item in value:
            items.append(item)  # noqa: PERF401  (those that came before an error count)
    except Exception as error:
        return items, error
    return items, None
