"""The application: its routes are its table of contents."""

import gc
import re
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.connections import Database
from db.tracing import Tracer
from resolvers.context import Facilities
from resolvers.reports import REPORTS
from rules.budgets import Budget
from schema.root import sdl
from server import answers, graphiql
from server.downloads import Downloads
from server.endpoint import Endpoint
from server.health import Readiness, healthz
from server.large_bodies import LargeBodies
from server.live import Connections
from server.metrics import Exposition, Metrics
from server.origins import crossing
from server.requests import JSON, Refused
from server.settings import Settings
from server.storing import open_storage
from server.uploads import Uploads
from tenants.beside import Beside
from tenants.budgets import Budgets
from tenants.passwords import Passwords
from tenants.portals import Portals
from tenants.storage import Storage
from tenants.trusted_documents import TrustedDocuments
from tenants.watches import Bounds, Watches

_BEGINNINGS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
# A large answer is some ten thousand objects, which all live until it is written, and several are made at once: looking
# for garbage among them finds none. What is really thrown away in circles is a hundred objects a request.
_YOUNG = 100_000
# The event loop asks a thread that computes to let it go on, at every step that waited for something; 5 ms are usual.
_SWITCH_SECONDS = 0.0002
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def create(
    settings: Settings, database: Database, passwords: Passwords, storage: Storage | None = None
) -> Starlette:
    """The application over an open database; both are closed by whoever opened them. The storage is the one that the
    settings name, unless another is given. Raises StorageUnavailable."""
    facilities = facilities_of(settings, database, passwords, storage or open_storage(settings))
    connections = Connections(settings.live_most)
    large_bodies = LargeBodies()
    metrics = Metrics(facilities, connections, large_bodies)
    trusted = TrustedDocuments(database, graphiql.documents())
    endpoint = Endpoint(settings, facilities, Portals(database), trusted, connections, metrics, large_bodies)
    graphql = crossing(endpoint, endpoint.handle, "GET, POST")
    download = crossing(endpoint, Downloads(endpoint, REPORTS).handle, "GET")
    upload = crossing(endpoint, Uploads(endpoint).handle, "PUT")

    # Methods are the endpoint's to refuse: an address without a portal is unknown to all of them.
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    async def schema_text(request: Request) -> Response:
        try:
            found = await endpoint.portals.by_slug(request.path_params["slug"])
        except Exception as error:
            return answers.of_fault(error, JSON, request_id=request.state.request_id)[0]
        if found is None or not settings.introspection:
            return await not_found(request, None)
        headers = {"cache-control": "no-store"}  # it may be withdrawn by a setting
        return PlainTextResponse(sdl(), headers=headers, media_type="application/graphql")

    app = Starlette(
        routes=[
            Route("/graphql", graphql, methods=every),
            Route("/portals/{slug}/graphql", graphql, methods=every),
            WebSocketRoute("/graphql", endpoint.socket),
            WebSocketRoute("/portals/{slug}/graphql", endpoint.socket),
            Route("/portals/{slug}/schema.graphql", schema_text),
            Route("/downloads/{link}", download),
            Route("/portals/{slug}/downloads/{link}", download),
            Route("/uploads/{ticket}", upload, methods=["PUT", "OPTIONS"]),
            Route("/portals/{slug}/uploads/{ticket}", upload, methods=["PUT", "OPTIONS"]),
            Mount("/graphiql", graphiql.assets()),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(database).check),
            *([Route("/metrics", Exposition(settings, metrics).handle)] if settings.tells_metrics else []),
        ],
        middleware=[Middleware(RequestId)],
        exception_handlers={
            HTTPStatus.NOT_FOUND: not_found,
            HTTPStatus.METHOD_NOT_ALLOWED: method_not_allowed,
        },
    )
    app.state.facilities = facilities
    app.state.metrics = metrics
    app.state.watches = facilities.watches  # whoever ends the process ends them first
    app.router.redirect_slashes = False  # the address would be made from the Host header
    return app


def facilities_of(
    settings: Settings, database: Database, passwords: Passwords, storage: Storage
) -> Facilities:
    """What all operations of a process share."""
    return Facilities(
        database=database,
        passwords=passwords,
        watches=Watches(
            settings.database_url,
            Bounds(
                check_seconds=settings.live_check_seconds,
                most_per_session=settings.live_most_per_session,
                most=settings.live_most,
                readers=max(1, settings.pool_size // 3),
            ),
        ),
        budgets=Budgets(
            database,
            viewer=Budget(settings.budget_units, settings.budget_per_second),
            portal=Budget(settings.portal_budget_units, settings.portal_budget_per_second),
        ),
        beside=Beside(),
        storage=storage,
        cursor_key=settings.cursor_key,
        session_minutes=round(settings.session_hours * 60),
        base_domain=settings.base_domain,
        private_targets=settings.webhook_private_targets,
        compiled=settings.compiled,
        portal_address=settings.portal_address,
    )


async def not_found(_request: Request, _error: Exception | None) -> Response:
    """Even an address that is nothing answers as GraphQL JSON does."""
    return answers.of_refusal(Refused(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Nothing is at this address."), JSON)


async def method_not_allowed(request: Request, _error: Exception) -> Response:
    """And so does a method that is not for an address."""
    asked = request.url.path
    allowed = "GET, POST" if asked.endswith("/graphql") else "PUT" if "/uploads/" in asked else "GET"
    refused = Refused(
        HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"Use {allowed}.", {"Allow": allowed}
    )
    return answers.of_refusal(refused, JSON)


class RequestId:
    """Gives every request an id, the client's own if it sent a sane one, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = HTTPConnection(scope).headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] in _BEGINNINGS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)


@asynccontextmanager
async def running(settings: Settings, tracer: Tracer | None = None) -> AsyncIterator[Starlette]:
    """The application with everything that it needs opened, and closed at the end; its database tells the tracer.

    The database may come later than the server: connections are opened when they are needed.
    """
    database = await Database.open(
        settings.database_url,
        size=settings.pool_size,
        wait_seconds=settings.pool_wait_seconds,
        statement_timeout_ms=settings.statement_timeout_ms,
        shared=True,
        tracer=tracer,
    )
    passwords = Passwords()
    app = create(settings, database, passwords)
    try:
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked at again
        gc.set_threshold(_YOUNG)
        sys.setswitchinterval(_SWITCH_SECONDS)
        yield app
    finally:
        await app.state.watches.close()
        passwords.close()
        await database.close()
