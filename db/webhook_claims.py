"""Webhook claims: a worker takes the next delivery of a subject for a while, and says how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Interval,
    Text,
    Uuid,
    all_,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)

from db.connections import Connection
from db.statements import Statement
from db.tables import leads_to
from db.webhook_deliveries import PENDING, webhook_attempts, webhook_deliveries
from db.webhooks import webhooks
from rules.events import Event
from rules.webhooks import WebhookDeliveryState


@dataclass(slots=True, frozen=True)
class Head:
    """The first of what a webhook is still to be told of a subject, and what is needed to tell it.

    `due`: its time has come; `held`: how much longer a worker may be at it; `open`: the webhook takes it at all.
    """

    id: UUID
    webhook_id: UUID
    attempts: int
    tries: int
    event: str
    happened_at: datetime
    node_type: str
    node_id: UUID
    body: str | None
    url: str
    query: str | None
    secret: str
    old_secret: str | None
    open: bool
    due: bool
    held: timedelta | None
    failing_for: timedelta | None


@dataclass(slots=True, frozen=True)
class Outcome:
    """How an attempt went: the receiver's status and the beginning of its answer, or why there is none."""

    duration: timedelta
    status: int | None = None
    error: str | None = None
    answer: str | None = None


_OF_TENANT = webhook_deliveries.c.tenant_id == bindparam("tenant_id")
_ID = bindparam("the_id", type_=Uuid)
_THIS = webhook_deliveries.c.id == _ID
_PENDING = webhook_deliveries.c.state == PENDING

