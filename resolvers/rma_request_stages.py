"""RMA request stages: where a request stands, kept in its row and followed by its lifecycle status, after anything has
moved it."""

from dataclasses import replace
from uuid import UUID

import db
from db.rma_requests import RMARequest
from resolvers.context import Context
from resolvers.mutations import facts_of
from resolvers.rma_request_locks import progress_of
from rules.lifecycle import ProcessingState, Subject
from rules.rma_decisions import STATES, stage_of


async def refresh(context: Context, request_id: UUID | None) -> None:
    """Derive anew where a request stands for which something was posted, reversed, ordered or cancelled; None: it was
    for none. Its customer is locked already."""
    if request_id is None:
        return
    before = await db.rma_decisions.lock(context.connection, request_id)
    assert before is not None, "nothing is made for a draft"
    after = await at_its_stage(context, before)
    if after == before:
        await db.rma_requests.announce(context.connection, [before.id])  # its lines and its chain are others
        return
    changed = await db.rma_decisions.change(context.connection, after)
    context.record(
        "RMARequest",
        changed.id,
        before=facts_of(before),
        after=facts_of(changed),
        customer_id=changed.customer_id,
    )


async def at_its_stage(context: Context, request: RMARequest) -> RMARequest:
    """A locked request at the stage that its lines have now, with a status of the state which that stage has: its own,
    or else the predefined one."""
    lines = await progress_of(context, request.id)
    at = stage_of(lines, closed=request.closed_at is not None)
    request = replace(request, stage=at.value)
    state = STATES.get(at)
    if state is None or state is await state_of(context, request):  # closed: as it was said then
        return request
    return await in_state(context, request, state)


async def in_state(context: Context, request: RMARequest, state: ProcessingState) -> RMARequest:
    """The request with the predefined status of a state."""
    status_id = await db.lifecycle_statuses.predefined(context.connection, Subject.RMA_REQUEST, state)
    return replace(request, lifecycle_status_id=status_id)


async def state_of(context: Context, request: RMARequest) -> ProcessingState:
    """The processing state of a request that was submitted."""
    assert request.lifecycle_status_id is not None, "a request that was submitted has a status"
    status = await context.load(db.lifecycle_statuses.by_ids, request.lifecycle_status_id)
    assert status is not None, "a status is never deleted"
    return ProcessingState(status.processing_state)
