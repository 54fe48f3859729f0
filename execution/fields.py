"""Fields of a plan: how each is resolved, decided once.

Four ways: an attribute of the object; a plain resolver, called without Strawberry's wrapping; a level, answered
for all objects at once; and for whatever else there is, the resolver as graphql-core has it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from inspect import Parameter
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor
from graphql.execution.values import get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from execution.infos import ResolveInfo
from execution.levels import Answers, answers_of, even
from execution.shapes import Shape

if TYPE_CHECKING:
    from execution.frames import Frame
    from execution.plans import Selection
    from execution.runs import Run

# Values of these classes cannot change: one of them may be handed to many resolvers.
_CONSTANT = (str, int, float, bool, type(None), Decimal, UUID)


class Field:
    """A selected field of objects of one type. What is common to all ways: its place, its shape, its arguments."""

    __slots__ = (
        "_takes_arguments",
        "definition",
        "definition_name",
        "details",
        "name",
        "nodes",
        "parent_type",
        "position",
        "selections",
        "shape",
    )

    def __init__(
        self, parent_type: GraphQLObjectType, name: str, definition: GraphQLField, details: FieldDetailsList
    ) -> None:
        self.parent_type = parent_type
        self.name = name  # in the answer
        self.definition = definition
        self.details = details
        self.nodes = [each.node for each in details]
        self.definition_name = self.nodes[0].name.value
        self.shape = Shape(definition.type)
        self.position = 0  # among the fields of the answer
        self.selections: dict[
            GraphQLObjectType, Selection
        ] = {}  # what is selected of what it gives, by its type
        self._takes_arguments = bool(definition.args or self.nodes[0].arguments)

    @property
    def of_object_alone(self) -> bool:
        """Whether it is resolved from the object, and is not told where that is."""
        return False

    def resolve(self, run: "Run", frame: "Frame") -> None:
        """Resolve the field for all objects of a frame, and hand over what comes of it."""
        raise NotImplementedError

    def arguments(self, run: "Run") -> dict[str, Any]:
        """The coerced arguments, by their names for the resolver. Raises GraphQLError."""
        if not self._takes_arguments:
            return {}
        execution, first = run.execution, self.details[0]
        return get_argument_values(
            self.definition,
            first.node,
            execution.variable_values,
            first.fragment_variable_values,
            execution.hide_suggestions,
        )


class Attribute(Field):
    """Read from the object."""

    __slots__ = ("_attribute", "_read", "_read_all")

    def __init__(self, declared: StrawberryField, *place: Any) -> None:
        super().__init__(*place)
        self._attribute = declared.python_name
        self._read = declared.default_resolver
        self._read_all = attrgetter(self._attribute) if self._read is getattr else None

    @property
    def of_object_alone(self) -> bool:
        """Always."""
        return True

    def resolve(self, run: "Run", frame: "Frame") -> None:
        """Strawberry's default resolver, getattr, for each object."""
        run.complete(frame, self, self._values(frame.sources))

    def _values(self, sources: Sequence[Any]) -> list[Any]:
        if self._read_all is not None:
            with suppress(Exception):  # then it is found out whose it is
                return list(map(self._read_all, sources))
        attribute, read = self._attribute, self._read
        values: list[Any] = []
        for source in sources:
            try:
                values.append(read(source, attribute))
            except Exception as error:
                values.append(error)
        return values


