"""Sessions: who is signed in at which portal. Tokens are kept hashed; times are the database's."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
)

from db.access_groups import IS_MEMBER_TODAY, access_group_members, access_groups
from db.accounts import accounts
from db.connections import Connection
from db.customers import customers
from db.portals import PORTAL_COLUMNS, Portal, portals
from db.staff_members import staff_members, staff_roles
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique

sessions = tenant_table(
    "sessions",
    Column("id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),  # SHA-256 of the token
    Column("account_id", Uuid),
    Column("supplier_id", Uuid),
    Column("staff_member_id", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    unique("token_hash", name="sessions_token_hash_key"),
    refers_to("accounts", "account_id", name="sessions_account_fkey"),
    ForeignKeyConstraint(
        ["supplier_id", "staff_member_id"],
        ["staff_members.supplier_id", "staff_members.id"],
        name="sessions_staff_member_fkey",
    ),
    CheckConstraint("(account_id is null) <> (staff_member_id is null)", name="sessions_actor_check"),
    CheckConstraint("(supplier_id is null) = (staff_member_id is null)", name="sessions_supplier_check"),
    Index("sessions_account_idx", "tenant_id", "account_id"),
    Index("sessions_staff_member_idx", "supplier_id", "staff_member_id"),
    Index("sessions_expires_at_idx", "tenant_id", "expires_at"),
)


@dataclass(slots=True)
class SignedIn:
    """The session behind a token, and all that decides what its holder may do."""

    session_id: UUID
    expires_at: datetime
    account_id: UUID | None
    staff_member_id: UUID | None
    active: bool
    customer_id: UUID | None
    currency: str
    price_list_id: UUID | None
    profiles: list[str]
    roles: list[str]


_profiles = (
    select(func.array_agg(access_groups.c.profile))
    .join_from(
        access_group_members,
        access_groups,
        and_(
            access_groups.c.tenant_id == access_group_members.c.tenant_id,
            access_groups.c.id == access_group_members.c.access_group_id,
        ),
    )
    .where(
        access_group_members.c.tenant_id == bindparam("tenant_id"),
        access_group_members.c.account_id == sessions.c.account_id,
        IS_MEMBER_TODAY,
    )
    .scalar_subquery()
)
_roles = (
    select(func.array_agg(staff_roles.c.role))
    .where(
        staff_roles.c.supplier_id == portals.c.supplier_id,
        staff_roles.c.staff_member_id == sessions.c.staff_member_id,
        or_(
            staff_roles.c.at_tenant_id.is_(None),
            staff_roles.c.at_tenant_id == bindparam("tenant_id"),
        ),
    )
    .scalar_subquery()
)
_SESSION_COLUMNS = [
    sessions.c.id.label("session_id"),
    sessions.c.expires_at,
    sessions.c.account_id,
    sessions.c.staff_member_id,
    func.coalesce(accounts.c.active, staff_members.c.active).label("active"),
    accounts.c.customer_id,
    func.coalesce(customers.c.currency, portals.c.currency).label("currency"),
    func.coalesce(customers.c.price_list_id, portals.c.price_list_id).label("price_list_id"),
    _profiles.label("profiles"),
    _roles.label("roles"),
]


def _portal_and_session(*record: object) -> tuple[Portal, SignedIn | None]:
    width = len(PORTAL_COLUMNS)
    portal = Portal(*record[:width])  # type: ignore[arg-type]
    rest = record[width:]
    if rest[0] is None:
        return portal, None
    *columns, profiles, roles = rest
    return portal, SignedIn(*columns, profiles or [], roles or [])  # type: ignore[arg-type, call-arg]


# One statement for portal, viewer and rights: it is the first of every request.
_by_token = Statement(
    select(*PORTAL_COLUMNS, *_SESSION_COLUMNS)
    .select_from(
        portals.outerjoin(
            sessions,
            and_(
                sessions.c.tenant_id == portals.c.tenant_id,
                sessions.c.token_hash == bindparam("token_hash", type_=LargeBinary),
                sessions.c.expires_at > func.now(),
            ),
        )
        .outerjoin(
            accounts,
            and_(accounts.c.tenant_id == sessions.c.tenant_id, accounts.c.id == sessions.c.account_id),
        )
        .outerjoin(
            customers,
            and_(customers.c.tenant_id == accounts.c.tenant_id, customers.c.id == accounts.c.customer_id),
        )
        .outerjoin(
            staff_members,
            and_(
                staff_members.c.supplier_id == sessions.c.supplier_id,
                staff_members.c.id == sessions.c.staff_member_id,
            ),
        )
    )
    .where(portals.c.tenant_id == bindparam("tenant_id")),
    _portal_and_session,
)


async def by_token(connection: Connection, token_hash: bytes | None) -> tuple[Portal, SignedIn | None]:
    """The connection's portal, and the unexpired session of that portal behind a token's SHA-256."""
    found = await connection.row(_by_token, token_hash=token_hash)
    assert found is not None, "the tenant of a connection has a portal"
    return found


_add = Statement[datetime](
    insert(sessions)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        token_hash=bindparam("token_hash"),
        account_id=bindparam("account_id"),
        supplier_id=bindparam("supplier_id"),
        staff_member_id=bindparam("staff_member_id"),
        expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, bindparam("minutes", type_=Integer)),
    )
    .returning(sessions.c.expires_at)
)
_remove = Statement[None](
    delete(sessions).where(sessions.c.tenant_id == bindparam("tenant_id"), sessions.c.id == bindparam("id"))
)
_remove_expired = Statement[None](
    delete(sessions).where(
        sessions.c.tenant_id == bindparam("tenant_id"), sessions.c.expires_at <= func.now()
    )
)


async def add(
    connection: Connection,
    *,
    id: UUID,
    token_hash: bytes,
    account_id: UUID | None,
    supplier_id: UUID | None,
    staff_member_id: UUID | None,
    minutes: int,
) -> datetime:
    """Open a session for an account, or for a staff member of a supplier; returns when it ends.

    The tenant's sessions that have ended are cleared away on the way.
    """
    await connection.run(_remove_expired)
    ends: datetime = await connection.value(
        _add,
        id=id,
        token_hash=token_hash,
        account_id=account_id,
        supplier_id=supplier_id,
        staff_member_id=staff_member_id,
        minutes=minutes,
    )
    return ends


async def remove(connection: Connection, id: UUID) -> None:
    """End a session at once."""
    await connection.run(_remove, id=id)
