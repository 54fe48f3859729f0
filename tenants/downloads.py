"""Downloads: signed links to reports, and who may still use one. What a report holds is its own noun's."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from db.connections import Connection
from db.portals import Portal
from rules.broken import Language
from rules.downloads import LINK_SECONDS, DownloadExpired, DownloadFormat, DownloadUnknown
from rules.permissions import MissingPermission, Permission, Unauthenticated
from rules.prints import Printed, Unprinted
from rules.viewers import Viewer
from tenants import signatures
from tenants.sessions import recognize_session

_PURPOSE = b"downloads"

# In English and in German.
Words: TypeAlias = tuple[str, str]


class CellKind(Enum):
    """What the cells of a column hold: str, Decimal, Decimal of money, datetime; None is an empty cell."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    AMOUNT = "AMOUNT"
    MOMENT = "MOMENT"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; its width is in characters."""

    words: Words
    kind: CellKind = CellKind.TEXT
    width: int = 14


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose rows come in chunks, each a tuple of as many values as there are columns."""

    words: Words
    columns: Sequence[Column]
    rows: AsyncIterator[Sequence[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants something: on which connection, in which language."""

    connection: Connection
    viewer: Viewer
    language: Language


@dataclass(frozen=True, slots=True)
class Asker(Reader):
    """Who wants a report, and as what kind of file."""

    format: DownloadFormat


@dataclass(frozen=True, slots=True)
class Report:
    """Something that can be downloaded: its title, what it needs, and how its sheets are made from what a link
    says of it. A format with one table has the first sheet alone. `about` gives what the file is named after beside
    its title: one of many customers, or one would not know which file is whose."""

    name: str
    title: Words
    needs: Permission
    sheets: Callable[[Asker, Mapping[str, str]], Awaitable[Sequence[Sheet]]]
    about: Callable[[Asker, Mapping[str, str]], Awaitable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Documents that are printed into one file, which has a name, and those that could not be."""

    name: str
    documents: Sequence[Printed]
    unprinted: Sequence[Unprinted] = ()


@dataclass(frozen=True, slots=True)
class Prints:
    """Documents that can be downloaded: what they need, and how one or a bundle is made from what a link says.

    They are read whole, and printed when the connection was given back.
    """

    name: str
    needs: Permission
    documents: Callable[[Reader, Mapping[str, str]], Awaitable[Printed | Bundle]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the storage: an upload, with the name and the media type that it is sent under."""

    upload_id: UUID
    file_name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """Something kept that can be downloaded as it is: what it needs (None: `find` asks for that), and how it is found from what a link says of it,
    as far as whoever holds the link may see it at that moment."""

    name: str
    needs: Permission | None
    find: Callable[[Connection, Viewer, Mapping[str, str]], Awaitable[Kept | None]]


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for: a report with its filter, or something printed or kept, which has no format; for one
    session of one portal, until a moment."""

    report: str
    filter: Mapping[str, str]
    format: DownloadFormat | None
    language: Language
    tenant_id: UUID
    session_id: UUID
    expires_at: datetime


def in_language(words: Words, language: Language) -> str:
    """The words in one of the languages."""
    return words[1] if language is Language.GERMAN else words[0]


def link(viewer: Viewer, report: Report | Prints | Keeping, filter: Mapping[str, str], **more: Any) -> Link:
    """A new link for a viewer, good for a few minutes. Raises Unauthenticated for a webhook: a link is good no longer
    than a session, and it has none."""
    if viewer.session_id is None:
        raise Unauthenticated
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LINK_SECONDS)
    return Link(
        report.name,
        filter,
        tenant_id=viewer.tenant_id,
        session_id=viewer.session_id,
        expires_at=expires_at,
        **more,
    )


def signed(cursor_key: bytes, given: Link) -> str:
    """The link as a part of an address."""
    body = orjson.dumps(
        [
            given.report,
            given.filter,
            given.format,
            given.language,
            str(given.tenant_id),
            str(given.session_id),
            int(given.expires_at.timestamp()),
        ],
        option=orjson.OPT_SORT_KEYS,
    )
    return signatures.signed(cursor_key, _PURPOSE, body)


def read(cursor_key: bytes, text: str, tenant_id: UUID, *, now: datetime) -> Link:
    """The link that was signed for this tenant.

    Raises DownloadUnknown (changed, or another tenant's: which, is not told) and DownloadExpired.
    """
    body = signatures.opened(cursor_key, _PURPOSE, text)
    if body is None:
        raise DownloadUnknown
    report, told, kind, language, tenant, session, seconds = orjson.loads(body)
    found = Link(
        report,
        told,
        None if kind is None else DownloadFormat(kind),
        Language(language),
        UUID(tenant),
        UUID(session),
        datetime.fromtimestamp(seconds, UTC),
    )
    if found.tenant_id != tenant_id:
        raise DownloadUnknown
    if found.expires_at <= now:
        raise DownloadExpired
    return found


async def check(
    connection: Connection, given: Link, report: Report | Prints | Keeping
) -> tuple[Portal, Viewer]:
    """The portal and who holds the link, asked anew: the session has to be there, with the right to the report.

    Raises Unauthenticated and MissingPermission.
    """
    portal, viewer = await recognize_session(connection, given.session_id)
    if viewer is None:
        raise Unauthenticated
    if report.needs is not None and not viewer.may(report.needs):
        raise MissingPermission(permissions=(report.needs,))
    return portal, viewer
