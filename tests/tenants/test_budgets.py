"""Budgets: what one portal or viewer spends nobody else pays, and no more is spent than there is, however many spend."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

import db
from db.connections import Database
from db.failures import Unavailable
from rules.budgets import Budget, RateLimited
from tenants.budgets import Budgets
from tenants.throttles import subject
from tests.tenants.test_sessions import sql
from tests.world import Portal, World

PLENTY = Budget(units=10**9, per_second=1)
HOLDER, ANOTHER = subject("viewer", "one"), subject("viewer", "another")
COST = 1_000


class Clock:
    """A process's own clock, which stands still until it is set."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def portal(world: World) -> Portal:
    return await world.portal()


async def value(portal: Portal, text: str) -> Any:
    """The first value that a statement gives."""
    return (await sql(portal, text))[0][0]


Process = Callable[..., Awaitable[Budgets]]


@pytest.fixture
async def process(database_url: str) -> AsyncIterator[Process]:
    """`await process(viewer=…, portal=…)`: the budgets of another process, on connections of its own."""
    async with AsyncExitStack() as opened:

        async def start(
            *, viewer: Budget = PLENTY, portal: Budget = PLENTY, clock: Clock | None = None
        ) -> Budgets:
            database = await Database.open(database_url, size=4, wait_seconds=20)
            opened.push_async_callback(database.close)
            return Budgets(database, viewer=viewer, portal=portal, **({"clock": clock} if clock else {}))

        yield start


async def passes(budgets: Budgets, portal: Portal, holder: bytes = HOLDER, cost: int = COST) -> bool:
    """Whether an operation can be paid."""
    try:
        await budgets.spend(portal.tenant_id, holder, cost)
    except RateLimited:
        return False
    return True


async def passing(budgets: Budgets, portal: Portal, count: int, holder: bytes = HOLDER) -> int:
    """How many of so many operations at once can be paid."""
    return sum(await asyncio.gather(*(passes(budgets, portal, holder) for _ in range(count))))


async def test_what_is_spent_at_one_portal_is_left_at_another(
    world: World, portal: Portal, process: Process
) -> None:
    other = await world.portal()
    budgets = await process(viewer=Budget(5 * COST, 1), portal=Budget(5 * COST, 1))
    assert await passing(budgets, portal, 8) == 5
    assert await passing(budgets, other, 8) == 5
    budgets = await process(viewer=Budget(5 * COST, 1), portal=Budget(5 * COST, 1))
    assert not await passes(budgets, portal)
    assert not await passes(budgets, other)


async def test_nobody_sees_or_changes_the_buckets_of_another_portal(
    world: World, portal: Portal, process: Process
) -> None:
    other = await world.portal()
    await passes(await process(), portal)
    assert await value(portal, "select count(*) from budgets") == 2
    assert await value(other, "select count(*) from budgets") == 0
    await sql(other, "update budgets set units = 0")
    await sql(other, "delete from budgets")
    assert await value(portal, "select count(*) from budgets where units > 0") == 2


async def test_what_one_viewer_spends_is_left_to_another_as_long_as_the_portal_has_it(
    portal: Portal, process: Process
) -> None:
    budgets = await process(viewer=Budget(5 * COST, 1), portal=Budget(8 * COST, 1))
    assert await passing(budgets, portal, 8) == 5
    assert [await passes(budgets, portal, ANOTHER) for _ in range(8)].count(True) == 3
    assert budgets.refused == {"viewer": 3, "portal": 5}
    balance = budgets.balance(portal.tenant_id, ANOTHER)
    assert balance is not None
    assert balance.remaining // COST == 2, "what the portal refused has cost its viewer nothing"


@pytest.mark.parametrize("most", [50, 777])
async def test_of_many_operations_at_once_in_two_processes_exactly_as_many_pass_as_can_be_paid(
    portal: Portal, process: Process, most: int
) -> None:
    budget = Budget(most * COST, 1)
    one, another = await process(viewer=budget), await process(viewer=budget)
    passed = await asyncio.gather(passing(one, portal, 2 * most), passing(another, portal, 2 * most))
    assert sum(passed) == most
    assert min(passed) > 0


