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
from db.isolation import Mode
from db.jobs import Job
from db.webhook_claims import Head, Outcome
from db.workers import Later
from resolvers.context import Context
from resolvers.nodes import global_id
from rules.events import Operation
from rules.webhooks import (
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
# So many messages are on their way to one webhook at once, from one process: others have their turn too.
_MOST_AT_ONCE = 8
_CROWDED = timedelta(seconds=1)
# After so many seconds a job leaves the rest of its subject to another one.
_TURN_SECONDS = 15
# What should have been tried so long ago is looked after.
_STALLED = timedelta(minutes=15)

_on_the_way: Counter[UUID] = Counter()


class _NotRendered(Exception):
    """The message could not be made; that counts as an attempt."""


async def deliver(tools: Tools, tenant_id: UUID, delivery_id: UUID) -> None:
    """Deliver all that is due of the subject of a delivery, in its order. What fails stops the rest: a job for the next
    attempt is there already. Holds no connection while it sends. Raises Later."""
    started = time.monotonic()
    while True:
        claim = await _claim(tools, tenant_id, delivery_id)
        if claim is None:
            return
        head, number = claim
        _on_the_way[head.webhook_id] += 1
        try:
            outcome = await _attempt(tools, tenant_id, head)
        finally:
            _on_the_way[head.webhook_id] -= 1
            if not _on_the_way[head.webhook_id]:
                del _on_the_way[head.webhook_id]
        state = await _end(tools, tenant_id, head, number, outcome)
        if state is WebhookDeliveryState.PENDING:
            return
        if time.monotonic() - started > _TURN_SECONDS:
            raise Later(timedelta())


async def _claim(tools: Tools, tenant_id: UUID, delivery_id: UUID) -> tuple[Head, int] | None:
    """The next delivery of the subject, taken, and the number of the attempt; None when there is nothing to do here.

    Raises Later while another worker is at it, or was when it died, and while many are on their way there.
    """
    async with tools.facilities.database.transaction(Mode.WRITE, tenant_id) as connection:
        head = await db.webhook_claims.head(connection, delivery_id)
        if head is None or not head.open or not head.due:
            return None
        if head.held is not None:
            raise Later(head.held)
        if _on_the_way[head.webhook_id] >= _MOST_AT_ONCE:
            raise Later(_CROWDED)
        # Time to make the message, to send it, and to say so.
        lease = timedelta(seconds=3 * tools.settings.webhook_seconds)
        return head, await db.webhook_claims.take(connection, head, lease)


async def _attempt(tools: Tools, tenant_id: UUID, head: Head) -> Outcome:
    """Send the message, made now when this is the first time."""
    started = time.monotonic()

    def lasted() -> timedelta:
        return timedelta(seconds=time.monotonic() - started)

    try:
        body = head.body or await _kept_body(tools, tenant_id, head)
        answer = await tools.outgoing.post(head.url, body.encode(), _headers(head, body))
    except (NotSent, _NotRendered) as failed:
        return Outcome(lasted(), error=str(failed)[:_LONGEST_ERROR])
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


async def _end(
    tools: Tools, tenant_id: UUID, head: Head, number: int, outcome: Outcome
) -> WebhookDeliveryState:
    """Say how an attempt went, and have the next one made in time: what becomes of the delivery."""
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
    return verdict.state


def _switched_off(webhook_id: UUID) -> Change:
    return Change(
        node_type="Webhook",
        node_id=webhook_id,
        operation=Operation.UPDATED,
        event=None,
        subject_id=webhook_id,
        customer_id=None,
    )


async def look_after(tools: Tools) -> None:
    """Of every company: forget what was told long ago, and have what was left lying tried again."""
    database = tools.facilities.database
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        tenants = [each.tenant_id for each in await db.portals.every(connection)]
    for tenant_id in tenants:
        async with database.transaction(Mode.WRITE, tenant_id) as connection:
            await db.webhook_deliveries.forget(connection)
            stalled = await db.webhook_claims.stalled(connection, _STALLED)
            if stalled:
                await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, stalled)
