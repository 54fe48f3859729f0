"""Large bodies: so many of a portal are in the works at once, and nobody else waits for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from server.endpoint import Endpoint
from server.large_bodies import LARGE_BYTES
from tests.client import Client
from tests.conftest import At
from tests.server.live import Serving, opened, watching
from tests.world import Portal, World

SLUG = "{ portal { slug } }"
AT_ONCE = 2
WAITING = 32


class Works:
    """Operations that are held up where they are run, as long as nobody lets them through."""

    def __init__(self, execute: Callable[..., Awaitable[Any]]) -> None:
        self._execute = execute
        self._open = asyncio.Event()
        self.began = 0

    async def hold(self, *given: Any) -> Any:
        self.began += 1
        await self._open.wait()
        return await self._execute(*given)

    def let_through(self) -> None:
        self._open.set()

    async def begun(self, count: int) -> None:
        """So many have begun, and no more begin soon."""
        async with asyncio.timeout(20):
            while self.began < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert self.began == count


@pytest.fixture
async def works(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Works]:
    works = Works(Endpoint._execute)

    async def execute(*given: Any) -> Any:
        return await works.hold(*given)

    monkeypatch.setattr(Endpoint, "_execute", execute)
    yield works
    works.let_through()


def large(client: Client) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(client.post(SLUG, extensions={"note": LARGE_BYTES * "x"}))


async def test_one_portals_take_turns_and_anothers_and_small_ones_do_not_wait_for_them(
    world: World, at: At, works: Works
) -> None:
    loud, quiet = at(await world.portal()), at(await world.portal())
    first = [large(loud) for _ in range(AT_ONCE + 3)]
    await works.begun(AT_ONCE)
    others = [large(quiet), asyncio.create_task(loud.post(SLUG)), asyncio.create_task(quiet.post(SLUG))]
    await works.begun(AT_ONCE + len(others))
    works.let_through()
    assert {(await each).status_code for each in [*first, *others]} == {200}


async def test_what_is_packed_may_be_large(world: World, at: At, works: Works) -> None:
    """Nobody knows before it is unpacked."""
    client = at(await world.portal())
    first = [large(client) for _ in range(AT_ONCE)]
    await works.begun(AT_ONCE)
    packed = asyncio.create_task(
        client.http.post(
            f"/portals/{client.slug}/graphql",
            content=b"\x1f\x8b nothing that can be unpacked",
            headers={"content-type": "application/json", "content-encoding": "gzip"},
        )
    )
    await works.begun(AT_ONCE)
    assert not packed.done()
    works.let_through()
    assert (await packed).status_code == 400
    assert {(await each).status_code for each in first} == {200}


async def test_more_than_may_wait_are_refused_with_the_time_to_wait(
    world: World, at: At, works: Works
) -> None:
    client = at(await world.portal())
    sent = [large(client) for _ in range(AT_ONCE + WAITING + 1)]
    (first,), others = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
    refused = await first
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    works.let_through()
    assert {(await each).status_code for each in others} == {200}


async def test_whoever_goes_away_makes_room(world: World, at: At, works: Works) -> None:
    client = at(await world.portal())
    gone = [large(client) for _ in range(AT_ONCE)]
    await works.begun(AT_ONCE)
    waiting = large(client)
    await works.begun(AT_ONCE)
    for each in gone:
        each.cancel()
    await works.begun(AT_ONCE + 1)
    works.let_through()
    assert (await waiting).status_code == 200


async def test_a_message_on_a_socket_has_less_room_than_a_body(live: Serving, portal: Portal) -> None:
    """It is taken apart before anybody has paid for it."""
    async with opened(live, portal.slug) as socket:
        await socket.begin()
        await socket.say(type="ping", payload={"x": "y" * 240_000})
        assert (await socket.hear())["type"] == "pong"
        await socket.say(type="ping", payload={"x": "y" * 250_000})
        assert (await socket.closed())[0] == 1009


async def test_a_subscription_brings_little_along(live: Serving, bea: Client) -> None:
    query = "subscription($a: [ID!]!) { orderChanged { order { id } } }"
    async with watching(live, bea) as socket:
        await socket.subscribe(query, id="2", a=1_000 * ["x"])
        assert await socket.code() == "OPERATION_TOO_COMPLEX"
