"""Serves one portal on the tests' database and lets npm's clients watch its orders; run by `npm run live`, needs node.

Its name keeps it out of the suite, which needs no node.
"""

import asyncio
from pathlib import Path

from server.settings import Settings
from tests.conftest import At
from tests.server.live import serving
from tests.world import World


async def test_the_clients_of_npm_hear_of_orders(world: World, settings: Settings, at: At) -> None:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    assert bea.token is not None
    async with serving(settings, world.database, world.passwords) as live:
        node = await asyncio.create_subprocess_exec(
            "node", "live.mjs", live.url(portal.slug), bea.token, cwd=Path(__file__).parent
        )
        failed = await node.wait()
        await live.watched(0)
    assert not failed
