"""Contact changes: what customers ask the company to change of their contact data, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.statements import Statement
from db.tables import checked, one_of, refers_to, tenant_table
from rules.contacts import Address, AddressKind, Contact, ContactChangeState, ContactData
from rules.permissions import Permission
from rules.viewers import Viewer

contact_changes = tenant_table(
    "contact_changes",
    Column("id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),  # who asked
    Column("asked", Text, nullable=False),  # JSON of rules.contacts.ContactData
    Column("comment", Text),
    Column("state", Text, nullable=False, server_default=ContactChangeState.OPEN),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by_id", Uuid),  # the staff member; empty when it was withdrawn
    Column("answer", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    refers_to("customers", "customer_id", name="contact_changes_customer_fkey"),
    refers_to("accounts", "account_id", name="contact_changes_account_fkey"),
    one_of("state", list(ContactChangeState), name="contact_changes_state_check"),
    Index("contact_changes_asked_at_idx", "tenant_id", "asked_at", "id"),
    Index("contact_changes_customer_idx", "tenant_id", "customer_id", "asked_at", "id"),
    Index("contact_changes_state_idx", "tenant_id", "state"),
)


@dataclass(slots=True)
class ContactChange:
    """A customer's request to change its contact data; `asked` is JSON. Times are UTC."""

    id: UUID
    customer_id: UUID
    account_id: UUID
    asked: str
    comment: str | None
    state: str
    asked_at: datetime
    decided_at: datetime | None
    decided_by_id: UUID | None
    answer: str | None
    version: int

    @property
    def data(self) -> ContactData:
        """What is asked for."""
        asked: dict[str, Any] = json.loads(self.asked)
        contacts, addresses = asked["contacts"], asked["addresses"]
        return ContactData(
            email=asked["email"],
            phone=asked["phone"],
            contacts=None if contacts is None else tuple(Contact(**each) for each in contacts),
            addresses=None
            if addresses is None
            else tuple(Address(**each | {"kind": AddressKind(each["kind"])}) for each in addresses),
        )


_every_one = select(
    contact_changes.c.id,
    contact_changes.c.customer_id,
    contact_changes.c.account_id,
    contact_changes.c.asked,
    contact_changes.c.comment,
    contact_changes.c.state,
    contact_changes.c.asked_at,
    contact_changes.c.decided_at,
    contact_changes.c.decided_by_id,
    contact_changes.c.answer,
    contact_changes.c.version,
).where(contact_changes.c.tenant_id == bindparam("tenant_id"))
_OWN = contact_changes.c.customer_id == bindparam("own_customer_id", type_=Uuid)
_VISIBLE: dict[str, Select[Any]] = {"all": _every_one, "own": _every_one.where(_OWN)}


def _whose(viewer: Viewer) -> str:
    """Whose requests a viewer sees: its customer's, or for staff all."""
    return "all" if viewer.oversees(Permission.CUSTOMERS_READ) else "own"


_with_ids = _every_one.where(contact_changes.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_by_ids = {
    "all": Statement(_with_ids, ContactChange),
    "own": Statement(_with_ids.where(checked(_OWN)), ContactChange),
}


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, ContactChange]:
    """The requests among the ids that the viewer may see."""
    statement = _by_ids[_whose(viewer)]
    own = statement.needed({"own_customer_id": viewer.customer_id})
    return one_each(await connection.rows(statement, ids=ids, **own), "id")


_CONDITIONS: dict[str, Condition] = {
    "states": contact_changes.c.state == any_(bindparam("states", type_=ARRAY(Text))),
    "customer_id": contact_changes.c.customer_id == bindparam("customer_id", type_=Uuid),
}
ORDERS: dict[str, Key] = {
    "ASKED_AT_ASC": Key(contact_changes.c.asked_at),
    "ASKED_AT_DESC": Key(contact_changes.c.asked_at, descending=True),
}
# Filters: states, customer_id.
_listing = Listing(
    ContactChange,
    _VISIBLE.__getitem__,
    _CONDITIONS,
    ORDERS,
    contact_changes.c.id,
    whose=lambda viewer: (_whose(viewer), {"own_customer_id": viewer.customer_id}),
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_add = Statement(
    insert(contact_changes)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        customer_id=bindparam("customer_id"),
        account_id=bindparam("account_id"),
        asked=bindparam("asked"),
        comment=bindparam("comment"),
    )
    .returning(*_every_one.selected_columns),
    ContactChange,
)
_THIS = contact_changes.c.id == bindparam("the_id", type_=Uuid)
_lock = Statement(_every_one.where(_THIS).with_for_update(), ContactChange)
_close = Statement(
    update(contact_changes)
    .where(contact_changes.c.tenant_id == bindparam("tenant_id"), _THIS)
    .values(
        state=bindparam("new_state", type_=Text),
        decided_at=func.now(),
        decided_by_id=bindparam("by_id", type_=Uuid),
        answer=bindparam("new_answer", type_=Text),
        version=contact_changes.c.version + 1,
    )
    .returning(*_every_one.selected_columns),
    ContactChange,
)


async def add(
    connection: Connection,
    *,
    id: UUID,
    customer_id: UUID,
    account_id: UUID,
    asked: ContactData,
    comment: str | None,
) -> ContactChange:
    """Keep a request."""
    added = await connection.row(
        _add,
        id=id,
        customer_id=customer_id,
        account_id=account_id,
        asked=json.dumps(asdict(asked)),
        comment=comment,
    )
    assert added is not None
    return added


async def lock(connection: Connection, id: UUID) -> ContactChange | None:
    """A request as it is now; nobody else decides it until this transaction ends."""
    return await connection.row(_lock, the_id=id)


async def close(
    connection: Connection,
    id: UUID,
    state: ContactChangeState,
    *,
    by_id: UUID | None = None,
    answer: str | None = None,
) -> ContactChange:
    """Say what became of a request that is locked."""
    closed = await connection.row(_close, the_id=id, new_state=state, by_id=by_id, new_answer=answer)
    assert closed is not None
    return closed
