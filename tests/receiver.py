"""A company's own system, for tests: a real HTTP server on loopback that notes what it is told."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

SOON = 30


@dataclass(slots=True)
class Told:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message

    def verified(self, secret: str) -> dict[str, Any]:
        """The message, as the library for receivers reads it; raises when it is not signed with the secret."""
        message: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return message


@dataclass
class Receiver:
    """Answers with `status`, or whatever `answers` says; None breaks the connection."""

    port: int = 0
    status: int = 200
    seconds: float = 0.0  # until it answers
    answer: str = "thank you"
    headers: str = ""
    answers: Callable[[Told], int | None] | None = None
    told: list[Told] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?source=kontor"

    async def becomes(self, count: int) -> list[Told]:
        """Wait until it was told so often."""
        async with asyncio.timeout(SOON):
            while len(self.told) < count:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.01)
        return self.told

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            told = Told(head[0].split()[1], headers, await reader.readexactly(int(headers["content-length"])))
            self.told.append(told)
            # As it is now, whatever a test sets next.
            status = self.answers(told) if self.answers else self.status
            await asyncio.sleep(self.seconds)
            if status is not None:
                said = self.answer.encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\n{self.headers}content-length: {len(said)}\r\n\r\n".encode()
                    + said
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Receiver"]:
        """Up as long as the block lasts; the next time at the same port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def receiving(**given: Any) -> AsyncIterator[Receiver]:
    """A receiver that is up."""
    async with Receiver(**given).listening() as receiver:
        yield receiver
