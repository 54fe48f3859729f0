"""The portal at which an operation runs."""

from db.portals import Portal
from resolvers.context import Info


async def portal(info: Info) -> Portal:
    """Query.portal."""
    return info.context.portal
