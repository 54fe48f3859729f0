"""Webhook deliveries: what a webhook is to be told, in the order of each subject; and every attempt to tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import insert

from db.change_feed import KeptChange, changes
from db.connections import Connection, many_each, one_each
from db.pages import Condition, Key, Listing
from db.rows import given_rows, names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table
from db.webhooks import webhooks
from rules.events import Event
from rules.permissions import Permission
from rules.viewers import Viewer
from rules.webhooks import KEPT_DAYS, MOST_AT_ONCE, MOST_RETRIED, WebhookDeliveryState

webhook_deliveries = tenant_table(
    "webhook_deliveries",
    Column("id", Uuid, nullable=False),
    Column("webhook_id", Uuid, nullable=False),
    Column("position", BigInteger, nullable=False),  # of the change in the feed
    Column("event", Text, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("node_type", Text, nullable=False),
    Column("node_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default=WebhookDeliveryState.PENDING),
    Column("attempts", Integer, nullable=False, server_default="0"),  # in all
    Column("tries", Integer, nullable=False, server_default="0"),  # since it was last taken up
    Column("next_attempt_at", DateTime(timezone=True), server_default=func.now()),
    Column("leased_until", DateTime(timezone=True)),  # a worker is at it, or was when it died
    Column("body", Text),  # what is sent, at every attempt the same; empty until it was first made
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    refers_to("webhooks", "webhook_id", name="webhook_deliveries_webhook_fkey"),
    one_of("state", list(WebhookDeliveryState), name="webhook_deliveries_state_check"),
    one_of("event", list(Event), name="webhook_deliveries_event_check"),
    Index(
        "webhook_deliveries_lane_idx",
        "tenant_id",
        "webhook_id",
        "subject_id",
        "position",
        postgresql_where=sql_text("state = 'PENDING'"),
    ),
    Index(
        "webhook_deliveries_dead_idx",
        "tenant_id",
        "webhook_id",
        "position",
        postgresql_where=sql_text("state = 'DEAD'"),
    ),
    Index(
        "webhook_deliveries_due_idx",
        "tenant_id",
        "next_attempt_at",
        postgresql_where=sql_text("state = 'PENDING'"),
    ),
    Index("webhook_deliveries_created_at_idx", "tenant_id", "created_at", "id"),
    Index("webhook_deliveries_webhook_idx", "tenant_id", "webhook_id", "created_at", "id"),
    Index("webhook_deliveries_node_idx", "tenant_id", "node_id"),
)

# Said as they stand and not as parameters: a plan that is kept for any parameters finds their indexes only so.
PENDING: ColumnElement[str] = literal_column(f"'{WebhookDeliveryState.PENDING}'", Text)
DEAD: ColumnElement[str] = literal_column(f"'{WebhookDeliveryState.DEAD}'", Text)

webhook_attempts = tenant_table(
    "webhook_attempts",
    Column("webhook_delivery_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("duration_ms", Integer),  # empty while it lasts, or when its worker has died
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text),
    refers_to("webhook_deliveries", "webhook_delivery_id", name="webhook_attempts_webhook_delivery_fkey"),
    key=("webhook_delivery_id", "number"),
    is_line=True,
)


@dataclass(slots=True)
class WebhookDelivery:
    """Something that a webhook is told, or was. Times are UTC."""

    id: UUID
    webhook_id: UUID
    position: int
    event: str
    happened_at: datetime
    subject_id: UUID
    node_type: str
    node_id: UUID
    state: str
    attempts: int
    next_attempt_at: datetime | None
    body: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(slots=True)
class WebhookAttempt:
    """One attempt to deliver, as it ended."""

    webhook_delivery_id: UUID
    number: int
    at: datetime
    duration_ms: int | None
    status: int | None
    error: str | None
    answer: str | None


_OF_TENANT = webhook_deliveries.c.tenant_id == bindparam("tenant_id")
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_every_one = select(*(webhook_deliveries.c[name] for name in names_of(WebhookDelivery))).where(_OF_TENANT)
_by_ids = Statement(_every_one.where(webhook_deliveries.c.id == any_(_IDS)), WebhookDelivery)
_attempts_of = Statement(
    select(*(webhook_attempts.c[name] for name in names_of(WebhookAttempt)))
    .where(
        webhook_attempts.c.tenant_id == bindparam("tenant_id"),
        webhook_attempts.c.webhook_delivery_id == any_(_IDS),
    )
    .order_by(webhook_attempts.c.webhook_delivery_id, webhook_attempts.c.number),
    WebhookAttempt,
)
_with_dead = Statement[UUID](
    select(webhooks.c.id).where(
        webhooks.c.tenant_id == bindparam("tenant_id"),
        webhooks.c.id == any_(_IDS),
        exists().where(
            webhook_deliveries.c.tenant_id == webhooks.c.tenant_id,
            webhook_deliveries.c.webhook_id == webhooks.c.id,
            webhook_deliveries.c.state == DEAD,
        ),
    )
)


async def by_ids(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, WebhookDelivery]:
    """The deliveries among the ids; for staff that may see webhooks."""
    if not viewer.oversees(Permission.WEBHOOKS_READ):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def attempts_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[WebhookAttempt]]:
    """The attempts of deliveries that the viewer sees, in their order."""
    return many_each(await connection.rows(_attempts_of, ids=ids), ids, "webhook_delivery_id")


async def with_dead(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
    """Which of the webhooks that the viewer sees have deliveries that are dead."""
    found = set(await connection.column(_with_dead, ids=ids))
    return {each: each in found for each in ids}


_CONDITIONS: dict[str, Condition] = {
    "webhook_id": webhook_deliveries.c.webhook_id == bindparam("webhook_id", type_=Uuid),
    "states": webhook_deliveries.c.state == any_(bindparam("states", type_=ARRAY(Text))),
    "events": webhook_deliveries.c.event == any_(bindparam("events", type_=ARRAY(Text))),
    "node_id": webhook_deliveries.c.node_id == bindparam("node_id", type_=Uuid),
}
ORDERS: dict[str, Key] = {
    "CREATED_AT_ASC": Key(webhook_deliveries.c.created_at),
    "CREATED_AT_DESC": Key(webhook_deliveries.c.created_at, descending=True),
}
# For the staff. Filters are the conditions' names.
_listing = Listing(WebhookDelivery, lambda _: _every_one, _CONDITIONS, ORDERS, webhook_deliveries.c.id)
keys, page, count = _listing.keys, _listing.page, _listing.count


_Lane: TypeAlias = tuple[UUID, UUID]  # webhook and subject


def _and_lane(id: UUID, webhook_id: UUID, subject_id: UUID) -> tuple[UUID, _Lane]:
    return id, (webhook_id, subject_id)


_FROM_CHANGE = ("position", "event", "node_type", "node_id", "subject_id", "at")
_new = given_rows(changes, _FROM_CHANGE)
_tells = or_(
    and_(webhooks.c.active, _new.c.event == any_(webhooks.c.events)),
    and_(_new.c.event == Event.WEBHOOK_TEST, _new.c.node_id == webhooks.c.id),
)
_add = Statement(
    insert(webhook_deliveries)
    .from_select(
        [
            "tenant_id",
            "id",
            "webhook_id",
            "position",
            "event",
            "node_type",
            "node_id",
            "subject_id",
            "happened_at",
        ],
        select(
            bindparam("tenant_id", type_=Uuid).label("tenant_id"),
            func.gen_random_uuid(),
            webhooks.c.id,
            *(_new.c[name] for name in _FROM_CHANGE),
        )
        .select_from(_new)
        .join(webhooks, _tells)
        .where(webhooks.c.tenant_id == bindparam("tenant_id", type_=Uuid)),
    )
    .returning(webhook_deliveries.c.id, webhook_deliveries.c.webhook_id, webhook_deliveries.c.subject_id),
    _and_lane,
)


async def add(connection: Connection, told: Sequence[KeptChange]) -> list[UUID]:
    """Have every webhook told of the changes that it is there for; returned are those from which workers go on by
    themselves."""
    columns = {name: [getattr(each, name) for each in told] for name in _FROM_CHANGE}
    added = await connection.rows(_add, **columns)
    return _beginnings(added)


def _beginnings(deliveries: Sequence[tuple[UUID, _Lane]]) -> list[UUID]:
    """One delivery of a subject, and of a webhook no more subjects than are told at once: whoever has done with one
    looks for others."""
    of_webhooks: dict[UUID, dict[UUID, UUID]] = {}
    for delivery, (webhook, subject) in deliveries:
        begun = of_webhooks.setdefault(webhook, {})
        if len(begun) < MOST_AT_ONCE:
            begun.setdefault(subject, delivery)
    return [each for begun in of_webhooks.values() for each in begun.values()]


_is_this = or_(
    webhook_deliveries.c.id == bindparam("delivery_id", type_=Uuid),
    webhook_deliveries.c.webhook_id == bindparam("of_webhook_id", type_=Uuid),
)
_dead = (
    select(webhook_deliveries.c.id)
    .where(_OF_TENANT, webhook_deliveries.c.state == DEAD, _is_this)
    .order_by(webhook_deliveries.c.position)
    .limit(MOST_RETRIED)
    .with_for_update()
)
_revive = Statement(
    update(webhook_deliveries)
    .where(_OF_TENANT, webhook_deliveries.c.id == any_(func.array(_dead.scalar_subquery())))
    .values(state=WebhookDeliveryState.PENDING, tries=0, next_attempt_at=func.now(), ended_at=None)
    .returning(webhook_deliveries.c.id, webhook_deliveries.c.webhook_id, webhook_deliveries.c.subject_id),
    _and_lane,
)
_PENDING = webhook_deliveries.c.state == PENDING
_hurry = Statement(
    update(webhook_deliveries)
    .where(_OF_TENANT, _PENDING, webhook_deliveries.c.webhook_id == bindparam("the_webhook_id", type_=Uuid))
    .values(next_attempt_at=func.now())
    .returning(webhook_deliveries.c.id, webhook_deliveries.c.webhook_id, webhook_deliveries.c.subject_id),
    _and_lane,
)


async def revive(
    connection: Connection, *, delivery_id: UUID | None = None, webhook_id: UUID | None = None
) -> tuple[int, list[UUID]]:
    """Take up a delivery that is dead, or those of a webhook: how many, and from which workers go on by themselves."""
    revived = await connection.rows(_revive, delivery_id=delivery_id, of_webhook_id=webhook_id)
    return len(revived), _beginnings(revived)


async def hurry(connection: Connection, webhook_id: UUID) -> list[UUID]:
    """Let what a webhook is still to be told be tried at once; from those that are returned workers go on
    by themselves."""
    return _beginnings(await connection.rows(_hurry, the_webhook_id=webhook_id))


_of_webhook = webhook_deliveries.c.webhook_id == bindparam("the_webhook_id", type_=Uuid)
_OLD = sql_text(f"now() - interval '{KEPT_DAYS} days'")
_old = and_(
    webhook_deliveries.c.created_at < _OLD,
    or_(
        webhook_deliveries.c.state != PENDING,
        ~exists().where(
            webhooks.c.tenant_id == webhook_deliveries.c.tenant_id,
            webhooks.c.id == webhook_deliveries.c.webhook_id,
            webhooks.c.active,
        ),
    ),
)


def _removal(which: Any) -> tuple[Statement[None], Statement[None]]:
    """The statements that delete deliveries: their attempts first."""
    ids = select(webhook_deliveries.c.id).where(_OF_TENANT, which)
    return (
        Statement[None](
            delete(webhook_attempts).where(
                webhook_attempts.c.tenant_id == bindparam("tenant_id"),
                webhook_attempts.c.webhook_delivery_id == any_(func.array(ids.scalar_subquery())),
            )
        ),
        Statement[None](delete(webhook_deliveries).where(_OF_TENANT, which)),
    )


_remove_of = _removal(_of_webhook)
_forget = _removal(_old)


async def remove_of(connection: Connection, webhook_id: UUID) -> None:
    """Delete all that a webhook was told and is still to be told."""
    for statement in _remove_of:
        await connection.run(statement, the_webhook_id=webhook_id)


async def forget(connection: Connection) -> None:
    """Delete what was told long ago, or never was because the webhook has been switched off as long."""
    for statement in _forget:
        await connection.run(statement)
