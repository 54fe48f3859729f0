"""Logos: a picture of a company that stands on its documents; one a company at most."""

from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.portals import portals as portals  # the foreign key's target
from db.rows import names_of
from db.statements import Statement
from db.tables import one_of, tenant_table
from rules.logos import MOST_BYTES, ImageType

portal_logos = tenant_table(
    "portal_logos",
    Column("type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("image", LargeBinary, nullable=False),
    one_of("type", list(ImageType), name="portal_logos_type_check"),
    CheckConstraint(f"octet_length(image) between 1 and {MOST_BYTES}", name="portal_logos_image_check"),
    key=(),
)


@dataclass(slots=True)
class PortalLogo:
    """A picture: its kind, its size in pixels, its bytes."""

    type: str
    width: int
    height: int
    image: bytes


_NAMES = names_of(PortalLogo)
_MINE = portal_logos.c.tenant_id == bindparam("tenant_id")
_of_tenant = Statement(select(*(portal_logos.c[name] for name in _NAMES)).where(_MINE), PortalLogo)


async def of_tenant(connection: Connection) -> PortalLogo | None:
    """The logo of the connection's company. Whoever is signed in may see it, as the letterhead."""
    return await connection.row(_of_tenant)


_new = insert(portal_logos).values(
    tenant_id=bindparam("tenant_id"),
    **{name: bindparam(f"new_{name}", type_=portal_logos.c[name].type) for name in _NAMES},
)
_keep = Statement[None](
    _new.on_conflict_do_update(
        constraint="portal_logos_pkey", set_={name: _new.excluded[name] for name in _NAMES}
    )
)
_remove = Statement[None](delete(portal_logos).where(_MINE))


async def keep(connection: Connection, new: PortalLogo | None) -> None:
    """Give the company this logo, or with None take its logo away."""
    if new is None:
        await connection.run(_remove)
    else:
        await connection.run(_keep, **{f"new_{name}": getattr(new, name) for name in _NAMES})
