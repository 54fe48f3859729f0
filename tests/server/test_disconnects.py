"""Clients that go away, on real sockets: their SQL ends and what they began is undone."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from server.app import create
from server.settings import Settings
from tests.conftest import At
from tests.world import Portal, World

PLACE = "mutation { orderPlace(input: {}) { orders { number } errors { code } } }"
ADD = 'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'


@pytest.fixture
async def port(world: World, settings: Settings) -> AsyncIterator[int]:
    """The real application behind a real server."""
    app = create(settings, world.database, world.passwords)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def waiting_for_locks(portal: Portal) -> int:
    async with portal.writing() as connection:
        found = await connection.fetch_text(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
    count: int = found[0][0]
    return count


async def becomes(portal: Portal, wanted: int) -> bool:
    for _ in range(60):
        if await waiting_for_locks(portal) == wanted:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_sql_of_a_client_that_went_away_ends_and_nothing_is_ordered(
    world: World, at: At, port: int
) -> None:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await bea.ask(ADD)
    body = json.dumps({"query": PLACE}).encode()
    async with portal.writing() as holder:
        await holder.fetch_text("select from stock for update")
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /portals/{portal.slug}/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {bea.token}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        assert await becomes(portal, 1), "the order waits for the stock"
        writer.close()
        await writer.wait_closed()
        assert await becomes(portal, 0), "and no longer when nobody waits for the order"
    found = await bea.ask("{ orders { totalCount } cart { items { sku } } }")
    assert found == {"orders": {"totalCount": 0}, "cart": {"items": [{"sku": "A"}]}}


async def test_a_client_that_stays_gets_its_answer(world: World, at: At, port: int) -> None:
    portal = await world.portal()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /portals/{portal.slug}/graphql?query={{portal{{slug}}}} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    )
    await writer.drain()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()
