"""Downloads: what a signed link gives. Reports and prints are made whole, then sent; what is kept is read as it is sent. No reader,
however slow, holds a connection to the database, and what goes wrong before the first byte is told with a status."""

import asyncio
import tempfile
import time
import unicodedata
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from db.connections import Connection
from db.isolation import Mode
from db.portals import Portal
from rules.broken import BrokenRule, Language
from rules.downloads import (
    MOST_AT_ONCE,
    DownloadExpired,
    DownloadTooLarge,
    DownloadUnknown,
    TooManyDownloads,
)
from rules.permissions import MissingPermission, Unauthenticated
from rules.prints import PrintTooLong
from rules.viewers import Viewer
from server import answers, callers, printing
from server.endpoint import Endpoint, nobody_reads, while_connected
from server.file_names import safe
from server.requests import JSON, Refused
from server.spreadsheets import KINDS
from server.turns import Turns
from tenants import downloads
from tenants.downloads import Asker, Bundle, Keeping, Link, Prints, Reader, Report, in_language
from tenants.storage import StorageUnavailable, kept_at

_log = structlog.get_logger("kontor.downloads")

_CHUNK_BYTES = 64 * 1024
_STATUSES: dict[type[BrokenRule], HTTPStatus] = {
    DownloadUnknown: HTTPStatus.NOT_FOUND,
    DownloadExpired: HTTPStatus.GONE,
    DownloadTooLarge: HTTPStatus.UNPROCESSABLE_ENTITY,
    PrintTooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyDownloads: HTTPStatus.TOO_MANY_REQUESTS,
    Unauthenticated: HTTPStatus.FORBIDDEN,  # no header of the request would help
    MissingPermission: HTTPStatus.FORBIDDEN,
}
RETRY_SECONDS = 5
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
    "referrer-policy": "no-referrer",
}


