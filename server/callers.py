"""Callers: what a request or socket says of whoever sent it, and how far that is believed."""

from http import HTTPStatus

from starlette.requests import HTTPConnection

from rules.broken import Language
from server.requests import Refused, by_preference

COOKIE = "__Host-kontor"
CSRF_HEADER = "x-kontor-csrf"

_NOT_OURS = "A session by cookie needs the header X-Kontor-Csrf and our own origin."


def token(request: HTTPConnection) -> str | None:
    """The session's token, from the Authorization header or, guarded against forgery, from the cookie."""
    found = bearer(request.headers.get("authorization", ""))
    if found is not None:
        return found
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and not cookies_allowed(request):
        raise Refused(HTTPStatus.FORBIDDEN, "CSRF", _NOT_OURS)
    return cookie


def token_of_socket(socket: HTTPConnection) -> str | None:
    """The session's token in the cookie of a socket, which only a page of this very host may use.

    A browser lets no page set a header here, but always says from which page the socket was opened.
    """
    cookie = socket.cookies.get(COOKIE)
    if cookie is not None and not ("origin" in socket.headers and _same_origin(socket)):
        raise Refused(HTTPStatus.FORBIDDEN, "CSRF", "A session by cookie needs our own origin.")
    return cookie


def bearer(authorization: str) -> str | None:
    """The token in the value of an Authorization header."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def cookies_allowed(request: HTTPConnection) -> bool:
    """Whether this was sent by a page of ours, or by a program."""
    return CSRF_HEADER in request.headers and _same_origin(request)


def _same_origin(request: HTTPConnection) -> bool:
    """Whether a browser sent this from a page of this very host; programs send no origin."""
    origin = request.headers.get("origin")
    host = request.headers.get("host", "").lower()
    return origin is None or origin.lower() in (f"http://{host}", f"https://{host}")


def address(request: HTTPConnection) -> str:
    """From where the request came: the peer, or what a trusted proxy says of it."""
    return request.client.host if request.client else ""


def language(request: HTTPConnection) -> Language | None:
    """The first of our languages in the Accept-Language header, None when it names none of them."""
    names = (each.split("-")[0] for each in by_preference(request.headers.get("accept-language", "")))
    return next((Language(name) for name in names if name in set(Language)), None)
