"""Who tells many systems: one that does not answer holds up neither the others nor the mails."""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.change_feed import Change
from db.jobs import Job
from rules.events import Event, Operation
from rules.permissions import StaffRole
from server.jobs import Tools
from tests.client import Client
from tests.conftest import At
from tests.receiver import receiving
from tests.server.test_webhook_deliveries import CANCEL, at_work, bea, olga, order, portal, tools, webhook
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
        await asyncio.sleep(2)
        began = time.monotonic()
        await order(await at(other).sign_in("ben"))
        await alive.becomes(1)
        assert time.monotonic() - began < 3
        await orders_placed(portal, [uuid.uuid7()])  # more for the dead one
        await bea.ask(CANCEL, o=await order(bea))
        await alive.becomes(2)
        assert time.monotonic() - began < 6
