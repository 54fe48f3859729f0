"""Many webhooks, and much for one: nobody is held up by somebody else, and nothing is left lying."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

import db
from db.change_feed import Change
from db.connections import Connection
from db.isolation import Mode
from db.jobs import Job
from rules.events import Event, Operation
from rules.permissions import StaffRole
from rules.webhooks import MOST_AT_ONCE, MOST_ATTEMPTS
from server import deliveries, workers
from server.jobs import Tools
from server.outgoing import Answer, Outgoing
from tests.client import Client
from tests.conftest import At
from tests.db.test_workers import forget_all, waiting
from tests.receiver import receiving
from tests.server.test_webhook_deliveries import (
    CANCEL,
    TEST,
    UPDATE,
    at_work,
    bea,
    key,
    log,
    olga,
    order,
    portal,
    tools,
    webhook,
)
from tests.world import Portal, World

__all__ = ["bea", "olga", "portal", "tools"]


async def orders_placed(portal: Portal, subjects: Sequence[UUID]) -> None:
    """As if so many orders had been placed."""
    happened = [
        Change(
            node_type="Order",
            node_id=each,
            operation=Operation.CREATED,
            event=Event.ORDER_PLACED,
            subject_id=each,
            customer_id=None,
        )
        for each in subjects
    ]
    async with portal.writing() as connection:
        kept = await db.change_feed.add(connection, happened)
        added = await db.webhook_deliveries.add(connection, kept)
        await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, added)


async def test_thousands_for_one_that_does_not_answer_hold_up_nobody_else(
    portal: Portal, bea: Client, olga: Client, world: World, at: At, tools: Tools
) -> None:
    other = await world.portal()
    await other.product("A", stock_at={"W1": "100000"})
    await other.account("ben")
    await other.staff_member("otto", role=StaffRole.OWNER)
    async with receiving(seconds=60) as dead, receiving() as alive, at_work(tools):
        await webhook(olga, dead, name="dead", events=["ORDER_PLACED"])
        await webhook(olga, alive, name="alive", events=["ORDER_CANCELLED"])
        await webhook(await at(other).sign_in("otto"), alive)
        for _ in range(25):
            await orders_placed(portal, [uuid.uuid7() for _ in range(200)])
        await dead.becomes(MOST_AT_ONCE)
        await order(await at(other).sign_in("ben"))
        await alive.becomes(1)
        await orders_placed(portal, [uuid.uuid7()])  # more for the dead one
        await bea.ask(CANCEL, o=await order(bea))
        await alive.becomes(2)


async def test_what_is_due_is_found_by_its_index_whatever_is_asked_for(world: World) -> None:
    """A plan that is kept for any parameters knows of them only that they are some. Whatever the planner has heard of
    the rows so far, it is to see that both indexes give what is asked for in its order."""
    async with world.database.transaction(Mode.WRITE, None) as connection:
        for setting in ("enable_seqscan = off", "enable_sort = off", "plan_cache_mode = force_generic_plan"):
            await connection.execute_text(f"set local {setting}")
        await connection.execute_text(f"prepare due as {db.webhook_claims._next_due.sql}")
        plan = await connection.fetch_text(
            "explain execute due('webhook.test', '00000000-0000-0000-0000-000000000000', '{}', 1)"
        )
        await connection.execute_text("deallocate due")
    told = "\n".join(line for (line,) in plan)
    assert "webhook_deliveries_due_idx" in told
    assert "webhook_deliveries_lane_idx" in told


async def test_no_more_than_a_few_are_on_their_way_to_one_and_none_is_left(
    portal: Portal, olga: Client, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = now = 0

    async def counted(*_given: object) -> Answer:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return Answer(200, "")

    async with receiving() as receiver:
        await webhook(olga, receiver)
        await orders_placed(portal, [uuid.uuid7() for _ in range(100)])
        monkeypatch.setattr(Outgoing, "post", counted)
        async with portal.writing() as connection:
            ids = await connection.fetch_text("select id from webhook_deliveries")
        # As many jobs as there are subjects, all at once.
        await asyncio.gather(*(deliveries.deliver(tools, portal.tenant_id, each) for (each,) in ids))
    assert most == MOST_AT_ONCE
    async with portal.writing() as connection:
        states = await connection.fetch_text("select state, count(*) from webhook_deliveries group by state")
    assert [tuple(each) for each in states] == [("DELIVERED", 100)]
    assert not deliveries._on_the_way


async def test_a_job_goes_on_to_other_subjects_and_leaves_a_job_for_each_in_case_it_dies(
    portal: Portal, world: World, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await orders_placed(portal, [uuid.uuid7() for _ in range(3)])
        (first, *_) = await log(olga)
        await forget_all(world)
        await deliveries.deliver(tools, portal.tenant_id, key(first["id"]))
        assert len(receiver.told) == 3
    async with portal.writing() as connection:
        jobs = await connection.fetch_text("select payload, execute_after > now() from jobs.pgqueuer")
    others = {str(key(each["id"])) for each in await log(olga)} - {str(key(first["id"]))}
    assert {payload.decode().split()[1] for payload, _ in jobs} == others
    assert all(later for _, later in jobs)


async def test_a_job_that_is_to_stop_leaves_the_rest_to_another(
    portal: Portal, world: World, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await orders_placed(portal, [uuid.uuid7() for _ in range(3)])
        (first, *_) = await log(olga)
        await forget_all(world)
        tools.stop.set()
        await deliveries.deliver(tools, portal.tenant_id, key(first["id"]))
        assert len(receiver.told) == 1
        assert await waiting(world) == ["queued"]
        tools.stop.clear()
        async with at_work(tools):
            await receiver.becomes(3)


async def test_what_ends_its_worker_each_time_is_dead_in_the_end_and_lets_others_pass(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await bea.ask(CANCEL, o=await order(bea))
        first, _ = await log(olga)
        for _ in range(MOST_ATTEMPTS):
            assert await deliveries._claim(tools, portal.tenant_id, key(first["id"])) is not None
            async with portal.writing() as connection:
                await connection.fetch_text("update webhook_deliveries set leased_until = now()")
            deliveries._on_the_way.clear()
        await deliveries.deliver(tools, portal.tenant_id, key(first["id"]))
    assert [told.message["type"] for told in receiver.told] == ["order.cancelled"]
    first, second = await log(olga)
    assert (first["state"], second["state"]) == ("DEAD", "DELIVERED")
    assert first["attempts"][-1]["error"] == "every attempt was begun, and none was ended"


async def test_a_fault_of_ours_counts_as_an_attempt(
    portal: Portal, bea: Client, olga: Client, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver:
        await webhook(olga, receiver)
        await order(bea)
        (entry,) = await log(olga)
        with monkeypatch.context() as patched:
            patched.setattr(deliveries, "_headers", lambda *_: 1 / 0)
            await deliveries.deliver(tools, portal.tenant_id, key(entry["id"]))
        (entry,) = await log(olga)
        assert (entry["state"], entry["attempts"][0]["error"]) == (
            "PENDING",
            "a fault of this server: ZeroDivisionError",
        )
        async with at_work(tools):
            await receiver.becomes(1)


async def test_what_waits_behind_others_keeps_nothing_from_being_looked_after(
    portal: Portal, olga: Client, tools: Tools
) -> None:
    """Of each subject the first one only, also a test of a webhook that is switched off."""
    async with receiving() as receiver:
        hook, _ = await webhook(olga, receiver, active=False)
        await olga.ask(TEST, input={"webhook": hook})
        await webhook(olga, receiver, name="other")
        waiting_for_long = uuid.uuid7()
        await orders_placed(portal, [waiting_for_long] * 5)
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update webhook_deliveries set next_attempt_at = now() - interval '1 hour'"
        )
        stalled = await db.webhook_claims.stalled(connection, timedelta(minutes=15))
        assert len(stalled) == 2
        await connection.fetch_text(
            "update webhook_deliveries set next_attempt_at = now() + interval '1 hour'"
            " where id = (select id from webhook_deliveries order by position desc limit 1 offset 4)"
        )
        assert len(await db.webhook_claims.stalled(connection, timedelta(minutes=15))) == 1


async def test_one_company_that_cannot_be_looked_after_keeps_it_from_no_other(
    portal: Portal, world: World, olga: Client, bea: Client, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await world.portal()
    looked_after = []

    async def failing(connection: Connection) -> None:
        looked_after.append(connection.tenant_id)
        raise RuntimeError

    async def every(_connection: Connection) -> list[Portal]:
        return [portal, other]

    monkeypatch.setattr(db.portals, "every", every)
    monkeypatch.setattr(db.webhook_deliveries, "forget", failing)
    await workers._look_after(tools)
    assert looked_after == [portal.tenant_id, other.tenant_id]


async def test_what_is_told_elsewhere_from_now_on_is_told_at_once(
    portal: Portal, bea: Client, olga: Client, tools: Tools
) -> None:
    async with receiving(status=500) as wrong, receiving() as right:
        hook, _ = await webhook(olga, wrong)
        await order(bea)
        (entry,) = await log(olga)
        await deliveries.deliver(
            replace(tools, settings=tools.settings.model_copy(update={"webhook_pause_factor": 1})),
            portal.tenant_id,
            key(entry["id"]),
        )
        changed = await olga.ask(UPDATE, input={"webhook": hook, "url": right.url})
        assert changed["webhookUpdate"]["webhook"]["failingSince"] is None
        async with at_work(tools):
            await asyncio.wait_for(right.becomes(1), 3)
    assert len(wrong.told) == 1
