"""Accounts: the logins of a customer's people. An account is bound to one customer for ever."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from db.changes import Changing
from db.connections import Connection, many_each, one_each
from db.customers import customers as customers  # the foreign key's target
from db.logins import Keys, Login, in_days, login_columns, secrets_of
from db.pages import Condition, Key, Listing
from db.portals import SUPPLIER_OF_TENANT
from db.staff_members import staff_members, staff_roles
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.accounts import folded
from rules.permissions import Permission
from rules.viewers import Viewer

accounts = tenant_table(
    "accounts",
    Column("id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    *login_columns(),
    unique("user_name", name="accounts_user_name_key"),
    refers_to("customers", "customer_id", name="accounts_customer_fkey"),
    Index("accounts_customer_idx", "tenant_id", "customer_id"),
    Index("accounts_name_idx", "tenant_id", "name", "id"),
)


@dataclass(slots=True)
class Account:
    """A login of somebody at a customer; `activated` once there is a password."""

    id: UUID
    customer_id: UUID
    user_name: str
    name: str
    email: str
    active: bool
    activated: bool
    version: int


_OF_TENANT = accounts.c.tenant_id == bindparam("tenant_id")
_every_one = select(
    accounts.c.id,
    accounts.c.customer_id,
    accounts.c.user_name,
    accounts.c.name,
    accounts.c.email,
    accounts.c.active,
    accounts.c.password_hash.is_not(None).label("activated"),
    accounts.c.version,
).where(_OF_TENANT)
_by_ids = Statement(_every_one.where(accounts.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), Account)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Account]:
    """The accounts among the ids that the viewer may see: its own and, with contacts:read, those of its customer,
    or for staff all."""
    rows = await connection.rows(_by_ids, ids=ids)
    return one_each((row for row in rows if _may_see(viewer, row)), "id")


def _may_see(viewer: Viewer, account: Account) -> bool:
    if viewer.oversees(Permission.ACCOUNTS_READ) or account.id == viewer.account_id:
        return True
    return account.customer_id == viewer.customer_id and viewer.may(Permission.CONTACTS_READ)


async def to_be_told(connection: Connection, account_id: UUID) -> Account | None:
    """An account to be written to, whoever does what it is told of."""
    return await connection.row(_by_ids, ids=[account_id])


_of_customers = Statement(
    _every_one.where(accounts.c.customer_id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(
        accounts.c.name, accounts.c.id
    ),
    Account,
)


async def of_customers(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Account]]:
    """The accounts of each customer, by name: of one's own, or for staff of any."""
    every = viewer.oversees(Permission.ACCOUNTS_READ)
    seen = [each for each in ids if every or each == viewer.customer_id]
    rows = await connection.rows(_of_customers, ids=seen)
    return many_each((row for row in rows if _may_see(viewer, row)), ids, "customer_id")


_logins = Statement(
    select(
        union_all(
            select(
                null().cast(Uuid).label("account_id"),
                staff_members.c.id.label("staff_member_id"),
                null().cast(Uuid).label("customer_id"),
                *secrets_of(staff_members),
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
            select(accounts.c.id, null().cast(Uuid), accounts.c.customer_id, *secrets_of(accounts)).where(
                _OF_TENANT, accounts.c.user_name == bindparam("user_name", type_=Text)
            ),
        ).subquery()
    ),
    Login,
)


_login_of = Statement(
    select(
        accounts.c.id.label("account_id"),
        null().cast(Uuid).label("staff_member_id"),
        accounts.c.customer_id,
        *secrets_of(accounts),
    ).where(_OF_TENANT, accounts.c.id == bindparam("id", type_=Uuid)),
    Login,
)


async def login_of(connection: Connection, account_id: UUID) -> Login | None:
    """What is needed to check the password or code of an account."""
    return await connection.row(_login_of, id=account_id)


async def login(connection: Connection, user_name: str) -> Login | None:
    """The staff member or else the account with this user name (folded as rules.accounts does)."""
    return await connection.row(_logins, user_name=user_name)


_CONDITIONS: dict[str, Condition] = {
    "customer_id": accounts.c.customer_id == bindparam("customer_id", type_=Uuid),
    "active": accounts.c.active == bindparam("active", type_=Boolean),
    "activated": accounts.c.password_hash.is_not(None) == bindparam("activated", type_=Boolean),
    "search": or_(
        accounts.c.user_name.op("^@")(bindparam("user_name_prefix", type_=Text)),
        func.lower(accounts.c.name).op("^@")(bindparam("name_prefix", type_=Text)),
    ),
}
ORDERS: dict[str, Key] = {
    "NAME_ASC": Key(accounts.c.name),
    "NAME_DESC": Key(accounts.c.name, descending=True),
    "USER_NAME_ASC": Key(accounts.c.user_name),
    "USER_NAME_DESC": Key(accounts.c.user_name, descending=True),
}


def _filter_values(filters: Mapping[str, Any]) -> dict[str, Any]:
    search = filters.get("search", "")
    name = unicodedata.normalize("NFKC", search).lower()
    return {**filters, "user_name_prefix": folded(search), "name_prefix": name}


# For the staff. Filters: customer_id, active, activated, search (how user name or name begins).
_listing = Listing(Account, lambda _: _every_one, _CONDITIONS, ORDERS, accounts.c.id, values=_filter_values)
keys, page, count = _listing.keys, _listing.page, _listing.count


_name_taken: ColumnElement[bool] = exists().where(
    _OF_TENANT, accounts.c.user_name == bindparam("user_name", type_=Text)
)
_is_taken = Statement[bool](select(_name_taken))
_add = Statement(
    insert(accounts)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        customer_id=bindparam("customer_id"),
        user_name=bindparam("user_name"),
        name=bindparam("name"),
        email=bindparam("email"),
        password_hash=bindparam("password_hash", type_=Text),
        activation_code_hash=bindparam("code_hash", type_=LargeBinary),
        activation_expires_at=in_days(),
    )
    .on_conflict_do_nothing(constraint="accounts_user_name_key")
    .returning(*_every_one.selected_columns),
    Account,
)
_changing = Changing(accounts, _every_one, Account, ["name", "email", "active"], mine=_OF_TENANT)
lock, change = _changing.lock, _changing.change
passwords = Keys(accounts, _OF_TENANT)


async def user_name_taken(connection: Connection, user_name: str) -> bool:
    """Whether an account of the connection's tenant has this user name (folded)."""
    found: bool = await connection.value(_is_taken, user_name=user_name)
    return found


async def add(
    connection: Connection,
    *,
    password_hash: str | None = None,
    code_hash: bytes | None = None,
    days: int | None = None,
    **values: Any,
) -> Account | None:
    """Add an account; None when its user name is taken by another account.

    Values: id, customer_id, user_name, name, email. Either a password's hash, or a code's with the days that
    it is good for.
    """
    return await connection.row(_add, password_hash=password_hash, code_hash=code_hash, days=days, **values)
