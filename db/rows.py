"""Rows: any number of them written with one statement, an array for each column."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ARRAY,
    Select,
    Table,
    TableValuedAlias,
    Update,
    Uuid,
    bindparam,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert


def names_of(row: type[Any], *, leave_out: Sequence[str] = ()) -> list[str]:
    """The names of a row class's fields, which are columns."""
    return [field.name for field in fields(row) if field.name not in leave_out]


def insert_rows(table: Table, names: Sequence[str]) -> Insert:
    """INSERT of the rows in the parameters `names`, each an array, for the connection's tenant."""
    return insert(table).from_select(["tenant_id", *names], new_rows(table, names))


def new_rows(table: Table, names: Sequence[str]) -> Select[Any]:
    """The rows in the parameters `names`, with the tenant before them."""
    new = given_rows(table, names)
    return select(bindparam("tenant_id", type_=Uuid).label("tenant_id"), *(new.c[name] for name in names))


def given_rows(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """The rows in the parameters `names`, each an array of values as the table's column of that name has them."""
    return (
        func.unnest(*(bindparam(name, type_=ARRAY(table.c[name].type)) for name in names))
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name="new")
    )


def update_rows(table: Table, key: Sequence[str], names: Sequence[str]) -> Update:
    """UPDATE of the rows of the connection's tenant that have these keys; key and `names` are arrays."""
    new = given_rows(table, [*key, *names])
    return (
        update(table)
        .where(table.c.tenant_id == bindparam("tenant_id"), *(table.c[name] == new.c[name] for name in key))
        .values({name: new.c[name] for name in names})
    )


def as_columns(rows: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Row objects as the parameters of insert_rows."""
    return {name: [getattr(each, name) for each in rows] for name in names}


def mappings_as_columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """The same of mappings."""
    return {name: [each[name] for each in rows] for name in names}
