"""Deliveries: telling a webhook what has happened, one subject after the order of its events, until it has heard."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import orjson
import structlog
from standardwebhooks import Webhook as Signature
from strawberry.types.graphql import OperationType

import db
from db.change_feed import Change
from db.connections import Connection
from db.isolation import Mode
from db.jobs import Job
from db.webhook_claims import Head, Outcome
from db.workers import Later
from resolvers.context import Context
from resolvers.nodes import global_id
from rules.events import Operation
from rules.webhooks import (
    MOST_AT_ONCE,
    MOST_ATTEMPTS,
    WebhookDeliveryState,
    WebhookSwitchedOff,
    delivered,
    is_failing,
    pause_after,
    wants_no_more,
)
from schema.root import schema
from server import answers
from server.jobs import Tools
from server.outgoing import NotSent

_log = structlog.get_logger("kontor.webhooks")

_USER_AGENT = "Kontor-Webhooks/1"
_LONGEST_ERROR = 500
# Attempts are counted when they begin, so that what kills its workers ends too.
_NEVER_ENDED = "every attempt was begun, and none was ended"
# So many messages of a company are on their way at once, from one process: who does not answer holds up nobody else.
_MOST_OF_COMPANY = 3 * MOST_AT_ONCE
# After so many seconds a job leaves the rest to another one, which comes after those of others.
_TURN_SECONDS = 10
# What should have been tried so long ago is looked after.
_STALLED = timedelta(minutes=15)

_on_the_way: Counter[UUID] = Counter()  # by webhook, and by company


class _NotRendered(Exception):
    """The message could not be made; that counts as an attempt."""


async def deliver(tools: Tools, tenant_id: UUID, delivery_id: UUID) -> None:
    """Deliver the first of the subject of a delivery, then whatever else of the company is due, each subject in its
    order. For what fails a job is there already when that is said. Holds no connection while it sends.

    Who finds many on their way leaves all to them: whoever has sent looks for what is due before it ends, or leaves a
    job that does. Raises Later.
    """
    started = time.monotonic()
    claim = await _claim(tools, tenant_id, delivery_id)
    while claim is not None:
        head, number = claim
        try:
            outcome = await _attempt(tools, tenant_id, head)
        finally:
            _leave(tenant_id, head)
        await _end(tools, tenant_id, head, number, outcome)
        if tools.stop.is_set() or time.monotonic() - started > _TURN_SECONDS:
            async with tools.facilities.database.transaction(Mode.WRITE, tenant_id) as connection:
                await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [head.id])
            return
        claim = await _claim(tools, tenant_id, None)


async def _claim(tools: Tools, tenant_id: UUID, delivery_id: UUID | None) -> tuple[Head, int] | None:
    """The first of the subject of a delivery or, where that is not due, of any subject: taken, and the number of the
    attempt. None when there is nothing to do here. Raises Later while another worker is at it, or was when it died.
    """
    while True:
        entered: Head | None = None
        number = 0
        try:
            async with tools.facilities.database.transaction(Mode.WRITE, tenant_id) as connection:
                head, own = await _first(connection, delivery_id)
                if head is None:
                    return None
                if _enter(tenant_id, head):
                    entered = head
                    number = await _take(tools, connection, head, own=own)
        except BaseException:
            if entered is not None:
                _leave(tenant_id, entered)
            raise
        if entered is not None:
            return entered, number
        # Those on their way may have looked while it was locked here.
        if _is_crowded(tenant_id, head):
            return None


async def _take(tools: Tools, connection: Connection, head: Head, *, own: bool) -> int:
    # Time to make the message, to send it, and to say so.
    lease = timedelta(seconds=3 * tools.settings.webhook_seconds)
    number = await db.webhook_claims.take(connection, head, lease)
    if not own:
        # The job at work is another subject's. This one has a job of its own for when its worker dies now.
        await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [head.id], after=lease)
    return number


async def _first(connection: Connection, delivery_id: UUID | None) -> tuple[Head | None, bool]:
    """What is to be sent, and whether it is of the subject of the delivery. Raises Later."""
    head = await db.webhook_claims.head(connection, delivery_id) if delivery_id else None
    if head is None or not (head.open and head.due):
        return await db.webhook_claims.next_due(connection, _crowded()), False
    if head.held is not None:
        raise Later(head.held)
    return head, True


def _crowded() -> list[UUID]:
    """Webhooks to which as many are on their way as may be; a company among them is none."""
    return [each for each, count in _on_the_way.items() if count >= MOST_AT_ONCE]


def _is_crowded(tenant_id: UUID, head: Head) -> bool:
    return _on_the_way[head.webhook_id] >= MOST_AT_ONCE or _on_the_way[tenant_id] >= _MOST_OF_COMPANY


def _enter(tenant_id: UUID, head: Head) -> bool:
    """Be one of those on their way, unless they are too many."""
    if _is_crowded(tenant_id, head):
        return False
    _on_the_way.update((head.webhook_id, tenant_id))
    return True


def _leave(tenant_id: UUID, head: Head) -> None:
    for each in (head.webhook_id, tenant_id):
        _on_the_way[each] -= 1
        if not _on_the_way[each]:
            del _on_the_way[each]


async def _attempt(tools: Tools, tenant_id: UUID, head: Head) -> Outcome:
    """Send the message, made now when this is the first time."""
    started = time.monotonic()

    def lasted() -> timedelta:
        return timedelta(seconds=time.monotonic() - started)

    if head.tries >= MOST_ATTEMPTS:
        return Outcome(lasted(), error=_NEVER_ENDED)
    try:
        body = head.body or await _kept_body(tools, tenant_id, head)
        answer = await tools.outgoing.post(head.url, body.encode(), _headers(head, body))
    except (NotSent, _NotRendered) as failed:
        return Outcome(lasted(), error=str(failed)[:_LONGEST_ERROR])
    except Exception as fault:  # ours: it must not keep what is behind it waiting for ever
        _log.error("webhook not sent", delivery=str(head.id), exc_info=fault)
        return Outcome(lasted(), error=f"a fault of this server: {type(fault).__name__}")
    return Outcome(lasted(), status=answer.status, answer=answer.body)


def _headers(head: Head, body: str) -> dict[str, str]:
    """As Standard Webhooks has them: the id stays at every attempt, the time and so the signature are new."""
    now = datetime.now(UTC)
    secrets = [each for each in (head.secret, head.old_secret) if each]
    return {
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        "webhook-id": str(head.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Signature(each).sign(str(head.id), now, body) for each in secrets),
    }


async def _kept_body(tools: Tools, tenant_id: UUID, head: Head) -> str:
    """The message, made and kept. Raises _NotRendered."""
    try:
        async with asyncio.timeout(tools.settings.webhook_seconds):
            told = await _told(tools, tenant_id, head)
    except TimeoutError:
        raise _NotRendered("the query took too long") from None
    message = {"type": head.event, "timestamp": head.happened_at, **told}
    body = orjson.dumps(message, option=orjson.OPT_UTC_Z).decode()
    async with tools.facilities.database.transaction(Mode.WRITE, tenant_id) as connection:
        return await db.webhook_claims.keep_body(connection, head.id, body)


async def _told(tools: Tools, tenant_id: UUID, head: Head) -> dict[str, object]:
    """`data`: the answer to the webhook's query, run with its rights, or what it is about; and `errors` where something
    could not be answered. Raises _NotRendered for a fault of ours, which may pass."""
    node_id = global_id(head.node_type, head.node_id)
    if head.query is None:
        return {"data": {"id": node_id, "type": head.node_type}}
    context = Context(
        tools.facilities,
        tenant_id,
        token=None,
        language=None,
        request_id=f"webhook-{head.id}",
        introspection_allowed=False,
        webhook_id=head.webhook_id,
    )
    result = await schema.execute(
        head.query, {"id": node_id}, context, allowed_operation_types=(OperationType.QUERY,)
    )
    told = answers.tell(result, language=context.language, request_id=context.request_id)
    if told.worst >= HTTPStatus.INTERNAL_SERVER_ERROR or not told.run:
        raise _NotRendered(f"the query failed: {', '.join(told.codes)}")
    told.body.pop("extensions", None)
    return {"data": None} | told.body


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an attempt makes of its delivery, and of the webhook."""

    state: WebhookDeliveryState
    pause: timedelta | None = None  # until the next attempt
    switch_off: WebhookSwitchedOff | None = None


