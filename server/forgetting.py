"""Forgetting on the command line: changes that are older than they are kept."""

from datetime import timedelta

from server import serving
from server.settings import Settings
from tenants import change_feed


async def forget(settings: Settings) -> int:
    """Remove them from all companies' feeds; returns how many went."""
    database = await serving.open_database(settings)
    try:
        return await change_feed.forget(database, timedelta(days=settings.changes_kept_days))
    finally:
        await database.close()