@pytest.mark.parametrize("most", [50, 777])
async def test_of_many_viewers_in_two_processes_exactly_as_many_pass_as_the_portal_can_pay(
    portal: Portal, process: Process, most: int
) -> None:
    budget = Budget(most * COST, 1)
    processes = [await process(portal=budget), await process(portal=budget)]
    viewers = [subject("viewer", str(uuid4())) for _ in range(20)]
    passed = await asyncio.gather(
        *(passing(each, portal, most // 10, viewer) for each in processes for viewer in viewers)
    )
    assert sum(passed) == most


async def test_operations_of_any_cost_never_spend_more_than_there_was(
    portal: Portal, process: Process
) -> None:
    budget = Budget(100_000, 1)
    one, another = await process(viewer=budget), await process(viewer=budget)
    costs = [17, 1_002, 40_000, 3, 9_999] * 30
    spent = 0
    for each in (one, another):
        passed = await asyncio.gather(*(passes(each, portal, cost=cost) for cost in costs))
        spent += sum(cost for cost, paid in zip(costs, passed, strict=True) if paid)
    assert 90_000 < spent <= 100_000 + 20  # and what came back meanwhile


async def test_a_process_asks_once_for_many_operations_and_for_each_when_little_is_left(
    portal: Portal, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    transaction = Database.transaction

    def counted(*given: object) -> object:
        nonlocal asked
        asked += 1
        return transaction(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "transaction", counted)
    budgets = await process(viewer=Budget(1_000 * COST, 1))
    for _ in range(50):
        assert await passes(budgets, portal)
    assert asked == 2  # the viewer's bucket and the portal's
    while await passes(budgets, portal):
        pass
    assert asked < 100
    before = asked
    for _ in range(50):
        assert not await passes(budgets, portal)
    assert asked == before, "what cannot be there yet is not asked for"


async def test_what_is_left_pays_for_one_operation_alone_while_more_is_asked_for(
    portal: Portal, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = await process(viewer=Budget(100 * COST, 1))
    assert await passes(budgets, portal, cost=1), "and is given some more to go on with"
    take = db.budgets.take

    async def meanwhile(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(db.budgets, "take", take)
        others = asyncio.create_task(passing(budgets, portal, 4))
        await asyncio.sleep(0.01)
        taken = await take(*given, **named)
        small.append(others)
        return taken

    small: list[asyncio.Task[int]] = []
    monkeypatch.setattr(db.budgets, "take", meanwhile)
    assert await passes(budgets, portal, cost=50 * COST), "there was enough for all of them"
    assert await small[0] == 4


async def test_units_come_back_by_the_databases_clock(portal: Portal, process: Process) -> None:
    clock = Clock()
    budgets = await process(viewer=Budget(5 * COST, 10), clock=clock)
    assert await passing(budgets, portal, 8) == 5
    with pytest.raises(RateLimited) as refused:
        await budgets.spend(portal.tenant_id, HOLDER, COST)
    assert 90 <= refused.value.retry_after <= 100
    clock.now += 90  # the process's own clock runs ahead
    assert not await passes(budgets, portal)
    await sql(portal, "update budgets set refreshed_at = refreshed_at - interval '200 seconds'")
    clock.now += 1  # so long it does not ask again
    assert await passing(budgets, portal, 8) == 2
    await sql(portal, "update budgets set refreshed_at = refreshed_at - interval '1 day'")
    clock.now += 1
    assert await passing(budgets, portal, 8) == 5, "no more than there is at most"


async def test_a_clock_that_was_set_back_stops_nobody_for_long(portal: Portal, process: Process) -> None:
    clock = Clock()
    budgets = await process(viewer=Budget(5 * COST, COST), clock=clock)
    assert await passing(budgets, portal, 8) >= 5
    await sql(portal, "update budgets set units = 0, refreshed_at = refreshed_at + interval '1 day'")
    clock.now += 1
    assert not await passes(budgets, portal)
    await sql(portal, "update budgets set refreshed_at = refreshed_at - interval '2 seconds'")
    clock.now += 1
    assert await passes(budgets, portal)


async def test_what_costs_more_than_there_can_be_takes_all_of_it(portal: Portal, process: Process) -> None:
    budgets = await process(viewer=Budget(5 * COST, 1))
    assert await passes(budgets, portal, cost=100 * COST)
    assert not await passes(budgets, portal, cost=COST)


async def test_what_was_given_and_not_spent_counts_no_more_after_a_while(
    portal: Portal, process: Process
) -> None:
    clock = Clock()
    budgets = await process(viewer=Budget(1_000 * COST, 1), clock=clock)
    assert await passes(budgets, portal)
    await sql(portal, "update budgets set units = 0")
    assert await passes(budgets, portal), "this was given before"
    clock.now += 1_000
    assert not await passes(budgets, portal)


async def test_the_balance_is_what_is_left_and_says_when_all_is_there_again(
    portal: Portal, process: Process
) -> None:
    clock = Clock()
    budgets = await process(viewer=Budget(1_000 * COST, 100), clock=clock)
    assert budgets.balance(portal.tenant_id, HOLDER) is None
    for number in range(1, 101):
        assert await passes(budgets, portal)
        each = budgets.balance(portal.tenant_id, HOLDER)
        assert each is not None
        assert 0 <= each.remaining - (1_000 - number) * COST < 1_000
        assert (each.limit, each.per_second) == (1_000 * COST, 100)
    balance = budgets.balance(portal.tenant_id, HOLDER)
    assert balance is not None
    now = await value(portal, "select clock_timestamp()")
    assert abs((balance.reset_at - now).total_seconds() - 1_000) < 10
    clock.now += 100
    later = budgets.balance(portal.tenant_id, HOLDER)
    assert later is not None
    assert later.remaining == balance.remaining + 100 * 100
    assert abs((later.reset_at - balance.reset_at).total_seconds()) < 1


async def test_without_the_database_nothing_is_paid_and_nothing_lost(
    portal: Portal, database_url: str
) -> None:
    database = await Database.open(database_url, size=1, wait_seconds=0.05)
    budgets = Budgets(database, viewer=PLENTY, portal=PLENTY)
    async with database.connect(None):
        with pytest.raises(Unavailable):
            await budgets.spend(portal.tenant_id, HOLDER, COST)
    assert await passes(budgets, portal)
    balance = budgets.balance(portal.tenant_id, HOLDER)
    assert balance is not None
    assert balance.remaining == PLENTY.units - COST
    await database.close()


async def test_where_asking_failed_it_failed_for_all_who_waited(portal: Portal, database_url: str) -> None:
    database = await Database.open(database_url, size=1, wait_seconds=0.3)
    budgets = Budgets(database, viewer=PLENTY, portal=PLENTY)
    async with database.connect(None):
        started = time.monotonic()
        come = [passes(budgets, portal) for _ in range(10)]
        told = await asyncio.gather(*come, return_exceptions=True)
        assert all(isinstance(each, Unavailable) for each in told)
        assert time.monotonic() - started < 1, "not one after the other"
        with pytest.raises(Unavailable):
            await passes(budgets, portal)
    assert await passing(budgets, portal, 10) == 10
    await database.close()


async def test_buckets_that_are_full_again_are_forgotten(portal: Portal, process: Process) -> None:

    clock = Clock()
    budgets = await process(viewer=Budget(5 * COST, 1), portal=Budget(5 * COST, COST), clock=clock)
    assert await passing(budgets, portal, 8) == 5
    await sql(portal, "update budgets set refreshed_at = refreshed_at - interval '61 minutes'")
    async with portal.writing() as connection:
        await db.budgets.forget(connection)
    assert await value(portal, "select count(*) from budgets") == 1, "one has not filled up yet"
    await sql(portal, "update budgets set refreshed_at = refreshed_at - interval '2 hours'")
    async with portal.writing() as connection:
        await db.budgets.forget(connection)
    assert await value(portal, "select count(*) from budgets") == 0
