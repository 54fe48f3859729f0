"""Workers: which jobs there are, and the process that does them: `python -m server worker`, or a part of `serve`."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

import db
from db.connections import Database
from db.isolation import Mode
from db.jobs import Job
from db.tracing import Tracer
from db.workers import Later, Regular, Timing, Worker
from resolvers.context import Facilities
from server import deliveries, mailing
from server.app import facilities_of
from server.jobs import Handler, Tools
from server.metrics import Metrics, Outcome
from server.outgoing import Outgoing
from server.settings import Settings
from server.storing import open_storage
from server.telemetry import telling, tracing
from tenants import change_feed, notices
from tenants.passwords import Passwords

# Who does which job.
HANDLERS: Mapping[Job, Handler] = {
    Job.WEBHOOK_DELIVER: deliveries.deliver,
    Job.NOTICE_SEND: mailing.send_notice,
}

_GRACE_SECONDS = 10
_COUNT_SECONDS = 15.0
_log = structlog.get_logger("kontor.jobs")


async def _keep_house(tools: Tools) -> None:
    """Forget what was done long ago, and changes that are older than they are kept."""
    await change_feed.forget(tools.facilities.database, timedelta(days=tools.settings.changes_kept_days))
    async with tools.facilities.database.transaction(Mode.WRITE, None) as connection:
        while await db.jobs.forget(connection):
            pass


async def _look_after(tools: Tools) -> None:
    """What is told of every company's: forget what is old, and have what was left lying tried again. A company where
    that fails keeps it from no other."""
    database = tools.facilities.database
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        tenants = [each.tenant_id for each in await db.portals.every(connection)]
    for tenant_id in tenants:
        for look_after in (deliveries.look_after, notices.look_after, db.budgets.forget):
            try:
                async with database.transaction(Mode.WRITE, tenant_id) as connection:
                    await look_after(connection)
            except Exception as failed:
                _log.error("not looked after", tenant_id=str(tenant_id), exc_info=failed)


# What one of the workers does regularly: by name, when, what.
REGULAR: tuple[tuple[str, str, Callable[[Tools], Awaitable[None]]], ...] = (
    ("housekeeping", "17 * * * *", _keep_house),
    ("looking after", "*/15 * * * *", _look_after),
)


async def work(settings: Settings, *, ready: Callable[[], None] = lambda: None) -> None:
    """Do jobs until SIGINT or SIGTERM, then end those at work. `ready` is called once it takes jobs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    passwords = Passwords()
    try:
        async with AsyncExitStack() as opened:
            spans = opened.enter_context(tracing(settings))
            database = await _open_database(settings, spans)
            opened.push_async_callback(database.close)
            facilities = facilities_of(settings, database, passwords, open_storage(settings))
            opened.push_async_callback(facilities.watches.close)
            metrics = Metrics(facilities)
            opened.enter_context(telling(settings, metrics))
            worker = await opened.enter_async_context(working(settings, facilities, metrics, spans))
            waiting = asyncio.create_task(worker.working.wait())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not stop.is_set():
                ready()
            await stopping
    finally:
        passwords.close()


@asynccontextmanager
async def beside(
    settings: Settings, facilities: Facilities, metrics: Metrics, tracer: Tracer | None = None
) -> AsyncIterator[None]:
    """A worker in the process that serves, as the settings wish, on connections of its own."""
    if not settings.worker:
        yield
        return
    database = await _open_database(settings, tracer)
    try:
        async with working(settings, replace(facilities, database=database), metrics, tracer):
            yield
    finally:
        await database.close()


@asynccontextmanager
async def working(
    settings: Settings, facilities: Facilities, metrics: Metrics, tracer: Tracer | None = None
) -> AsyncIterator[Worker]:
    """A worker as long as the block lasts; what it is doing then has a while to end, and is cut short after that."""
    outgoing = Outgoing(private=settings.webhook_private_targets, seconds=settings.webhook_seconds)
    stop = asyncio.Event()
    tools = Tools(settings, facilities, outgoing, stop)
    worker = Worker(
        settings.database_url,
        {job: _bound(job, handler, tools, metrics) for job, handler in HANDLERS.items()},
        tuple(Regular(name, moments, _bound_to(work, tools)) for name, moments, work in REGULAR),
        Timing(
            heartbeat_seconds=settings.worker_heartbeat_seconds,
            poll_seconds=settings.worker_poll_seconds,
            handler_seconds=max(60, 4 * settings.webhook_seconds),
        ),
        tracer,
    )
    running = asyncio.create_task(worker.run(stop))
    counting = asyncio.create_task(_count(facilities.database, metrics))
    try:
        yield worker
    finally:
        counting.cancel()
        stop.set()
        await asyncio.wait({running}, timeout=_GRACE_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await outgoing.close()


async def _count(database: Database, metrics: Metrics) -> None:
    """Tell now and then what waits to be done, as long as the database says so."""
    while True:
        try:
            async with database.transaction(Mode.SNAPSHOT, None) as connection:
                metrics.waits(await db.jobs.backlog(connection))
        except Exception as failed:
            metrics.waits({})
            _log.warning("not counted", cause=str(failed) or type(failed).__name__)
        await asyncio.sleep(_COUNT_SECONDS)


async def _open_database(settings: Settings, tracer: Tracer | None) -> Database:
    """Few connections: a job holds one for moments only, and may wait for it."""
    return await Database.open(
        settings.database_url,
        size=settings.worker_pool_size,
        wait_seconds=10,
        statement_timeout_ms=settings.statement_timeout_ms,
        tracer=tracer,
    )


def _bound(job: Job, handler: Handler, tools: Tools, metrics: Metrics) -> db.workers.Handler:
    async def do(tenant_id: UUID, key: UUID) -> None:
        outcome: Outcome = "failed"
        try:
            await handler(tools, tenant_id, key)
            outcome = "done"
        except Later:
            outcome = "later"
            raise
        finally:
            metrics.worked(job, outcome)

    return do


def _bound_to(work: Callable[[Tools], Awaitable[None]], tools: Tools) -> Callable[[], Awaitable[None]]:
    async def do() -> None:
        await work(tools)

    return do