def _verdict(tools: Tools, head: Head, outcome: Outcome) -> _Verdict:
    if delivered(outcome.status):
        return _Verdict(WebhookDeliveryState.DELIVERED)
    if wants_no_more(outcome.status):
        return _Verdict(WebhookDeliveryState.DEAD, switch_off=WebhookSwitchedOff.GONE)
    pause = pause_after(
        head.tries + 1,
        factor=tools.settings.webhook_pause_factor,
        chance=random.random(),  # noqa: S311  (spreads attempts)
    )
    patience = timedelta(hours=tools.settings.webhook_patience_hours)
    return _Verdict(
        WebhookDeliveryState.DEAD if pause is None else WebhookDeliveryState.PENDING,
        pause,
        WebhookSwitchedOff.FAILING if is_failing(head.failing_for, patience=patience) else None,
    )


async def _end(tools: Tools, tenant_id: UUID, head: Head, number: int, outcome: Outcome) -> None:
    """Say how an attempt went, and have the next one made in time."""
    verdict = _verdict(tools, head, outcome)
    taken = verdict.state is WebhookDeliveryState.DELIVERED
    async with tools.facilities.database.transaction(Mode.WRITE, tenant_id) as connection:
        await db.webhooks.note(connection, head.webhook_id, failed=not taken)
        if verdict.switch_off is not None:
            off = await db.webhooks.switch_off(connection, head.webhook_id, verdict.switch_off)
        else:
            off = False
        await db.webhook_claims.end(connection, head.id, number, outcome, verdict.state, verdict.pause)
        if verdict.pause is not None:
            await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [head.id], after=verdict.pause)
        if off:
            await db.change_feed.add(connection, [_switched_off(head.webhook_id)])
    _log.info(
        "webhook",
        webhook=str(head.webhook_id),
        delivery=str(head.id),
        of=head.event,
        attempt=number,
        status=outcome.status,
        state=verdict.state.value,
        switched_off=verdict.switch_off.value if off and verdict.switch_off else None,
        ms=round(outcome.duration.total_seconds() * 1_000, 1),
    )


def _switched_off(webhook_id: UUID) -> Change:
    return Change(
        node_type="Webhook",
        node_id=webhook_id,
        operation=Operation.UPDATED,
        event=None,
        subject_id=webhook_id,
        customer_id=None,
    )


async def look_after(connection: Connection) -> None:
    """Of a company: forget what was told long ago, and have what was left lying tried again."""
    await db.webhook_deliveries.forget(connection)
    stalled = await db.webhook_claims.stalled(connection, _STALLED)
    if stalled:
        await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, stalled)
