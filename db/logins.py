"""Logins: what accounts and staff members have in common, and whom a user name belongs to at a portal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    null,
    select,
    update,
)

from db.connections import Connection
from db.portals import SUPPLIER_OF_TENANT
from db.statements import Statement


def login_columns() -> list[Column[Any]]:
    """The columns of a table of people who can sign in. No password yet: the activation code opens the door."""
    return [
        Column("user_name", Text, nullable=False),  # folded as rules.accounts does
        Column("name", Text, nullable=False),
        Column("email", Text, nullable=False),
        Column("password_hash", Text),
        Column("active", Boolean, nullable=False, server_default="true"),
        Column("activation_code_hash", LargeBinary),  # SHA-256 of the code
        Column("activation_expires_at", DateTime(timezone=True)),
        Column("activation_used_at", DateTime(timezone=True)),
        Column("version", Integer, nullable=False, server_default="1"),
    ]


@dataclass(slots=True)
class Login:
    """Whom a user name belongs to, and what is needed to check password or code. Times are the database's."""

    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None
    password_hash: str | None
    active: bool
    activation_code_hash: bytes | None
    activation_expired: bool
    activation_used_at: datetime | None

    @property
    def id(self) -> UUID:
        """The account's or the staff member's."""
        found = self.account_id or self.staff_member_id
        assert found is not None
        return found


def secrets_of(table: Table) -> list[ColumnElement[Any]]:
    """What a Login has from its table, in that order."""
    return [
        table.c.password_hash,
        table.c.active,
        table.c.activation_code_hash,
        func.coalesce(table.c.activation_expires_at <= func.now(), False).label("activation_expired"),
        table.c.activation_used_at,
    ]


_reserve = Statement[None](
    select(
        func.pg_advisory_xact_lock(
            func.hashtextextended(
                func.concat("kontor user name ", SUPPLIER_OF_TENANT, " ", bindparam("user_name", type_=Text)),
                0,
            )
        )
    )
)


async def reserve(connection: Connection, user_name: str) -> None:
    """Keep others from giving a user name to anybody of the supplier or its companies' customers until this
    transaction ends: accounts and staff members stand in different tables and sign in at the same door."""
    await connection.run(_reserve, user_name=user_name)


class Keys:
    """Sets passwords and codes of one table's people. `mine` says whose they are: the tenant's, or its supplier's."""

    def __init__(self, table: Table, mine: ColumnElement[bool]) -> None:
        this = and_(mine, table.c.id == bindparam("the_id", type_=Uuid))
        password = bindparam("new_password_hash", type_=Text)
        self._activate = Statement[UUID](
            update(table)
            .where(
                this,
                table.c.active,
                table.c.activation_code_hash == bindparam("code_hash", type_=LargeBinary),
                table.c.activation_used_at.is_(None),
            )
            .values(password_hash=password, activation_used_at=func.now(), version=table.c.version + 1)
            .returning(table.c.id)
        )
        self._holds = Statement[UUID](
            select(table.c.id)
            .where(this, table.c.active, table.c.password_hash == bindparam("old_password_hash", type_=Text))
            .with_for_update(read=True)
        )
        self._change = Statement[UUID](
            update(table)
            .where(this, table.c.password_hash == bindparam("old_password_hash", type_=Text))
            .values(password_hash=password, version=table.c.version + 1)
            .returning(table.c.id)
        )
        self._reset = Statement[None](
            update(table)
            .where(this)
            .values(
                password_hash=null(),
                active=True,
                activation_code_hash=bindparam("code_hash", type_=LargeBinary),
                activation_expires_at=in_days(),
                activation_used_at=null(),
                version=table.c.version + 1,
            )
        )

    async def activate(self, connection: Connection, id: UUID, code_hash: bytes, password_hash: str) -> bool:
        """Give somebody a first password; False when the code has done its work, or was replaced, meanwhile."""
        return (
            await connection.value(
                self._activate, the_id=id, code_hash=code_hash, new_password_hash=password_hash
            )
            is not None
        )

    async def holds(self, connection: Connection, id: UUID, password_hash: str | None) -> bool:
        """Whether this is still somebody's password; it stays so until the transaction ends."""
        found = await connection.value(self._holds, the_id=id, old_password_hash=password_hash)
        return found is not None

    async def change(self, connection: Connection, id: UUID, old_hash: str, new_hash: str) -> bool:
        """Give somebody another password; False when the old one is no longer that."""
        changed = await connection.value(
            self._change, the_id=id, old_password_hash=old_hash, new_password_hash=new_hash
        )
        return changed is not None

    async def reset(self, connection: Connection, id: UUID, code_hash: bytes, *, days: int) -> None:
        """Take the password away and give an activation code instead, good for so many days."""
        await connection.run(self._reset, the_id=id, code_hash=code_hash, days=days)


def in_days() -> ColumnElement[Any]:
    """The moment so many `days` from now; none when that is null."""
    return func.now() + func.make_interval(0, 0, 0, bindparam("days", type_=Integer))
