"""Staff members: a supplier's own users, with a role at one, several or all of its companies.

They belong to the supplier, so their tables are keyed by supplier_id; row-level security lets a tenant's
transaction see those of the supplier that owns the tenant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection, one_each
from db.portals import SUPPLIER_OF_TENANT
from db.statements import Statement
from db.tables import metadata, one_of
from rules.permissions import StaffRole
from rules.viewers import Viewer

staff_members = Table(
    "staff_members",
    metadata,
    Column("supplier_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    PrimaryKeyConstraint("supplier_id", "id", name="staff_members_pkey"),
    ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name="staff_members_supplier_fkey"),
    UniqueConstraint("supplier_id", "user_name", name="staff_members_user_name_key"),
)

staff_roles = Table(
    "staff_roles",
    metadata,
    Column("supplier_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("staff_member_id", Uuid, nullable=False),
    Column("at_tenant_id", Uuid),  # empty: at every company of the supplier
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("supplier_id", "id", name="staff_roles_pkey"),
    ForeignKeyConstraint(
        ["supplier_id", "staff_member_id"],
        ["staff_members.supplier_id", "staff_members.id"],
        name="staff_roles_staff_member_fkey",
    ),
    ForeignKeyConstraint(["at_tenant_id"], ["portals.tenant_id"], name="staff_roles_portal_fkey"),
    UniqueConstraint(
        "supplier_id",
        "staff_member_id",
        "at_tenant_id",
        "role",
        name="staff_roles_role_key",
        postgresql_nulls_not_distinct=True,
    ),
    Index("staff_roles_at_tenant_idx", "at_tenant_id"),
    one_of("role", list(StaffRole), name="staff_roles_role_check"),
)


@dataclass(slots=True)
class StaffMember:
    """A supplier's own user."""

    id: UUID
    user_name: str
    name: str
    email: str


STAFF_MEMBER_COLUMNS = [
    staff_members.c.id,
    staff_members.c.user_name,
    staff_members.c.name,
    staff_members.c.email,
]

_by_ids = Statement(
    select(*STAFF_MEMBER_COLUMNS).where(
        staff_members.c.supplier_id == SUPPLIER_OF_TENANT,
        staff_members.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    StaffMember,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, StaffMember]:
    """The staff members among the ids, of the supplier that owns the company; for its staff only."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id") if viewer.is_staff else {}


_add = Statement[UUID](
    insert(staff_members)
    .values(
        supplier_id=SUPPLIER_OF_TENANT,
        id=bindparam("id"),
        user_name=bindparam("user_name"),
        name=bindparam("name"),
        email=bindparam("email"),
        password_hash=bindparam("password_hash"),
    )
    .on_conflict_do_nothing(constraint="staff_members_user_name_key")
    .returning(staff_members.c.id)
)
_add_role = Statement[None](
    insert(staff_roles)
    .values(
        supplier_id=SUPPLIER_OF_TENANT,
        id=bindparam("role_id"),
        staff_member_id=bindparam("id"),
        at_tenant_id=bindparam("at_tenant_id"),
        role=bindparam("role"),
    )
    .on_conflict_do_nothing(constraint="staff_roles_role_key")
)


async def add(
    connection: Connection,
    *,
    role_id: UUID,
    role: StaffRole,
    at_tenant_id: UUID | None,
    **values: Any,
) -> bool:
    """Add a staff member of the tenant's supplier with one role; False when the user name is taken.

    `at_tenant_id` None means at every company. Values: id, user_name, name, email, password_hash.
    """
    added = await connection.value(_add, **values)
    if added is None:
        return False
    await connection.run(_add_role, id=added, role_id=role_id, role=role, at_tenant_id=at_tenant_id)
    return True
