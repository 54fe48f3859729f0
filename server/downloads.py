"""Downloads: what a signed link gives. The file is made whole, then sent: no reader, however slow, holds a connection
to the database, and what goes wrong is told with a status."""

import asyncio
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import quote
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from db.isolation import Mode
from db.portals import Portal
from rules.broken import BrokenRule, Language
from rules.downloads import (
    MOST_AT_ONCE,
    DownloadExpired,
    DownloadFormat,
    DownloadTooLarge,
    DownloadUnknown,
    TooManyDownloads,
)
from rules.permissions import MissingPermission, Unauthenticated
from rules.prints import PrintTooLong, TooManyPrints
from server import answers, callers, printing
from server.endpoint import Endpoint, nobody_reads, while_connected
from server.file_names import safe
from server.requests import JSON, Refused
from server.spreadsheets import KINDS
from tenants import downloads
from tenants.downloads import Asker, Bundle, Link, Prints, Report, in_language

_log = structlog.get_logger("kontor.downloads")

_CHUNK_BYTES = 64 * 1024
_STATUSES: dict[type[BrokenRule], HTTPStatus] = {
    DownloadUnknown: HTTPStatus.NOT_FOUND,
    DownloadExpired: HTTPStatus.GONE,
    DownloadTooLarge: HTTPStatus.UNPROCESSABLE_ENTITY,
    PrintTooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyPrints: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyDownloads: HTTPStatus.TOO_MANY_REQUESTS,
    Unauthenticated: HTTPStatus.FORBIDDEN,  # no header of the request would help
    MissingPermission: HTTPStatus.FORBIDDEN,
}
_RETRY_SECONDS = 5
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
    "referrer-policy": "no-referrer",
}


