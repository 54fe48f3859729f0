"""Every place in the schema that takes a value: an argument, or a field somewhere in an input, however deep."""

from collections.abc import Iterator
from functools import cache

from graphql import GraphQLEnumType, GraphQLScalarType

from schema.root import schema
from tests.tenants.questions import Question, paths, root


@cache
def places() -> list[Question]:
    """Of queries, then of mutations."""
    return [
        Question(operation, field, path, leaf)
        for operation in ("query", "mutation")
        for field, declared in root(operation).fields.items()
        for argument, each in declared.args.items()
        for leaf in leaves()
        for path in paths(each.type, (argument,), leaf)
    ]


@cache
def leaves() -> list[str]:
    """The names of all types without fields."""
    return list(_leaves())


def _leaves() -> Iterator[str]:
    for name, type_ in schema._schema.type_map.items():
        if isinstance(type_, (GraphQLScalarType, GraphQLEnumType)) and not name.startswith("__"):
            yield name