_OPEN = or_(webhooks.c.active, webhook_deliveries.c.event == Event.WEBHOOK_TEST)
_ITS_WEBHOOK = leads_to(webhook_deliveries.c.webhook_id, webhooks)
_a_head = select(
    webhook_deliveries.c.id,
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.attempts,
    webhook_deliveries.c.tries,
    webhook_deliveries.c.event,
    webhook_deliveries.c.happened_at,
    webhook_deliveries.c.node_type,
    webhook_deliveries.c.node_id,
    webhook_deliveries.c.body,
    webhooks.c.url,
    webhooks.c.query,
    webhooks.c.secret,
    case((webhooks.c.old_secret_until > func.now(), webhooks.c.old_secret)).label("old_secret"),
    _OPEN.label("open"),
    (webhook_deliveries.c.next_attempt_at <= func.now()).label("due"),
    case(
        (
            webhook_deliveries.c.leased_until > func.now(),
            webhook_deliveries.c.leased_until - func.now(),
        )
    ).label("held"),
    (func.now() - webhooks.c.failing_since).label("failing_for"),
).limit(1)
_asked = webhook_deliveries.alias("asked")
_head = Statement(
    _a_head.select_from(
        _asked.join(
            webhook_deliveries,
            and_(
                webhook_deliveries.c.tenant_id == _asked.c.tenant_id,
                webhook_deliveries.c.webhook_id == _asked.c.webhook_id,
                webhook_deliveries.c.subject_id == _asked.c.subject_id,
            ),
        ).join(webhooks, _ITS_WEBHOOK)
    )
    .where(_asked.c.tenant_id == bindparam("tenant_id"), _asked.c.id == _ID, _PENDING)
    .order_by(webhook_deliveries.c.position)
    .with_for_update(of=webhook_deliveries),
    Head,
)
_before = webhook_deliveries.alias("before")
# Asked so, nothing but the lane's own index answers it: of "none is before it" a plan may be kept that goes through all
# that is pending, made while that was little.
_IS_FIRST = (
    webhook_deliveries.c.position
    == select(_before.c.position)
    .where(
        _before.c.tenant_id == webhook_deliveries.c.tenant_id,
        _before.c.webhook_id == webhook_deliveries.c.webhook_id,
        _before.c.subject_id == webhook_deliveries.c.subject_id,
        _before.c.state == PENDING,
    )
    .order_by(_before.c.position)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_next_due = Statement(
    _a_head.select_from(webhook_deliveries.join(webhooks, _ITS_WEBHOOK))
    .where(
        _OF_TENANT,
        _PENDING,
        _OPEN,
        webhook_deliveries.c.next_attempt_at <= func.now(),
        func.coalesce(webhook_deliveries.c.leased_until, func.now()) <= func.now(),
        webhook_deliveries.c.webhook_id != all_(bindparam("others", type_=ARRAY(Uuid))),
        _IS_FIRST,
    )
    .order_by(webhook_deliveries.c.next_attempt_at)
    .with_for_update(of=webhook_deliveries, skip_locked=True),
    Head,
)
_take = Statement[None](
    update(webhook_deliveries)
    .where(_OF_TENANT, _THIS)
    .values(
        attempts=webhook_deliveries.c.attempts + 1,
        tries=webhook_deliveries.c.tries + 1,
        leased_until=func.now() + bindparam("lease", type_=Interval),
    )
)
_begin = Statement[None](
    insert(webhook_attempts).values(
        tenant_id=bindparam("tenant_id"),
        webhook_delivery_id=_ID,
        number=bindparam("new_number", type_=Integer),
    )
)
_keep_body = Statement[str](
    update(webhook_deliveries)
    .where(_OF_TENANT, _THIS)
    .values(body=func.coalesce(webhook_deliveries.c.body, bindparam("new_body", type_=Text)))
    .returning(webhook_deliveries.c.body)
)
_end_attempt = Statement[None](
    update(webhook_attempts)
    .where(
        webhook_attempts.c.tenant_id == bindparam("tenant_id"),
        webhook_attempts.c.webhook_delivery_id == _ID,
        webhook_attempts.c.number == bindparam("the_number", type_=Integer),
    )
    .values(
        duration_ms=bindparam("new_duration_ms", type_=Integer),
        status=bindparam("new_status", type_=Integer),
        error=bindparam("new_error", type_=Text),
        answer=bindparam("new_answer", type_=Text),
    )
)
_STATE = bindparam("new_state", type_=Text)
# That it was taken counts however late it is said; that it was not, only from whoever was the last to try.
_end = Statement[None](
    update(webhook_deliveries)
    .where(
        _OF_TENANT,
        _THIS,
        _PENDING,
        or_(
            _STATE == WebhookDeliveryState.DELIVERED,
            webhook_deliveries.c.attempts == bindparam("the_number", type_=Integer),
        ),
    )
    .values(
        state=_STATE,
        leased_until=null(),
        next_attempt_at=func.now() + bindparam("pause", type_=Interval),
        ended_at=case((_STATE != WebhookDeliveryState.PENDING, func.now())),
    )
)
_stalled = Statement[UUID](
    select(webhook_deliveries.c.id)
    .join(webhooks, _ITS_WEBHOOK)
    .where(
        _OF_TENANT,
        _PENDING,
        _OPEN,
        webhook_deliveries.c.next_attempt_at < func.now() - bindparam("late", type_=Interval),
        _IS_FIRST,
    )
    .order_by(webhook_deliveries.c.next_attempt_at)
    .limit(1_000)
)


async def head(connection: Connection, delivery_id: UUID) -> Head | None:
    """The first that is still to be told of the subject of a delivery; nobody else takes it until this transaction
    ends. None when there is nothing, or somebody has just done it."""
    return await connection.row(_head, the_id=delivery_id)


async def next_due(connection: Connection, others_than: Sequence[UUID]) -> Head | None:
    """What has been due longest of all subjects and is in nobody's hands, but for these webhooks; nobody else takes it
    until this transaction ends."""
    return await connection.row(_next_due, others=others_than)


async def take(connection: Connection, head: Head, lease: timedelta) -> int:
    """Begin an attempt; the number that it has. Until the lease is over nobody else begins another one."""
    number = head.attempts + 1
    await connection.run(_take, the_id=head.id, lease=lease)
    await connection.run(_begin, the_id=head.id, new_number=number)
    return number


async def keep_body(connection: Connection, delivery_id: UUID, body: str) -> str:
    """Keep what is sent, unless something is kept already: what was sent once is sent again."""
    kept: str | None = await connection.value(_keep_body, the_id=delivery_id, new_body=body)
    return body if kept is None else kept


async def end(
    connection: Connection,
    delivery_id: UUID,
    number: int,
    outcome: Outcome,
    state: WebhookDeliveryState,
    pause: timedelta | None = None,
) -> None:
    """End an attempt: what became of the delivery, and after which pause it is tried again."""
    await connection.run(
        _end_attempt,
        the_id=delivery_id,
        the_number=number,
        new_duration_ms=round(outcome.duration.total_seconds() * 1_000),
        new_status=outcome.status,
        new_error=outcome.error,
        new_answer=outcome.answer,
    )
    await connection.run(_end, the_id=delivery_id, the_number=number, new_state=state.value, pause=pause)


async def stalled(connection: Connection, late: timedelta) -> Sequence[UUID]:
    """What should have been tried so long ago: no job is there for it, or it is queued far behind others."""
    return await connection.column(_stalled, late=late)
