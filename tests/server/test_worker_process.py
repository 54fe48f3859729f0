"""Workers and servers as processes of their own, which are killed: nothing that was committed is lost."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from server.settings import ROOT
from tests.client import Client
from tests.conftest import At
from tests.db.test_workers import forget_all
from tests.receiver import receiving
from tests.server.test_webhook_deliveries import ADD, CANCEL, PLACE, log, order, state_becomes, webhook
from tests.world import Portal, World

Process = asyncio.subprocess.Process


@pytest.fixture
async def portal(world: World) -> AsyncIterator[Portal]:
    await forget_all(world)
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100000"})
    await portal.account("bea")
    await portal.staff_member("olga")
    yield portal
    await forget_all(world)


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


@asynccontextmanager
async def process(command: str, url: str, home: Path, **settings: str) -> AsyncIterator[Process]:
    """`python -m server COMMAND`, ended at the end however it fares."""
    given = {
        "DATABASE_URL": url,
        "KONTOR_HOME": str(home),
        "KONTOR_WEBHOOK_PRIVATE_TARGETS": "true",
        "KONTOR_WEBHOOK_SECONDS": "1",
        "KONTOR_WEBHOOK_PAUSE_FACTOR": "0.02",
        "KONTOR_WORKER_HEARTBEAT_SECONDS": "1",
        "KONTOR_WORKER_POLL_SECONDS": "0.3",
        "KONTOR_COMPILED": os.environ.get("KONTOR_COMPILED", ""),
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | given | settings,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def works(worker: Process) -> None:
    """Wait until it takes jobs."""
    assert worker.stderr is not None
    async with asyncio.timeout(20):
        while b"Working" not in await worker.stderr.readline():
            assert worker.returncode is None


async def test_a_worker_killed_between_sending_and_saying_so_is_followed_by_another(
    bea: Client, olga: Client, database_url: str, tmp_path: Path
) -> None:
    async with receiving(seconds=0.6) as receiver:
        await webhook(olga, receiver)
        async with process("worker", database_url, tmp_path) as first:
            await works(first)
            placed = await order(bea)
            await bea.ask(CANCEL, o=placed)
            await receiver.becomes(1)
            first.kill()  # the receiver has the message, and nobody has its answer
            await first.wait()
            receiver.seconds = 0.0
            async with process("worker", database_url, tmp_path) as second:
                await works(second)
                await receiver.becomes(3)
                delivered = await state_becomes(olga, "DELIVERED", 2)
                second.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(second.wait(), 15) == 0
    again, once_more, then = receiver.told
    assert (again.id, again.body) == (once_more.id, once_more.body)
    assert [told.message["type"] for told in (again, once_more, then)] == [
        "order.placed",
        "order.placed",
        "order.cancelled",
    ]
    assert [each["durationMs"] is None for each in delivered[0]["attempts"]] == [True, False]


async def test_a_server_killed_at_work_leaves_no_order_untold_and_tells_of_none_that_is_not_there(
    portal: Portal, bea: Client, olga: Client, database_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with receiving() as receiver:
        await webhook(olga, receiver)
        more = {"KONTOR_PORT": str(port), "KONTOR_WORKER": "false"}
        async with (
            process("serve", database_url, tmp_path, **more) as server,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http,
        ):
            await answers(http)
            there = Client(http, portal.slug, bea.token)
            for _ in range(3):
                await there.ask(ADD)
                await there.ask(PLACE)
            await there.ask(ADD)
            last = asyncio.create_task(there.post(PLACE))
            await asyncio.sleep(0.01)
            server.kill()  # whether before the last one's commit or after it, nobody knows
            await asyncio.gather(last, return_exceptions=True)
        orders = {each["id"] for each in (await bea.ask("{ orders { nodes { id } } }"))["orders"]["nodes"]}
        assert {each["nodeId"] for each in await log(olga)} == orders
        async with process("worker", database_url, tmp_path) as worker:
            await works(worker)
            await receiver.becomes(len(orders))
            await state_becomes(olga, "DELIVERED", len(orders))
    assert len(orders) in (3, 4)
    assert {told.message["data"]["id"] for told in receiver.told} == orders


async def answers(http: httpx.AsyncClient) -> None:
    """Wait until the server does."""
    async with asyncio.timeout(20):
        while True:
            try:
                if (await http.get("/readyz")).status_code != 0:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def test_the_server_does_jobs_too_and_ends_them_when_it_is_told_to_stop(
    portal: Portal, bea: Client, olga: Client, database_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with receiving(seconds=0.5) as receiver:
        await webhook(olga, receiver)
        async with (
            process("serve", database_url, tmp_path, KONTOR_PORT=str(port)) as server,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http,
        ):
            await answers(http)
            await order(Client(http, portal.slug, bea.token))
            await receiver.becomes(1)
            server.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(server.wait(), 15) == 0
        (entry,) = await log(olga)
    assert (entry["state"], len(entry["attempts"])) == ("DELIVERED", 1)
