"""Workers: take jobs from the queue and do them, on a connection of their own that may come and go."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.applications import PgQueuer
from pgqueuer.core.executors import EntrypointExecutor
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Schedule
from pgqueuer.domain.models import Job as Queued
from pgqueuer.domain.types import Channel

from db.jobs import SETTINGS, Job, read_payload
from db.tracing import Tracer

_log = structlog.get_logger("kontor.jobs")

# Does a job for an object of a tenant. May be called again for what it has done, or has begun to do.
Handler: TypeAlias = Callable[[UUID, UUID], Awaitable[None]]

# When a handler fails: until it is tried again, the last one for as long as the job is young enough.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 3_600))
_GIVEN_UP_AFTER = timedelta(days=3)
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_BATCH = 10
_MOST_AT_ONCE = 200  # they mostly wait for somebody else's answer
# Of these so many at once, by all workers together: mails wait for one server that takes few, and for nobody else.
_MOST_OF = {Job.NOTICE_SEND: 20}


class Later(Exception):
    """Raised by a handler: nothing is wrong, but the job is to be done later."""

    def __init__(self, after: timedelta) -> None:
        super().__init__("done by Steady")
        self.after = after


class GivenUp(Exception):
    """A job has failed for days. It stays in the queue as failed, for somebody to look at."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon a worker notices things, in seconds.

    A worker that has died is known to have after `heartbeat_seconds`; another one takes up its jobs with its next poll.
    """

    heartbeat_seconds: float = 30.0
    poll_seconds: float = 5.0
    handler_seconds: float = 60.0  # a job that takes longer is ended, and begun again


@dataclass(frozen=True, slots=True)
class Regular:
    """What is done regularly, by one of the workers: `moments` as cron says them, in UTC."""

    name: str
    moments: str
    work: Callable[[], Awaitable[None]]


@dataclass
class _Steady(EntrypointExecutor):
    """Does a job, and puts it back into the queue when that fails or is cut short: pgqueuer alone would drop it."""

    seconds: float = field(default=60.0, kw_only=True)

    async def execute(self, job: Queued, context: Context) -> None:
        """Called by pgqueuer. What went wrong is in our log; the queue's tables get no text of an error."""
        try:
            async with asyncio.timeout(self.seconds):
                await super().execute(job, context)
        except Later as later:
            raise RetryRequested(later.after, "later") from None
        except asyncio.CancelledError:
            raise RetryRequested(timedelta(), "the worker ends") from None
        except Exception as failed:
            old = datetime.now(UTC) - job.created > _GIVEN_UP_AFTER
            given_up = old and job.attempts >= len(_PAUSES)  # nobody may have been there to do it until now
            _log.error(
                "job given up" if given_up else "job failed", job=job.entrypoint, id=job.id, exc_info=failed
            )
            if given_up:
                raise GivenUp(type(failed).__name__) from None
            pause = _PAUSES[min(job.attempts, len(_PAUSES) - 1)]
            raise RetryRequested(pause * random.uniform(0.8, 1.2), type(failed).__name__) from None  # noqa: S311


@dataclass(slots=True)
class Worker:
    """Does jobs until it is told to stop. As many as one likes may run at once, in one process or in many."""

    url: str
    handlers: Mapping[Job, Handler]
    regular: tuple[Regular, ...] = ()
    timing: Timing = Timing()
    tracer: Tracer | None = None
    working: asyncio.Event = field(default_factory=asyncio.Event)  # whether it takes jobs just now

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then take no new job and wait for those at work. Cancelled meanwhile, it cuts
        them short, and others begin them again. When its connection is lost it comes back, with growing pauses."""
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                await self._work(stop)
            except Exception as error:
                _log.warning("not working", cause=str(error) or type(error).__name__)
            if self.working.is_set():
                pause = _FIRST_PAUSE_SECONDS
            self.working.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _work(self, stop: asyncio.Event) -> None:
        """Work as long as the connection lives. It is the worker's alone: it listens, and keeps the queue's books."""
        raw = await asyncpg.connect(
            self.url.replace("postgresql+asyncpg://", "postgresql://", 1),
            timeout=5,
            # Whoever is silent for so long is dead to the others: then its connection is dead to it as well.
            command_timeout=self.timing.heartbeat_seconds,
            server_settings={"application_name": "kontor-worker", "timezone": "UTC"},
        )
        try:
            queue = self._queue(raw)
            # A cut is noticed at once, not with the next poll.
            raw.add_termination_listener(lambda *_: queue.shutdown.set())
            following = asyncio.create_task(_follow(stop, queue.shutdown))
            try:
                self.working.set()
                await queue.run(
                    dequeue_timeout=timedelta(seconds=self.timing.poll_seconds),
                    heartbeat_timeout=timedelta(seconds=self.timing.heartbeat_seconds),
                    batch_size=_BATCH,
                    max_concurrent_tasks=_MOST_AT_ONCE,
                    shutdown_on_listener_failure=True,
                )
            finally:
                following.cancel()
        finally:
            raw.terminate()

    def _queue(self, raw: Any) -> PgQueuer:
        driver = AsyncpgDriver(raw)
        queries = Queries(
            driver,
            QueryBuilderEnvironment(SETTINGS),
            QueryQueueBuilder(SETTINGS),
            QuerySchedulerBuilder(SETTINGS),
        )
        queue = PgQueuer(driver, Channel(SETTINGS.channel), queries=queries)
        for job, handler in self.handlers.items():
            queue.entrypoint(
                job.value,
                concurrency_limit=_MOST_OF.get(job, 0),
                on_failure="hold",
                executor_factory=lambda given: _Steady(given, seconds=self.timing.handler_seconds),
            )(_entrypoint(handler, self.tracer))
        for each in self.regular:
            queue.schedule(each.name, each.moments)(_crontab(each))
        return queue


def _entrypoint(handler: Handler, tracer: Tracer | None) -> Callable[[Queued], Awaitable[None]]:
    async def do(job: Queued) -> None:
        await handler(*read_payload(job.payload))

    async def do_traced(job: Queued) -> None:
        assert tracer is not None
        tenant_id, key = read_payload(job.payload)
        with tracer.job(job.entrypoint, tenant_id, job.otel_headers()):
            await handler(tenant_id, key)

    return do if tracer is None else do_traced


def _crontab(regular: Regular) -> Callable[[Schedule], Awaitable[None]]:
    async def do(_schedule: Schedule) -> None:
        await regular.work()

    return do


async def _follow(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()
