"""Jobs: what is to be done after a transaction has committed, and only then. Ids only, never what they stand for.

They are pgqueuer's, in tables of its own in the schema `jobs` (docs/decisions/0029). Some worker does each of them at
least once (db/workers.py).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

from db.connections import Connection

# Every name is given: pgqueuer would take them from the environment too, where CHANNEL or TRIGGER may mean anything.
SETTINGS = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
)
_KEPT_DAYS = 14
_MOST_AT_ONCE = 5_000

_ENQUEUE = QueryQueueBuilder(SETTINGS).build_enqueue_query("skip")
_QUEUED = """
    select payload from jobs.pgqueuer
    where entrypoint = $1 and payload = any($2::bytea[]) and status in ('queued', 'picked')
"""
_BACKLOG = """
    select entrypoint,
        count(*) filter (where status = 'queued' and execute_after <= now()),
        count(*) filter (where status = 'queued' and execute_after > now()),
        count(*) filter (where status = 'failed'),
        greatest(0, extract(epoch from now() - min(execute_after) filter (where status = 'queued')))::float8
    from jobs.pgqueuer group by entrypoint
"""
_FORGET = f"""
    with gone as (
        delete from jobs.pgqueuer_log where id = any(array(
            select id from jobs.pgqueuer_log where created < now() - interval '{_KEPT_DAYS} days'
            order by id limit {_MOST_AT_ONCE}
        )) returning 1
    ), counts as (
        delete from jobs.pgqueuer_statistics where created < now() - interval '{_KEPT_DAYS} days'
    ), held as (
        delete from jobs.pgqueuer where status = 'failed' and updated < now() - interval '{_KEPT_DAYS} days'
    )
    select count(*) from gone
"""  # noqa: S608  (numbers of our own)


class Job(StrEnum):
    """What there is to do; each takes the id of one object of a tenant."""

    NOTICE_SEND = "notice.send"
    WEBHOOK_DELIVER = "webhook.deliver"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of a kind of job nobody has begun: how many are due, are to be done later, were given up; and for how many
    seconds the oldest has been due."""

    due: int
    later: int
    given_up: int
    seconds: float


async def backlog(connection: Connection) -> dict[Job, Backlog]:
    """What waits to be done, of all tenants; each kind of job, also where nothing waits."""
    found = {row[0]: row[1:] for row in await connection.fetch_text(_BACKLOG)}
    return {job: Backlog(*found.get(job.value, (0, 0, 0, 0.0))) for job in Job}


async def enqueue(
    connection: Connection, job: Job, keys: Sequence[UUID], *, after: timedelta = timedelta()
) -> None:
    """Have a worker do a job for each object, if and when this transaction commits; not before `after` has passed.

    One statement however many keys. It may be done more than once, and in any order.
    """
    assert connection.tenant_id is not None, "a job is a tenant's"
    count = len(keys)
    carried = connection.carried
    headers = None if carried is None else json.dumps({"otel": carried})  # as pgqueuer has it
    await connection.fetch_text(
        _ENQUEUE,
        [0] * count,
        [job.value] * count,
        [_payload(connection.tenant_id, key) for key in keys],
        [after] * count,
        [None] * count,
        [headers] * count,
    )


async def queued(connection: Connection, job: Job, keys: Sequence[UUID]) -> set[UUID]:
    """The objects for which this job is still to be done."""
    assert connection.tenant_id is not None, "a job is a tenant's"
    payloads = [_payload(connection.tenant_id, key) for key in keys]
    return {read_payload(each[0])[1] for each in await connection.fetch_text(_QUEUED, job.value, payloads)}


def _payload(tenant_id: UUID, key: UUID) -> bytes:
    return f"{tenant_id} {key}".encode()


def read_payload(payload: bytes | None) -> tuple[UUID, UUID]:
    """The tenant and the object of a job."""
    tenant_id, key = (payload or b"").decode().split(" ")
    return UUID(tenant_id), UUID(key)


async def forget(connection: Connection) -> bool:
    """Remove what was done, or given up, long ago; whether there may be more of it."""
    records = await connection.fetch_text(_FORGET)
    gone: int = records[0][0]
    return gone == _MOST_AT_ONCE
