"""Subscribers on real sockets, for tests: over a WebSocket, and over server-sent events."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

import db
from db.connections import Database
from server.app import create
from server.serving import Server
from server.settings import Settings
from server.slow_clients import Patience, protocol
from server.sockets import most_bytes
from tenants.passwords import Passwords
from tenants.watches import Watches
from tests.client import Client
from tests.world import Portal

CHANGED = "subscription($order: ID) { orderChanged(order: $order) { id number lines { sku } } }"
ADD = 'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
PLACE = "mutation { orderPlace(input: {}) { orders { id number } errors { code } } }"
SOON = 5


@dataclass
class Serving:
    """A real server; `stop` does what SIGTERM does."""

    app: Starlette
    port: int
    server: uvicorn.Server
    running: asyncio.Task[None]

    @property
    def watches(self) -> Watches:
        watches: Watches = self.app.state.watches
        return watches

    async def watched(self, count: int) -> None:
        """Wait until so many subscriptions are there, and hear events."""
        await becomes(lambda: len(self.watches) == self.watches.awake == count)

    async def stop(self) -> None:
        self.server.should_exit = True
        await asyncio.wait_for(self.running, 15)

    def url(self, slug: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/portals/{slug}/graphql"


async def becomes(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    settings: Settings,
    database: Database,
    passwords: Passwords,
    *,
    send_buffer: int | None = None,
    **changed: Any,
) -> AsyncIterator[Serving]:
    """The real application behind a real server, with other settings where they are given.

    With a small `send_buffer` (bytes) the server soon notices who does not read.
    """
    own = settings.model_copy(update={"live_check_seconds": 0.2, **changed})
    app = create(own, database, passwords)
    config = uvicorn.Config(
        app,
        http=protocol(Patience(own.head_seconds, own.read_seconds)),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws_max_size=most_bytes(own.max_body_bytes),
    )
    server = Server(config, before_shutdown=app.state.watches.close)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if send_buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        serving = Serving(app, listening.getsockname()[1], server, running)
        try:
            yield serving
        finally:
            if not running.done():
                await serving.stop()


class Socket:
    """One end of graphql-transport-ws."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw

    async def say(self, **message: Any) -> None:
        await self.raw.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.raw.recv(), SOON))
        return message

    async def begin(self, token: str | None = None) -> None:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await self.say(type="connection_init", payload=payload)
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str = CHANGED, *, id: str = "1", **variables: Any) -> None:
        await self.say(type="subscribe", id=id, payload={"query": query, "variables": variables})

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes."""
        await asyncio.wait_for(self.raw.wait_closed(), SOON)
        return self.raw.close_code or 0, self.raw.close_reason or ""

    async def numbers(self, count: int = 1) -> list[str]:
        """The numbers of the next orders."""
        heard = [await self.hear() for _ in range(count)]
        return [each["payload"]["data"]["orderChanged"]["number"] for each in heard]

    async def code(self) -> str:
        """The code of the error that ends an operation."""
        message = await self.hear()
        assert message["type"] == "error", message
        code: str = message["payload"][0]["extensions"]["code"]
        return code


@asynccontextmanager
async def opened(
    serving: Serving,
    slug: str,
    *,
    protocols: tuple[str, ...] = ("graphql-transport-ws",),
    origin: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> AsyncIterator[Socket]:
    """A socket to a portal, before connection_init."""
    async with connect(
        serving.url(slug, "ws"),
        subprotocols=[Subprotocol(each) for each in protocols] or None,
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
        proxy=None,
        **more,
    ) as raw:
        yield Socket(raw)


@asynccontextmanager
async def asking(
    serving: Serving, client: Client, query: str = CHANGED, **variables: Any
) -> AsyncIterator[Socket]:
    """A socket on which somebody asks to watch orders, and may be refused."""
    async with opened(serving, client.slug) as socket:
        await socket.begin(client.token)
        await socket.subscribe(query, **variables)
        yield socket


@asynccontextmanager
async def watching(
    serving: Serving, client: Client, query: str = CHANGED, **variables: Any
) -> AsyncIterator[Socket]:
    """A socket on which somebody watches orders."""
    before = len(serving.watches)
    async with asking(serving, client, query, **variables) as socket:
        await serving.watched(before + 1)
        yield socket


class Stream:
    """The events of a response, as (name, data)."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.raw = b""
        self._chunks = response.aiter_raw()

    async def event(self) -> tuple[str, Any] | None:
        """The next event that is no heartbeat; None at the end."""
        async with asyncio.timeout(SOON):
            while True:
                while b"\n\n" not in self.raw:
                    try:
                        self.raw += await anext(self._chunks)
                    except StopAsyncIteration:
                        return None
                frame, _, self.raw = self.raw.partition(b"\n\n")
                assert b"\r" not in frame
                if frame != b":":
                    name, _, data = frame.decode().partition("\n")
                    text = data.removeprefix("data:").strip()
                    return name.removeprefix("event: "), json.loads(text) if text else None

    async def data(self) -> dict[str, Any]:
        """What the next event says, which has to be a result."""
        name, data = await self.event() or ("end", {})
        assert name == "next"
        told: dict[str, Any] = data
        return told

    async def code(self) -> str:
        """The code of the error with which the stream completes."""
        code: str = (await self.data())["errors"][0]["extensions"]["code"]
        assert await self.event() == ("complete", None)
        assert await self.event() is None
        return code


@asynccontextmanager
async def streaming(
    serving: Serving,
    slug: str,
    token: str | None,
    query: str = CHANGED,
    *,
    method: str = "POST",
    accept: str = "text/event-stream",
    **variables: Any,
) -> AsyncIterator[Stream]:
    """A stream of server-sent events from a portal."""
    headers = {"accept": accept} | ({"authorization": f"Bearer {token}"} if token else {})
    how: dict[str, Any] = {"json": {"query": query, "variables": variables}}
    if method == "GET":
        how = {"params": {"query": query, "variables": json.dumps(variables)}}
    async with (
        httpx.AsyncClient(timeout=SOON) as http,
        http.stream(method, serving.url(slug), headers=headers, **how) as response,
    ):
        yield Stream(response)


async def order(client: Client) -> str:
    """Place an order over plain HTTP; its number."""
    await client.ask(ADD)
    placed = (await client.ask(PLACE))["orderPlace"]
    assert placed["errors"] == []
    number: str = placed["orders"][0]["number"]
    return number


async def is_silent(socket: Socket) -> bool:
    """Whether nothing is heard for as long as an event takes many times over."""
    try:
        await asyncio.wait_for(socket.raw.recv(), 0.3)
    except TimeoutError:
        return True
    return False


async def tell(portal: Portal, *ids: uuid.UUID) -> None:
    """Say that orders have changed."""
    async with portal.writing() as connection:
        await db.events.notify(connection, "Order", ids)


async def orders_of(portal: Portal) -> list[uuid.UUID]:
    """The ids of all orders of a portal."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text("select id from orders where tenant_id = $1", portal.tenant_id)
    return [row[0] for row in rows]
