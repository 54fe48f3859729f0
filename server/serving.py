"""Serving: the process around the application, and the database under it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db import migrations, roles
from db.connections import Database
from db.embedded import Cluster
from server import workers
from server.app import running
from server.settings import EMBEDDED_DATABASE, Settings
from server.slow_clients import Patience, protocol
from server.sockets import most_bytes
from server.telemetry import telling, tracing

if TYPE_CHECKING:
    from server.spans import Spans

_GRACE_SECONDS = 10
_SCRATCH = "kontor_drift"


async def serve(settings: Settings, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is in flight. `ready` is called once it listens."""
    with tracing(settings) as spans:
        await _serve(settings, spans, ready)


async def _serve(settings: Settings, spans: "Spans | None", ready: Callable[[], None]) -> None:
    async with (
        running(settings, spans) as app,
        workers.beside(settings, app.state.facilities, app.state.metrics, spans),
    ):
        config = uvicorn.Config(
            _surrounded(app, settings, spans),
            http=protocol(Patience(settings.head_seconds, settings.read_seconds)),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # see _surrounded
            timeout_graceful_shutdown=_GRACE_SECONDS,
            lifespan="off",
            ws_max_size=most_bytes(settings.max_body_bytes),
            ws_per_message_deflate=False,  # costs memory for every socket, and events are small
        )
        with telling(settings, app.state.metrics):
            await Server(config, ready=ready, before_shutdown=app.state.watches.close).serve()


def _surrounded(app: ASGIApp, settings: Settings, spans: "Spans | None") -> Any:
    """The application behind what believes the headers of trusted proxies, and outside of that the traces: they have
    to know who is really there."""
    if settings.trusted_proxies:
        app = ProxyHeadersMiddleware(app, settings.trusted_proxies)  # type: ignore[assignment, arg-type]
    return app if spans is None else spans.around(app)


class Server(uvicorn.Server):
    """Tells once that it listens, and ends what would never end by itself before it waits for what is in flight.

    Sockets are closed with 1012 then, by themselves or by uvicorn: their clients connect anew.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        before_shutdown: Callable[[], Awaitable[None]],
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._before_shutdown = before_shutdown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._before_shutdown()
        await super().shutdown(sockets)


async def open_database(settings: Settings, url: str | None = None) -> Database:
    """A small pool for work from the command line, as the server's role or at another URL."""
    return await Database.open(url or settings.database_url, size=2, wait_seconds=10)


def bring_up(settings: Settings, cluster: Cluster) -> None:
    """Start the embedded PostgreSQL and make sure of its roles, database and tables."""
    cluster.up()
    asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), EMBEDDED_DATABASE))
    assert settings.migration_database_url is not None
    migrations.upgrade(settings.migration_database_url)


async def prepare(settings: Settings, admin_url: str, migration_url: str) -> None:
    """Make roles and database on another PostgreSQL; names and passwords are those in the settings' URLs."""
    server, migration = urlsplit(settings.database_url), urlsplit(migration_url)
    passwords = (each.password and unquote(each.password) for each in (server, migration))
    await roles.prepare(admin_url, unquote(server.path.removeprefix("/")), *passwords)


def drift(cluster: Cluster) -> str | None:
    """What the code's tables and the migrations disagree on, asked of a database made for the question."""
    was_running = cluster.running
    cluster.up()
    try:
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), _SCRATCH))
        url = cluster.url(roles.MIGRATION, _SCRATCH)
        migrations.upgrade(url)
        found = migrations.drift(url)
        asyncio.run(roles.drop_database(cluster.url("postgres", "postgres"), _SCRATCH))
        return found
    finally:
        if not was_running:
            cluster.down()