class Called(Field):
    """Answered by a plain resolver: no extension and no handler of exceptions stands around it."""

    __slots__ = ("_declared", "_function", "_info", "_positional", "_root")

    def __init__(self, declared: StrawberryField, resolver: StrawberryResolver[Any], *place: Any) -> None:
        super().__init__(*place)
        self._declared = declared
        self._function: Callable[..., Any] = resolver.wrapped_func  # type: ignore[assignment]
        root = resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter
        self._root: str | None = None if root is None else root.name
        self._info: str | None = None if resolver.info_parameter is None else resolver.info_parameter.name
        # With the object first, or alone, there is no need of names.
        first = next(iter(resolver.signature.parameters.values()), None)
        self._positional = (
            root is not None
            and first is not None
            and first.name == root.name
            and first.kind is not Parameter.KEYWORD_ONLY
        )

    @property
    def of_object_alone(self) -> bool:
        """Without info."""
        return self._info is None

    def resolve(self, run: "Run", frame: "Frame") -> None:
        """Call the resolver for each object."""
        function, positional, root, info = self._function, self._positional, self._root, self._info
        try:
            coerced = self.arguments(run)
            given = _converted(self._declared, run, frame, self, coerced) if coerced else {}
        except Exception as error:
            run.complete(frame, self, [error] * len(frame.sources))
            return
        shared = all(isinstance(each, _CONSTANT) for each in given.values())
        values: list[Any] = []
        for index, source in enumerate(frame.sources):
            try:
                if not shared and index:
                    given = _converted(self._declared, run, frame, self, coerced)
                named = given
                if info is not None:
                    named = {**given, info: run.info(frame, self, index, self._declared)}
                if positional:
                    values.append(function(source, **named))
                elif root is not None:
                    values.append(function(**named, **{root: source}))
                else:
                    values.append(function(**named))
            except Exception as error:
                values.append(error)
        run.complete(frame, self, values)


class Levelled(Field):
    """Answered for all objects of a level by one call."""

    __slots__ = ("_answers", "_declared")

    def __init__(self, declared: StrawberryField, answers: Answers, *place: Any) -> None:
        super().__init__(*place)
        self._declared = declared
        self._answers = answers

    def resolve(self, run: "Run", frame: "Frame") -> None:
        """Ask once, and wait for the answers."""
        try:
            coerced = self.arguments(run)
            given = _converted(self._declared, run, frame, self, coerced) if coerced else {}
        except Exception as error:
            run.complete(frame, self, [error] * len(frame.sources))
            return
        run.wait_for_level(frame, self, self._answered(frame.sources, run.execution.context_value, given))

    async def _answered(self, sources: list[Any], context: Any, given: dict[str, Any]) -> Sequence[Any]:
        return even(self._answers, sources, await self._answers(sources, context, **given))


class Resolved(Field):
    """Answered by the resolver that graphql-core knows, with all that is wrapped around it."""

    __slots__ = ("_resolver",)

    def __init__(self, resolver: Callable[..., Any], *place: Any) -> None:
        super().__init__(*place)
        self._resolver = resolver

    def resolve(self, run: "Run", frame: "Frame") -> None:
        """Call it for each object, each time with arguments of its own."""
        values: list[Any] = []
        for index, source in enumerate(frame.sources):
            try:
                info = ResolveInfo(run.execution, frame, self, index)
                values.append(self._resolver(source, info, **self.arguments(run)))
            except Exception as error:
                values.append(error)
        run.complete(frame, self, values)


def bind(
    executor: Executor[Any],
    parent_type: GraphQLObjectType,
    name: str,
    definition: GraphQLField,
    details: FieldDetailsList,
) -> Field:
    """The way in which a field is resolved."""
    place = (parent_type, name, definition, details)
    declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(declared, StrawberryField) or not _is_plain(executor, declared, definition):
        return Resolved(definition.resolve or executor.field_resolver, *place)
    resolver = declared.base_resolver
    if resolver is None:
        return Attribute(declared, *place)
    answers = answers_of(resolver.wrapped_func)
    return Called(declared, resolver, *place) if answers is None else Levelled(declared, answers, *place)


def _is_plain(executor: Executor[Any], declared: StrawberryField, definition: GraphQLField) -> bool:
    """Whether Strawberry would do nothing more than call the resolver or read the attribute."""
    resolve = definition.resolve
    return (
        getattr(resolve, "__module__", None) == GraphQLCoreConverter.__module__
        and hasattr(resolve, "_is_default")
        and type(declared).get_result is StrawberryField.get_result
        and not declared.extensions
        and not executor.schema._strawberry_schema.exception_handlers  # type: ignore[attr-defined]
    )


def _converted(
    declared: StrawberryField, run: "Run", frame: "Frame", field: Field, coerced: dict[str, Any]
) -> dict[str, Any]:
    """Arguments as the resolver wants them. Raises what Strawberry raises for an input that it cannot build."""
    schema = run.execution.schema._strawberry_schema  # type: ignore[attr-defined]
    return convert_arguments(
        coerced,
        declared.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
        info=run.info(frame, field, 0, declared),
    )
