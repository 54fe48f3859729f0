"""Inputs: each type of the schema is built as Strawberry would build it."""

import dataclasses
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.utilities import coerce_input_value
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.relay import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_argument

from execution.inputs import lay_out
from schema.root import schema

_DEEPEST = 4
INPUTS = {
    name: type_
    for name, type_ in schema._schema.type_map.items()
    if isinstance(type_, GraphQLInputObjectType)
}
LEAVES = {
    "Boolean": True,
    "CurrencyCode": "GBP",
    "Date": "2026-03-01",
    "DateTime": "2026-03-01T12:00:00Z",
    "Decimal": "12.50",
    "ID": "id",
    "Int": 7,
    "String": "text",
}


def value_of(type_: GraphQLInputType, chance: random.Random, depth: int = 0) -> Any:
    """A valid value of variables, as JSON brings it."""
    if is_non_null_type(type_):
        return value_of(type_.of_type, chance, depth)
    if is_list_type(type_):
        many = 0 if depth > _DEEPEST else chance.randrange(3)
        return [nullable(type_.of_type, chance, depth) for _ in range(many)]
    if isinstance(type_, GraphQLEnumType):
        return chance.choice(list(type_.values))
    if not isinstance(type_, GraphQLInputObjectType):
        return LEAVES[str(type_)]
    if definition(type_).is_one_of:
        name, field = chance.choice(list(type_.fields.items()))
        return {name: value_of(field.type, chance, depth + 1)}
    return {
        name: nullable(field.type, chance, depth + 1)
        for name, field in type_.fields.items()
        if is_required_input_field(field) or (depth < _DEEPEST and chance.random() < 0.7)
    }


def nullable(type_: GraphQLInputType, chance: random.Random, depth: int) -> Any:
    return None if not is_non_null_type(type_) and chance.random() < 0.3 else value_of(type_, chance, depth)


def definition(type_: GraphQLInputObjectType) -> Any:
    return type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


def built(type_: GraphQLInputObjectType, value: Any) -> Any:
    """What a resolver gets."""
    converter = schema.schema_converter
    coerced = coerce_input_value(value, type_)
    return convert_argument(coerced, definition(type_).origin, converter.scalar_registry, converter.config)


@contextmanager
def strawberrys_own() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for type_ in INPUTS.values():
            patched.setattr(definition(type_), "from_input", None)
            patched.delattr(type_, "out_type")
        yield


def lists_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [value, *(found for each in value for found in lists_in(each))]
    parts = vars(value).values() if dataclasses.is_dataclass(value) else ()
    return [found for each in parts for found in lists_in(each)]


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_an_input_is_built_as_strawberry_builds_it(name: str) -> None:
    type_, chance = INPUTS[name], random.Random(name)
    for _ in range(30):
        value = value_of(type_, chance)
        ours = built(type_, value)
        with strawberrys_own():
            theirs = built(type_, value)
        assert ours == theirs
        assert type(ours) is type(theirs) is definition(type_).origin


def test_a_list_that_is_a_default_is_nobodys_but_whose_input_it_is_in() -> None:
    for type_ in INPUTS.values():
        if not (definition(type_).is_one_of or any(map(is_required_input_field, type_.fields.values()))):
            one, other = built(type_, {}), built(type_, {})
            assert not {id(each) for each in lists_in(one)} & {id(each) for each in lists_in(other)}


@pytest.mark.parametrize("given", [{}, {"csv": "A,1", "order": "id"}, {"csv": None}])
def test_one_of_several_is_still_exactly_one(given: dict[str, str]) -> None:
    with pytest.raises(StrawberryInputCoercionError):
        built(INPUTS["CartFillSourceInput"], given)


@strawberry.input
class WithMaybe:
    """A field that Strawberry would convert."""

    name: strawberry.Maybe[str]


@strawberry.input
class WithGlobalID:
    """Another one."""

    names: list[GlobalID] | None = None


@pytest.mark.parametrize("given", [WithMaybe, WithGlobalID])
def test_a_field_that_would_have_to_be_converted_is_refused_when_the_schema_is_made(given: type) -> None:
    def answer(given: Any) -> str:
        return str(given)

    answer.__annotations__["given"] = given
    query = strawberry.type(type("Query", (), {"answer": strawberry.field(resolver=answer)}))
    with pytest.raises(TypeError):
        lay_out(strawberry.Schema(query).schema_converter)
