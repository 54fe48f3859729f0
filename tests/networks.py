"""Networks that go wrong between a test and its database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url

from bench.faults.proxy import Proxy, before


@asynccontextmanager
async def between(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before a database, and the URL that leads through it."""
    place = make_url(url)

    async def beyond() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if place.host:
            return await asyncio.open_connection(place.host, place.port or 5432)
        return await asyncio.open_unix_connection(f"{place.query['host']}/.s.PGSQL.5432")

    async with before(beyond) as proxy:
        through = place.set(host="127.0.0.1", port=proxy.port, query={})
        yield proxy, through.render_as_string(hide_password=False)
