"""RMA stages in the exchange: requests follow what an import has made of the orders that replace their goods."""

# ruff: noqa: S608 (what is written into SQL are names of our own, the tenant's UUID and those of requests)

from uuid import UUID

from db import rma_progress
from db.connections import Connection
from db.exchange.staging import ask
from db.exchange.told import Told, change
from rules.lifecycle import Subject
from rules.rma_decisions import STATES, stage_of

_TOLD = Told("RMARequest", customer_id="customer_id")


async def follow(connection: Connection) -> None:
    """Derive anew where the requests stand whose replacements are among the orders that were touched, with a status of
    the state which that stage has: its own, or else the predefined one. Their customers are locked already."""
    closed = {
        UUID(str(key)): bool(is_closed)
        for key, is_closed in await ask(
            connection,
            """
            select id, closed_at is not null from rma_requests where tenant_id = {tenant} and id in (
                select rma_request_id from orders where tenant_id = {tenant} and rma_request_id is not null
                and id in (select id from touched_orders)
            ) order by id for no key update
            """,
        )
    }
    if not closed:
        return
    lines = await rma_progress.of_locked(connection, list(closed))
    at = {key: stage_of(lines[key], closed=is_closed) for key, is_closed in closed.items()}
    stands = ", ".join(f"('{key}'::uuid, '{stage}', '{STATES.get(stage, '')}')" for key, stage in at.items())
    await change(
        connection,
        f"""
        update rma_requests t set stage = n.stage, lifecycle_status_id = n.status_id, version = t.version + 1
        from (
            select r.id, v.stage, case when s.processing_state = v.state then s.id else coalesce(p.id, s.id) end
                as status_id
            from (values {stands}) v (id, stage, state)
            join rma_requests r on r.tenant_id = {{tenant}} and r.id = v.id
            join lifecycle_statuses s on s.tenant_id = {{tenant}} and s.id = r.lifecycle_status_id
            left join lifecycle_statuses p on p.tenant_id = {{tenant}} and p.subject = '{Subject.RMA_REQUEST}'
                and p.predefined and p.processing_state = v.state
        ) n
        where t.tenant_id = {{tenant}} and t.id = n.id
        and (t.stage, t.lifecycle_status_id) is distinct from (n.stage, n.status_id)
        """,
        _TOLD,
        is_new=False,
    )
