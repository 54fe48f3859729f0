"""HTTP in: a request as one GraphQL operation, or the reason why it is none (GraphQL over HTTP)."""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, Literal

import orjson
from starlette.requests import Request

from server.large_bodies import LARGE_BYTES

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
MediaType = Literal["application/graphql-response+json", "application/json"]

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, 12.4.2
_GZIP = ("gzip", "x-gzip")  # RFC 9110, 8.4.1.3
_GZIP_BITS = 31  # the largest window, and a header of gzip before it
# The escape of a NUL, which PostgreSQL cannot keep; not a backslash that is itself escaped.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Refused(Exception):
    """A request that is not a GraphQL operation, with the status and code of the answer."""

    def __init__(
        self, status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


@dataclass(slots=True, frozen=True)
class Operation:
    """What a client asks to be run: a document, or the id of one that is kept here (server/endpoint.py finds it)."""

    query: str | None
    document_id: str | None
    variables: dict[str, Any]
    operation_name: str | None


def media_type(request: Request) -> MediaType:
    """The media type of the answer that the client likes best. Raises Refused (406)."""
    liked = _weights(request.headers.get("accept") or "*/*")
    places = list(liked)

    def rank(name: str) -> tuple[float, int, int]:
        """By weight; then what is named goes before what a range includes, and what is named earlier."""
        for distance, named in enumerate((name, "application/*", "*/*")):
            if named in liked:
                return liked[named], -distance, -places.index(named)
        return 0.0, 0, 0

    kinds: tuple[MediaType, MediaType] = (JSON, GRAPHQL_RESPONSE)
    best = max(kinds, key=rank)
    if not rank(best)[0]:
        raise Refused(
            HTTPStatus.NOT_ACCEPTABLE, "NOT_ACCEPTABLE", f"Answers are {GRAPHQL_RESPONSE} or {JSON}."
        )
    return best


def wants_html(request: Request) -> bool:
    """Whether a browser asks for a page to look at."""
    if request.method not in ("GET", "HEAD"):
        return False
    liked = by_preference(request.headers.get("accept", ""))
    return next((name in ("text/html", "application/xhtml+xml") for name in liked), False)


def wants_events(request: Request) -> bool:
    """Whether the client asks for server-sent events and takes no JSON: most clients list them among others."""
    liked = _weights(request.headers.get("accept", ""))
    json = (JSON, GRAPHQL_RESPONSE, "application/*", "*/*")
    return liked.get(EVENT_STREAM, 0.0) > 0 and not any(liked.get(name) for name in json)


def by_preference(accept: str) -> list[str]:
    """What an Accept or Accept-Language header names, best liked first, q=0 left out (RFC 9110)."""
    liked = _weights(accept)
    return sorted((name for name in liked if liked[name]), key=lambda name: -liked[name])


@lru_cache(maxsize=100)  # clients send the same few
def _weights(accept: str) -> Mapping[str, float]:
    """What an Accept header names with its weight, 0 to 1; what is no weight counts as 0."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = float(parameter[2:]) if _WEIGHT.fullmatch(parameter[2:]) else 0.0
        if name:
            weights.setdefault(name, weight)
    return weights


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request brought along, as it came: of how many bytes it may turn out to be, and what takes it apart."""

    size: int
    operation: Callable[[], Operation]  # raises Refused with 400 or 413


async def sent(request: Request, *, most_bytes: int) -> Sent:
    """The body of a POST, or the query string of a GET. Raises Refused with 405, 413 or 415."""
    if request.method == "GET":
        return Sent(len(request.url.query), partial(_from_query_string, request))
    if request.method != "POST":
        raise Refused(
            HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Use GET or POST.", {"Allow": "GET, POST"}
        )
    is_packed = _is_packed(request)
    body = await _body(request, most_bytes)
    if not is_packed:
        return Sent(len(body), lambda: from_mapping(json_object(body, "The body")))
    return Sent(
        _size_unpacked(body, most_bytes),
        lambda: from_mapping(json_object(_unpacked(body, most_bytes), "The body")),
    )


def _from_query_string(request: Request) -> Operation:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = json_object(given[name].encode(), name) if given[name] else None
    return from_mapping(given)


def _is_packed(request: Request) -> bool:
    """Whether the body is JSON in gzip, and not JSON as it is. Raises Refused (415) when it is neither."""
    kind, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [each[8:].strip('"') for each in parameters if each.startswith("charset=")]
    if kind != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            f"Send {JSON} in UTF-8.",
            {"Accept": JSON},
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", *_GZIP):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body in gzip, or as it is.",
            {"Accept-Encoding": "gzip"},
        )
    return encoding in _GZIP


async def _body(request: Request, most_bytes: int) -> bytes:
    """The body as it came. Raises Refused (413), and reads no further than the limit."""
    too_large = _too_large(most_bytes)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > most_bytes):
        raise too_large
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most_bytes:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _size_unpacked(body: bytes, most_bytes: int) -> int:
    """How many bytes a body in gzip may become, looked at only until it is seen to be a large one."""
    unpacking = zlib.decompressobj(wbits=_GZIP_BITS)
    try:
        held = unpacking.decompress(body, LARGE_BYTES)
    except zlib.error:
        return len(body)  # it is refused when it is unpacked
    return len(held) if unpacking.eof else most_bytes


def _unpacked(body: bytes, most_bytes: int) -> bytes:
    """What a body in gzip holds, unpacked no further than the limit, however much more it would become."""
    unpacking = zlib.decompressobj(wbits=_GZIP_BITS)
    try:
        held = unpacking.decompress(body, most_bytes + 1)
    except zlib.error:
        raise _bad("The body is not gzip.") from None
    if len(held) > most_bytes:
        raise _too_large(most_bytes)
    if not unpacking.eof or unpacking.unused_data:
        raise _bad("The body is not one whole gzip member.")
    return held


def _too_large(most_bytes: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE", f"A body has at most {most_bytes} bytes."
    )


def json_object(text: bytes, what: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises Refused."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _bad(f"{what} is not JSON.") from None
    if not isinstance(value, dict):
        raise _bad(f"{what} has to be a JSON object.")
    check_characters(text, what)
    return value


def check_characters(text: bytes, what: str) -> None:
    """Refuse JSON with a character that no text can hold where we keep it. Raises Refused."""
    if b"\\u0000" in text and _NUL.search(text):
        raise _bad(f"{what} contains a NUL character.")


def from_mapping(given: Mapping[str, Any]) -> Operation:
    """The operation that a JSON object describes. Raises Refused."""
    query, document_id = given.get("query"), given.get("documentId")
    if document_id is not None and not isinstance(document_id, str):
        raise _bad("`documentId` has to be a string.")
    if document_id is not None and query is not None:
        raise _bad("Send either `query` or `documentId`.")
    if document_id is None and (not isinstance(query, str) or not query.strip()):
        raise _bad("`query` has to be a GraphQL document.")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _bad("`operationName` has to be a string.")
    maps = {}
    for part in ("variables", "extensions"):
        value = given.get(part)
        if value is not None and not isinstance(value, dict):
            raise _bad(f"`{part}` has to be an object.")
        maps[part] = value or {}
    return Operation(query, document_id, maps["variables"], name or None)


def _bad(message: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)
