"""Load: a small HTTP/1.1 client that costs little, some connections that each ask one request after the other."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_HEAD_END = b"\r\n\r\n"
_EXTENSIONS = b',"extensions":'
_SECONDS = 30


class WrongAnswer(Exception):
    """A server answered with another status than 200, with errors, or with something else than before."""


@dataclass(slots=True)
class Load:
    """What came of a load: seconds of each request, and how long all took."""

    latencies: list[float]
    seconds: float


def request(port: int, path: str, token: str, body: dict[str, Any]) -> bytes:
    """A POST of an operation, as bytes."""
    content = orjson.dumps(body)
    lines = (
        f"POST {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "content-type: application/json",
        "accept: application/json",
        f"authorization: Bearer {token}",
        f"content-length: {len(content)}",
    )
    return "\r\n".join(lines).encode() + _HEAD_END + content


class Line(asyncio.Protocol):
    """One kept connection: bytes of a request in, the body of its answer out."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._received = bytearray()
        self._answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the event loop."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error or ConnectionError("the server has closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._received += data
        if self._answered is None or self._answered.done():
            return
        try:
            body = body_of(self._received)
        except WrongAnswer as wrong:
            self._received.clear()
            self._answered.set_exception(wrong)
            return
        if body is not None:
            self._received.clear()
            self._answered.set_result(body)

    async def ask(self, asked: bytes) -> bytes:
        """The body of the answer. Raises WrongAnswer when its status is not 200."""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(asked)
        return await self._answered

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


def body_of(received: bytearray) -> bytes | None:
    """The body of an answer that is whole; None while it is not. Raises WrongAnswer."""
    head_end = received.find(_HEAD_END)
    if head_end < 0:
        return None
    head = bytes(received[:head_end]).lower()
    body = bytes(received[head_end + 4 :])
    length = head.find(b"content-length:")
    if length >= 0:
        wanted = int(head[length + 15 :].split(b"\r\n", 1)[0])
        whole = body if len(body) >= wanted else None
    else:
        whole = _joined(body) if body.endswith(b"0\r\n\r\n") else None
    if whole is not None and not head.startswith(b"http/1.1 200"):
        raise WrongAnswer(whole[:500].decode(errors="replace"))
    return whole


def _joined(chunked: bytes) -> bytes:
    """The chunks of a body, put together."""
    parts, at = [], 0
    while (end := chunked.index(b"\r\n", at)) and (size := int(chunked[at:end], 16)):
        parts.append(chunked[end + 2 : end + 2 + size])
        at = end + 4 + size
    return b"".join(parts)


async def connected(port: int, count: int) -> list[Line]:
    """Some connections to a server."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Line, "127.0.0.1", port))[1] for _ in range(count)]


async def once(port: int, asked: bytes) -> bytes:
    """The answer to one request."""
    (line,) = await connected(port, 1)
    try:
        async with asyncio.timeout(_SECONDS):
            return await line.ask(asked)
    finally:
        line.close()


def like(right: bytes) -> Callable[[bytes], bool]:
    """Whether an answer is the right one, but for what it says at its end: what is left of a budget is never the same."""
    wanted = right.partition(_EXTENSIONS)[0]
    return lambda answer: answer.partition(_EXTENSIONS)[0] == wanted


async def under_load(
    port: int, asked: Sequence[bytes], check: Callable[[bytes], bool], *, seconds: float, connections: int
) -> Load:
    """Ask the requests over and over for some seconds. Raises WrongAnswer when the check of an answer fails."""
    lines = await connected(port, connections)
    latencies: list[float] = []
    start = time.perf_counter()
    until = start + seconds

    async def ask(number: int) -> None:
        at, now = number, start
        while now < until:
            answer = await lines[number].ask(asked[at % len(asked)])
            then, now = now, time.perf_counter()
            latencies.append(now - then)
            at += connections
            if not check(answer):
                raise WrongAnswer(answer[:500].decode(errors="replace"))

    try:
        async with asyncio.timeout(seconds + _SECONDS), asyncio.TaskGroup() as group:
            for number in range(connections):
                group.create_task(ask(number))
        return Load(latencies, time.perf_counter() - start)
    finally:
        for line in lines:
            line.close()
