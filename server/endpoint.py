"""The GraphQL endpoint: finds the portal, reads the session, runs the operation, answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Literal, TypeVar
from uuid import UUID

import structlog
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from db.entrances import Entrance
from execution.limits import ROOT_FIELD
from resolvers.context import Context, Facilities
from rules.budgets import RateLimited
from rules.trusted_documents import PersistedDocumentNotFound, TrustedDocumentRequired
from schema.root import schema
from server import answers, callers, graphiql, live, requests, sockets
from server.large_bodies import LARGE_BYTES, LargeBodies, price
from server.live import Connections
from server.metrics import Kind, Metrics
from server.requests import MediaType, Operation, Refused, Sent
from server.settings import Settings
from server.streams import EventStream
from server.telemetry import Ended
from tenants.portals import Portals
from tenants.sessions import Client
from tenants.trusted_documents import TrustedDocuments

_log = structlog.get_logger("kontor.requests")

Answer = TypeVar("Answer")

_READS = (OperationType.QUERY,)
_ALL = (OperationType.QUERY, OperationType.MUTATION)
_KINDS: dict[bool | None, Kind] = {None: "none", False: "query", True: "mutation"}


@dataclass(slots=True)
class Endpoint:
    """`/graphql` at a portal's host and `/portals/{slug}/graphql` on any host."""

    settings: Settings
    facilities: Facilities
    portals: Portals
    trusted: TrustedDocuments
    connections: Connections
    metrics: Metrics
    large_bodies: LargeBodies

    async def handle(self, request: Request) -> Response:
        """Answer a request for either address."""
        with self.metrics.in_flight():
            return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        media: MediaType = requests.JSON
        as_events = requests.wants_events(request)
        try:
            if not as_events and not requests.wants_html(request):
                media = requests.media_type(request)
            tenant_id = await self.tenant(request)
            if requests.wants_html(request):
                return await graphiql.page(request, self.settings, self.facilities.database, tenant_id)
            sent = await self._sent(request)
            context = self._context(request, tenant_id, callers.token(request))
            if as_events:
                request.state.ended = Ended("subscription", (), context)
                return await self._stream(request, sent, context)
        except Refused as refused:
            return _refuse(request, refused, media)
        except ClientDisconnect:
            return nobody_reads(request)
        except Exception as error:
            return answers.of_fault(error, media, request_id=request.state.request_id)[0]
        return await self._run(request, sent, context, media)

    async def socket(self, websocket: WebSocket) -> None:
        """Talk to a WebSocket at either address."""
        try:
            tenant_id = await self.tenant(websocket)
            self.connections.check_room(tenant_id)
        except Refused as refused:
            await websocket.send_denial_response(_refuse(websocket, refused, requests.JSON))
            return
        except Exception as error:
            response, _ = answers.of_fault(error, requests.JSON, request_id=websocket.state.request_id)
            await websocket.send_denial_response(response)
            return
        limits = sockets.Limits(
            most_bytes=sockets.most_bytes(self.settings.max_body_bytes),
            most_operations=self.settings.live_most_per_session,
            init_seconds=self.settings.live_init_seconds,
            idle_seconds=self.settings.live_idle_seconds,
            write_seconds=self.settings.live_write_seconds,
        )
        with self.connections.one(tenant_id):
            await sockets.Socket(
                websocket,
                limits,
                lambda token: self._context(websocket, tenant_id, token),
                lambda operation, context: self._document(websocket, operation, context),
                self.metrics,
            ).serve()

    async def tenant(self, request: HTTPConnection) -> UUID:
        """The tenant that a request is for, from its path or its host. Raises Refused (404)."""
        return (await self.entrance(request)).tenant_id

    async def entrance(self, request: HTTPConnection) -> Entrance:
        """The portal that a request is for, likewise."""
        slug = request.path_params.get("slug")
        if slug is not None:
            found = await self.portals.by_slug(slug)
        else:
            found = await self.portals.by_host(request.headers.get("host", ""))
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, "PORTAL_NOT_FOUND", "There is no portal at this address.")
        return found

    async def _document(self, request: HTTPConnection, operation: Operation, context: Context) -> str:
        """The text that an operation is to run, which the portal lets in. Raises Refused, and RateLimited for whoever
        cannot pay for the looking."""
        pay = partial(context.costs.spend, ROOT_FIELD)
        try:
            if operation.document_id is not None:
                return await self.trusted.text(context.tenant_id, operation.document_id, pay)
            assert operation.query is not None, "an operation has either"
            await self.trusted.check(await self.entrance(request), operation.query, context.token, pay)
            return operation.query
        except (PersistedDocumentNotFound, TrustedDocumentRequired) as rule:
            raise Refused(HTTPStatus.BAD_REQUEST, rule.code(), rule.message(context.language)) from None

    async def _sent(self, request: Request) -> Sent:
        try:
            async with asyncio.timeout(self.settings.request_deadline_seconds):
                return await requests.sent(request, most_bytes=self.settings.max_body_bytes)
        except TimeoutError:
            raise Refused(
                HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body took too long to arrive."
            ) from None

    @asynccontextmanager
    async def _taken_apart(self, sent: Sent, context: Context) -> AsyncIterator[Operation]:
        """The operation that was sent, to be run inside of the block. What is large is paid first, and then takes turns:
        whoever cannot pay keeps nobody waiting. Raises Refused."""
        if sent.size < LARGE_BYTES:
            yield sent.operation()
            return
        await context.costs.spend(price(sent.size), besides=True)
        async with self.large_bodies.one(context.tenant_id):
            context.costs.refuse_at_once()
            yield sent.operation()

    def _context(self, request: HTTPConnection, tenant_id: UUID, token: str | None) -> Context:
        return Context(
            self.facilities,
            tenant_id,
            token=token,
            language=callers.language(request),
            request_id=request.state.request_id,
            client=Client(callers.address(request), request.headers.get("user-agent", "")),
            cookies_allowed=callers.cookies_allowed(request),
            introspection_allowed=bool(self.settings.introspection),
        )

    async def _stream(self, request: Request, sent: Sent, context: Context) -> Response:
        """A subscription as server-sent events. Raises Refused when there is no room for another."""
        self.connections.check_room(context.tenant_id)
        try:
            async with self._taken_apart(sent, context) as operation:
                pass  # what it tells later is for nobody to wait for
        except RateLimited as refused:
            told, _ = answers.of_result(
                _unpaid(refused, context),
                requests.JSON,
                language=context.language,
                request_id=context.request_id,
            )
            return told
        return EventStream(
            live.told(
                operation,
                context,
                lambda: self._document(request, operation, context),
                self.metrics,
                over="sse",
            ),
            self.connections.one(context.tenant_id),
            heartbeat_seconds=self.settings.live_heartbeat_seconds,
            write_seconds=self.settings.live_write_seconds,
        )

    async def _run(self, request: Request, sent: Sent, context: Context, media: MediaType) -> Response:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.settings.request_deadline_seconds):
                result = await while_connected(request, self._execute(request, sent, context))
            response, codes = answers.of_result(
                result, media, language=context.language, request_id=context.request_id
            )
        except Refused as refused:
            return _refuse(request, refused, media)
        except ClientDisconnect:
            return nobody_reads(request)
        except Exception as error:
            response, code = answers.of_fault(error, media, request_id=context.request_id)
            codes = [code]
        if context.new_cookie is not None:
            _set_cookie(response, context.new_cookie, context.facilities.session_minutes * 60)
        seconds = time.perf_counter() - started
        kind = _KINDS[context.mutation]
        self.metrics.ended(kind, codes, context.statements, seconds)
        request.state.ended = Ended(kind, codes, context)
        _log.info(
            "operation",
            **answers.logged(context),
            status=int(response.status_code),
            codes=codes,
            statements=context.statements,
            ms=round(seconds * 1_000, 1),
        )
        return response

    async def _execute(self, request: Request, sent: Sent, context: Context) -> ExecutionResult:
        try:
            async with self._taken_apart(sent, context) as operation:
                text = await self._document(request, operation, context)
                return await self._operate(request, text, operation, context)
        except RateLimited as refused:
            return _unpaid(refused, context)

    async def _operate(
        self, request: Request, text: str, operation: Operation, context: Context
    ) -> ExecutionResult:
        try:
            return await schema.execute(
                text,
                operation.variables,
                context,
                operation_name=operation.operation_name,
                allowed_operation_types=_READS if request.method == "GET" else _ALL,
            )
        except CannotGetOperationTypeError:
            raise Refused(
                HTTPStatus.BAD_REQUEST, "OPERATION_NOT_FOUND", "The document has no operation of this name."
            ) from None
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION or request.method != "GET":
                raise Refused(
                    HTTPStatus.BAD_REQUEST,
                    "OPERATION_NOT_SUPPORTED",
                    "Subscriptions need a WebSocket or Accept: text/event-stream.",
                ) from None
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Mutations need POST.", {"Allow": "POST"}
            ) from None


