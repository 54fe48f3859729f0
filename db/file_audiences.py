"""File audiences: the access groups and the customers for whom a file is shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Table, Uuid, any_, bindparam, delete, select

from db.connections import Connection
from db.rows import insert_rows
from db.statements import Statement
from db.tables import refers_to, tenant_table
from rules.files import FileAudience
from rules.permissions import Permission
from rules.viewers import Viewer

shared_file_access_groups = tenant_table(
    "shared_file_access_groups",
    Column("file_id", Uuid, nullable=False),
    Column("access_group_id", Uuid, nullable=False),
    refers_to("shared_files", "file_id", name="shared_file_access_groups_file_fkey"),
    refers_to("access_groups", "access_group_id", name="shared_file_access_groups_group_fkey"),
    Index("shared_file_access_groups_group_idx", "tenant_id", "access_group_id"),
    key=("file_id", "access_group_id"),
)
shared_file_customers = tenant_table(
    "shared_file_customers",
    Column("file_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    refers_to("shared_files", "file_id", name="shared_file_customers_file_fkey"),
    refers_to("customers", "customer_id", name="shared_file_customers_customer_fkey"),
    Index("shared_file_customers_customer_idx", "tenant_id", "customer_id"),
    key=("file_id", "customer_id"),
)
# Where an audience of each kind keeps whom it names.
_LISTS: dict[FileAudience, tuple[Table, str]] = {
    FileAudience.ACCESS_GROUPS: (shared_file_access_groups, "access_group_id"),
    FileAudience.CUSTOMERS: (shared_file_customers, "customer_id"),
}


@dataclass(slots=True)
class _Named:
    file_id: UUID
    id: UUID


def _named_in(table: Table, name: str) -> Statement[_Named]:
    return Statement(
        select(table.c.file_id, table.c[name].label("id"))
        .where(
            table.c.tenant_id == bindparam("tenant_id"),
            table.c.file_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        )
        .order_by(table.c.file_id, table.c[name]),
        _Named,
    )


_named = {kind: _named_in(*where) for kind, where in _LISTS.items()}


async def _ids_of(
    connection: Connection, viewer: Viewer, kind: FileAudience, ids: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {each: [] for each in ids}
    if viewer.oversees(Permission.FILES_READ):
        for row in await connection.rows(_named[kind], ids=ids):
            found[row.file_id].append(row.id)
    return found


async def access_groups_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    """The access groups that each file names. For the staff."""
    return await _ids_of(connection, viewer, FileAudience.ACCESS_GROUPS, ids)


async def customers_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    """The customers that each file names. For the staff."""
    return await _ids_of(connection, viewer, FileAudience.CUSTOMERS, ids)


_THIS = bindparam("the_id", type_=Uuid)
_name = {
    kind: Statement[None](insert_rows(table, ["file_id", name])) for kind, (table, name) in _LISTS.items()
}
_unname = {
    kind: Statement[None](
        delete(table).where(table.c.tenant_id == bindparam("tenant_id"), table.c.file_id == _THIS)
    )
    for kind, (table, _) in _LISTS.items()
}
_forget_group = Statement[None](
    delete(shared_file_access_groups).where(
        shared_file_access_groups.c.tenant_id == bindparam("tenant_id"),
        shared_file_access_groups.c.access_group_id == _THIS,
    )
)


async def replace(
    connection: Connection, file_id: UUID, named: Mapping[FileAudience, Sequence[UUID]]
) -> None:
    """Say anew whom a file names."""
    for kind, (_, name) in _LISTS.items():
        await connection.run(_unname[kind], the_id=file_id)
        if ids := named.get(kind):
            given: dict[str, Any] = {"file_id": [file_id] * len(ids), name: list(ids)}
            await connection.run(_name[kind], **given)


async def forget_access_group(connection: Connection, access_group_id: UUID) -> None:
    """Take a group that is to go out of all audiences: what was for it alone is for nobody then."""
    await connection.run(_forget_group, the_id=access_group_id)
