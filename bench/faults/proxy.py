"""A proxy: TCP between a server and PostgreSQL, or between clients and a server, whose network can go wrong."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.peers.database import NAME, Place
from db import roles

_CHUNK_BYTES = 64 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)  # to close without a word for what is on its way is a reset
# Opens a connection to what is behind the proxy.
Beyond: TypeAlias = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass(slots=True, eq=False)
class _Pair:
    """A client's connection, and the one that goes on from here."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    dead: bool = False  # it belongs to a black hole that was: it never carries anything again


@dataclass(slots=True)
class Proxy:
    """Passes bytes on, unless told to delay, swallow, cut or reset. What goes wrong lasts until `mend`."""

    beyond: Beyond
    port: int = 0
    delay_seconds: float = 0.0  # that every chunk takes, each way
    silent: bool = False  # a black hole: connections stay, nothing arrives
    mute_after: bytes | None = None  # once a client has said this, it is told nothing more
    muted: asyncio.Event = field(default_factory=asyncio.Event)
    _pairs: set[_Pair] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def black_hole(self) -> None:
        """Swallow everything, of new connections too: nobody is told, as when a cable is pulled."""
        self.silent = True
        for pair in self._pairs:
            pair.dead = True

    def mend(self) -> None:
        """Let new connections pass. Those that a black hole had swallowed stay dead: what lay between forgot them."""
        self.silent, self.delay_seconds, self.mute_after = False, 0.0, None

    def cut(self) -> None:
        """Close all connections, as a peer that ends does."""
        for pair in self._pairs:
            pair.near.close()
            pair.far.close()

    def reset(self) -> None:
        """End all connections with a reset, as a peer that has forgotten them does."""
        for pair in self._pairs:
            for writer in (pair.near, pair.far):
                with suppress(OSError):  # one that has ended has nothing left to say
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far = await self.beyond()
            pair = _Pair(near, far, dead=self.silent)
            self._pairs.add(pair)
            try:
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._carry(pair, reader, far, heard=True))
                    ways.create_task(self._carry(pair, far_reader, near, heard=False))
            finally:
                self._pairs.discard(pair)
                await _closed(far)
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)
            await _closed(near)

    async def _carry(
        self, pair: _Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, heard: bool
    ) -> None:
        mute = False
        while chunk := await source.read(_CHUNK_BYTES):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if heard and self.mute_after is not None and self.mute_after in chunk:
                pair.dead = mute = True  # the answers are swallowed; what was said arrives
                self.muted.set()
            if pair.dead and not mute:
                continue
            sink.write(chunk)
            await sink.drain()
            mute = False
        if not pair.dead:
            sink.close()  # which ends the other way as well

    async def close(self) -> None:
        """Carry nothing any more."""
        self.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def before(beyond: Beyond) -> AsyncIterator[Proxy]:
    """A proxy on a port of this machine alone, as long as the block lasts."""
    proxy = Proxy(beyond)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(listening.wait_closed(), 5)


@asynccontextmanager
async def before_postgres(place: Place) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before PostgreSQL, and where a server finds it."""
    path = f"{place.sockets}/.s.PGSQL.5432"
    async with before(lambda: asyncio.open_unix_connection(path)) as proxy:
        yield proxy, f"postgresql+asyncpg://{roles.SERVER}@127.0.0.1:{proxy.port}/{NAME}"
