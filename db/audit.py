"""The audit: who did what, for whom, when and with which request. Entries are added and read, never changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat as uuid
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    select,
)

from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows
from db.statements import Statement
from db.tables import tenant_table
from rules.permissions import Permission
from rules.viewers import Viewer

audit_entries = tenant_table(
    "audit_entries",
    Column("id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("action", Text, nullable=False),
    Column("account_id", Uuid),  # who did it: an account, a staff member, or neither, from the command line
    Column("staff_member_id", Uuid),
    Column("customer_id", Uuid),  # for whom
    Column("node_type", Text, nullable=False),
    Column("node_id", Uuid, nullable=False),
    Column("before", Text),  # JSON; empty for what is new
    Column("after", Text),  # JSON; empty for what is gone
    Column("request_id", Text, nullable=False),
    Index("audit_entries_at_idx", "tenant_id", "at", "id"),
    Index("audit_entries_node_idx", "tenant_id", "node_id", "at", "id"),
    Index("audit_entries_account_idx", "tenant_id", "account_id", "at", "id"),
    Index("audit_entries_staff_member_idx", "tenant_id", "staff_member_id", "at", "id"),
    Index("audit_entries_customer_idx", "tenant_id", "customer_id", "at", "id"),
)


@dataclass(slots=True)
class Entry:
    """Something that was done to one object; before and after are JSON."""

    id: UUID
    action: str
    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None
    node_type: str
    node_id: UUID
    before: str | None
    after: str | None
    request_id: str


@dataclass(slots=True)
class AuditEntry:
    """An entry as it is read, with the database's time."""

    id: UUID
    at: datetime
    action: str
    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None
    node_type: str
    node_id: UUID
    before: str | None
    after: str | None
    request_id: str

    @property
    def states(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the object was and what it is, by field."""
        return (json.loads(self.before) if self.before else {}, json.loads(self.after) if self.after else {})


_NAMES = [
    "id",
    "action",
    "account_id",
    "staff_member_id",
    "customer_id",
    "node_type",
    "node_id",
    "before",
    "after",
    "request_id",
]
_every_one = select(
    audit_entries.c.id,
    audit_entries.c.at,
    *(audit_entries.c[name] for name in _NAMES if name != "id"),
).where(audit_entries.c.tenant_id == bindparam("tenant_id"))
_by_ids = Statement(
    _every_one.where(audit_entries.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), AuditEntry
)
_add = Statement[None](insert_rows(audit_entries, _NAMES))


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, AuditEntry]:
    """The entries by id; for staff that may read the audit."""
    if not viewer.oversees(Permission.AUDIT_READ):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


_CONDITIONS: dict[str, Condition] = {
    "node_id": audit_entries.c.node_id == bindparam("node_id", type_=Uuid),
    "account_id": audit_entries.c.account_id == bindparam("account_id", type_=Uuid),
    "staff_member_id": audit_entries.c.staff_member_id == bindparam("staff_member_id", type_=Uuid),
    "customer_id": audit_entries.c.customer_id == bindparam("customer_id", type_=Uuid),
    "actions": audit_entries.c.action == any_(bindparam("actions", type_=ARRAY(Text))),
    "request_id": audit_entries.c.request_id == bindparam("request_id", type_=Text),
    "since": audit_entries.c.at >= bindparam("since", type_=DateTime(timezone=True)),
    "until": audit_entries.c.at < bindparam("until", type_=DateTime(timezone=True)),
}
ORDERS: dict[str, Key] = {
    "AT_ASC": Key(audit_entries.c.at),
    "AT_DESC": Key(audit_entries.c.at, descending=True),
}
# For the staff. Filters are the conditions' names; times are UTC.
_listing = Listing(AuditEntry, lambda _: _every_one, _CONDITIONS, ORDERS, audit_entries.c.id)
keys, page, count = _listing.keys, _listing.page, _listing.count


def as_json(facts: Mapping[str, Any] | None) -> str | None:
    """What an object is, as an entry keeps it: rows and dates become text where they are none."""
    return None if facts is None else orjson.dumps(facts, default=str).decode()


async def add(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries down, however many, with one statement."""
    await connection.run(_add, **as_columns(entries, _NAMES))


async def add_of_command_line(
    connection: Connection, action: str, node_type: str, node_id: UUID, after: Mapping[str, Any]
) -> None:
    """Write down what was done to the connection's tenant from the command line: by nobody who signed in."""
    entry = Entry(
        id=uuid.uuid7(),
        action=action,
        account_id=None,
        staff_member_id=None,
        customer_id=None,
        node_type=node_type,
        node_id=node_id,
        before=None,
        after=as_json(after),
        request_id="",
    )
    await add(connection, [entry])
