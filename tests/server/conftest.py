"""What the tests on real sockets share: a server, a portal, and somebody who orders there."""

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.server.live import (
    Serving,
    becomes,
    serving,
)
from tests.world import Portal, World


@pytest.fixture
async def live(world: World, settings: Settings) -> AsyncIterator[Serving]:
    """A server, on which no subscription and no connection may be left behind."""
    async with serving(settings, world.database, world.passwords) as running:
        yield running
        await running.watched(0)
        await becomes(lambda: not running.server.server_state.connections)
        await becomes(lambda: not running.server.server_state.tasks)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "1000"})
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")
