"""How a table is declared: tenant_id comes first in every key, constraints are named by hand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    FromClause,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    func,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class _Trimmed(TypeDecorator[Decimal]):
    """A numeric column that is read without the zeros which its scale adds: 6, not 6.000."""

    impl = Numeric
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """How the column stands in a SELECT list."""
        return func.trim_scale(column, type_=self)


# Quantities have up to three decimal places, unit prices up to six, tax rates (percent) two.
QUANTITY = _Trimmed(15, 3)
UNIT_PRICE = _Trimmed(18, 6)
TAX_RATE = _Trimmed(5, 2)


def tenant_table(name: str, *items: SchemaItem, key: Sequence[str] = ("id",), is_line: bool = False) -> Table:
    """A table whose rows belong to one tenant; its primary key is (tenant_id, *key).

    A line has its tenant from its document, to which its own foreign key leads.
    """
    primary_key = PrimaryKeyConstraint("tenant_id", *key, name=f"{name}_pkey")
    tenant = ForeignKeyConstraint(["tenant_id"], ["portals.tenant_id"], name=f"{name}_tenant_fkey")
    keys = [primary_key] if is_line else [primary_key, tenant]
    return Table(name, metadata, Column("tenant_id", Uuid, nullable=False), *items, *keys)


def refers_to(
    table: str, column: str, *, name: str, key: str = "id", in_a_circle: bool = False
) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the tenant: (tenant_id, column) -> table (tenant_id, key). `in_a_circle`: the
    other table leads back to this one, so one of both has to be made first."""
    there = [f"{table}.tenant_id", f"{table}.{key}"]
    return ForeignKeyConstraint(["tenant_id", column], there, name=name, use_alter=in_a_circle)


def leads_to(column: Column[Any], table: FromClause) -> ColumnElement[bool]:
    """That a column names a row of a table by its id, within the tenant: what refers_to holds, as a join says it."""
    return and_(table.c.tenant_id == column.table.c.tenant_id, table.c.id == column)


def checked(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that rows are checked by which something else has found: no index is looked up by it.

    Of rows that are found by their ids whose they are is only to be checked. A plan that is kept for any number of ids
    may otherwise go through all that a customer has, in an index that ends with the id.
    """
    return condition.is_(True)


def unique(*columns: str, name: str) -> UniqueConstraint:
    """A unique key within the tenant."""
    return UniqueConstraint("tenant_id", *columns, name=name)


def one_of(column: str, values: Sequence[str], *, name: str) -> CheckConstraint:
    """A text column that holds one of the named values (not an enum type: its operators leak under RLS)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=name)
