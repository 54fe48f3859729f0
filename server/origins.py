"""Origins: pages of other hosts that a portal lets ask it (CORS, as the Fetch standard has it).

They sign in and send their token. Credentials are never allowed: a cookie counts for pages of our own host alone
(server/callers.py), whatever a browser would send along.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from server import answers
from server.endpoint import Endpoint
from server.requests import JSON, Refused

Handle = Callable[[Request], Awaitable[Response]]

_ASKED = "access-control-request-method"
_SENT = "authorization, content-type, accept-language, x-request-id"
_READ = "x-request-id, retry-after, content-disposition"
_PREFLIGHT_SECONDS = 600


def crossing(endpoint: Endpoint, handle: Handle, methods: str) -> Handle:
    """What answers as `handle` does, also to pages of the origins that the portal lets in, by these methods."""

    async def answer(request: Request) -> Response:
        origin = request.headers.get("origin")
        is_let_in = False
        try:
            is_let_in = origin is not None and origin in (await endpoint.entrance(request)).origins
        except Refused:
            pass  # there is no portal, as `handle` tells
        except Exception as error:  # it would be the same once more, as long after
            response, _ = answers.of_fault(error, JSON, request_id=request.state.request_id)
            response.headers.add_vary_header("Origin")
            return response
        if is_let_in and request.method == "OPTIONS" and _ASKED in request.headers:
            response = Response(status_code=HTTPStatus.NO_CONTENT)
            response.headers["access-control-allow-methods"] = methods
            response.headers["access-control-allow-headers"] = _SENT
            response.headers["access-control-max-age"] = str(_PREFLIGHT_SECONDS)
        else:
            response = await handle(request)
        response.headers.add_vary_header("Origin")
        if is_let_in and origin is not None:
            response.headers["access-control-allow-origin"] = origin
            response.headers["access-control-expose-headers"] = _READ
        return response

    return answer
