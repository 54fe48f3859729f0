"""Sessions: who is signed in at which portal. Tokens are kept hashed; times are the database's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from db.access_groups import IS_MEMBER_TODAY, access_group_members, access_groups
from db.accounts import accounts
from db.connections import Connection, many_each, one_each
from db.customers import customers
from db.portals import PORTAL_COLUMNS, Portal, portals
from db.profiles import profiles
from db.staff_members import staff_members, staff_roles
from db.statements import Statement
from db.tables import leads_to, refers_to, tenant_table, unique
from rules.permissions import Permission
from rules.viewers import Viewer

sessions = tenant_table(
    "sessions",
    Column("id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),  # SHA-256 of the token
    Column("account_id", Uuid),
    Column("supplier_id", Uuid),
    Column("staff_member_id", Uuid),
    Column("viewing_account_id", Uuid),  # as whom the staff member looks at the portal
    Column("address", Text, nullable=False, server_default=""),
    Column("user_agent", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    unique("token_hash", name="sessions_token_hash_key"),
    refers_to("accounts", "account_id", name="sessions_account_fkey"),
    refers_to("accounts", "viewing_account_id", name="sessions_viewing_account_fkey"),
    ForeignKeyConstraint(
        ["supplier_id", "staff_member_id"],
        ["staff_members.supplier_id", "staff_members.id"],
        name="sessions_staff_member_fkey",
    ),
    CheckConstraint("(account_id is null) <> (staff_member_id is null)", name="sessions_actor_check"),
    CheckConstraint("(supplier_id is null) = (staff_member_id is null)", name="sessions_supplier_check"),
    CheckConstraint(
        "viewing_account_id is null or staff_member_id is not null", name="sessions_viewing_check"
    ),
    Index("sessions_account_idx", "tenant_id", "account_id"),
    Index("sessions_viewing_account_idx", "tenant_id", "viewing_account_id"),
    Index("sessions_staff_member_idx", "supplier_id", "staff_member_id"),
    Index("sessions_of_staff_idx", "tenant_id", "staff_member_id"),
    Index("sessions_expires_at_idx", "tenant_id", "expires_at"),
)


@dataclass(slots=True)
class SignedIn:
    """The session behind a token, and all that decides what its holder may do.

    `grants` is one JSON array of them all, with an array for each group: its id, the built-in profile, the profile's own
    permissions, the modes.
    `roles` are those here, `everywhere` those of them that are held at all companies.
    """

    session_id: UUID | None
    account_id: UUID | None
    staff_member_id: UUID | None
    viewing: bool
    active: bool
    customer_id: UUID | None
    currency: str
    price_list_id: UUID | None
    grants: str
    roles: list[str]
    everywhere: list[str]


@dataclass(slots=True)
class Session:
    """Somebody's session, to be looked at: since when, until when, from where and with which program."""

    id: UUID
    account_id: UUID | None
    staff_member_id: UUID | None
    created_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