@dataclass(slots=True)
class Downloads:
    """`/downloads/{link}` at a portal's host and `/portals/{slug}/downloads/{link}` on any host."""

    endpoint: Endpoint
    reports: Mapping[str, Report | Prints | Keeping]
    _making: asyncio.Semaphore = field(init=False)
    _pressing: asyncio.Semaphore = field(init=False)
    _bundling: asyncio.Semaphore = field(init=False)
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        """So many files are made at once, which leaves the other connections to requests."""
        self._making = asyncio.Semaphore(max(1, self.endpoint.settings.pool_size // 3))
        self._pressing = asyncio.Semaphore(printing.MOST_PRESSES)
        # A bundle prints for many seconds: one press is left to those who want one document.
        self._bundling = asyncio.Semaphore(printing.MOST_PRESSES - 1)
        self._turns = Turns(MOST_AT_ONCE, lambda: TooManyDownloads(most=MOST_AT_ONCE))

    async def handle(self, request: Request) -> Response:
        """Answer a request for either address."""
        language = callers.language(request) or Language.ENGLISH
        deadline = asyncio.get_running_loop().time() + self.endpoint.settings.request_deadline_seconds
        try:
            async with asyncio.timeout_at(deadline):
                given, report = await self._read(request)
                language = given.language
                if isinstance(report, Keeping):
                    return await self._fetched(request, given, report)
                file, label = await while_connected(request, self._made(given, report))
        except BrokenRule as rule:
            headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(rule, TooManyDownloads) else {}
            refused = Refused(_STATUSES[type(rule)], rule.code(), rule.message(language), headers)
            return refuse(request, refused)
        except Refused as refused:
            return refuse(request, refused)
        except ClientDisconnect:
            return nobody_reads(request)
        except Exception as error:
            return answers.of_fault(error, JSON, request_id=request.state.request_id)[0]
        return _File(request, _read_through(file), _length(file), label, deadline, opened=file)

    async def _read(self, request: Request) -> tuple[Link, Report | Prints | Keeping]:
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

    async def _made(self, given: Link, report: Report | Prints) -> tuple[IO[bytes], "_Label"]:
        """What the link stands for as an open file that has no name any more, and the name that people see."""
        with self._turns.one(given.session_id), tempfile.TemporaryDirectory(prefix="kontor-") as folder:
            if isinstance(report, Prints):
                path, label = await self._printed(Path(folder), given, report)
            else:
                path, label = await self._written(Path(folder), given, report)
            return path.open("rb"), label

    async def _written(self, folder: Path, given: Link, report: Report) -> tuple[Path, "_Label"]:
        """Tables, which are read while they are written."""
        assert given.format is not None, "a report has one"
        kind = KINDS[given.format]
        async with self._making, self._snapshot(given, report) as (connection, portal, viewer):
            asker = Asker(connection, viewer, given.language, given.format)
            sheets = await report.sheets(asker, given.filter)
            about = f"{await report.about(asker, given.filter)} " if report.about else ""
            path = await kind.write(folder, sheets, given.language)
        title = in_language(report.title, given.language)
        name = f"{title} {about}{portal.name} {datetime.now(UTC).date()}.{kind.ending}"
        return path, _Label(name, kind.media_type)

    async def _printed(self, folder: Path, given: Link, prints: Prints) -> tuple[Path, "_Label"]:
        """Documents, which are read whole: whoever waits for the press holds no connection."""
        async with self._making, self._snapshot(given, prints) as (connection, _, viewer):
            found = await prints.documents(Reader(connection, viewer, given.language), given.filter)
        if isinstance(found, Bundle):
            async with self._bundling, self._pressing:
                path = await printing.write_zip(folder, found, given.language)
            return path, _Label(f"{found.name}.zip", "application/zip")
        async with self._pressing:
            path = await printing.write_pdf(folder, found)
        return path, _Label(f"{found.name}.pdf", "application/pdf")

    @asynccontextmanager
    async def _snapshot(
        self, given: Link, report: Report | Prints | Keeping
    ) -> AsyncGenerator[tuple[Connection, Portal, Viewer]]:
        """In which whoever holds the link still may see what it stands for."""
        database = self.endpoint.facilities.database
        async with database.transaction(Mode.SNAPSHOT, given.tenant_id) as connection:
            yield connection, *await downloads.check(connection, given, report)

    async def _fetched(self, request: Request, given: Link, keeping: Keeping) -> Response:
        """Something kept, as far as who holds the link may see it now. Raises DownloadUnknown."""
        facilities = self.endpoint.facilities
        async with self._snapshot(given, keeping) as (connection, _, viewer):
            kept = await keeping.find(connection, viewer, given.filter)
        if kept is None:
            raise DownloadUnknown
        found = await facilities.storage.read(kept_at(given.tenant_id, kept.upload_id))
        if found is None or found[0] != kept.size:
            raise StorageUnavailable(f"the bytes of the upload {kept.upload_id} are not there")
        seconds = self.endpoint.settings.transfer_deadline_seconds
        deadline = asyncio.get_running_loop().time() + seconds
        return _File(request, found[1], kept.size, _Label(kept.file_name, kept.media_type), deadline)


@dataclass(frozen=True, slots=True)
class _Label:
    name: str
    media_type: str


class _File(Response):
    """Sends bytes in chunks until the deadline, and closes where they come from."""

    def __init__(
        self,
        request: Request,
        chunks: AsyncGenerator[bytes],
        length: int,
        label: _Label,
        deadline: float,
        *,
        opened: AbstractContextManager[object] | None = None,
    ) -> None:
        # As a header of its own: Starlette would say of every text that it is UTF-8.
        told = {"content-type": label.media_type, "content-disposition": disposition(label.name)}
        super().__init__(headers=HEADERS | told)
        self._chunks, self._deadline, self._started = chunks, deadline, time.perf_counter()
        self._bytes, self._opened = length, opened or nullcontext()
        self._request_id: str = request.state.request_id
        self.headers["content-length"] = str(length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry. A reader who is too slow gets a part, which is shorter than its Content-Length."""
        sent = 0
        with self._opened:
            try:
                async with aclosing(self._chunks), asyncio.timeout_at(self._deadline):
                    start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                    await send(start)
                    async for chunk in self._chunks:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                        sent += len(chunk)
                    await send({"type": "http.response.body", "body": b""})
            except (TimeoutError, StorageUnavailable) as error:
                why = "too slow" if isinstance(error, TimeoutError) else str(error)
                _log.warning(why, request_id=self._request_id, bytes=self._bytes, sent=sent)
                return
        ms = round((time.perf_counter() - self._started) * 1_000, 1)
        _log.info("download", request_id=self._request_id, bytes=self._bytes, ms=ms)


def _length(file: IO[bytes]) -> int:
    length = file.seek(0, 2)
    file.seek(0)
    return length


async def _read_through(file: IO[bytes]) -> AsyncGenerator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def disposition(name: str) -> str:
    """A Content-Disposition with a name in ASCII and, for programs of this century, in full (RFC 6266, RFC 8187)."""
    name = safe(name)
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = safe(plain)  # of a fullwidth quotation mark NFKD makes a real one
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def refuse(request: Request, refused: Refused) -> Response:
    """The answer to a link that gives nothing, and a line of the log."""
    _log.info(
        "refused", request_id=request.state.request_id, status=int(refused.status), codes=[refused.code]
    )
    response = answers.of_refusal(refused, JSON)
    response.headers.update(HEADERS)
    return response
