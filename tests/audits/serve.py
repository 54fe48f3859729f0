"""Serves one portal on the tests' database and lets npm graphql-http audit it; run by `npm test`, needs node.

Its name keeps it out of the suite, which needs no node.
"""

import asyncio
import socket
from pathlib import Path

import uvicorn

from server.app import create
from server.settings import Settings
from tests.world import World


async def test_our_http_is_graphql_over_http(world: World, settings: Settings) -> None:
    portal = await world.portal()
    app = create(settings, world.database, world.passwords)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/portals/{portal.slug}/graphql"
        node = await asyncio.create_subprocess_exec("node", "run.mjs", url, cwd=Path(__file__).parent)
        failed = await node.wait()
        server.should_exit = True
        await serving
    assert not failed
