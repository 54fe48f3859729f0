"""Server-sent events: one subscription a response (GraphQL over SSE, distinct connections mode).

Frames end their lines with LF alone: clients look for that.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Any

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.answers import Told, errors_of
from server.requests import EVENT_STREAM, Refused
from tenants.watches import Interrupted

_log = structlog.get_logger("kontor.requests")

_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class EventStream(Response):
    """What a subscription tells, with heartbeats between, until it ends, its client goes or does not read.

    A stream that ends without `complete` was interrupted: the client connects anew.
    """

    media_type = EVENT_STREAM

    def __init__(
        self,
        told: AsyncGenerator[Told, None],
        place: AbstractContextManager[None],
        *,
        heartbeat_seconds: float,
        write_seconds: float,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._told = told
        self._place = place
        self._heartbeat_seconds = heartbeat_seconds
        self._write_seconds = write_seconds
        self._writing = asyncio.Lock()
        self._whole = False  # whether its last frame was written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        with self._place:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            works = (self._tell(send), self._beat(send), _gone(receive))
            tasks = [asyncio.create_task(each) for each in works]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                ends = await asyncio.gather(*tasks, return_exceptions=True)
            for end in ends:
                if isinstance(end, TimeoutError):
                    _log.info("too slow", over="sse")
                elif isinstance(end, Exception) and not isinstance(end, OSError):
                    raise end

    async def _tell(self, send: Send) -> None:
        try:
            async with aclosing(self._told) as told:
                async for each in told:
                    await self._write(send, _next(each.body))
            await self._write(send, _COMPLETE)
        except Refused as refused:
            await self._write(send, _next({"errors": errors_of(refused)}) + _COMPLETE)
        except Interrupted:
            pass
        await self._write(send, b"", last=True)

    async def _beat(self, send: Send) -> None:
        while True:
            await self._write(send, _HEARTBEAT)
            await asyncio.sleep(self._heartbeat_seconds)

    async def _write(self, send: Send, body: bytes, *, last: bool = False) -> None:
        """Raises TimeoutError when the client reads too slowly."""
        async with asyncio.timeout(self._write_seconds), self._writing:
            if not self._whole:  # a heartbeat may have waited for the last frame
                self._whole = last
                await send({"type": "http.response.body", "body": body, "more_body": not last})


def _next(body: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
