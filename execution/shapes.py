"""Shapes: what a field's value becomes in the answer, from its type, worked out once."""

from collections.abc import Callable
from enum import Enum
from math import isfinite
from typing import Any, Literal

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    is_leaf_type,
)
from graphql.execution.executor import Executor
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

Kind = Literal["leaf", "object", "abstract", "list"]


class Shape:
    """What becomes of a value: a leaf, an object, an object of one of several types, or a list of these.

    `as_is` is the class whose values are the answer already, where a leaf has one; `item` the shape of a list's
    items; `depths` this shape and those of its items, from outside in; `types` the object types of which values of a
    class are known to be.
    """

    __slots__ = ("as_is", "coerce", "depths", "item", "kind", "non_null", "type", "types")

    def __init__(self, type_: GraphQLOutputType) -> None:
        self.non_null = isinstance(type_, GraphQLNonNull)
        inner: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        self.type: Any = inner
        self.kind: Kind = "abstract"
        self.item: Shape | None = None
        self.as_is: type | None = None
        self.coerce: Callable[[Any], Any] = _no_leaf
        if isinstance(inner, GraphQLList):
            self.kind, self.item = "list", Shape(inner.of_type)
        elif is_leaf_type(inner):
            self.kind, self.as_is, self.coerce = "leaf", _AS_IS.get(inner), _coercion(inner)
        elif isinstance(inner, GraphQLObjectType):
            self.kind = "object"
        self.types: dict[type, GraphQLObjectType] = {}
        self.depths: tuple[Shape, ...] = (self, *(self.item.depths if self.item else ()))


def _no_leaf(value: Any) -> Any:
    raise TypeError(f"{value!r} is not a leaf")


# Values of exactly this class are serialized to themselves.
_AS_IS: dict[GraphQLNamedType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


def _coercion(leaf: Any) -> Callable[[Any], Any]:
    """What makes a value a leaf of the answer. Raises what graphql-core raises."""

    output = leaf.coerce_output_value

    def coerce(value: Any) -> Any:
        coerced = output(value)
        if coerced is None or coerced is Undefined:
            return Executor.complete_leaf_value(leaf, value)  # which says so
        return coerced

    if leaf is GraphQLInt:
        return lambda value: (
            value if value.__class__ is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else coerce(value)
        )
    if leaf is GraphQLFloat:
        return lambda value: value if value.__class__ is float and isfinite(value) else coerce(value)
    return _remembering(coerce) if isinstance(leaf, GraphQLEnumType) else coerce


def _remembering(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The members of an enum are few and never change; their names are found once."""
    names: dict[Any, Any] = {}

    def coerce_member(value: Any) -> Any:
        if not isinstance(value, Enum):
            return coerce(value)
        name = names.get(value)
        if name is None:
            name = names[value] = coerce(value)
        return name

    return coerce_member
