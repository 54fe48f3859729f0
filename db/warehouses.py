"""Warehouses: where a company keeps its goods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, Column, Text, Uuid, any_, bindparam, select

from db.connections import Connection, one_each
from db.restrictions import Shape, scope_of, warehouses_in
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


@lru_cache(maxsize=256)
def _by_ids(shape: Shape) -> Statement[Warehouse]:
    return Statement(
        select(warehouses.c.id, warehouses.c.code, warehouses.c.name).where(
            warehouses.c.tenant_id == bindparam("tenant_id"),
            warehouses.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
            warehouses_in(shape, warehouses.c.id),
        ),
        Warehouse,
    )


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Warehouse]:
    """The warehouses among the ids that the viewer may see."""
    scope = scope_of(viewer)
    statement = _by_ids(scope.shape)
    return one_each(await connection.rows(statement, ids=ids, **statement.needed(scope.groups)), "id")


@lru_cache(maxsize=256)
def _by_codes(shape: Shape) -> Statement[Warehouse]:
    return Statement(
        select(warehouses.c.id, warehouses.c.code, warehouses.c.name).where(
            warehouses.c.tenant_id == bindparam("tenant_id"),
            warehouses.c.code == any_(bindparam("codes", type_=ARRAY(Text))),
            warehouses_in(shape, warehouses.c.id),
        ),
        Warehouse,
    )


async def by_codes(connection: Connection, viewer: Viewer, codes: Sequence[str]) -> Mapping[str, Warehouse]:
    """The warehouses among the company's own codes that the viewer may see."""
    scope = scope_of(viewer)
    statement = _by_codes(scope.shape)
    return one_each(await connection.rows(statement, codes=codes, **statement.needed(scope.groups)), "code")
