"""Notices: what people are told by mail, as it was to be said when it happened, and what has become of the mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Interval,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    null,
    select,
    update,
)
from sqlalchemy import text as sql_text
from sqlalchemy.sql.dml import ReturningUpdate

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table
from rules.broken import Language
from rules.notices import KEPT_DAYS, NoticeKind, NoticeState
from rules.permissions import Permission
from rules.viewers import Viewer

notices = tenant_table(
    "notices",
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Uuid, nullable=False),  # who is told
    Column("address", Text, nullable=False),  # where to, as it was then
    Column("language", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),  # an activation code is masked
    Column("node_type", Text, nullable=False),  # what it is about
    Column("node_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False, server_default=NoticeState.WAITING),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try_at", DateTime(timezone=True), server_default=func.now()),
    Column("last_error", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False, server_default="1"),
    refers_to("accounts", "account_id", name="notices_account_fkey"),
    one_of("kind", list(NoticeKind), name="notices_kind_check"),
    one_of("language", list(Language), name="notices_language_check"),
    one_of("state", list(NoticeState), name="notices_state_check"),
    CheckConstraint("(state = 'SENT') = (sent_at is not null)", name="notices_sent_check"),
    CheckConstraint("(state = 'WAITING') = (next_try_at is not null)", name="notices_waiting_check"),
    Index("notices_at_idx", "tenant_id", "at", "id"),
    Index("notices_state_idx", "tenant_id", "state", "at", "id"),
    Index("notices_account_idx", "tenant_id", "account_id", "at", "id"),
)


@dataclass(slots=True)
class NewNotice:
    """What somebody is to be told; `kind` is one of rules.notices.NoticeKind, `language` en or de."""

    id: UUID
    kind: str
    account_id: UUID
    address: str
    language: str
    subject: str
    body: str
    node_type: str
    node_id: UUID


@dataclass(slots=True)
class Notice:
    """A notice and what has become of it; `state` is one of rules.notices.NoticeState. Times are UTC."""

    id: UUID
    kind: str
    account_id: UUID
    address: str
    language: str
    subject: str
    body: str
    node_type: str
    node_id: UUID
    at: datetime
    state: str
    tries: int
    next_try_at: datetime | None
    last_error: str | None
    sent_at: datetime | None
    version: int


_every_one = select(*(notices.c[name] for name in names_of(Notice))).where(
    notices.c.tenant_id == bindparam("tenant_id")
)
_by_ids = Statement(_every_one.where(notices.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), Notice)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Notice]:
    """The notices among the ids, for staff that may read what was written to whom."""
    if not viewer.oversees(Permission.NOTICES_READ):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


_CONDITIONS: dict[str, Condition] = {
    "states": notices.c.state == any_(bindparam("states", type_=ARRAY(Text))),
    "kinds": notices.c.kind == any_(bindparam("kinds", type_=ARRAY(Text))),
    "account_id": notices.c.account_id == bindparam("account_id", type_=Uuid),
    "node_id": notices.c.node_id == bindparam("node_id", type_=Uuid),
}
ORDERS: dict[str, Key] = {"AT_ASC": Key(notices.c.at), "AT_DESC": Key(notices.c.at, descending=True)}
# For the staff. Filters are the conditions' names.
_listing = Listing(Notice, lambda _: _every_one, _CONDITIONS, ORDERS, notices.c.id)
keys, page, count = _listing.keys, _listing.page, _listing.count


# What should have been tried so long ago is looked after.
_LATE_MINUTES = 15

_NEW = names_of(NewNotice)
_add = Statement[None](insert_rows(notices, _NEW))
_THIS = notices.c.id == bindparam("the_id", type_=Uuid)
_lock = Statement(_every_one.where(_THIS).with_for_update(), Notice)


def _waiting(**values: Any) -> ReturningUpdate[Any]:
    """A change to a notice that is still to be sent."""
    return (
        update(notices)
        .where(
            notices.c.tenant_id == bindparam("tenant_id"),
            _THIS,
            notices.c.state == NoticeState.WAITING.value,
        )
        .values(version=notices.c.version + 1, **values)
        .returning(*_every_one.selected_columns)
    )


_REASON = bindparam("reason", type_=Text)
_begin = Statement(_waiting(tries=notices.c.tries + 1), Notice)
_sent = Statement(
    _waiting(state=NoticeState.SENT.value, sent_at=func.now(), next_try_at=null(), last_error=null()), Notice
)
_delay = Statement(
    _waiting(next_try_at=func.now() + bindparam("pause", type_=Interval), last_error=_REASON), Notice
)
_fail = Statement(_waiting(state=NoticeState.FAILED.value, next_try_at=null(), last_error=_REASON), Notice)
_again = Statement(
    update(notices)
    .where(notices.c.tenant_id == bindparam("tenant_id"), _THIS)
    .values(
        state=NoticeState.WAITING.value,
        address=bindparam("new_address", type_=Text),
        tries=0,
        next_try_at=func.now(),
        last_error=null(),
        version=notices.c.version + 1,
    )
    .returning(*_every_one.selected_columns),
    Notice,
)


_late = Statement[UUID](
    select(notices.c.id)
    .where(
        notices.c.tenant_id == bindparam("tenant_id"),
        notices.c.state == NoticeState.WAITING.value,
        notices.c.next_try_at < sql_text(f"now() - interval '{_LATE_MINUTES} minutes'"),
    )
    .order_by(notices.c.next_try_at)
    .limit(1_000)
)
_forget = Statement[None](
    delete(notices).where(
        notices.c.tenant_id == bindparam("tenant_id"),
        notices.c.state != NoticeState.WAITING.value,
        notices.c.at < sql_text(f"now() - interval '{KEPT_DAYS} days'"),
    )
)


async def add(connection: Connection, new: Sequence[NewNotice]) -> None:
    """Keep notices, however many, with one statement."""
    await connection.run(_add, **as_columns(new, _NEW))


async def begin(connection: Connection, id: UUID) -> Notice | None:
    """A notice that is to be sent, this try counted; None when it was sent or given up meanwhile."""
    return await connection.row(_begin, the_id=id)


async def sent(connection: Connection, id: UUID) -> None:
    """Say that a notice was sent."""
    await connection.row(_sent, the_id=id)


async def delay(connection: Connection, id: UUID, reason: str, pause: timedelta) -> None:
    """Say why a notice was not sent, and when it is tried again."""
    await connection.row(_delay, the_id=id, reason=reason, pause=pause)


async def fail(connection: Connection, id: UUID, reason: str) -> None:
    """Say why a notice is not tried any more."""
    await connection.row(_fail, the_id=id, reason=reason)


async def lock(connection: Connection, id: UUID) -> Notice | None:
    """A notice as it is now; nobody else changes it until this transaction ends."""
    return await connection.row(_lock, the_id=id)


async def again(connection: Connection, id: UUID, address: str) -> Notice:
    """Have a notice that is locked tried anew, at an address."""
    waiting = await connection.row(_again, the_id=id, new_address=address)
    assert waiting is not None, "a row that is locked is there"
    return waiting


async def late(connection: Connection) -> Sequence[UUID]:
    """What should have been tried long ago."""
    return await connection.column(_late)


async def forget(connection: Connection) -> None:
    """Delete what was written long ago and is not waiting."""
    await connection.run(_forget)
