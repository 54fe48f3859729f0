"""WebSockets: subscriptions over graphql-transport-ws, many on one socket.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md says which mistakes close a socket, and with which
code; what is wrong with one operation is told to that operation alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from resolvers.context import Context
from rules.subscriptions import TooManySubscriptions
from server import callers, live, requests
from server.answers import errors_of
from server.metrics import Metrics
from server.requests import Operation, Refused
from tenants.watches import Interrupted

_log = structlog.get_logger("kontor.requests")

PROTOCOL = "graphql-transport-ws"

_LONGEST_ID = 200
_LONGEST_REASON = 123  # bytes, as many as a close frame takes


class Closing(Exception):
    """The socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")


# Subscriptions bring little along, and a message is taken apart before anybody has paid for it.
_MOST_BYTES = 100_000


def most_bytes(of_body: int) -> int:
    """How many bytes a message may have where a request's body may have so many."""
    return min(of_body, _MOST_BYTES)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one socket may do."""

    most_bytes: int
    most_operations: int
    init_seconds: float
    idle_seconds: float
    write_seconds: float


class Socket:
    """One socket, from its acceptance to its end. `contexts` makes the context of an operation from a token,
    `documents` gives its text."""

    def __init__(
        self,
        websocket: WebSocket,
        limits: Limits,
        contexts: Callable[[str | None], Context],
        documents: Callable[[Operation, Context], Awaitable[str]],
        metrics: Metrics,
    ) -> None:
        self._websocket = websocket
        self._limits = limits
        self._contexts = contexts
        self._documents = documents
        self._metrics = metrics
        self._initialised = False
        self._token: str | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idling: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Talk until either side ends it; then nothing of its operations is left."""
        if PROTOCOL not in self._websocket.scope["subprotocols"]:
            await self._websocket.accept()
            await self._websocket.close(4406, f"Subprotocol not acceptable, use {PROTOCOL}")
            return
        await self._websocket.accept(PROTOCOL)
        talking: asyncio.Task[None] = asyncio.create_task(self._talk())
        try:
            await asyncio.wait({talking, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = [talking, *self._tasks]
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
            self._ending.cancel()
            self._stir()
        for end in (self._ending, talking):
            if not end.cancelled() and (why := end.exception()) is not None:
                await self._close(why)
                return

    async def _close(self, why: BaseException) -> None:
        if isinstance(why, WebSocketDisconnect):
            return
        if isinstance(why, TimeoutError):
            _log.info("too slow", over="websocket")
            return  # what cannot be written cannot be closed politely either
        if not isinstance(why, Closing):
            _log.error("socket failed", exc_info=why)
            why = Closing(1011, "Internal error")
        _log.info("socket closed", code=why.code, reason=why.reason)
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await self._websocket.close(why.code, why.reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            pass

    def _end(self, why: BaseException) -> None:
        """Let the socket end from within one of its operations."""
        if not self._ending.done():
            self._ending.set_exception(why)

    def _idle(self) -> None:
        """Nothing runs: a socket that nobody uses, or whose session has ended, is not kept for ever."""
        self._stir()
        why = Closing(4408, "No subscription was running for too long")
        loop = asyncio.get_running_loop()
        self._idling = loop.call_later(self._limits.idle_seconds, self._end, why)

    def _stir(self) -> None:
        if self._idling is not None:
            self._idling.cancel()
            self._idling = None

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks and not self._ending.done():
            self._idle()

    async def _talk(self) -> None:
        """Raises Closing, WebSocketDisconnect, or TimeoutError when the client does not read."""
        waiting = asyncio.timeout(self._limits.init_seconds)
        try:
            async with waiting:
                while not self._initialised:
                    await self._handle(await self._receive())
        except TimeoutError:
            if waiting.expired():
                raise Closing(4408, "Connection initialisation timeout") from None
            raise
        while True:
            await self._handle(await self._receive())

    async def _receive(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise Closing(4400, "Messages have to be text")
        encoded: bytes = text.encode()
        if len(encoded) > self._limits.most_bytes:
            raise Closing(1009, f"A message has at most {self._limits.most_bytes} bytes")
        return encoded

    async def _handle(self, text: bytes) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closing(4400, "Messages have to be JSON") from None
        if not isinstance(message, dict):
            raise Closing(4400, "Messages have to be JSON objects")
        match message.get("type"):
            case "connection_init":
                await self._initialise(message.get("payload"))
            case "ping":
                await self._pong(message.get("payload"))
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(_id(message), message.get("payload"), text)
            case "complete":
                if (task := self._operations.pop(_id(message), None)) is not None:
                    task.cancel()
            case _:
                raise Closing(4400, "Unknown type of message")

    async def _pong(self, payload: Any) -> None:
        """Answer a ping with what it carried, unless that is nested deeper than is written: it may be left out."""
        try:
            await self._send({"type": "pong", "payload": payload})
        except orjson.JSONEncodeError:
            await self._send({"type": "pong"})

    async def _initialise(self, payload: Any) -> None:
        if self._initialised:
            raise Closing(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise Closing(4400, "The payload has to be an object")
        self._token = _token(payload or {}) or callers.bearer(
            self._websocket.headers.get("authorization", "")
        )
        if self._token is None:
            try:
                self._token = callers.token_of_socket(self._websocket)
            except Refused:
                raise Closing(4403, "Forbidden") from None
        self._initialised = True
        self._idle()
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, id: str, payload: Any, text: bytes) -> None:
        if not self._initialised:
            raise Closing(4401, "Unauthorized")
        if id in self._operations:
            raise Closing(4409, f"Subscriber for {id} already exists")
        if not isinstance(payload, dict):
            raise Closing(4400, "The payload has to be an object")
        context = self._contexts(self._token)
        try:
            requests.check_characters(text, "The message")
            operation = requests.from_mapping(payload)
        except Refused as refused:
            await self._send({"id": id, "type": "error", "payload": errors_of(refused)})
            return
        if len(self._tasks) >= self._limits.most_operations:
            rule = TooManySubscriptions(most=self._limits.most_operations)
            error = {"message": rule.message(context.language), "extensions": {"code": rule.code()}}
            await self._send({"id": id, "type": "error", "payload": [error]})
            return
        self._stir()
        task = asyncio.create_task(self._run(id, operation, context))
        self._operations[id] = task
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def _run(self, id: str, operation: Operation, context: Context) -> None:
        """One operation; what ends more than itself ends the socket."""
        last: dict[str, Any] = {"id": id, "type": "complete"}
        results = live.told(
            operation,
            context,
            lambda: self._documents(operation, context),
            self._metrics,
            over="websocket",
        )
        try:
            try:
                async with aclosing(results) as told:
                    async for each in told:
                        if each.run:
                            await self._send({"id": id, "type": "next", "payload": each.body})
                        else:
                            last = {"id": id, "type": "error", "payload": each.body["errors"]}
            except Refused as refused:
                last = {"id": id, "type": "error", "payload": errors_of(refused)}
            if self._operations.get(id) is asyncio.current_task():
                del self._operations[id]  # before it is said: then the id is free
                await self._send(last)
        except Interrupted:
            self._end(Closing(1012, "Service restart"))
        except Exception as error:
            self._end(error)

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Raises TimeoutError when the client reads too slowly, WebSocketDisconnect when it has gone."""
        async with asyncio.timeout(self._limits.write_seconds), self._writing:
            await self._websocket.send_text(orjson.dumps(message).decode())


def _id(message: Mapping[str, Any]) -> str:
    given = message.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_ID:
        raise Closing(4400, f"An id is a text of 1 to {_LONGEST_ID} characters")
    return given


def _token(payload: Mapping[str, Any]) -> str | None:
    """The token in the payload of connection_init: `authorization: "Bearer …"`, in any case, or `token`."""
    given = {name.lower(): value for name, value in payload.items()}
    authorization, token = given.get("authorization"), given.get("token")
    if isinstance(authorization, str) and (found := callers.bearer(authorization)) is not None:
        return found
    return token if isinstance(token, str) and token else None
