"""Portals: which tenant a request is for, from its host or its path and from nothing else."""

import db
from db.connections import Database
from db.entrances import Entrance
from db.isolation import Mode
from tenants.memory import Memory

# A portal's tenant never changes, its hosts and what it lets in rarely do; what is unknown is asked for every time.
_REMEMBERED_MOST = 10_000


class Portals:
    """Finds portals in the registry and remembers them for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Memory[tuple[str, str], Entrance](_REMEMBERED_MOST)

    async def by_host(self, host: str) -> Entrance | None:
        """The portal that answers at a host name, e.g. harbour.localhost; port and case do not matter."""
        name = host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
        return await self._find("host", name.lower().rstrip("."))

    async def by_slug(self, slug: str) -> Entrance | None:
        """The portal that has this slug."""
        return await self._find("slug", slug)

    async def _find(self, how: str, name: str) -> Entrance | None:
        known = self._known.recall((how, name))
        if known is not None:
            return known
        async with self._database.transaction(Mode.SNAPSHOT, None) as connection:
            ask = db.entrances.by_host if how == "host" else db.entrances.by_slug
            found = await ask(connection, name)
        if found is not None:
            self._known.keep((how, name), found)
        return found
