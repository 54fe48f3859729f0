"""Fulfilments: what becomes of an order that was placed: changed, closed, cancelled, and what may be done with it.

Shipping is in resolvers/shipments.py.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

import strawberry

import db
from db.lifecycle_statuses import LifecycleStatus
from db.orders import Order, OrderLine
from execution.levels import level
from resolvers import document_actions, nodes
from resolvers.actions import Action, weigh
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.order_locks import Locked, in_state, locked, places
from resolvers.rma_request_stages import refresh
from rules.broken import BrokenRule, NotFound, found_at
from rules.deliveries import outstanding
from rules.events import Event
from rules.fulfilments import (
    LONGEST_NOTE,
    LONGEST_REASON,
    NEEDS,
    OrderAct,
    check,
    check_end,
    closed_as,
    standing_of,
)
from rules.lifecycle import ProcessingState, Subject, check_move
from rules.portals import CancellationPolicy
from rules.texts import TextMissing, check_text


@level
async def actions(roots: Sequence[Order], context: Context) -> list[list[Action]]:
    """Order.actions: by the rules that guard the mutations."""
    found = await asyncio.gather(
        context.load_each(db.lifecycle_statuses.by_ids, [root.lifecycle_status_id for root in roots]),
        context.load_lists(db.orders.lines_of, [root.id for root in roots]),
        document_actions.of_orders(context, roots),
    )
    return [
        _actions(context, status, lines) + of_documents
        for status, lines, of_documents in zip(*found, strict=True)
    ]


def _actions(context: Context, status: LifecycleStatus, lines: list[OrderLine]) -> list[Action]:
    standing = standing_of(ProcessingState(status.processing_state), lines)
    policy = CancellationPolicy(context.portal.cancellation_policy)
    found = []
    for act in OrderAct:
        broken = None
        try:
            check(act, standing, context.signed_in, policy)
        except BrokenRule as rule:
            broken = rule
        found.append(weigh(context, act, NEEDS[act], broken))
    return found


@strawberry.input(description="What to change of an order; what is left out stays as it is.")
class OrderUpdateInput:
    """orderUpdate(input:)."""

    order: strawberry.ID = strawberry.field(description="The order.")
    status: strawberry.ID | None = strawberry.field(
        default=None,
        description="One of the company's statuses for orders, in a processing state to which the order may go.",
    )
    promised_on: date | None = strawberry.field(
        default=strawberry.UNSET, description="The day for which it is promised; null: for none."
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A word to the customer, at most 2,000 characters; null: none.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An order in progress of which no more is shipped.")
class OrderCloseInput:
    """orderClose(input:)."""

    order: strawberry.ID = strawberry.field(description="The order.")
    reason: str | None = strawberry.field(
        default=None, description="Why the rest is cancelled, at most 2,000 characters."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An order that is called off.")
class OrderCancelInput:
    """orderCancel(input:)."""

    order: strawberry.ID = strawberry.field(description="The order.")
    reason: str = strawberry.field(description="Why, 1 to 2,000 characters.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class OrderPayload(Payload):
    """The order as it is now."""

    order: Order | None = None


_UpdateInput = Annotated[OrderUpdateInput, strawberry.argument(description="What to change.")]
_CloseInput = Annotated[OrderCloseInput, strawberry.argument(description="Which order.")]
_CancelInput = Annotated[OrderCancelInput, strawberry.argument(description="Which order, and why.")]


async def update(info: Info, input: _UpdateInput) -> OrderPayload:
    """Mutation.orderUpdate: a status that would end the order is refused while something is outstanding."""
    context = info.context
    if isinstance(input.note, str):
        check_text(input.note, LONGEST_NOTE, "note")
    found = await locked(context, input.order, input.version, OrderAct.UPDATE)
    after, state = found.order, found.standing.state
    if input.status is not None:
        status = await nodes.found(context, str(input.status), "LifecycleStatus", "status")
        if status.subject != Subject.ORDER:
            raise NotFound(path=("status",))
        state = ProcessingState(status.processing_state)
        check_move(found.standing.state, state, "status")
        with found_at("status"):
            check_end(state, found.standing)
        after = replace(after, lifecycle_status_id=status.id)
    if input.promised_on is not strawberry.UNSET:
        after = replace(after, promised_on=input.promised_on)
    if input.note is not strawberry.UNSET:
        after = replace(after, note=input.note or None)
    if after == found.order:
        context.record_nothing()
        return OrderPayload(after)
    changed = await db.order_changes.change(context.connection, after)
    _record(context, found.order, changed, event=_event(found.standing.state, state))
    return OrderPayload(changed)


async def close(info: Info, input: _CloseInput) -> OrderPayload:
    """Mutation.orderClose: what is outstanding is cancelled, and its stock is free for others."""
    context = info.context
    check_text(input.reason, LONGEST_REASON, "reason")
    found = await locked(context, input.order, input.version, OrderAct.CLOSE)
    return await _end(context, found, closed_as(found.standing), input.reason)


async def cancel(info: Info, input: _CancelInput) -> OrderPayload:
    """Mutation.orderCancel: all of an order of which nothing is shipped."""
    context = info.context
    check_text(input.reason, LONGEST_REASON, "reason")
    if not input.reason.strip():
        raise TextMissing(path=("reason",))
    found = await locked(context, input.order, input.version, OrderAct.CANCEL)
    return await _end(context, found, ProcessingState.CANCELLED, input.reason)


async def _end(context: Context, found: Locked, state: ProcessingState, reason: str | None) -> OrderPayload:
    """Cancel what is outstanding of a locked order, and let it be in a state of its end."""
    check_move(found.standing.state, state, "order")
    open_lines = [line for line in found.lines if outstanding(line) > 0]
    if freed := places(found, [(line, outstanding(line)) for line in open_lines]):
        await db.stock.free(context.connection, freed)
    cancelled = [
        replace(line, cancelled_quantity=line.cancelled_quantity + outstanding(line)) for line in open_lines
    ]
    await db.order_changes.fulfil(context.connection, found.order.id, cancelled)
    after = replace(found.order, cancellation_reason=reason or None)
    changed = await db.order_changes.change(context.connection, await in_state(context, found, after, state))
    _record(context, found.order, changed, open_lines, _event(found.standing.state, state))
    await refresh(context, changed.rma_request_id)
    return OrderPayload(changed)


def _event(before: ProcessingState, after: ProcessingState) -> Event | None:
    return Event.ORDER_CANCELLED if before != after == ProcessingState.CANCELLED else None


def _record(
    context: Context,
    before: Order,
    after: Order,
    cancelled: Sequence[OrderLine] = (),
    event: Event | None = None,
) -> None:
    more: dict[str, Any] = {}
    if cancelled:
        more["cancelled"] = [{"sku": line.sku, "quantity": outstanding(line)} for line in cancelled]
    context.record(
        "Order",
        after.id,
        before=facts_of(before),
        after=facts_of(after, **more),
        customer_id=after.customer_id,
        event=event,
    )
