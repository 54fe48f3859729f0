"""Webhooks: where the company's own systems are told what has happened, and what of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection, one_each
from db.rows import names_of
from db.statements import Statement
from db.tables import one_of, tenant_table, unique
from rules.permissions import Permission
from rules.viewers import Viewer
from rules.webhooks import OLD_SECRET_HOURS, WebhookSwitchedOff

webhooks = tenant_table(
    "webhooks",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),  # values of rules.events.Event
    Column("query", Text),  # what a message tells; empty: type and id of the object
    Column("permissions", ARRAY(Text), nullable=False),  # with whose rights the query runs
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("switched_off", Text),  # why, when nobody of the staff did it
    Column("failing_since", DateTime(timezone=True)),  # since when every attempt has failed
    Column("created_by_id", Uuid, nullable=False),  # the staff member
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("secret", Text, nullable=False),  # whsec_…
    Column("old_secret", Text),  # signs too, for a while after a new one was made
    Column("old_secret_until", DateTime(timezone=True)),
    unique("name", name="webhooks_name_key"),
    one_of("switched_off", list(WebhookSwitchedOff), name="webhooks_switched_off_check"),
)


@dataclass(slots=True)
class Webhook:
    """A webhook without its secrets, which are for signing alone. Times are UTC."""

    id: UUID
    name: str
    url: str
    events: list[str]
    query: str | None
    permissions: list[str]
    active: bool
    switched_off: str | None
    failing_since: datetime | None
    created_by_id: UUID
    created_at: datetime
    version: int


_OF_TENANT = webhooks.c.tenant_id == bindparam("tenant_id")
_THIS = webhooks.c.id == bindparam("the_id", type_=Uuid)
_every_one = select(*(webhooks.c[name] for name in names_of(Webhook))).where(_OF_TENANT)
_every = Statement(_every_one.order_by(webhooks.c.name, webhooks.c.id), Webhook)
_by_ids = Statement(_every_one.where(webhooks.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), Webhook)
_one = Statement(_every_one.where(_THIS), Webhook)
_count = Statement[int](select(func.count()).select_from(webhooks).where(_OF_TENANT))
_named = Statement[UUID](
    select(webhooks.c.id).where(_OF_TENANT, webhooks.c.name == bindparam("name", type_=Text))
)


async def every(connection: Connection) -> list[Webhook]:
    """All webhooks of the company, by name."""
    return await connection.rows(_every)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Webhook]:
    """The webhooks among the ids; for staff that may see them."""
    if not viewer.oversees(Permission.WEBHOOKS_READ):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def one(connection: Connection, id: UUID) -> Webhook | None:
    """A webhook, for who does its work."""
    return await connection.row(_one, the_id=id)


async def count(connection: Connection) -> int:
    """How many there are."""
    found: int = await connection.value(_count)
    return found


async def id_of_name(connection: Connection, name: str) -> UUID | None:
    """The id of the webhook of this name."""
    found: UUID | None = await connection.value(_named, name=name)
    return found


_NEW = ("id", "name", "url", "events", "query", "permissions", "active", "created_by_id", "secret")
_add = Statement(
    insert(webhooks)
    .values(
        tenant_id=bindparam("tenant_id"),
        **{name: bindparam(name, type_=webhooks.c[name].type) for name in _NEW},
    )
    .on_conflict_do_nothing(constraint="webhooks_name_key")
    .returning(*_every_one.selected_columns),
    Webhook,
)
# A delivery that is added at the same time refers to it; only what takes it away has to wait for that.
_lock = Statement(_every_one.where(_THIS).with_for_update(of=webhooks, key_share=True), Webhook)
_CHANGED = ("name", "url", "events", "query", "permissions", "active", "switched_off", "failing_since")
_keep = Statement(
    update(webhooks)
    .where(_OF_TENANT, _THIS)
    .values(
        version=webhooks.c.version + 1,
        **{name: bindparam(f"new_{name}", type_=webhooks.c[name].type) for name in _CHANGED},
    )
    .returning(*_every_one.selected_columns),
    Webhook,
)
_rotate = Statement[None](
    update(webhooks)
    .where(_OF_TENANT, _THIS)
    .values(
        old_secret=webhooks.c.secret,
        old_secret_until=func.now() + literal_column(f"interval '{OLD_SECRET_HOURS} hours'"),
        secret=bindparam("new_secret", type_=Text),
    )
)
_remove = Statement[None](delete(webhooks).where(_OF_TENANT, _THIS))
# How it went: a success ends the series of failures, a failure begins one. Told rarely, so that a busy webhook's row
# is not written with every delivery.
_note = Statement[datetime](
    update(webhooks)
    .where(
        _OF_TENANT,
        _THIS,
        case(
            (bindparam("failed", type_=Boolean), webhooks.c.failing_since.is_(None)),
            else_=webhooks.c.failing_since.is_not(None),
        ),
    )
    .values(failing_since=case((bindparam("failed", type_=Boolean), func.now()), else_=null()))
)
_switch_off = Statement[UUID](
    update(webhooks)
    .where(_OF_TENANT, _THIS, webhooks.c.active)
    .values(active=False, switched_off=bindparam("why", type_=Text), version=webhooks.c.version + 1)
    .returning(webhooks.c.id)
)


async def add(connection: Connection, **values: Any) -> Webhook | None:
    """Add a webhook; None when its name is taken."""
    return await connection.row(_add, **values)


async def lock(connection: Connection, id: UUID) -> Webhook | None:
    """A webhook as it is now; nobody else changes it until this transaction ends."""
    return await connection.row(_lock, the_id=id)


async def keep(connection: Connection, webhook: Webhook) -> Webhook:
    """Keep what has changed of a webhook that is locked."""
    values = {f"new_{name}": getattr(webhook, name) for name in _CHANGED}
    kept = await connection.row(_keep, the_id=webhook.id, **values)
    assert kept is not None, "a row that is locked is there"
    return kept


async def rotate(connection: Connection, id: UUID, secret: str) -> None:
    """Give a webhook another secret; the one before signs too for a day."""
    await connection.run(_rotate, the_id=id, new_secret=secret)


async def remove(connection: Connection, id: UUID) -> None:
    """Delete a webhook that has no deliveries any more."""
    await connection.run(_remove, the_id=id)


async def note(connection: Connection, id: UUID, *, failed: bool) -> None:
    """Note how an attempt to deliver went."""
    await connection.run(_note, the_id=id, failed=failed)


async def switch_off(connection: Connection, id: UUID, why: WebhookSwitchedOff) -> bool:
    """Switch a webhook off because of what its receiver does or does not; whether it was on."""
    return await connection.value(_switch_off, the_id=id, why=why.value) is not None
