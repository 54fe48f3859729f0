"""Serves the demo on the tests' database and walks through GraphiQL in headless Chromium; run by `make browser`.

Its name keeps it out of the suite, which needs neither node nor a browser.
"""

import asyncio
import socket
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


async def test_staff_lets_somebody_in_who_sees_one_category_without_any_outside_request(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    console = Console(quiet=True)

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, tmp_path / slug, console)

    storage = open_storage(settings)
    await install(
        world.registry, world.database, storage, load, base_domain="localhost", real=None, tell=console.print
    )
    app = create(settings.model_copy(update={"demo_personas": True}), world.database, world.passwords)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"http://harbour.localhost:{listening.getsockname()[1]}/graphql"
        node = await asyncio.create_subprocess_exec(
            "node", "e2e/portal.mjs", "--url", url, "--screenshots", str(tmp_path), cwd=GRAPHIQL
        )
        failed = await node.wait()
        server.should_exit = True
        await serving
    assert not failed
