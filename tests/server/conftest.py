"""What tests of the server share: on real sockets a server, a portal and somebody who orders there; the demo, installed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from server.demo.install import install
from server.importing import import_folder
from server.settings import Settings
from server.storing import open_storage
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(world: World, settings: Settings) -> list[str]:
    """The demo, installed; what its installation said."""
    console = Console(quiet=True)
    said: list[str] = []

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, settings.home / "imports" / slug, console)

    storage = open_storage(settings)
    await install(
        world.registry, world.database, storage, load, base_domain="localhost", real=None, tell=said.append
    )
    return said
