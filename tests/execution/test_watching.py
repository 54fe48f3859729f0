"""Watching which fields are resolved (tests/coverage.py): it must not change how they are."""

from graphql import GraphQLField, GraphQLObjectType, is_introspection_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.root import schema

_STRAWBERRY = GraphQLCoreConverter.__module__


def fields() -> dict[str, GraphQLField]:
    return {
        f"{type_.name}.{name}": field
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_)
        for name, field in type_.fields.items()
    }


def test_every_field_is_watched() -> None:
    assert [place for place, field in fields().items() if not hasattr(field.resolve, "__wrapped__")] == []


def test_the_executor_compiles_watched_fields_as_it_compiles_others() -> None:
    """It goes by what stands around a resolver; a wrapper of the tests would let it compile nothing here."""
    for place, field in fields().items():
        assert _marks(field.resolve) == _marks(getattr(field.resolve, "__wrapped__", None)), place
    plain = [place for place, field in fields().items() if _marks(field.resolve) == (_STRAWBERRY, True)]
    assert len(plain) > 1_000


def _marks(resolve: object) -> tuple[str, bool]:
    return getattr(resolve, "__module__", ""), hasattr(resolve, "_is_default")
