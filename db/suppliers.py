"""Suppliers: the organisations that host portals here. A registry table, not a tenant's."""

from uuid import UUID

from sqlalchemy import Column, Table, Text, UniqueConstraint, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import metadata

suppliers = Table(
    "suppliers",
    metadata,
    Column("id", Uuid, nullable=False, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("code", name="suppliers_code_key"),
)

_id_by_code = Statement[UUID](
    select(suppliers.c.id).where(suppliers.c.code == bindparam("code")), registry=True
)

_add = Statement[UUID](
    insert(suppliers)
    .values(id=func.gen_random_uuid(), code=bindparam("code"), name=bindparam("name"))
    .on_conflict_do_nothing(constraint="suppliers_code_key")
    .returning(suppliers.c.id),
    registry=True,
)


async def ensure(connection: Connection, *, code: str, name: str) -> UUID:
    """The id of the supplier with this code; the supplier is added when it is new."""
    added: UUID | None = await connection.value(_add, code=code, name=name)
    return added or await connection.value(_id_by_code, code=code)