def _grants_of(account_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The groups of an account today, as JSON: rights and restrictions come with the statement for the viewer."""
    return (
        select(
            func.json_agg(
                func.json_build_array(
                    access_groups.c.id,
                    profiles.c.built_in,
                    profiles.c.permissions,
                    access_groups.c.category_mode,
                    access_groups.c.product_mode,
                    access_groups.c.warehouse_mode,
                    access_groups.c.document_kind_mode,
                )
            ).cast(Text)
        )
        .select_from(access_group_members)
        .join(
            access_groups,
            leads_to(access_group_members.c.access_group_id, access_groups),
        )
        .join(
            profiles,
            leads_to(access_groups.c.profile_id, profiles),
        )
        .where(
            access_group_members.c.tenant_id == bindparam("tenant_id"),
            access_group_members.c.account_id == account_id,
            IS_MEMBER_TODAY,
        )
        .scalar_subquery()
    )


def _roles(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    return (
        select(func.array_agg(staff_roles.c.role))
        .where(
            staff_roles.c.supplier_id == portals.c.supplier_id,
            staff_roles.c.staff_member_id == sessions.c.staff_member_id,
            *conditions,
        )
        .scalar_subquery()
    )


_HERE = or_(staff_roles.c.at_tenant_id.is_(None), staff_roles.c.at_tenant_id == bindparam("tenant_id"))
_who = func.coalesce(sessions.c.account_id, sessions.c.viewing_account_id)
_CURRENCY = func.coalesce(customers.c.currency, portals.c.currency).label("currency")
_PRICE_LIST = func.coalesce(customers.c.price_list_id, portals.c.price_list_id).label("price_list_id")
_SESSION_COLUMNS = [
    sessions.c.id.label("session_id"),
    _who.label("account_id"),
    sessions.c.staff_member_id,
    sessions.c.viewing_account_id.is_not(None).label("viewing"),
    and_(func.coalesce(accounts.c.active, True), func.coalesce(staff_members.c.active, True)).label("active"),
    accounts.c.customer_id,
    _CURRENCY,
    _PRICE_LIST,
    _grants_of(_who).label("grants"),
    _roles(_HERE).label("roles"),
    _roles(staff_roles.c.at_tenant_id.is_(None)).label("everywhere"),
]


def _portal_and_session(*record: Any) -> tuple[Portal, SignedIn | None]:
    width = len(PORTAL_COLUMNS)
    portal, rest = Portal(*record[:width]), record[width:]
    return portal, _signed_in(*rest) if rest[0] is not None else None


def _signed_in(*record: Any) -> SignedIn:
    *columns, grants, roles, everywhere = record
    return SignedIn(*columns, grants or "[]", roles or [], everywhere or [])  # type: ignore[call-arg]


def _portal_and(session: ColumnElement[bool]) -> Statement[tuple[Portal, SignedIn | None]]:
    """One statement for portal, viewer and rights: it is the first of every request."""
    return Statement(
        select(*PORTAL_COLUMNS, *_SESSION_COLUMNS)
        .select_from(
            portals.outerjoin(
                sessions,
                and_(
                    sessions.c.tenant_id == portals.c.tenant_id,
                    session,
                    sessions.c.expires_at > func.now(),
                ),
            )
            .outerjoin(accounts, and_(accounts.c.tenant_id == sessions.c.tenant_id, accounts.c.id == _who))
            .outerjoin(
                customers,
                leads_to(accounts.c.customer_id, customers),
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


_by_token = _portal_and(sessions.c.token_hash == bindparam("token_hash", type_=LargeBinary))
_signed_in_by_id = _portal_and(sessions.c.id == bindparam("session_id", type_=Uuid))
_of_account = Statement(
    select(
        null().cast(Uuid).label("session_id"),
        accounts.c.id,
        null().cast(Uuid).label("staff_member_id"),
        literal(False, Boolean).label("viewing"),
        accounts.c.active,
        accounts.c.customer_id,
        _CURRENCY,
        _PRICE_LIST,
        _grants_of(accounts.c.id).label("grants"),
        null().label("roles"),
        null().label("everywhere"),
    )
    .select_from(
        accounts.join(
            customers,
            leads_to(accounts.c.customer_id, customers),
        ).join(portals, portals.c.tenant_id == accounts.c.tenant_id)
    )
    .where(accounts.c.tenant_id == bindparam("tenant_id"), accounts.c.id == bindparam("account_id")),
    _signed_in,
)


async def by_token(connection: Connection, token_hash: bytes | None) -> tuple[Portal, SignedIn | None]:
    """The connection's portal, and the unexpired session of that portal behind a token's SHA-256."""
    found = await connection.row(_by_token, token_hash=token_hash)
    assert found is not None, "the tenant of a connection has a portal"
    return found


async def signed_in_by_id(connection: Connection, session_id: UUID) -> tuple[Portal, SignedIn | None]:
    """The same by the session's id."""
    found = await connection.row(_signed_in_by_id, session_id=session_id)
    assert found is not None, "the tenant of a connection has a portal"
    return found


async def of_account(connection: Connection, account_id: UUID) -> SignedIn | None:
    """What an account could do if it were signed in."""
    return await connection.row(_of_account, account_id=account_id)


_NOW_OF_TENANT = and_(sessions.c.tenant_id == bindparam("tenant_id"), sessions.c.expires_at > func.now())
_sessions = select(
    sessions.c.id,
    sessions.c.account_id,
    sessions.c.staff_member_id,
    sessions.c.created_at,
    sessions.c.expires_at,
    sessions.c.address,
    sessions.c.user_agent,
).where(_NOW_OF_TENANT)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_by_ids = Statement(_sessions.where(sessions.c.id == any_(_IDS)), Session)
_of_actors = Statement(
    _sessions.where(
        or_(sessions.c.account_id == any_(_IDS), sessions.c.staff_member_id == any_(_IDS))
    ).order_by(sessions.c.created_at.desc(), sessions.c.id),
    Session,
)


def _may_see(viewer: Viewer, session: Session) -> bool:
    """One's own; and for staff those of customers' accounts."""
    if viewer.viewed_by is not None:
        return False
    if viewer.actor_id in (session.account_id, session.staff_member_id):
        return True
    return session.account_id is not None and viewer.oversees(Permission.ACCOUNTS_READ)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Session]:
    """The sessions among the ids that the viewer may see: its own, or for staff those of all accounts."""
    rows = await connection.rows(_by_ids, ids=ids)
    return one_each((row for row in rows if _may_see(viewer, row)), "id")


