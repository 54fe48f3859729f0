"""Warehouses: where a company keeps its goods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, Column, Text, Uuid, any_, bindparam, select

from db.connections import Connection, one_each
from db.restrictions import Shape, scope_of, warehouses_in
from db.rows import as_columns, insert_rows, names_of, update_rows
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


_every_one = select(warehouses.c.id, warehouses.c.code, warehouses.c.name).where(
    warehouses.c.tenant_id == bindparam("tenant_id")
)


@lru_cache(maxsize=256)
def _by_ids(shape: Shape) -> Statement[Warehouse]:
    return Statement(
        _every_one.where(
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


_NAMES = names_of(Warehouse)
_of_codes = _every_one.where(warehouses.c.code == any_(bindparam("codes", type_=ARRAY(Text))))
_kept_by_codes = Statement(_of_codes, Warehouse)
_lock_by_codes = Statement(_of_codes.order_by(warehouses.c.code).with_for_update(key_share=True), Warehouse)
_add = Statement[None](insert_rows(warehouses, _NAMES))
_change = Statement[None](update_rows(warehouses, ["id"], ["name"]))


async def kept_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Warehouse]:
    """The warehouses by the company's own codes, whoever may see them."""
    return one_each(await connection.rows(_kept_by_codes, codes=codes), "code")


async def lock_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Warehouse]:
    """The same as they are now; nobody else changes them until this transaction ends."""
    return one_each(await connection.rows(_lock_by_codes, codes=codes), "code")


async def add(connection: Connection, rows: Sequence[Warehouse]) -> None:
    """Keep new warehouses. Raises Contended when somebody else has just added one of them."""
    if rows:
        await connection.run(_add, **as_columns(rows, _NAMES))


async def change(connection: Connection, rows: Sequence[Warehouse]) -> None:
    """Give warehouses that are locked their names, by id."""
    if rows:
        await connection.run(_change, **as_columns(rows, ["id", "name"]))


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
