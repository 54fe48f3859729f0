"""The laws of the house, asked of the schema, of the statements and of the source itself."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from sqlalchemy import bindparam, select

import db
import rules
from db.portals import portals
from db.products import products
from db.statements import Statement, TenantForgotten
from resolvers.permissions import Public, SignedIn
from rules.broken import Language, all_rules
from rules.permissions import Permission
from schema.errors import ErrorCode
from schema.fields import NEEDS
from schema.root import schema, sdl
from tests.test_house_catalogue import REGISTRY, SUPPLIER_TABLES

ROOT = Path(__file__).parent.parent
FLOORS = ("server", "schema", "execution", "resolvers", "tenants", "db", "rules")


def outputs() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of every object and interface, as `Type.field`."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)) and not is_introspection_type(type_):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field


def inputs() -> Iterator[tuple[str, GraphQLArgument | GraphQLInputField]]:
    """Every argument of a field or directive and every field of an input, by where it stands."""
    for where, field in outputs():
        for name, argument in field.args.items():
            yield f"{where}({name}:)", argument
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            for name, input_field in type_.fields.items():
                yield f"{type_.name}.{name}", input_field
    for directive in schema._schema.directives:
        for name, argument in directive.args.items():
            if not is_specified_directive(directive):
                yield f"@{directive.name}({name}:)", argument


def root_fields(kind: str) -> dict[str, GraphQLField]:
    root = schema._schema.type_map[kind]
    assert isinstance(root, GraphQLObjectType)
    fields: dict[str, GraphQLField] = root.fields
    return fields


MUTATIONS = root_fields("Mutation")
# A token is never kept, so it cannot be told twice; a session that has ended can do nothing again, a code works
# once, and an old password is no longer that.
WITHOUT_KEY = {"signIn", "signOut", "accountActivate", "accountViewAs", "passwordChange"}


@pytest.mark.parametrize("kind", ["Query", "Mutation", "Subscription"])
def test_every_root_field_says_what_it_needs(kind: str) -> None:
    for name, field in root_fields(kind).items():
        needs = field.extensions["strawberry-definition"].metadata.get(NEEDS)
        assert isinstance(needs, (Permission, SignedIn, Public)), name


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_takes_one_input_and_answers_with_errors(name: str) -> None:
    arguments, answer = MUTATIONS[name].args, MUTATIONS[name].type
    assert list(arguments) == ([] if name == "signOut" else ["input"])
    for argument in arguments.values():
        assert isinstance(argument.type, GraphQLNonNull)
        assert isinstance(argument.type.of_type, GraphQLInputObjectType)
        assert argument.type.of_type.name == f"{name[0].upper()}{name[1:]}Input"
        key = argument.type.of_type.fields.get("idempotencyKey")
        assert (None if name in WITHOUT_KEY else "String") == (key and str(key.type))
    assert isinstance(answer, GraphQLNonNull)
    assert isinstance(answer.of_type, GraphQLObjectType)
    assert answer.of_type.name.endswith("Payload")
    assert str(answer.of_type.fields["errors"].type) == "[UserError!]!"


def test_everything_in_the_schema_has_a_description() -> None:
    ours = {
        name: type_
        for name, type_ in schema._schema.type_map.items()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    }
    values = {
        f"{name}.{value}": each
        for name, type_ in ours.items()
        if isinstance(type_, GraphQLEnumType)
        for value, each in type_.values.items()
    }
    directives = {f"@{each.name}": each for each in schema._schema.directives}
    # Strawberry drops what is said of a directive's arguments.
    taken = {where: each for where, each in inputs() if not where.startswith("@")}
    everything: dict[str, Any] = ours | values | directives | dict(outputs()) | taken
    assert [name for name, each in everything.items() if not (each.description or "").strip()] == []


def test_names_in_the_schema_follow_the_conventions() -> None:
    camel, pascal, upper = r"[a-z][a-zA-Z0-9]*", r"[A-Z][a-zA-Z0-9]*", r"[A-Z][A-Z0-9_]*"
    misnamed = [where for where, _ in outputs() if not re.fullmatch(rf"{pascal}\.{camel}", where)]
    misnamed += [
        where
        for where, _ in inputs()
        if not re.fullmatch(rf"({pascal}\.{camel}|@{camel})\({camel}:\)|{pascal}\.{camel}", where)
    ]
    for name, type_ in schema._schema.type_map.items():
        if isinstance(type_, GraphQLEnumType) and not is_introspection_type(type_):
            misnamed += [f"{name}.{each}" for each in type_.values if not re.fullmatch(upper, each)]
    assert misnamed == []


def test_lists_hold_no_nulls_except_where_a_node_may_not_be_seen() -> None:
    holes = set()
    for where, each in [*outputs(), *inputs()]:
        type_: Any = each.type
        while not isinstance(type_, GraphQLList) and hasattr(type_, "of_type"):
            type_ = type_.of_type
        if isinstance(type_, GraphQLList) and not isinstance(type_.of_type, GraphQLNonNull):
            holes.add(where)
    compared = {f"ProductComparison.{name}" for name in ("products", "prices", "available")}
    assert holes == {"Query.nodes", "ComparedAttribute.values", *compared}


def test_the_written_schema_is_the_schema() -> None:
    assert (ROOT / "schema.graphql").read_text() == sdl(), "write it anew with `make schema`"


def test_every_rule_has_a_code_and_a_text_in_each_language() -> None:
    for module in pkgutil.iter_modules(rules.__path__, "rules."):
        importlib.import_module(module.name)
    ours = [rule for rule in all_rules() if not rule.__module__.startswith("tests")]
    codes = [rule.code() for rule in ours]
    assert sorted(codes) == sorted(ErrorCode.__members__)
    assert set(Language) == {Language.ENGLISH, Language.GERMAN}, "rules have no text in the new language"
    assert [rule for rule in ours if rule.english == rule.german] == []


def test_a_statement_that_forgets_the_tenant_cannot_be_built() -> None:
    with pytest.raises(TenantForgotten):
        Statement(select(products.c.id))
    with pytest.raises(TenantForgotten):
        Statement(select(products.c.id).where(products.c.tenant_id == bindparam("tenant")))
    assert not Statement(select(portals.c.slug), registry=True).names_tenant
    assert Statement(select(products.c.id).where(products.c.tenant_id == bindparam("tenant_id"))).names_tenant


def test_a_statement_whose_columns_are_not_the_rows_fields_cannot_be_built() -> None:
    named = select(products.c.sku, products.c.id).where(products.c.tenant_id == bindparam("tenant_id"))
    with pytest.raises(TypeError, match="Product has the fields"):
        Statement(named, db.products.Product)


def statements() -> Iterator[tuple[str, Statement[Any]]]:
    """The statements of the db floor, by module and name."""
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if module.name != "db.migrations.env" and "versions" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                kept = value.items() if isinstance(value, dict) else [("", value)]
                for key, each in kept:
                    if isinstance(each, Statement):
                        yield f"{module.name}.{name}{key}", each


def test_every_tenant_table_in_a_statement_is_compared_with_the_tenant() -> None:
    held = set(db.metadata.tables) - {*REGISTRY, *SUPPLIER_TABLES}
    forgotten = []
    found = list(statements())
    for name, statement in found:
        sql = " ".join(statement.sql.split())
        read = {table for table in re.findall(r"(?:FROM|JOIN|UPDATE|, ?) ?(\w+)", sql) if table in held}
        # A table that is written to by INSERT names the tenant among its columns.
        written = set(re.findall(r"INSERT INTO (\w+) \(tenant_id", sql))
        forgotten += [
            f"{name}: {table}"
            for table in read - written
            if not re.search(rf"\b{table}\.tenant_id = | = {table}\.tenant_id\b", sql)
        ]
    assert len(found) > 40
    assert forgotten == []


# The floors' sources: (path from the root, tree, lines).
SOURCES = [
    (str(path.relative_to(ROOT)), ast.parse(path.read_text()), path.read_text().splitlines())
    for floor in FLOORS
    for path in sorted((ROOT / floor).rglob("*.py"))
]
BY_KIND = {"utils", "helpers", "common", "core", "manager", "service", "models", "types", "queries"}


def places(breaks: Callable[[ast.AST], bool], *, under: str = "") -> list[str]:
    """Where in the source something stands."""
    return [
        f"{path}:{node.lineno}"  # type: ignore[attr-defined]
        for path, tree, _ in SOURCES
        if path.startswith(under)
        for node in ast.walk(tree)
        if breaks(node)
    ]


def test_no_statement_grows_with_a_list() -> None:
    assert places(lambda node: isinstance(node, ast.Attribute) and node.attr == "in_", under="db/") == []


def test_only_the_registry_does_without_a_tenant() -> None:
    def is_registry(node: ast.AST) -> bool:
        return isinstance(node, ast.keyword) and node.arg == "registry"

    found = places(is_registry, under="db/")  # no other floor can build a statement
    assert {place.split(":")[0] for place in found} <= {"db/entrances.py", "db/portals.py", "db/suppliers.py"}


def test_nothing_is_printed() -> None:
    assert places(lambda node: isinstance(node, ast.Name) and node.id == "print") == []


def test_an_import_inside_a_function_says_why() -> None:
    unexplained = []
    for path, tree, lines in SOURCES:
        for function in ast.walk(tree):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = [
                    each for each in ast.walk(function) if isinstance(each, (ast.Import, ast.ImportFrom))
                ]
                unexplained += [
                    f"{path}:{each.lineno}"
                    for each in inner
                    if not any("#" in line for line in lines[each.lineno - 2 : each.lineno])
                ]
    assert unexplained == []


def test_files_and_functions_can_be_read_at_once() -> None:
    # Migrations are written once, and are as long as what they make.
    long = [path for path, _, lines in SOURCES if len(lines) > 400 and "/versions/" not in path]
    long += places(
        lambda node: (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and (node.end_lineno or 0) - node.lineno >= 60
        )
    )
    assert long == []


def test_no_file_is_named_by_kind() -> None:
    names = {path: set(Path(path).with_suffix("").parts) for path, _, _ in SOURCES}
    based = [path for path in names if Path(path).name.startswith("base_")]
    assert based + [path for path, parts in names.items() if parts & BY_KIND] == []