@dataclass(slots=True)
class Downloads:
    """`/downloads/{link}` at a portal's host and `/portals/{slug}/downloads/{link}` on any host."""

    endpoint: Endpoint
    reports: Mapping[str, Report | Prints]
    _making: asyncio.Semaphore = field(init=False)
    _pressing: asyncio.Semaphore = field(init=False)
    _by_session: Counter[UUID] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        """So many files are made at once, which leaves the other connections to requests."""
        self._making = asyncio.Semaphore(max(1, self.endpoint.settings.pool_size // 3))
        self._pressing = asyncio.Semaphore(printing.MOST_PRESSES)

    async def handle(self, request: Request) -> Response:
        """Answer a request for either address."""
        language = callers.language(request) or Language.ENGLISH
        deadline = asyncio.get_running_loop().time() + self.endpoint.settings.request_deadline_seconds
        try:
            async with asyncio.timeout_at(deadline):
                given, report = await self._read(request)
                language = given.language
                made = await while_connected(request, self._made(given, report))
        except BrokenRule as rule:
            headers = {"Retry-After": str(_RETRY_SECONDS)} if isinstance(rule, TooManyDownloads) else {}
            refused = Refused(_STATUSES[type(rule)], rule.code(), rule.message(language), headers)
            return _refuse(request, refused)
        except Refused as refused:
            return _refuse(request, refused)
        except ClientDisconnect:
            return nobody_reads(request)
        except Exception as error:
            return answers.of_fault(error, JSON, request_id=request.state.request_id)[0]
        return _File(request, made, deadline)

    async def _read(self, request: Request) -> tuple[Link, Report | Prints]:
        tenant_id = await self.endpoint.tenant(request)
        if (
            request.method == "HEAD"
        ):  # its length is known once the whole file is made: that is not for nothing
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Use GET.", {"Allow": "GET"})
        key = self.endpoint.facilities.cursor_key
        given = downloads.read(key, request.path_params["link"], tenant_id, now=datetime.now(UTC))
        report = self.reports.get(given.report)
        if report is None:  # signed by another version of the server
            raise DownloadUnknown
        return given, report

    async def _made(self, given: Link, report: Report | Prints) -> "_Made":
        """What the link stands for, as an open file that has no name any more."""
        async with self._turn(given.session_id):
            with tempfile.TemporaryDirectory(prefix="kontor-") as folder:
                if isinstance(report, Prints):
                    return await self._printed(Path(folder), given, report)
                return await self._written(Path(folder), given, report)

    async def _written(self, folder: Path, given: Link, report: Report) -> "_Made":
        """Tables, which are read while they are written."""
        kind = KINDS[DownloadFormat(given.format)]
        async with self._asking(given, report) as (portal, asker):
            sheets = await report.sheets(asker, given.filter)
            path = await kind.write(folder, sheets, given.language)
        title = in_language(report.title, given.language)
        name = f"{title} {portal.name} {datetime.now(UTC).date()}.{kind.ending}"
        return _Made(path.open("rb"), name, kind.media_type)

    async def _printed(self, folder: Path, given: Link, prints: Prints) -> "_Made":
        """Documents, which are read whole: whoever waits for the press holds no connection."""
        async with self._asking(given, prints) as (_, asker):
            found = await prints.documents(asker, given.filter)
        async with self._pressing:
            if isinstance(found, Bundle):
                path = await printing.write_zip(folder, found, given.language)
                return _Made(path.open("rb"), f"{found.name}.zip", "application/zip")
            path = await printing.write_pdf(folder, found)
            return _Made(path.open("rb"), f"{found.name}.pdf", "application/pdf")

    @asynccontextmanager
    async def _asking(self, given: Link, report: Report | Prints) -> AsyncIterator[tuple[Portal, Asker]]:
        """A snapshot in which whoever holds the link still may see what it stands for."""
        database = self.endpoint.facilities.database
        async with database.transaction(Mode.SNAPSHOT, given.tenant_id) as connection:
            portal, viewer = await downloads.check(connection, given, report)
            yield portal, Asker(connection, viewer, given.language, given.format)

    @asynccontextmanager
    async def _turn(self, session_id: UUID) -> AsyncIterator[None]:
        """Wait until a file may be made. Raises TooManyDownloads; who waits counts too, or one session's
        requests would keep all others waiting."""
        if self._by_session[session_id] >= MOST_AT_ONCE:
            raise TooManyDownloads(most=MOST_AT_ONCE)
        self._by_session[session_id] += 1
        try:
            async with self._making:
                yield
        finally:
            self._by_session[session_id] -= 1
            if not self._by_session[session_id]:
                del self._by_session[session_id]


@dataclass(frozen=True, slots=True)
class _Made:
    """An open file, the name that people see, and what it is."""

    file: IO[bytes]
    name: str
    media_type: str


class _File(Response):
    """Sends an open file in chunks until the deadline, and closes it."""

    def __init__(self, request: Request, made: _Made, deadline: float) -> None:
        super().__init__(
            media_type=made.media_type, headers={**_HEADERS, "content-disposition": disposition(made.name)}
        )
        self._file, self._deadline, self._started = made.file, deadline, time.perf_counter()
        self._bytes = made.file.seek(0, 2)
        self._request_id: str = request.state.request_id
        made.file.seek(0)
        self.headers["content-length"] = str(self._bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry. A reader who is too slow gets a part, which is shorter than its Content-Length."""
        sent = 0
        with self._file:
            try:
                async with asyncio.timeout_at(self._deadline):
                    start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                    await send(start)
                    while chunk := self._file.read(_CHUNK_BYTES):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                        sent += len(chunk)
                    await send({"type": "http.response.body", "body": b""})
            except TimeoutError:
                _log.warning("too slow", request_id=self._request_id, bytes=self._bytes, sent=sent)
                return
        ms = round((time.perf_counter() - self._started) * 1_000, 1)
        _log.info("download", request_id=self._request_id, bytes=self._bytes, ms=ms)


def disposition(name: str) -> str:
    """A Content-Disposition with a name in ASCII and, for programs of this century, in full (RFC 6266, RFC 8187)."""
    name = safe(name)
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = safe(plain)  # of a fullwidth quotation mark NFKD makes a real one
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _refuse(request: Request, refused: Refused) -> Response:
    _log.info(
        "refused", request_id=request.state.request_id, status=int(refused.status), codes=[refused.code]
    )
    response = answers.of_refusal(refused, JSON)
    response.headers.update(_HEADERS)
    return response
