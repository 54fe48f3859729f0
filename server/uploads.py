"""Uploads: takes in what was announced, where senders cannot write to the storage themselves."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from db.isolation import Mode
from rules.broken import BrokenRule, Language
from rules.permissions import MissingPermission, Unauthenticated
from rules.uploads import (
    MOST_AT_ONCE,
    TooManyArriving,
    UploadChecksumWrong,
    UploadContentWrong,
    UploadExpired,
    UploadSizeWrong,
    UploadUnknown,
    UploadUsed,
)
from server import answers, callers
from server.downloads import HEADERS, RETRY_SECONDS, refuse
from server.endpoint import Endpoint, nobody_reads
from server.requests import JSON, Refused
from server.turns import Turns
from tenants import uploads

_log = structlog.get_logger("kontor.uploads")

_STATUSES: dict[type[BrokenRule], HTTPStatus] = {
    UploadUnknown: HTTPStatus.NOT_FOUND,
    UploadExpired: HTTPStatus.GONE,
    UploadUsed: HTTPStatus.CONFLICT,
    UploadSizeWrong: HTTPStatus.UNPROCESSABLE_ENTITY,
    UploadChecksumWrong: HTTPStatus.UNPROCESSABLE_ENTITY,
    UploadContentWrong: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyArriving: HTTPStatus.TOO_MANY_REQUESTS,
    Unauthenticated: HTTPStatus.FORBIDDEN,  # no header of the request would help
    MissingPermission: HTTPStatus.FORBIDDEN,
}


@dataclass(slots=True)
class Uploads:
    """`PUT /uploads/{ticket}` at a portal's host and `/portals/{slug}/uploads/{ticket}` on any host."""

    endpoint: Endpoint
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        """Each that arrives takes memory for its parts."""
        self._turns = Turns(MOST_AT_ONCE, TooManyArriving)

    async def handle(self, request: Request) -> Response:
        """Answer a request for either address."""
        language = callers.language(request) or Language.ENGLISH
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.endpoint.settings.transfer_deadline_seconds):
                await self._take(request)
        except BrokenRule as rule:
            headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(rule, TooManyArriving) else {}
            refused = Refused(_STATUSES[type(rule)], rule.code(), rule.message(language), headers)
            return refuse(request, refused)
        except Refused as refused:
            return refuse(request, refused)
        except ClientDisconnect:
            return nobody_reads(request)
        except TimeoutError:
            late = Refused(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The file took too long to arrive.")
            return refuse(request, late)
        except Exception as error:
            return answers.of_fault(error, JSON, request_id=request.state.request_id)[0]
        ms = round((time.perf_counter() - started) * 1_000, 1)
        _log.info("upload", request_id=request.state.request_id, ms=ms)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=HEADERS)

    async def _take(self, request: Request) -> None:
        facilities = self.endpoint.facilities
        tenant_id = await self.endpoint.tenant(request)
        if request.method != "PUT":  # a page of another host asks whether it may, and may not
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Use PUT.", {"Allow": "PUT"})
        given = uploads.read(
            facilities.cursor_key, request.path_params["ticket"], tenant_id, now=datetime.now(UTC)
        )
        with self._turns.one(given.session_id):
            async with facilities.database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
                await uploads.check(connection, given)
            await uploads.take_in(
                facilities.database, facilities.storage, tenant_id, given.upload_id, request.stream()
            )
