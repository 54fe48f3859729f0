"""Warehouses: where a company keeps its goods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Column, Text, Uuid, any_, bindparam, select

from db.connections import Connection, one_each
from db.statements import Statement
from db.tables import tenant_table, unique
from rules.viewers import Viewer

warehouses = tenant_table(
    "warehouses",
    Column("id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    unique("code", name="warehouses_code_key"),
)


@dataclass(slots=True)
class Warehouse:
    """A place where goods are kept and shipped from."""

    id: UUID
    code: str
    name: str


_by_ids = Statement(
    select(warehouses.c.id, warehouses.c.code, warehouses.c.name).where(
        warehouses.c.tenant_id == bindparam("tenant_id"),
        warehouses.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    Warehouse,
)


async def by_ids(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Warehouse]:
    """The warehouses by id."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")
