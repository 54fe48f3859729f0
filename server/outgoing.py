"""Outgoing HTTP: to addresses that strangers have given, so only to public ones, without redirects, for seconds only."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from rules.webhooks import STANDARD_PORTS, Target, WebhookUrlInvalid, target
from tenants import targets

_CONNECT_SECONDS = 5.0
_LONGEST_ANSWER = 2_000
_MOST_ADDRESSES = 3
_MOST_CONNECTIONS = 200  # as many as a worker does jobs at once


class NotSent(Exception):
    """There is no answer; the text says why, for whoever gave the address."""


@dataclass(slots=True, frozen=True)
class Answer:
    """What the other side has said: its status and the beginning of the body."""

    status: int
    body: str


class _Guard(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was looked at: the name is not asked for a second time."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Called by httpcore. Raises WebhookUrlInvalid."""
        failed: Exception = httpcore.ConnectError(host)
        for address in (await targets.addresses(host, port, private=self._private))[:_MOST_ADDRESSES]:
            try:
                return await self._real.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's)
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise WebhookUrlInvalid(what=path)

    async def sleep(self, seconds: float) -> None:
        """Called by httpcore."""
        await self._real.sleep(seconds)


def _host(to: Target) -> str:
    """As the header has it: httpcore writes IPv6 addresses without brackets."""
    host = f"[{to.host}]" if ":" in to.host else to.host
    return host if to.port == STANDARD_PORTS[to.scheme] else f"{host}:{to.port}"


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


class Outgoing:
    """Sends to the world. Connections are not kept: each message goes to an address that was looked at for it."""

    def __init__(self, *, private: bool, seconds: float, trusted: ssl.SSLContext | None = None) -> None:
        self._private = private
        self._seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted or ssl.create_default_context(),
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=0,
            network_backend=_Guard(private=private),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and read the beginning of the answer. Redirects are answers as others are. Raises NotSent."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(url, body, headers)
        except TimeoutError:
            raise NotSent(f"no answer within {self._seconds:g} seconds") from None
        except WebhookUrlInvalid as refused:
            raise NotSent(refused.message()) from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NotSent(f"no connection: {_said(error)}") from None
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise NotSent(f"the connection broke: {_said(error)}") from None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        to = target(url, private=self._private)
        limits = {"connect": min(_CONNECT_SECONDS, self._seconds), "read": None, "write": None, "pool": None}
        address = httpcore.URL(
            scheme=to.scheme.encode(), host=to.host.encode(), port=to.port, target=to.path.encode()
        )
        async with self._pool.stream(
            "POST",
            address,
            content=body,
            headers=[("Host", _host(to)), *headers.items(), ("Content-Length", str(len(body)))],
            extensions={"timeout": limits},
        ) as answer:
            read = b""
            async for part in answer.aiter_stream():
                read += part
                if len(read) >= _LONGEST_ANSWER:
                    break
        text = read[:_LONGEST_ANSWER].decode(errors="replace").replace("\0", "\ufffd")
        return Answer(answer.status, text)
