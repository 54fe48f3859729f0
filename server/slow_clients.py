"""Slow clients: a connection is cut when a request does not arrive in time, or what was answered is not read in time;
and whoever still sends what was refused can read why.

uvicorn has no such deadlines, and whoever sends a byte now and then would keep its connection for ever. The body of a
request is waited for by whoever reads it (server/endpoint.py, server/uploads.py).

Most of an answer waits in this process and not in the kernel, which would go on offering it after the process has closed the
connection, for as long as the client likes.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_log = structlog.get_logger("kontor.requests")

# Bytes that wait in the kernel before they are sent.
_MOST_UNSENT = 65_536
# Close at once, and forget what was not sent.
_ABRUPTLY = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds a client is waited for."""

    head_seconds: float  # until the head of a request is there
    read_seconds: float  # until what waits to be read is read


def protocol(patience: Patience) -> Any:
    """What makes the protocol of each connection, as uvicorn's setting `http` wants it."""
    return partial(Impatient, patience)


class Impatient(HttpToolsProtocol):
    """uvicorn's protocol with deadlines.

    Between requests uvicorn closes a connection that is quiet; the deadline of the next head is for those that are not.
    """

    def __init__(self, patience: Patience, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience = patience
        self._arriving: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the event loop."""
        super().connection_made(transport)
        self._leave_little_to_the_kernel()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        _stop(self._arriving)
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = _Answered(self.transport, self._close)  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if not self._lingering:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Called when an answer was written. What its client still sends of the request counts as the next head."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_reading()
        elif self.cycle.response_complete:  # otherwise the next request is there already
            self._await_head()

    def pause_writing(self) -> None:
        """Called when much of what was written was not read."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """Called when most of it was."""
        super().resume_writing()
        if not self.transport.is_closing():
            _stop(self._leaving)
            self._leaving = None

    def timeout_keep_alive_handler(self) -> None:
        """Called when a connection was quiet after an answer, of which something may wait to be read."""
        super().timeout_keep_alive_handler()
        self._await_reading()

    def shutdown(self) -> None:
        """Called when the server ends."""
        super().shutdown()
        if self.transport.is_closing():
            self._await_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        _stop(self._arriving)
        _stop(self._leaving)
        super().connection_lost(exc)

    def _close(self) -> None:
        """Close after the last answer. While its request still arrives, that would be a reset, which may take the answer
        with it: then only our side is closed, and what comes is dropped for as long as a quiet connection is kept. Not so
        where an answer broke off, or the next request is there already: nothing else would end such a connection."""
        was_answered = self.cycle.response_complete
        if was_answered and self.cycle.more_body and self.transport.can_write_eof():
            self._lingering = True
            self.transport.write_eof()
        else:
            self.transport.close()
            self._await_reading()

    def _leave_little_to_the_kernel(self) -> None:
        """What it has been left it gives up when nothing of it is taken in time."""
        milliseconds = round(self._patience.read_seconds * 1_000)
        self._set(socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", _MOST_UNSENT)
        self._set(socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", milliseconds)

    def _set(self, level: int, option: str, value: int | bytes) -> None:
        """Set an option of the connection, where this system has it and the connection is TCP and still there."""
        connection = self.transport.get_extra_info("socket")
        if (
            connection is not None
            and connection.family in (socket.AF_INET, socket.AF_INET6)
            and hasattr(socket, option)
        ):
            connection.setsockopt(level, getattr(socket, option), value)

    def _await_head(self) -> None:
        _stop(self._arriving)
        self._arriving = self._later(self._patience.head_seconds, "head")

    def _await_reading(self) -> None:
        if self._leaving is None:
            self._leaving = self._later(self._patience.read_seconds, "answer")

    def _later(self, seconds: float, what: str) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, self._cut, what)

    def _cut(self, what: str) -> None:
        _log.info("too slow", over="http", what=what)
        self._set(socket.SOL_SOCKET, "SO_LINGER", _ABRUPTLY)
        self.transport.abort()


class _Answered:
    """A connection as uvicorn's answers use it, which close it when it is not to be kept."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
