"""Places: the PostgreSQL that a fault befalls, what is held in it, and who is connected."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench.peers.data import Portal
from bench.peers.database import Place
from bench.peers.processes import descendants

_SOON_SECONDS = 10
_OF_SERVERS = "datname = current_database() and usename = 'app_rw'"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a line is tried: a database that runs, with portals that are filled alike."""

    place: Place
    portals: Sequence[Portal]

    @property
    def portal(self) -> Portal:
        """The portal of whoever needs only one."""
        return self.portals[0]


async def asked(place: Place, sql: str, *values: Any) -> Any:
    """The first value of the first row, asked as the superuser."""
    admin = await place.admin()
    try:
        return await admin.fetchval(sql, *values)
    finally:
        await admin.close()


@asynccontextmanager
async def held(place: Place, sql: str, *values: Any) -> AsyncIterator[asyncpg.Connection]:
    """Locks that a transaction of ours takes and keeps as long as the block lasts. What it changed is undone."""
    admin = await place.admin()
    try:
        await admin.execute("begin")
        await admin.fetch(sql, *values)
        yield admin
    finally:
        await admin.close(timeout=5)


async def waiting(place: Place, count: int) -> None:
    """Wait until so many statements of servers wait for a lock. Raises TimeoutError."""
    question = f"select count(*) from pg_stat_activity where {_OF_SERVERS} and wait_event_type = 'Lock'"
    async with asyncio.timeout(_SOON_SECONDS):
        while await asked(place, question) < count:  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)


async def backends(place: Place) -> list[int]:
    """The process ids of the connections that servers' pools have."""
    question = (
        f"select array_agg(pid) from pg_stat_activity where {_OF_SERVERS} and application_name = 'kontor'"
    )
    return await asked(place, question) or []


async def terminate(place: Place, pids: Sequence[int]) -> None:
    """End connections as an administrator does."""
    await asked(place, "select count(pg_terminate_backend(pid)) from unnest($1::int[]) pid", list(pids))


async def every_process(place: Place) -> list[int]:
    """The ids of all processes of PostgreSQL, the first one first."""
    first = int((await asked(place, "select pg_read_file('postmaster.pid')")).split("\n")[0])
    return [first, *descendants(first)]


async def orders_are_whole(place: Place, portal: Portal) -> bool:
    """Whether a portal's orders have numbers that are unique, without gaps, and end where the counter is."""
    question = """
        select count(*) = count(distinct number) and count(*) = (
            select last from counters where tenant_id = $1 and kind = 'SO'
        ) and 'SO-' || lpad(count(*)::text, 6, '0') = max(number) from orders where tenant_id = $1"""
    return bool(await asked(place, question, portal.tenant_id))
