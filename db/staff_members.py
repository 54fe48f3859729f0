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
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.changes import Changing
from db.connections import Connection, many_each, one_each
from db.logins import Keys, in_days, login_columns
from db.portals import SUPPLIER_OF_TENANT, portals
from db.statements import Statement
from db.tables import metadata, one_of
from rules.permissions import StaffRole
from rules.staff_members import HeldRole
from rules.viewers import Viewer

staff_members = Table(
    "staff_members",
    metadata,
    Column("supplier_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    *login_columns(),
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
    """A supplier's own user; `activated` once there is a password."""

    id: UUID
    user_name: str
    name: str
    email: str
    active: bool
    activated: bool
    version: int


@dataclass(slots=True)
class Role:
    """A role of a staff member at one company, or with None at all of the supplier's."""

    staff_member_id: UUID
    role: str
    at_tenant_id: UUID | None

    @property
    def held(self) -> HeldRole:
        """The same, as the rules know it."""
        return HeldRole(StaffRole(self.role), self.at_tenant_id)


_OURS = staff_members.c.supplier_id == SUPPLIER_OF_TENANT
_ROLES_OURS = staff_roles.c.supplier_id == SUPPLIER_OF_TENANT
_every_one = select(
    staff_members.c.id,
    staff_members.c.user_name,
    staff_members.c.name,
    staff_members.c.email,
    staff_members.c.active,
    staff_members.c.password_hash.is_not(None).label("activated"),
    staff_members.c.version,
).where(_OURS)

_by_ids = Statement(
    _every_one.where(staff_members.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), StaffMember
)
_every = Statement(_every_one.order_by(staff_members.c.name, staff_members.c.id), StaffMember)
_roles_of = Statement(
    select(staff_roles.c.staff_member_id, staff_roles.c.role, staff_roles.c.at_tenant_id)
    .where(_ROLES_OURS, staff_roles.c.staff_member_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(staff_roles.c.role, staff_roles.c.at_tenant_id),
    Role,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, StaffMember]:
    """The staff members among the ids, of the supplier that owns the company; for its staff, and for an
    account that staff looks through."""
    if not viewer.is_staff:
        ids = [each for each in ids if each == viewer.viewed_by]
    return one_each(await connection.rows(_by_ids, ids=ids), "id") if ids else {}


async def every(connection: Connection) -> list[StaffMember]:
    """The whole staff of the supplier, by name. For its own people."""
    return await connection.rows(_every)


async def roles_of(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, list[Role]]:
    """The roles of each staff member. For the staff."""
    rows = await connection.rows(_roles_of, ids=ids) if viewer.is_staff else []
    return many_each(rows, ids, "staff_member_id")


_name_taken = Statement[bool](
    select(exists().where(_OURS, staff_members.c.user_name == bindparam("user_name", type_=Text)))
)
_add = Statement[UUID](
    insert(staff_members)
    .values(
        supplier_id=SUPPLIER_OF_TENANT,
        id=bindparam("id"),
        user_name=bindparam("user_name"),
        name=bindparam("name"),
        email=bindparam("email"),
        password_hash=bindparam("password_hash", type_=Text),
        activation_code_hash=bindparam("code_hash", type_=LargeBinary),
        activation_expires_at=in_days(),
    )
    .on_conflict_do_nothing(constraint="staff_members_user_name_key")
    .returning(staff_members.c.id)
)
_new_roles = (
    func.unnest(
        bindparam("role_ids", type_=ARRAY(Uuid)),
        bindparam("roles", type_=ARRAY(Text)),
        bindparam("at_tenant_ids", type_=ARRAY(Uuid)),
    )
    .table_valued(column("id", Uuid), column("role", Text), column("at_tenant_id", Uuid))
    .render_derived(name="new")
)
_add_roles = Statement[None](
    insert(staff_roles)
    .from_select(
        ["supplier_id", "id", "staff_member_id", "at_tenant_id", "role"],
        select(
            SUPPLIER_OF_TENANT,
            _new_roles.c.id,
            bindparam("staff_member_id", type_=Uuid),
            _new_roles.c.at_tenant_id,
            _new_roles.c.role,
        ),
    )
    .on_conflict_do_nothing(constraint="staff_roles_role_key")
)
_remove_roles = Statement[None](
    delete(staff_roles).where(
        _ROLES_OURS, staff_roles.c.staff_member_id == bindparam("staff_member_id", type_=Uuid)
    )
)
# Whoever may take an owner away does so alone: the next one sees what was done. Rows cannot be locked for that:
# who waits for the rows of roles that are given anew finds them gone in the end, and holds none.
_lock_owners = Statement[None](
    select(
        func.pg_advisory_xact_lock(
            func.hashtextextended(func.concat("kontor owners ", SUPPLIER_OF_TENANT), 0)
        )
    )
)
_owned = Statement[UUID](
    select(portals.c.tenant_id).where(
        portals.c.supplier_id == SUPPLIER_OF_TENANT,
        exists()
        .where(
            staff_roles.c.supplier_id == staff_members.c.supplier_id,
            staff_roles.c.staff_member_id == staff_members.c.id,
            staff_roles.c.role == StaffRole.OWNER,
            or_(staff_roles.c.at_tenant_id.is_(None), staff_roles.c.at_tenant_id == portals.c.tenant_id),
            staff_members.c.active,
            staff_members.c.password_hash.is_not(None),
        )
        .correlate(portals),
    )
)
_changing = Changing(staff_members, _every_one, StaffMember, ["name", "email", "active"], mine=_OURS)
lock, change = _changing.lock, _changing.change
passwords = Keys(staff_members, _OURS)


async def user_name_taken(connection: Connection, user_name: str) -> bool:
    """Whether somebody of the supplier's staff has this user name (folded)."""
    found: bool = await connection.value(_name_taken, user_name=user_name)
    return found


async def add(
    connection: Connection,
    *,
    password_hash: str | None = None,
    code_hash: bytes | None = None,
    days: int | None = None,
    **values: Any,
) -> bool:
    """Add a staff member of the tenant's supplier; False when the user name is taken.

    Values: id, user_name, name, email. Either a password's hash, or a code's with the days that it is good for.
    """
    added = await connection.value(
        _add, password_hash=password_hash, code_hash=code_hash, days=days, **values
    )
    return added is not None


async def add_roles(
    connection: Connection, staff_member_id: UUID, roles: Sequence[HeldRole], ids: Sequence[UUID]
) -> None:
    """Give a staff member roles, under these new ids; one that is there already stays."""
    await connection.run(
        _add_roles,
        staff_member_id=staff_member_id,
        role_ids=ids,
        roles=[each.role for each in roles],
        at_tenant_ids=[each.at_tenant_id for each in roles],
    )


async def remove_roles(connection: Connection, staff_member_id: UUID) -> None:
    """Take all roles from a staff member."""
    await connection.run(_remove_roles, staff_member_id=staff_member_id)


async def lock_owners(connection: Connection) -> set[UUID]:
    """The supplier's companies that have an owner who can sign in; nobody else takes one away until this
    transaction ends."""
    await connection.run(_lock_owners)
    return await owned(connection)


async def owned(connection: Connection) -> set[UUID]:
    """The supplier's companies that have an owner who can sign in."""
    return set(await connection.column(_owned))
