"""Accounts: the logins of a customer's people. An account is bound to one customer for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection, one_each
from db.customers import customers as customers  # the foreign key's target
from db.portals import SUPPLIER_OF_TENANT
from db.staff_members import staff_members, staff_roles
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.viewers import Viewer

accounts = tenant_table(
    "accounts",
    Column("id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    unique("user_name", name="accounts_user_name_key"),
    refers_to("customers", "customer_id", name="accounts_customer_fkey"),
    Index("accounts_customer_idx", "tenant_id", "customer_id"),
)


@dataclass(slots=True)
class Account:
    """A login of somebody at a customer."""

    id: UUID
    customer_id: UUID
    user_name: str
    name: str
    email: str


_by_ids = Statement(
    select(
        accounts.c.id, accounts.c.customer_id, accounts.c.user_name, accounts.c.name, accounts.c.email
    ).where(
        accounts.c.tenant_id == bindparam("tenant_id"),
        accounts.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    Account,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Account]:
    """The accounts among the ids that the viewer may see: those of its own customer, or for staff all."""
    rows = await connection.rows(_by_ids, ids=ids)
    return one_each((row for row in rows if viewer.is_staff or row.customer_id == viewer.customer_id), "id")


@dataclass(slots=True)
class Login:
    """Whom a user name belongs to, and what is needed to check the password."""

    account_id: UUID | None
    staff_member_id: UUID | None
    password_hash: str
    active: bool


_logins = Statement(
    select(
        union_all(
            select(
                null().cast(Uuid).label("account_id"),
                staff_members.c.id.label("staff_member_id"),
                staff_members.c.password_hash,
                staff_members.c.active,
            ).where(
                staff_members.c.supplier_id == SUPPLIER_OF_TENANT,
                staff_members.c.user_name == bindparam("user_name", type_=Text),
                # Somebody whose roles are all at other companies is nobody here.
                exists().where(
                    staff_roles.c.supplier_id == staff_members.c.supplier_id,
                    staff_roles.c.staff_member_id == staff_members.c.id,
                    or_(
                        staff_roles.c.at_tenant_id.is_(None),
                        staff_roles.c.at_tenant_id == bindparam("tenant_id"),
                    ),
                ),
            ),
            select(accounts.c.id, null().cast(Uuid), accounts.c.password_hash, accounts.c.active).where(
                accounts.c.tenant_id == bindparam("tenant_id"),
                accounts.c.user_name == bindparam("user_name", type_=Text),
            ),
        ).subquery()
    ),
    Login,
)


async def login(connection: Connection, user_name: str) -> Login | None:
    """The staff member or else the account with this user name (folded as rules.accounts does)."""
    return await connection.row(_logins, user_name=user_name)


_add = Statement[UUID](
    insert(accounts)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        customer_id=bindparam("customer_id"),
        user_name=bindparam("user_name"),
        name=bindparam("name"),
        email=bindparam("email"),
        password_hash=bindparam("password_hash"),
    )
    .on_conflict_do_nothing(constraint="accounts_user_name_key")
    .returning(accounts.c.id)
)


async def add(connection: Connection, **values: Any) -> bool:
    """Add an account; False when its user name is taken. Values: the columns, `active` aside."""
    return await connection.value(_add, **values) is not None
