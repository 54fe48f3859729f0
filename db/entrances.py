"""Entrances: what has to be known of a portal before anything is read there."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, bindparam, select

from db.connections import Connection
from db.portals import portal_hosts, portals
from db.rows import names_of
from db.statements import Statement


@dataclass(slots=True, frozen=True)
class Entrance:
    """Whose a portal is, which documents it runs, and from which other hosts' pages it may be asked."""

    tenant_id: UUID
    operation_policy: str
    origins: list[str]


_entrance = select(*(portals.c[name] for name in names_of(Entrance)))
_by_slug = Statement(
    _entrance.where(portals.c.slug == bindparam("slug", type_=Text)), Entrance, registry=True
)
_by_host = Statement(
    _entrance.join(portal_hosts, portal_hosts.c.tenant_id == portals.c.tenant_id).where(
        portal_hosts.c.host == bindparam("host", type_=Text)
    ),
    Entrance,
    registry=True,
)


async def by_slug(connection: Connection, slug: str) -> Entrance | None:
    """The entrance of the portal that has this slug."""
    return await connection.row(_by_slug, slug=slug)


async def by_host(connection: Connection, host: str) -> Entrance | None:
    """The entrance of the portal that answers at this host name (lower case, no port)."""
    return await connection.row(_by_host, host=host)