async def of_accounts(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Session]]:
    """The sessions of each account, newest first, as far as the viewer may see them."""
    rows = await connection.rows(_of_actors, ids=ids)
    return many_each((row for row in rows if row.account_id and _may_see(viewer, row)), ids, "account_id")


async def own(connection: Connection, viewer: Viewer) -> list[Session]:
    """The viewer's sessions at this portal, newest first."""
    rows = await connection.rows(_of_actors, ids=[viewer.actor_id])
    return [row for row in rows if _may_see(viewer, row)]


_add = Statement(
    insert(sessions)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        token_hash=bindparam("token_hash"),
        account_id=bindparam("account_id"),
        supplier_id=bindparam("supplier_id"),
        staff_member_id=bindparam("staff_member_id"),
        viewing_account_id=bindparam("viewing_account_id"),
        address=bindparam("address"),
        user_agent=bindparam("user_agent"),
        expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, bindparam("minutes", type_=Integer)),
    )
    .returning(*_sessions.selected_columns),
    Session,
)
_OF_TENANT = sessions.c.tenant_id == bindparam("tenant_id")
_remove = Statement[None](delete(sessions).where(_OF_TENANT, sessions.c.id == bindparam("id")))
_remove_of = Statement[None](
    delete(sessions).where(
        _OF_TENANT,
        or_(
            sessions.c.account_id == bindparam("actor_id", type_=Uuid),
            sessions.c.viewing_account_id == bindparam("actor_id", type_=Uuid),
            sessions.c.staff_member_id == bindparam("actor_id", type_=Uuid),
        ),
        sessions.c.id.is_distinct_from(bindparam("kept_id", type_=Uuid)),
    )
)
_remove_expired = Statement[None](delete(sessions).where(_OF_TENANT, sessions.c.expires_at <= func.now()))


async def add(
    connection: Connection,
    *,
    id: UUID,
    token_hash: bytes,
    minutes: int,
    account_id: UUID | None = None,
    supplier_id: UUID | None = None,
    staff_member_id: UUID | None = None,
    viewing_account_id: UUID | None = None,
    address: str = "",
    user_agent: str = "",
) -> Session:
    """Open a session for an account, or for a staff member of a supplier.

    The tenant's sessions that have ended are cleared away on the way.
    """
    await connection.run(_remove_expired)
    added = await connection.row(
        _add,
        id=id,
        token_hash=token_hash,
        account_id=account_id,
        supplier_id=supplier_id,
        staff_member_id=staff_member_id,
        viewing_account_id=viewing_account_id,
        address=address,
        user_agent=user_agent,
        minutes=minutes,
    )
    assert added is not None
    return added


async def remove(connection: Connection, id: UUID) -> None:
    """End a session at once."""
    await connection.run(_remove, id=id)


async def remove_of(connection: Connection, actor_id: UUID, *, but: UUID | None = None) -> None:
    """End all sessions of an account or staff member here, and those that look through the account; but one."""
    await connection.run(_remove_of, actor_id=actor_id, kept_id=but)
