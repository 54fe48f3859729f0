"""The floor: the same answers by hand, as cheap as Python gives them; `python -m bench.peers.floor`, started by servers.py.

A bare ASGI application on the same uvicorn, asyncpg, one statement a level, dicts, orjson. As in the real server the
viewer is looked up by the first statement of a read-only transaction of one snapshot, for one tenant. It knows the
operations by the names that their documents begin with, and reads no GraphQL.
"""

import gc
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn

from bench.peers.floor_reads import READS, viewer
from db.isolation import Mode, begin
from server import loops

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Floor:
    """The application over a pool of connections, for one portal."""

    def __init__(self, pool: Any, tenant_id: UUID) -> None:
        self._pool = pool
        self._tenant_id = tenant_id
        self._begin = begin(Mode.SNAPSHOT, tenant_id)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI entry: a POST of an operation."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer = orjson.dumps({"data": await self.answer(orjson.loads(body), _token(scope["headers"]))})
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})

    async def answer(self, asked: dict[str, Any], token: bytes) -> dict[str, Any]:
        """The data of an operation, all of one snapshot."""
        read = READS[asked["query"].split(None, 2)[1][:1]]
        async with self._pool.acquire() as connection:
            await connection.execute(self._begin)
            try:
                who = await viewer(connection, self._tenant_id, hashlib.sha256(token).digest())
                return await read(connection, who, asked.get("variables") or {})
            finally:
                await connection.execute("rollback")


def _token(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return next(value for name, value in headers if name == b"authorization").removeprefix(b"Bearer ")


async def open_pool(url: str) -> Any:
    """Connections with the settings of the real server's; nothing is left to be reset when one is given back."""
    return await asyncpg.create_pool(
        url.replace("postgresql+asyncpg://", "postgresql://", 1),
        min_size=0,
        max_size=10,
        statement_cache_size=1_000,
        reset=_nothing,
        server_settings={"application_name": "floor", "jit": "off", "timezone": "UTC"},
    )


async def _nothing(_connection: Any) -> None: ...


async def _serve() -> None:
    pool = await open_pool(os.environ["DATABASE_URL"])
    app = Floor(pool, UUID(os.environ["BENCH_TENANT"]))
    config = uvicorn.Config(
        app,
        port=int(os.environ["BENCH_PORT"]),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
    )
    gc.collect()
    gc.freeze()  # as the real server does
    await uvicorn.Server(config).serve()
    await pool.close()


if __name__ == "__main__":
    loops.run(_serve())
