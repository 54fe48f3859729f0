"""Fairness: whose turn it is when places are few, step by step."""

import asyncio
import sys
import threading
from collections import Counter
from uuid import uuid4

import pytest

from db.connections import Database
from db.failures import Unavailable
from db.fairness import Bounds, FairQueue, Full, Place, Tenant
from db.isolation import Mode
from tests.world import World

LOUD, QUIET, THIRD = uuid4(), uuid4(), uuid4()
LONG = 30


class Line:
    """A queue, and who was served in which order. Its clock stands still until it is set."""

    def __init__(
        self, places: int, *, of_one: int | None = None, waiting: int = 1_000, young: int = 1_000
    ) -> None:
        self.now = 100.0
        bounds = Bounds(places=places, of_one=of_one or places, waiting=waiting, young=young)
        self.queue = FairQueue(bounds, clock=lambda: self.now)
        self.served: list[Tenant] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._places: list[Place] = []

    async def come(self, *tenants: Tenant) -> None:
        """One request of each comes, one after the other, and waits if it has to."""
        for tenant in tenants:
            self.tasks.append(asyncio.create_task(self._one(tenant)))
            await asyncio.sleep(0)

    async def _one(self, tenant: Tenant) -> None:
        place = await self.queue.enter(tenant, LONG)
        self._places.append(place)
        self.served.append(tenant)

    def give_back(self, tenant: Tenant) -> None:
        """The oldest of a tenant ends."""
        place = next(each for each in self._places if each.tenant == tenant)
        self._places.remove(place)
        self.queue.leave(place)

    async def leave(self, *tenants: Tenant) -> None:
        """And whoever comes next hears of it."""
        for tenant in tenants:
            self.give_back(tenant)
            for _ in range(3):
                await asyncio.sleep(0)


async def test_whoever_asks_once_comes_next_however_many_of_another_wait() -> None:
    line = Line(2)
    await line.come(*[LOUD] * 100, QUIET)
    assert line.served == [LOUD, LOUD]
    await line.leave(LOUD)
    assert line.served == [LOUD, LOUD, QUIET]
    await line.leave(QUIET)
    assert line.served[3:] == [LOUD]


async def test_places_are_shared_evenly_by_those_who_want_as_many_as_there_are() -> None:
    line = Line(6)
    await line.come(*[LOUD] * 50, *[QUIET] * 50, *[THIRD] * 50)
    for _ in range(6):
        await line.leave(LOUD)
    assert Counter(line.served[6:]) == {LOUD: 2, QUIET: 2, THIRD: 2}


async def test_tenants_that_have_as_many_take_turns() -> None:
    line = Line(1)
    await line.come(LOUD, *[LOUD] * 3, *[QUIET] * 2, THIRD)
    for _ in range(6):
        await line.leave(line.served[-1])
    assert line.served[1:] == [LOUD, QUIET, THIRD, LOUD, QUIET, LOUD]


async def test_some_places_are_left_for_others_even_while_nobody_else_asks() -> None:
    line = Line(4, of_one=3)
    await line.come(*[LOUD] * 10)
    assert line.served == [LOUD] * 3
    await line.come(QUIET)
    assert line.served == [LOUD] * 3 + [QUIET]
    await line.leave(QUIET)
    assert line.served == [LOUD] * 3 + [QUIET], "the place is not the loud one's"
    await line.leave(LOUD)
    assert line.served == [LOUD] * 3 + [QUIET, LOUD]


async def test_too_many_of_one_are_refused_at_once_and_of_another_they_are_not() -> None:
    line = Line(1, waiting=2)
    await line.come(LOUD, LOUD, LOUD)
    with pytest.raises(Full):
        await line.queue.enter(LOUD, LONG)
    await line.come(QUIET)
    await line.leave(LOUD)
    await line.leave(line.served[-1])
    assert QUIET in line.served


async def test_whoever_waits_too_long_or_goes_is_passed_over() -> None:
    line = Line(1)
    await line.come(LOUD, QUIET, THIRD)
    line.tasks[1].cancel()
    with pytest.raises(TimeoutError):
        await line.queue.enter(QUIET, 0.01)
    assert line.queue.waiting == 1
    await line.leave(LOUD)
    assert line.served == [LOUD, THIRD]
    assert line.queue.waiting == 0


