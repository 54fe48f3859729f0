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
    is_leaf_type,
)
from graphql.execution.executor import Executor
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

Kind = Literal["leaf", "object", "abstract", "list"]


class Shape:
    """What becomes of a value: a leaf, an object, an object of one of several types, or a list of these.

    `as_is` is the class whose values are the answer already, where a leaf has one; `output` what makes a value a leaf,
    or gives None or Undefined where `coerce` would say what is wrong; `item` the shape of a list's
    items; `depths` this shape and those of its items, from outside in; `types` the object types of which values of a
    class are known to be.
    """

    __slots__ = ("as_is", "depths", "item", "kind", "non_null", "output", "type", "types")

    def __init__(self, type_: GraphQLOutputType) -> None:
        self.non_null = isinstance(type_, GraphQLNonNull)
        inner: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        self.type: Any = inner
        self.kind: Kind = "abstract"
        self.item: Shape | None = None
        self.as_is: type | None = None
        self.output: Callable[[Any], Any] = _no_leaf
        if isinstance(inner, GraphQLList):
            self.kind, self.item = "list", Shape(inner.of_type)
        elif is_leaf_type(inner):
            self.kind, self.as_is, self.output = "leaf", _AS_IS.get(inner), _output(inner)
        elif isinstance(inner, GraphQLObjectType):
            self.kind = "object"
        self.types: dict[type, GraphQLObjectType] = {}
        self.depths: tuple[Shape, ...] = (self, *(self.item.depths if self.item else ()))

    def coerce(self, value: Any) -> Any:
        """A value as a leaf of the answer. Raises what graphql-core raises."""
        return Executor.complete_leaf_value(self.type, value)


def _no_leaf(value: Any) -> Any:
    raise TypeError(f"{value!r} is not a leaf")


# Values of exactly this class are serialized to themselves.
_AS_IS: dict[GraphQLNamedType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


def _output(leaf: Any) -> Callable[[Any], Any]:
    output: Callable[[Any], Any] = leaf.coerce_output_value
    if leaf is GraphQLInt:
        return lambda value: (
            value if value.__class__ is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else output(value)
        )
    if leaf is GraphQLFloat:
        return lambda value: value if value.__class__ is float and isfinite(value) else output(value)
    return _remembering(output) if isinstance(leaf, GraphQLEnumType) else output


def _remembering(output: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The members of an enum are few and never change; their names are found once."""
    names: dict[Any, Any] = {}

    def output_member(value: Any) -> Any:
        if not isinstance(value, Enum):
            return output(value)
        name = names.get(value)
        if name is None:
            name = names[value] = output(value)
        return name

    return output_member
