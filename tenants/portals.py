"""Portals: which tenant a request is for, from its host or its path and from nothing else."""

import time
from uuid import UUID

import db
from db.connections import Database
from db.isolation import Mode

# A portal's tenant never changes, its hosts rarely do; what is unknown is asked for every time.
_REMEMBERED_SECONDS = 10.0
_REMEMBERED_MOST = 10_000


class Portals:
    """Finds tenants in the registry and remembers them for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, str], tuple[float, UUID]] = {}

    async def by_host(self, host: str) -> UUID | None:
        """The tenant whose portal answers at a host name, e.g. harbour.localhost; port and case do not matter."""
        name = host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
        return await self._find("host", name.lower().rstrip("."))

    async def by_slug(self, slug: str) -> UUID | None:
        """The tenant whose portal has this slug."""
        return await self._find("slug", slug)

    async def _find(self, how: str, name: str) -> UUID | None:
        known = self._known.get((how, name))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        async with self._database.transaction(Mode.SNAPSHOT, None) as connection:
            ask = db.portals.tenant_by_host if how == "host" else db.portals.tenant_by_slug
            tenant_id = await ask(connection, name)
        if tenant_id is not None:
            if len(self._known) >= _REMEMBERED_MOST:
                self._known.clear()
            self._known[how, name] = (time.monotonic() + _REMEMBERED_SECONDS, tenant_id)
        return tenant_id