async def test_a_place_that_is_given_to_somebody_who_goes_is_not_lost() -> None:
    line = Line(1)
    await line.come(LOUD, QUIET, QUIET, THIRD)
    line.give_back(LOUD)
    line.tasks[1].cancel()  # it was given a place, and has not heard yet
    line.tasks[2].cancel()  # it stands in the line, and has not gone yet
    await asyncio.gather(*line.tasks[1:3], return_exceptions=True)
    await asyncio.sleep(0)
    assert line.served == [LOUD, THIRD]
    await line.leave(THIRD)
    await line.come(LOUD)
    assert line.served == [LOUD, THIRD, LOUD]


async def test_one_that_goes_while_a_place_becomes_free_does_not_stop_the_line() -> None:
    line = Line(1)
    await line.come(LOUD, QUIET, THIRD)
    line.tasks[1].cancel()  # and before it can go
    await line.leave(LOUD)
    assert line.served == [LOUD, THIRD]


async def test_alone_a_tenant_runs_as_many_at_once_as_it_may_have() -> None:
    line = Line(10, of_one=8, young=4)
    await line.come(*[LOUD] * 20)
    assert line.served == [LOUD] * 8


async def test_beside_another_a_tenant_runs_only_its_share_at_once() -> None:
    line = Line(10, of_one=8, young=4)
    await line.come(QUIET)
    await line.leave(QUIET)
    await line.come(*[LOUD] * 20)
    assert line.served == [QUIET, LOUD, LOUD]
    await line.come(QUIET, THIRD)
    assert line.served[3:] == [QUIET, THIRD]
    await line.leave(LOUD)
    assert line.served[5:] == [], "of three each has one"
    await line.leave(LOUD)
    assert line.served[5:] == [LOUD]


async def test_what_takes_long_does_not_count_as_running() -> None:
    line = Line(10, of_one=8, young=4)
    await line.come(QUIET, *[LOUD] * 20)
    assert line.served == [QUIET, LOUD, LOUD]
    line.now += 0.3
    await asyncio.sleep(0.4)  # nobody leaves, and still somebody looks
    assert line.served == [QUIET, *[LOUD] * 4]


async def test_a_tenant_that_has_not_asked_for_a_while_is_left_no_room() -> None:
    line = Line(10, of_one=8, young=2)
    await line.come(QUIET, *[LOUD] * 20)
    await line.leave(QUIET)
    assert line.served == [QUIET, LOUD]
    line.now += 0.9
    await line.leave(LOUD)
    assert line.served == [QUIET, LOUD, LOUD]
    line.now += 0.2
    await line.leave(LOUD)
    assert line.served == [QUIET, *[LOUD] * 10]


async def test_the_registry_is_asked_for_everybody_and_waits_for_nobodys_share() -> None:
    line = Line(10, of_one=2, young=1)
    await line.come(QUIET, LOUD, LOUD, None, None, None)
    assert line.served == [QUIET, LOUD, None, None, None]


async def test_a_shared_pool_keeps_a_quarter_from_a_single_tenant(database_url: str, world: World) -> None:
    loud, quiet = [(await world.portal()).tenant_id for _ in range(2)]
    pool = await Database.open(database_url, size=4, wait_seconds=0.2, shared=True)
    try:
        async with pool.connect(loud), pool.connect(loud), pool.connect(loud):
            with pytest.raises(Unavailable):
                async with pool.connect(loud):
                    raise AssertionError
            async with pool.transaction(Mode.SNAPSHOT, quiet) as connection:
                assert (await connection.fetch_text("select 1"))[0][0] == 1
            assert (pool.use.borrowed, pool.use.most, pool.use.waiting) == (3, 4, 0)
        assert pool.use.borrowed == 0
    finally:
        await pool.close()


async def test_another_thread_may_ask_how_many_wait_while_they_come_and_go() -> None:
    queue = FairQueue(Bounds(places=1, of_one=1, waiting=1, young=1))
    ended = threading.Event()

    def ask() -> int:
        most = 0
        while not ended.is_set():
            most = max(most, queue.waiting)
        return most

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        asking = asyncio.create_task(asyncio.to_thread(ask))
        await queue.enter(LOUD, LONG)
        for _ in range(40):
            come = [asyncio.create_task(queue.enter(uuid4(), LONG)) for _ in range(50)]
            await asyncio.sleep(0)
            for each in come:
                each.cancel()
            await asyncio.wait(come)
        ended.set()
        assert 0 < await asking <= 50
    finally:
        ended.set()
        sys.setswitchinterval(usual)
