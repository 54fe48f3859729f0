"""The proxy of the faults: what it is told to do to a network, it does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bench.faults.proxy import Proxy, before


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(1_000):
            writer.write(said)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A proxy before something that says what it is told."""
    async with await asyncio.start_server(_echo, "127.0.0.1", 0) as behind:
        port = behind.sockets[0].getsockname()[1]
        async with before(lambda: asyncio.open_connection("127.0.0.1", port)) as proxy:
            yield proxy


class Client:
    """Somebody who talks through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hears(self, said: bytes, *, seconds: float = 5) -> bytes:
        """What comes back."""
        self.writer.write(said)
        return await asyncio.wait_for(self.reader.read(1_000), seconds)


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    try:
        yield client
    finally:
        client.writer.close()
        with suppress(ConnectionError):
            await client.writer.wait_closed()


async def test_it_passes_bytes_on_and_delays_them_when_told() -> None:
    async with echo() as proxy, connected(proxy) as client:
        assert await client.hears(b"one") == b"one"
        proxy.delay_seconds = 0.1
        started = time.monotonic()
        assert await client.hears(b"two") == b"two"
        assert time.monotonic() - started >= 0.2


async def test_in_a_black_hole_nobody_is_told_and_what_it_swallowed_stays_dead() -> None:
    async with echo() as proxy, connected(proxy) as old:
        assert await old.hears(b"one") == b"one"
        proxy.black_hole()
        async with connected(proxy) as new:
            for client in (old, new):
                with pytest.raises(TimeoutError):
                    await client.hears(b"two", seconds=0.2)
            proxy.mend()
            for client in (old, new):
                with pytest.raises(TimeoutError):
                    await client.hears(b"three", seconds=0.2)
        async with connected(proxy) as later:
            assert await later.hears(b"four") == b"four"


async def test_it_cuts_as_a_peer_that_ends_and_resets_as_one_that_forgot() -> None:
    async with echo() as proxy:
        async with connected(proxy) as client:
            assert await client.hears(b"one") == b"one"
            proxy.cut()
            assert await client.reader.read() == b""
        async with connected(proxy) as client:
            assert await client.hears(b"one") == b"one"
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(client.reader.read(), 5)


async def test_once_a_client_has_said_a_word_it_arrives_and_nothing_comes_back() -> None:
    async with echo() as proxy, connected(proxy) as client:
        assert await client.hears(b"one") == b"one"
        proxy.mute_after = b"commit"
        with pytest.raises(TimeoutError):
            await client.hears(b"commit", seconds=0.2)
        assert proxy.muted.is_set()
