"""Schemas: Strawberry's, built by code from a spec, as often as wanted."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Optional, Union

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema.config import StrawberryConfig

from execution.levels import level
from tests.execution.data import Data, Row
from tests.execution.specs import Around, FieldSpec, SchemaSpec, TypeSpec, Way
from tests.execution.vocabulary import ARGUMENTS, INPUTS, LEAVES, REQUIRED, Code, CodeValue


@dataclass(frozen=True)
class Built:
    """A schema and the classes of its objects."""

    schema: strawberry.Schema
    rows: dict[str, type]


def build(spec: SchemaSpec, *, execution: type[Any] | None = None, nullable: bool = False) -> Built:
    """The schema of a spec; with every output type nullable, if wanted."""
    return _Builder(spec, nullable).built(execution)


class _Builder:
    def __init__(self, spec: SchemaSpec, nullable: bool) -> None:
        self._spec = spec
        self._nullable = nullable
        self._classes: dict[str, Any] = dict(LEAVES)
        for each in spec.interfaces:
            self._classes[each.name] = type(each.name, (), _by_node() if each.by_node else {})
        for each in spec.objects:
            bases = tuple(self._classes[name] for name in each.interfaces)
            self._classes[each.name] = type(each.name, bases, {})
        for name, members in spec.unions.items():
            union: Any = Union[tuple(self._classes[each] for each in members)]  # noqa: UP007
            self._classes[name] = Annotated[union, strawberry.union(name)]

    def built(self, execution: type[Any] | None) -> Built:
        for each in self._spec.interfaces:
            self._declare(each)
            strawberry.interface(self._classes[each.name])
        for each in self._spec.objects:
            self._declare(each)
            strawberry.type(self._classes[each.name])
        mutation = self._classes.get("Mutation")
        schema = strawberry.Schema(
            query=self._classes["Query"],
            mutation=mutation,
            types=[self._classes[each.name] for each in self._spec.objects],
            execution_context_class=execution,
            config=StrawberryConfig(auto_camel_case=False, scalar_map={CodeValue: Code}),
        )
        return Built(schema, {each.name: self._row(each) for each in self._spec.objects})

    def _declare(self, type_: TypeSpec) -> None:
        class_ = self._classes[type_.name]
        class_.__annotations__ = {}
        for field in type_.fields:
            class_.__annotations__[field.name.name] = annotation(
                field.name.type, self._classes, nullable=self._nullable
            )
            resolver: Any = _resolver(field, type_.name)
            if resolver is not None or field.around:
                declared: Any = strawberry.field(
                    resolver=resolver, extensions=[_extension(each, field) for each in field.around]
                )
                setattr(class_, field.name.name, declared)

    def _row(self, type_: TypeSpec) -> type:
        """The class of a type's objects; foreign to Strawberry's unless something is resolved by isinstance."""
        by_class = [each for each in type_.interfaces if not self._spec.type(each).by_node]
        if any(type_.name in members for members in self._spec.unions.values()):
            by_class.append("a union")
        body: dict[str, Any] = {
            name: property(_attribute(field, self._owner(type_, field)))
            for name, field in self._spec.fields(type_.name).items()
            if field.way in (Way.ATTRIBUTE, Way.LATER)
        }
        body["__repr__"] = lambda row: (
            f"{type_.name} {row.number}"
        )  # a dataclass's would read every attribute
        return type(type_.name, (self._classes[type_.name] if by_class else Row,), body)

    def _owner(self, type_: TypeSpec, field: FieldSpec) -> str:
        if field in type_.fields:
            return type_.name
        return next(each for each in type_.interfaces if field in self._spec.type(each).fields)


def annotation(type_: str, classes: dict[str, Any], *, nullable: bool = False) -> Any:
    """What Python has for a type of GraphQL."""
    bare = type_.removesuffix("!")
    found = (
        list[annotation(bare[1:-1], classes, nullable=nullable)]  # type: ignore[misc]
        if bare.startswith("[")
        else classes[bare]
    )
    return found if type_.endswith("!") and not nullable else Optional[found]  # noqa: UP045


def _by_node() -> dict[str, Any]:
    """Resolved as the house's Node is: rows carry the name of their type."""

    def is_type_of(cls: type, row: object, _info: object) -> bool:
        return type(row).__name__ == cls.__name__

    def resolve_type(cls: type, row: object, _info: object, _type: object) -> str:
        return type(row).__name__

    return {"is_type_of": classmethod(is_type_of), "resolve_type": classmethod(resolve_type)}


def _attribute(field: FieldSpec, owner: str) -> Callable[[Any], Any]:
    async def later(row: Any) -> Any:
        await row.data.waiting(row.data.digit(3, field.name.name, row.number))
        return row.data.value(field, owner, row.number, "")

    def read(row: Any) -> Any:
        return row.data.value(field, owner, row.number, "")

    return later if field.way is Way.LATER else read