def _unpaid(refused: RateLimited, context: Context) -> PreExecutionError:
    """What is answered to whoever cannot pay for the looking."""
    error = GraphQLError("", original_error=refused)
    return PreExecutionError(None, [error], {"cost": context.costs.told()})


async def while_connected(request: Request, work: Awaitable[Answer]) -> Answer:
    """Do the work unless the client goes away: then its SQL is cancelled and what it wrote rolled back.

    Raises ClientDisconnect.
    """
    async with asyncio.timeout(None) as staying:
        watching = asyncio.create_task(_watch(request, staying))
        try:
            return await work
        except BaseException:
            if staying.expired():
                raise ClientDisconnect from None
            raise
        finally:
            watching.cancel()


async def _watch(request: Request, staying: asyncio.Timeout) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    staying.reschedule(0)  # which is long ago


def nobody_reads(request: Request) -> Response:
    """What is left to say to a client that has gone: nothing, but the log knows."""
    _log.info("gone", request_id=request.state.request_id)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _refuse(request: HTTPConnection, refused: Refused, media: MediaType) -> Response:
    _log.info(
        "refused", request_id=request.state.request_id, status=int(refused.status), codes=[refused.code]
    )
    return answers.of_refusal(refused, media)


def _set_cookie(response: Response, token: str, seconds: int) -> None:
    same_site: Literal["strict"] = "strict"
    if token:
        response.set_cookie(
            callers.COOKIE, token, max_age=seconds, secure=True, httponly=True, samesite=same_site
        )
    else:
        response.delete_cookie(callers.COOKIE, secure=True, httponly=True, samesite=same_site)
