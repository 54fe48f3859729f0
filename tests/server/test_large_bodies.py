"""Large bodies: one of a portal is in the works at once, and nobody else waits for it."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from server.app import create
from server.endpoint import Endpoint
from server.large_bodies import LARGE_BYTES
from server.settings import Settings
from tests.client import Client
from tests.server.live import Serving, becomes, opened, serving, watching
from tests.world import Portal, World

Here = Callable[[Portal], Client]
SLUG = "{ portal { slug } }"
EVENTS = "text/event-stream"
AT_ONCE = 1
WAITING = 32


class Works:
    """Operations that are held up where they are run, as long as nobody lets them through."""

    def __init__(self, operate: Callable[..., Awaitable[Any]]) -> None:
        self._operate = operate
        self._open = asyncio.Event()
        self.began = 0

    async def hold(self, *given: Any) -> Any:
        self.began += 1
        await self._open.wait()
        return await self._operate(*given)

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
    works = Works(Endpoint._operate)

    async def operate(*given: Any) -> Any:
        return await works.hold(*given)

    monkeypatch.setattr(Endpoint, "_operate", operate)
    yield works
    works.let_through()


@pytest.fixture
async def here(world: World, settings: Settings) -> AsyncIterator[Here]:
    """An application of its own: how many a portal has at once depends on how many portals there are."""
    app = create(settings, world.database, world.passwords)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        yield lambda portal: Client(http, portal.slug)


def large(client: Client) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(client.post(SLUG, extensions={"note": LARGE_BYTES * "x"}))


async def test_one_portals_take_turns_and_anothers_and_small_ones_do_not_wait_for_them(
    world: World, here: Here, works: Works
) -> None:
    loud, quiet = here(await world.portal()), here(await world.portal())
    first = [large(loud) for _ in range(AT_ONCE + 3)]
    await works.begun(AT_ONCE)
    others = [large(quiet), asyncio.create_task(loud.post(SLUG)), asyncio.create_task(quiet.post(SLUG))]
    await works.begun(AT_ONCE + len(others))
    works.let_through()
    assert {(await each).status_code for each in [*first, *others]} == {200}


def packed(client: Client, size: int) -> asyncio.Task[httpx.Response]:
    body = orjson.dumps({"query": SLUG, "extensions": {"note": size * "x"}})
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    url = f"/portals/{client.slug}/graphql"
    return asyncio.create_task(client.http.post(url, content=gzip.compress(body), headers=headers))


def by_address(client: Client, size: int) -> asyncio.Task[httpx.Response]:
    given = {"query": SLUG, "extensions": f'{{"note": "{size * "x"}"}}'}
    url = f"/portals/{client.slug}/graphql"
    return asyncio.create_task(client.http.get(url, params=given, headers={"accept": "application/json"}))


@pytest.mark.parametrize("send", [packed, by_address])
async def test_however_it_is_sent_it_is_large_or_not_by_what_it_holds(
    send: Callable[[Client, int], asyncio.Task[httpx.Response]], world: World, here: Here, works: Works
) -> None:
    client = here(await world.portal())
    first = [large(client) for _ in range(AT_ONCE)]
    await works.begun(AT_ONCE)
    small = send(client, LARGE_BYTES // 2)
    await works.begun(AT_ONCE + 1)
    another = send(client, LARGE_BYTES)
    await works.begun(AT_ONCE + 1)
    works.let_through()
    assert {(await each).status_code for each in (*first, small, another)} == {200}


async def test_more_than_may_wait_are_refused_with_the_time_to_wait(
    world: World, here: Here, works: Works
) -> None:
    client = here(await world.portal())
    sent = [large(client) for _ in range(AT_ONCE + WAITING + 1)]
    (first,), others = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
    refused = await first
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    works.let_through()
    assert {(await each).status_code for each in others} == {200}


def waiting(live: Serving) -> int:
    told = re.search(rb'kontor_turns_waiting\{turn="large_body"\} (\d+)', live.app.state.metrics.text())
    assert told is not None
    return int(told[1])


@asynccontextmanager
async def asked_by(live: Serving, portal: Portal, token: str | None = None) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{live.port}", timeout=20, limits=httpx.Limits(max_connections=None)
    ) as http:
        yield Client(http, portal.slug, token)


async def test_whoever_goes_away_waits_no_longer(live: Serving, portal: Portal, works: Works) -> None:
    async with asked_by(live, portal) as client:
        first = [large(client) for _ in range(AT_ONCE)]
        await works.begun(AT_ONCE)
        gone = [large(client) for _ in range(8)]
        await becomes(lambda: waiting(live) == len(gone))
        for each in gone:
            each.cancel()
        await becomes(lambda: waiting(live) == 0)
        works.let_through()
        assert {(await each).status_code for each in first} == {200}
        assert works.began == AT_ONCE


async def test_whoever_cannot_pay_keeps_nobody_waiting(
    world: World, settings: Settings, portal: Portal, bea: Client
) -> None:
    """Refusals are told a moment later, and places are few."""
    poor = {"budget_units": 20_000, "budget_per_second": 1}
    async with (
        serving(settings, world.database, world.passwords, **poor) as live,
        asked_by(live, portal) as outsider,
        asked_by(live, portal, bea.token) as erp,
    ):
        assert (await erp.post(SLUG)).status_code == 200  # from here on she pays herself
        while (await large(outsider)).status_code == 200:
            pass
        crowd = [large(outsider) for _ in range(AT_ONCE + WAITING + 6)]
        await asyncio.sleep(0.1)
        assert (await large(erp)).status_code == 200
        assert {(await each).status_code for each in crowd} == {429}


async def test_what_is_large_and_no_operation_is_paid_all_the_same(
    world: World, settings: Settings, portal: Portal
) -> None:
    poor = {"budget_units": 20_000, "budget_per_second": 1}
    url, headers = f"/portals/{portal.slug}/graphql", {"content-type": "application/json"}
    async with (
        serving(settings, world.database, world.passwords, **poor) as live,
        asked_by(live, portal) as outsider,
    ):
        found = [
            (await outsider.http.post(url, content=20_000 * b"[]", headers=headers)).status_code
            for _ in range(6)
        ]
        events = await outsider.http.post(url, content=20_000 * b"[]", headers=headers | {"accept": EVENTS})
    assert found == [400, 400, 400, 400, 429, 429]
    assert events.status_code == 429
    assert events.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_a_message_on_a_socket_has_less_room_than_a_body(live: Serving, portal: Portal) -> None:
    """It is taken apart before anybody has paid for it."""
    async with opened(live, portal.slug) as socket:
        await socket.begin()
        await socket.say(type="ping", payload={"x": "y" * 99_000})
        assert (await socket.hear())["type"] == "pong"
        await socket.say(type="ping", payload={"x": "y" * 100_000})
        assert (await socket.closed())[0] == 1009


async def test_a_subscription_brings_little_along(live: Serving, bea: Client) -> None:
    query = "subscription($a: [ID!]!) { orderChanged { order { id } } }"
    async with watching(live, bea) as socket:
        await socket.subscribe(query, id="2", a=1_000 * ["x"])
        assert await socket.code() == "OPERATION_TOO_COMPLEX"
