"""What several tests of the server need: the demo, installed."""

from pathlib import Path

import pytest_asyncio
from rich.console import Console

from server.demo.install import install
from server.importing import import_folder
from server.settings import Settings
from tests.world import World


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(world: World, settings: Settings) -> list[str]:
    """The demo, installed; what its installation said."""
    console = Console(quiet=True)
    said: list[str] = []

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, settings.home / "imports" / slug, console)

    await install(world.registry, world.database, load, base_domain="localhost", real=None, tell=said.append)
    return said
