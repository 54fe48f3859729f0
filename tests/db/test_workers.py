"""Workers: a job is done if and when its transaction commits, again when that fails, and by whoever is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import uuid_utils.compat as uuid
from structlog.testing import capture_logs

import db
from db import workers
from db.isolation import Mode
from db.jobs import Backlog, Job
from db.workers import Handler, Later, Regular, Timing, Worker
from tests.networks import between
from tests.world import Portal, World

SOON = 5
QUICK = Timing(heartbeat_seconds=1, poll_seconds=0.3, handler_seconds=2)


class Done:
    """A handler that notes what it has done, and does beforehand what a test wants."""

    def __init__(self, first: Callable[[int], object] = lambda _calls: None) -> None:
        self.jobs: list[tuple[UUID, UUID]] = []
        self.calls = 0
        self._first = first

    async def __call__(self, tenant_id: UUID, key: UUID) -> None:
        self.calls += 1
        waits = self._first(self.calls)
        if isinstance(waits, float):
            await asyncio.sleep(waits)
        self.jobs.append((tenant_id, key))

    async def becomes(self, count: int) -> None:
        async with asyncio.timeout(SOON):
            while len(self.jobs) < count:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.01)


@pytest.fixture
async def portal(world: World) -> AsyncIterator[Portal]:
    await forget_all(world)
    yield await world.portal()
    await forget_all(world)


async def forget_all(world: World) -> None:
    async with world.database.transaction(Mode.WRITE, None) as connection:
        await connection.fetch_text("delete from jobs.pgqueuer")


async def waiting(world: World) -> list[str]:
    async with world.database.transaction(Mode.SNAPSHOT, None) as connection:
        found = await connection.fetch_text(
            "select status::text from jobs.pgqueuer where entrypoint = 'webhook.deliver'"
        )
        return [each[0] for each in found]


async def enqueue(portal: Portal, *keys: UUID, after: float = 0) -> None:
    async with portal.writing() as connection:
        await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, keys, after=timedelta(seconds=after))


@asynccontextmanager
async def at_work(
    url: str, handler: Handler, regular: tuple[Regular, ...] = (), *, timing: Timing = QUICK
) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    worker = Worker(url, {Job.WEBHOOK_DELIVER: handler}, regular, timing)
    running = asyncio.create_task(worker.run(stop))
    try:
        await asyncio.wait_for(worker.working.wait(), SOON)
        yield running
    finally:
        stop.set()
        await asyncio.wait({running}, timeout=SOON)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_job_is_done_when_its_transaction_commits_and_not_when_it_does_not(
    portal: Portal, database_url: str
) -> None:
    done, one, other = Done(), uuid.uuid7(), uuid.uuid7()
    async with at_work(database_url, done):
        async with portal.world.database.connect(portal.tenant_id) as connection:
            await connection.begin(Mode.WRITE)
            await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [other])
            await connection.rollback()
        async with portal.writing() as connection:
            await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [one])
            await asyncio.sleep(0.4)
            assert done.jobs == []
        await done.becomes(1)
    assert done.jobs == [(portal.tenant_id, one)]
    assert await waiting(portal.world) == []


async def test_what_waits_is_told_by_kind_and_state_and_how_late_it_is(portal: Portal) -> None:
    nothing = Backlog(due=0, later=0, given_up=0, seconds=0.0)
    due, late, later, given_up = (uuid.uuid7() for _ in range(4))
    await enqueue(portal, due)
    await enqueue(portal, late, after=-90)
    await enqueue(portal, later, after=3_600)
    await enqueue(portal, given_up, after=-7_200)
    async with portal.world.database.transaction(Mode.WRITE, None) as connection:
        await connection.fetch_text(
            "update jobs.pgqueuer set status = 'failed' where payload = $1",
            f"{portal.tenant_id} {given_up}".encode(),
        )
        found = await db.jobs.backlog(connection)
    assert found.keys() == set(Job)
    told = found.pop(Job.WEBHOOK_DELIVER)
    assert set(found.values()) == {nothing}
    assert (told.due, told.later, told.given_up) == (2, 1, 1)
    assert 90 <= told.seconds < 150
    await forget_all(portal.world)
    await enqueue(portal, later, after=3_600)
    async with portal.world.database.transaction(Mode.SNAPSHOT, None) as connection:
        assert (await db.jobs.backlog(connection))[Job.WEBHOOK_DELIVER] == Backlog(0, 1, 0, 0.0)


async def test_a_worker_whose_network_fell_silent_comes_back(portal: Portal, database_url: str) -> None:
    """Nothing is said to it any more, not even that its connection is dead; when it notices, others may as well."""
    done = Done()
    async with between(database_url) as (proxy, through), at_work(through, done):
        proxy.black_hole()
        await enqueue(portal, uuid.uuid7())
        await asyncio.sleep(0.5)
        proxy.mend()  # for those who connect anew
        await done.becomes(1)


async def test_many_jobs_take_one_statement(portal: Portal) -> None:
    async with portal.writing() as connection:
        await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, [uuid.uuid7() for _ in range(50)])
        assert connection.statements == 1


async def test_a_job_can_wait(portal: Portal, database_url: str) -> None:
    done, late, soon = Done(), uuid.uuid7(), uuid.uuid7()
    await enqueue(portal, late, after=0.7)
    await enqueue(portal, soon)
    async with at_work(database_url, done):
        await done.becomes(2)
    assert [key for _, key in done.jobs] == [soon, late]


async def test_a_job_that_fails_is_done_again_and_no_text_of_the_error_is_kept(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PAUSES", (timedelta(seconds=0.1),))

    def fails(calls: int) -> None:
        if calls < 3:
            raise RuntimeError("the password is swordfish")

    done, key = Done(fails), uuid.uuid7()
    await enqueue(portal, key)
    with capture_logs() as logs:
        async with at_work(database_url, done):
            await done.becomes(1)
    assert done.calls == 3
    assert [(each["event"], each["log_level"]) for each in logs] == [("job failed", "error")] * 2
    async with portal.world.database.transaction(Mode.SNAPSHOT, None) as connection:
        kept = await connection.fetch_text("select coalesce(traceback::text, '') from jobs.pgqueuer_log")
    assert not any("swordfish" in text for (text,) in kept)


async def test_a_job_that_has_failed_for_days_is_held(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_GIVEN_UP_AFTER", timedelta(0))
    monkeypatch.setattr(workers, "_PAUSES", (timedelta(seconds=0.1),) * 2)

    def fails(_calls: int) -> None:
        raise RuntimeError

    await enqueue(portal, uuid.uuid7())
    done = Done(fails)
    async with at_work(database_url, done), asyncio.timeout(SOON):
        while await waiting(portal.world) != ["failed"]:  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.05)
    # However old it is: where nobody was there to do it for days, one fault does not end it.
    assert done.calls == 3


async def test_a_job_may_say_that_it_comes_again_later(portal: Portal, database_url: str) -> None:
    def later(calls: int) -> None:
        if calls < 3:
            raise Later(timedelta(seconds=0.1))

    done = Done(later)
    await enqueue(portal, uuid.uuid7())
    with capture_logs() as logs:
        async with at_work(database_url, done):
            await done.becomes(1)
    assert (done.calls, logs) == (3, [])


async def test_a_job_that_hangs_is_ended_and_begun_again(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PAUSES", (timedelta(seconds=0.1),))
    done = Done(lambda calls: 60.0 if calls == 1 else None)
    await enqueue(portal, uuid.uuid7())
    async with at_work(database_url, done, timing=Timing(1, 0.3, 0.5)):
        await done.becomes(1)
    assert done.calls == 2


async def test_several_workers_do_each_job_once(portal: Portal, database_url: str) -> None:
    done, keys = Done(lambda _calls: 0.01), [uuid.uuid7() for _ in range(60)]
    async with at_work(database_url, done), at_work(database_url, done), at_work(database_url, done):
        await enqueue(portal, *keys)
        await done.becomes(60)
    assert sorted(key for _, key in done.jobs) == sorted(keys)


async def test_a_worker_comes_back_when_its_connection_is_cut(
    portal: Portal, database_url: str, admin_url: str
) -> None:
    done, admin = Done(), await asyncpg.connect(admin_url.replace("+asyncpg", "", 1))
    try:
        async with at_work(database_url, done):
            await enqueue(portal, uuid.uuid7())
            await done.becomes(1)
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kontor-worker'"
            )
            await enqueue(portal, uuid.uuid7())
            await done.becomes(2)
    finally:
        await admin.close()


async def test_a_worker_that_is_told_to_stop_ends_what_it_does_and_begins_nothing(
    portal: Portal, database_url: str
) -> None:
    done = Done(lambda _calls: 0.5)
    async with at_work(database_url, done):
        await enqueue(portal, uuid.uuid7())
        while not done.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(done.jobs) == 1
    await enqueue(portal, uuid.uuid7())
    assert await waiting(portal.world) == ["queued"]


async def test_what_a_worker_was_doing_that_is_cut_short_goes_back_into_the_queue(
    portal: Portal, database_url: str
) -> None:
    hanging, done = Done(lambda _calls: 60.0), Done()
    await enqueue(portal, uuid.uuid7())
    async with at_work(database_url, hanging, timing=Timing(30, 5, 60)) as running:
        while not hanging.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.sleep(0.05)
        running.cancel()
    async with at_work(database_url, done):
        await done.becomes(1)


async def test_what_is_regular_is_done_by_one_of_the_workers(portal: Portal, database_url: str) -> None:
    moments: list[int] = []

    async def note() -> None:
        moments.append(1)

    every = (Regular("note", "* * * * * *", note),)
    async with at_work(database_url, Done(), every), at_work(database_url, Done(), every):
        await asyncio.sleep(2.5)
    assert 1 <= len(moments) <= 4


async def test_what_was_done_long_ago_is_forgotten(portal: Portal, database_url: str, world: World) -> None:
    async with world.database.transaction(Mode.WRITE, None) as connection:
        await connection.fetch_text(
            "insert into jobs.pgqueuer_log (created, job_id, status, priority, entrypoint)"
            " select now() - interval '15 days', 1, 'successful', 0, 'old' from generate_series(1, 3)"
        )
        assert not await db.jobs.forget(connection)
        left = await connection.fetch_text("select from jobs.pgqueuer_log where entrypoint = 'old'")
    assert left == []
