"""Clients that send or read too slowly, on real sockets: their connections are cut, and nobody else's."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.types import Send

from server.settings import Settings
from tests.conftest import At
from tests.server.live import Serving, becomes, serving
from tests.world import Portal, World

HEAD = "GET /portals/{slug}/graphql?query={{portal{{slug}}}} HTTP/1.1\r\nhost: x\r\n"
LARGE = "{ " + " ".join(f"p{i}: products(first: 10) {{ nodes {{ sku name }} }}" for i in range(10)) + " }"


@pytest.fixture
async def hurried(world: World, settings: Settings) -> AsyncIterator[Serving]:
    """A server that waits for nobody for long; to which little fits between it and who does not read."""
    async with serving(
        settings,
        world.database,
        world.passwords,
        send_buffer=4_096,
        head_seconds=0.4,
        read_seconds=0.6,
        request_deadline_seconds=0.5,
    ) as running:
        yield running


def posting(portal: Portal, length: int, version: str = "HTTP/1.1") -> bytes:
    """The head of an operation whose body has so many bytes."""
    return (
        f"POST /portals/{portal.slug}/graphql {version}\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


class Slow:
    """A connection on which bytes go by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def drip(self, text: str) -> float:
        """Send a byte every now and then, until the connection is cut; after how many seconds it was."""
        started = time.monotonic()
        for each in text.encode():
            if self.reader.at_eof() or self.reader.exception() or self.writer.is_closing():
                break
            with suppress(ConnectionError):
                self.writer.write(bytes([each]))
                await self.writer.drain()
            await asyncio.sleep(0.05)
        return time.monotonic() - started

    async def cut(self) -> float:
        """Wait until the connection is cut; after how many seconds it was."""
        started = time.monotonic()
        with suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65_536), 5):
                pass
        return time.monotonic() - started


@asynccontextmanager
async def connected(server: Serving) -> AsyncIterator[Slow]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield Slow(reader, writer)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_whoever_says_nothing_is_cut(hurried: Serving) -> None:
    async with connected(hurried) as silent:
        assert 0.2 < await silent.cut() < 2


@pytest.mark.parametrize("text", ["x" * 200, "GET / HTTP/1.1\r\nhost: x\r\nx-a: " + "a" * 200, "\r\n" * 100])
async def test_a_head_that_comes_byte_by_byte_is_cut(hurried: Serving, text: str) -> None:
    async with connected(hurried) as slow:
        assert await slow.drip(text) < 2


@pytest.mark.parametrize("text", ["\r\n" * 100, "GET / HTTP/1.1\r\nx-a: " + "a" * 200])
async def test_so_is_the_next_head_on_a_connection_that_was_good(
    hurried: Serving, world: World, text: str
) -> None:
    portal = await world.portal()
    async with connected(hurried) as slow:
        slow.writer.write((HEAD.format(slug=portal.slug) + "\r\n").encode())
        assert (await slow.reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        assert await slow.drip(text) < 2


async def test_a_body_that_comes_byte_by_byte_is_refused_and_then_cut(hurried: Serving, world: World) -> None:
    portal = await world.portal()
    async with connected(hurried) as slow:
        slow.writer.write(posting(portal, 100_000))
        answer = asyncio.create_task(slow.reader.readline())
        assert await slow.drip("x" * 200) < 3
        assert b"408" in await answer


@pytest.mark.parametrize("closes", ["HTTP/1.1\r\nconnection: close", "HTTP/1.0"])
async def test_whoever_still_sends_what_was_refused_reads_why_before_the_connection_is_closed(
    live: Serving, world: World, closes: str
) -> None:
    portal = await world.portal()
    async with connected(live) as late:
        late.writer.write(posting(portal, 20_000_000, closes))
        for _ in range(200):  # all of it: closed at once, the connection would be reset, and the answer lost
            late.writer.write(b" " * 100_000)
            await late.writer.drain()
        answer = await asyncio.wait_for(late.reader.read(), 2)  # until our side is closed
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close\r\n" in answer
    assert b"PAYLOAD_TOO_LARGE" in answer


async def test_whoever_never_ends_sending_what_was_refused_is_cut(hurried: Serving, world: World) -> None:
    portal = await world.portal()
    async with connected(hurried) as endless:
        endless.writer.write(posting(portal, 20_000_000, "HTTP/1.0"))
        assert b"413" in await endless.reader.readline()
        assert await endless.drip(" " * 200) < 3


@pytest.mark.parametrize("before", ["", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"])
async def test_an_answer_that_breaks_off_keeps_no_connection_whatever_is_still_to_come(
    hurried: Serving, before: str
) -> None:
    async def breaks_off(_scope: object, _receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    hurried.server.config.loaded_app = breaks_off
    async with connected(hurried) as endless:
        endless.writer.write(f"{before}POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{".encode())
        assert (await endless.reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        assert await endless.cut() < 2
        await becomes(lambda: not hurried.server.server_state.connections)


async def test_a_client_that_does_not_read_its_answer_is_cut(hurried: Serving, world: World, at: At) -> None:
    portal = await world.portal()
    for number in range(10):
        await portal.product(f"B{number}", name="x" * 2_000)
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", hurried.port))
        head = (
            f"POST /portals/{portal.slug}/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {bea.token}\r\ncontent-length: {len(LARGE) + 12}\r\n\r\n"
        )
        await asyncio.get_running_loop().sock_sendall(raw, (head + f'{{"query":"{LARGE}"}}').encode())
        await becomes(lambda: len(hurried.server.server_state.connections) == 1)
        started = time.monotonic()
        await becomes(lambda: not hurried.server.server_state.connections)
        assert time.monotonic() - started < 4


@pytest.mark.skipif(sys.platform != "linux", reason="reads what the kernel holds from /proc")
@pytest.mark.parametrize("then", ["keep-alive", "close"])
async def test_nor_does_the_kernel_keep_what_it_does_not_read(
    world: World, settings: Settings, then: str
) -> None:
    portal = await world.portal()
    asked = f"GET /portals/{portal.slug}/schema.graphql HTTP/1.1\r\nhost: x\r\nconnection: {then}\r\n\r\n"
    async with serving(settings, world.database, world.passwords, read_seconds=0.6) as usual:
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            raw.setblocking(False)
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", usual.port))
            await asyncio.get_running_loop().sock_sendall(raw, asked.encode() * 3)
            await becomes(lambda: held(usual.port) == 1)
            await asyncio.sleep(0.4)
            assert held(usual.port) == 1
            started = time.monotonic()
            await becomes(lambda: held(usual.port) == 0)
            assert time.monotonic() - started < 2


def held(port: int) -> int:
    """Connections of a port that are open, or closed with something that the kernel still offers."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        int(own.rpartition(":")[2], 16) == port and state in ("01", "04") for _, own, _, state, *_ in lines
    )


async def test_whoever_reads_and_asks_in_time_keeps_its_connection(hurried: Serving, world: World) -> None:
    portal: Portal = await world.portal()
    async with connected(hurried) as good:
        for _ in range(8):
            await asyncio.sleep(0.2)
            good.writer.write((HEAD.format(slug=portal.slug) + "\r\n").encode())
            head = await asyncio.wait_for(good.reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await good.reader.readexactly(length)
