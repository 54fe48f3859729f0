"""Inputs: objects of the classes that resolvers take, built by graphql-core where it coerces values.

Strawberry would convert what is coerced once more, when a resolver is called, and works out anew for each field of
each object how it is called and of which type it is: 5 µs a value, all in one turn of the event loop, where an ERP sends
a thousand rows with ten values each.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

from graphql import GraphQLInputObjectType
from strawberry.relay.types import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryContainer, StrawberryMaybe, StrawberryObjectDefinition


def lay_out(converter: GraphQLCoreConverter) -> None:
    """Have the input types of a schema built so. Raises TypeError for a field that has to be converted after all."""
    for each in converter.type_map.values():
        if isinstance(type_ := each.implementation, GraphQLInputObjectType):
            assert isinstance(each.definition, StrawberryObjectDefinition)
            _lay_out(type_, each.definition, converter)


def _lay_out(
    type_: GraphQLInputObjectType, definition: StrawberryObjectDefinition, converter: GraphQLCoreConverter
) -> None:
    for each in definition.fields:
        _check(each.resolve_type(type_definition=definition))
    named = {converter.config.name_converter.from_field(each): each.python_name for each in definition.fields}
    type_.out_type = _builder(definition, named, type_.out_type)  # type: ignore[assignment]
    definition.from_input = _as_it_is


def _check(type_: Any) -> None:
    while isinstance(type_, StrawberryContainer):
        if isinstance(type_, StrawberryMaybe):
            raise TypeError("what may be left out is UNSET by default, not a Maybe")
        type_ = type_.of_type
    if type_ is GlobalID:
        raise TypeError("an id is a strawberry.ID")


def _builder(
    definition: StrawberryObjectDefinition,
    named: Mapping[str, str],
    check: Callable[[dict[str, Any]], dict[str, Any]],
) -> Callable[[dict[str, Any]], Any]:
    # What was left out and has no default is None.
    absent: dict[str, Any] = {
        each.python_name: None
        for each in definition.fields
        if each.default_value is MISSING and each.default_factory is MISSING
    }

    def build(value: dict[str, Any]) -> Any:
        given = absent.copy()
        for name, each in check(value).items():
            # A default is the same list for everybody.
            given[named[name]] = each.copy() if isinstance(each, list) else each
        return definition.origin(**given)

    return build


def _as_it_is(_class: type, value: Any, _context: Any) -> Any:
    """Strawberry's hook for types that convert their values themselves."""
    return value
