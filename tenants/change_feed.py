"""The change feeds of all companies: what is too old is forgotten."""

from datetime import timedelta

import db
from db.connections import Database
from db.isolation import Mode


async def forget(database: Database, older_than: timedelta) -> int:
    """Remove changes that are older, company by company, each time a few in a transaction of their own, so that nobody
    waits; returns how many went. Repeatable, also by several at once."""
    async with database.transaction(Mode.SNAPSHOT, None) as registry:
        portals = await db.portals.every(registry)
    removed = 0
    for portal in portals:
        while gone := await _forget_some(database, portal, older_than):
            removed += gone
    return removed


async def _forget_some(database: Database, portal: db.portals.Portal, older_than: timedelta) -> int:
    async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
        return await db.change_feed.forget(connection, older_than)
