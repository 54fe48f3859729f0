"""Targets: which addresses a name on the internet has, so that nothing is sent to a private one."""

import asyncio
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rules.webhooks import WebhookUrlInvalid, is_public

_SECONDS = 5
_THREADS = ThreadPoolExecutor(32, thread_name_prefix="names")
_asked: dict[tuple[str, int], Future[list[Any]]] = {}


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError.

    In threads of its own, and a name that is being asked for is not asked for again: one whose server does not answer
    takes one of them, and none from anything else.
    """
    asked = _asked.get((host, port))
    if asked is None:
        asked = _asked[host, port] = _THREADS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        asked.add_done_callback(lambda _: _asked.pop((host, port), None))
    found = await asyncio.shield(asyncio.wrap_future(asked))
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def addresses(host: str, port: int, *, private: bool) -> list[str]:
    """The addresses of a name to which may be sent: all of them are public, or `private` ones are let pass.

    What the resolver returns is looked at, so no spelling of a number and no name is a way around. Raises
    WebhookUrlInvalid, also for a name that has no address.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            found = await resolve(host, port)
    except (OSError, UnicodeError, TimeoutError):
        found = []
    if not found or not (private or all(map(is_public, found))):
        raise WebhookUrlInvalid(what=host)
    return found
