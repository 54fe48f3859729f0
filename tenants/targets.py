"""Targets: which addresses a name on the internet has, so that nothing is sent to a private one."""

import asyncio
import socket

from rules.webhooks import WebhookUrlInvalid, is_public

_SECONDS = 5


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
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