def _resolver(field: FieldSpec, owner: str) -> Callable[..., Any] | None:
    way = field.way
    if way in (Way.ATTRIBUTE, Way.LATER):
        return None
    value = _valued(field, owner)
    if way is Way.LEVEL:
        return level(_signed(_level(field, value), field, ("roots", "context")))

    def plain(self: Any, **given: Any) -> Any:
        return value(self, given)

    def rootless(info: strawberry.Info[Any, Any], **given: Any) -> Any:
        return value(Row(info.context["data"], 0), given)

    def with_info(info: strawberry.Info[Any, Any], root: Any, **given: Any) -> Any:
        return value(root, given, info.field_name)

    def telling(self: Any, info: strawberry.Info[Any, Any], **given: Any) -> Any:
        found = value(self, given)
        return told(info) if isinstance(found, str) and field.name.type.startswith("String") else found

    async def coroutine(self: Any, **given: Any) -> Any:
        self.data.waited = True
        return value(self, given)

    async def slow(self: Any, info: strawberry.Info[Any, Any], **given: Any) -> Any:
        await self.data.waiting(1 + self.data.digit(3, field.name.name, self.number))
        return value(self, given, told(info)[:0])

    def awaitable(self: Any, **given: Any) -> Any:
        return asyncio.ensure_future(coroutine(self, **given))

    resolvers: dict[Way, tuple[Callable[..., Any], tuple[str, ...]]] = {
        Way.PLAIN: (plain, ("self",)),
        Way.ROOTLESS: (rootless, ("info",)),
        Way.INFO: (with_info, ("info", "root")),
        Way.TELLING: (telling, ("self", "info")),
        Way.ASYNC: (coroutine, ("self",)),
        Way.SLOW: (slow, ("self", "info")),
        Way.AWAITABLE: (awaitable, ("self",)),
    }
    resolver, taken = resolvers[way]
    return _signed(resolver, field, taken)


def _valued(field: FieldSpec, owner: str) -> Callable[..., Any]:
    def value(row: Any, given: dict[str, Any], more: str = "") -> Any:
        data: Data = row.data
        if owner == "Mutation":
            data.done.append(f"{field.name.name} {given!r}")
        return data.value(field, owner, row.number, f"{given!r}{more}" if given or more else "")

    return value


def _level(field: FieldSpec, value: Callable[..., Any]) -> Callable[..., Any]:
    async def answers(roots: Sequence[Any], context: Any, **given: Any) -> Sequence[Any]:
        await context["data"].waiting(1)
        answered: list[Any] = []
        for root in roots:
            try:
                answered.append(value(root, given))
            except Exception as error:
                answered.append(error)
        return answered

    return answers


def told(info: strawberry.Info[Any, Any]) -> str:
    """What a resolver can see of its place; nullability aside, which the nullable twin has otherwise."""
    seen = (
        info.field_name,
        info.python_name,
        info.path.as_list(),
        str(info._raw_info.return_type).replace("!", ""),
        str(info._raw_info.parent_type),
        sorted(info.variable_values.items(), key=repr),
        info.selected_fields,
        info.operation.name.value if info.operation.name else None,
        len(info._raw_info.field_nodes),
    )
    return repr(seen)


def _signed(function: Callable[..., Any], field: FieldSpec, taken: tuple[str, ...]) -> Callable[..., Any]:
    """The function with the field's arguments in its signature."""
    parameters = list(inspect.signature(function).parameters.values())[: len(taken)]
    for name in field.name.arguments:
        type_, default = ARGUMENTS[name]
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if default is REQUIRED else default,
                annotation=annotation(type_, {**LEAVES, **INPUTS}),
            )
        )
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = field.name.name
    return function


def _extension(around: Around, field: FieldSpec) -> FieldExtension:
    if around is Around.EXTENSION:
        return _Extension()
    if around is Around.ASYNC_EXTENSION:
        return _AsyncExtension()
    permission = _AsyncPermission if around is Around.ASYNC_PERMISSION else _Permission
    return PermissionExtension(
        [permission(field.name.name)],
        use_directives=False,
        fail_silently=around is Around.SILENT_PERMISSION,
    )


def _marked(value: Any) -> Any:
    return f"{value}+" if type(value) is str else value


class _Extension(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Any, **given: Any) -> Any:
        return _marked(next_(source, info, **given))

    async def resolve_async(self, next_: Any, source: Any, info: Any, **given: Any) -> Any:
        return _marked(await next_(source, info, **given))


class _AsyncExtension(FieldExtension):
    async def resolve_async(self, next_: Any, source: Any, info: Any, **given: Any) -> Any:
        info.context["data"].waited = True
        return _marked(await next_(source, info, **given))


class _Permission(BasePermission):
    error_extensions = {"code": "FORBIDDEN"}

    def __init__(self, field: str) -> None:
        self._field = field
        self.message = f"{field} is forbidden"

    def has_permission(self, source: Any, info: Any, **given: Any) -> bool:
        data: Data = info.context["data"]
        if data.fails("permission", self._field, source.number):
            raise ValueError(f"nobody knows whether {self._field} is allowed")
        return data.digit(6, "permission", self._field, source.number) > 0


class _AsyncPermission(_Permission):
    async def has_permission(  # type: ignore[override]
        self, source: Any, info: Any, **given: Any
    ) -> bool:
        await info.context["data"].waiting(1)
        return super().has_permission(source, info, **given)
