"""Serves the demo on the tests' database and walks through GraphiQL in headless Chromium; run by `make browser`.

Its name keeps it out of the suite, which needs neither node nor a browser.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from rich.console import Console

from server.app import create
from server.demo.install import install
from server.importing import import_folder
from server.settings import ROOT, Settings
from server.storing import open_storage
from tests.world import World

GRAPHIQL = ROOT / "frontend" / "graphiql"


@asynccontextmanager
async def served(world: World, settings: Settings, folder: Path) -> AsyncIterator[str]:
    """The demo at a port of its own; yields the address of Harbour Trading's portal."""
    console = Console(quiet=True)

    async def load(exchanged: Path, slug: str) -> int:
        return await import_folder(settings, exchanged, slug, folder / slug, console)

    storage = open_storage(settings)
    await install(
        world.registry, world.database, storage, load, base_domain="localhost", real=None, tell=console.print
    )
    app = create(settings.model_copy(update={"demo_personas": True}), world.database, world.passwords)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://harbour.localhost:{listening.getsockname()[1]}/graphql"
        server.should_exit = True
        await serving


async def failed(script: str, url: str, screenshots: Path, *given: str) -> int:
    node = await asyncio.create_subprocess_exec(
        "node", f"e2e/{script}", "--url", url, "--screenshots", str(screenshots), *given, cwd=GRAPHIQL
    )
    return await node.wait()


async def test_staff_lets_somebody_in_who_sees_one_category_without_any_outside_request(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    async with served(world, settings, tmp_path) as url:
        assert not await failed("portal.mjs", url, tmp_path)


async def test_two_people_get_from_a_quotation_to_an_order_statement_as_it_is_written_down(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    async with served(world, settings, tmp_path) as url:
        assert not await failed("walkthrough.mjs", url, tmp_path)


async def test_three_people_get_from_a_shipment_to_a_confirmed_balance_as_it_is_written_down(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    async with served(world, settings, tmp_path) as url:
        assert not await failed("walkthrough.mjs", url, tmp_path, "--document", "bookkeeping.md")


async def test_three_people_get_from_a_cracked_glass_to_money_back_as_it_is_written_down(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    async with served(world, settings, tmp_path) as url:
        assert not await failed("walkthrough.mjs", url, tmp_path, "--document", "returns.md")
