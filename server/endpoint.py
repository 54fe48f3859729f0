"""The GraphQL endpoint: finds the portal, reads the session, runs the operation, answers."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.context import Context, Facilities
from rules.broken import Language
from schema.root import schema
from server import answers, graphiql, requests
from server.requests import MediaType, Operation, Refused
from server.settings import Settings
from tenants.portals import Portals
from tenants.sessions import Client

_log = structlog.get_logger("kontor.requests")

Answer = TypeVar("Answer")

COOKIE = "__Host-kontor"
CSRF_HEADER = "x-kontor-csrf"

_READS = (OperationType.QUERY,)
_ALL = (OperationType.QUERY, OperationType.MUTATION)


@dataclass(slots=True)
class Endpoint:
    """`/graphql` at a portal's host and `/portals/{slug}/graphql` on any host."""

    settings: Settings
    facilities: Facilities
    portals: Portals

    async def handle(self, request: Request) -> Response:
        """Answer a request for either address."""
        media: MediaType = requests.JSON
        try:
            if not requests.wants_html(request):
                media = requests.media_type(request)
            tenant_id = await self.tenant(request)
            if requests.wants_html(request):
                return await graphiql.page(request, self.settings, self.facilities.database, tenant_id)
            operation = await self._operation(request)
            context = self._context(request, tenant_id)
        except Refused as refused:
            return _refuse(request, refused, media)
        except ClientDisconnect:
            return nobody_reads(request)
        except Exception as error:
            return answers.of_fault(error, media, request_id=request.state.request_id)[0]
        return await self._run(request, operation, context, media)

    async def tenant(self, request: Request) -> UUID:
        """The tenant that a request is for, from its path or its host. Raises Refused (404)."""
        slug = request.path_params.get("slug")
        if slug is not None:
            tenant_id = await self.portals.by_slug(slug)
        else:
            tenant_id = await self.portals.by_host(request.headers.get("host", ""))
        if tenant_id is None:
            raise Refused(HTTPStatus.NOT_FOUND, "PORTAL_NOT_FOUND", "There is no portal at this address.")
        return tenant_id

    async def _operation(self, request: Request) -> Operation:
        try:
            async with asyncio.timeout(self.settings.request_deadline_seconds):
                return await requests.operation(request, most_bytes=self.settings.max_body_bytes)
        except TimeoutError:
            raise Refused(
                HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body took too long to arrive."
            ) from None

    def _context(self, request: Request, tenant_id: UUID) -> Context:
        csrf = CSRF_HEADER in request.headers and _same_origin(request)
        return Context(
            self.facilities,
            tenant_id,
            token=_token(request),
            language=language_of(request),
            request_id=request.state.request_id,
            client=Client(_address(request), request.headers.get("user-agent", "")),
            cookies_allowed=csrf,
            introspection_allowed=bool(self.settings.introspection),
        )

    async def _run(
        self, request: Request, operation: Operation, context: Context, media: MediaType
    ) -> Response:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.settings.request_deadline_seconds):
                result = await while_connected(request, self._execute(request, operation, context))
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
        _log.info(
            "operation",
            request_id=context.request_id,
            portal=context.known_portal.slug if context.known_portal else None,
            viewer=str(context.viewer.actor_id) if context.viewer else None,
            viewed_by=str(context.viewer.viewed_by) if context.viewer and context.viewer.viewed_by else None,
            operation=operation.operation_name,
            status=int(response.status_code),
            codes=codes,
            statements=context.statements,
            ms=round((time.perf_counter() - started) * 1_000, 1),
        )
        return response

    async def _execute(self, request: Request, operation: Operation, context: Context) -> ExecutionResult:
        try:
            return await schema.execute(
                operation.query,
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
                    HTTPStatus.BAD_REQUEST, "OPERATION_NOT_SUPPORTED", "Subscriptions do not run here."
                ) from None
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Mutations need POST.", {"Allow": "POST"}
            ) from None


async def while_connected(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do the work unless the client goes away: then its SQL is cancelled and what it wrote rolled back.

    Raises ClientDisconnect.
    """
    running, watching = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise ClientDisconnect
        return running.result()
    finally:
        running.cancel()
        watching.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def nobody_reads(request: Request) -> Response:
    """What is left to say to a client that has gone: nothing, but the log knows."""
    _log.info("gone", request_id=request.state.request_id)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _refuse(request: Request, refused: Refused, media: MediaType) -> Response:
    _log.info(
        "refused", request_id=request.state.request_id, status=int(refused.status), codes=[refused.code]
    )
    return answers.of_refusal(refused, media)


def _token(request: Request) -> str | None:
    """The session's token, from the Authorization header or, guarded against forgery, from the cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    if CSRF_HEADER not in request.headers or not _same_origin(request):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "CSRF",
            "A session by cookie needs the header X-Kontor-Csrf and our own origin.",
        )
    return cookie


def _address(request: Request) -> str:
    """From where the request came: the peer, or what a trusted proxy says of it."""
    return request.client.host if request.client else ""


def _same_origin(request: Request) -> bool:
    """Whether a browser sent this from a page of this very host; programs send no origin."""
    origin = request.headers.get("origin")
    host = request.headers.get("host", "").lower()
    return origin is None or origin.lower() in (f"http://{host}", f"https://{host}")


def language_of(request: Request) -> Language | None:
    """The first of our languages in the Accept-Language header, None when it names none of them."""
    accepted = request.headers.get("accept-language", "")
    names = (each.split("-")[0] for each in requests.by_preference(accepted))
    return next((Language(name) for name in names if name in set(Language)), None)


def _set_cookie(response: Response, token: str, seconds: int) -> None:
    same_site: Literal["strict"] = "strict"
    if token:
        response.set_cookie(COOKIE, token, max_age=seconds, secure=True, httponly=True, samesite=same_site)
    else:
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite=same_site)
