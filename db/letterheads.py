"""Letterheads: what a company says of itself on its documents; one a company at most."""

from sqlalchemy import ARRAY, Column, Text, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.portals import portals as portals  # the foreign key's target
from db.rows import names_of
from db.statements import Statement
from db.tables import tenant_table
from rules.letterheads import Letterhead

_NAMES = names_of(Letterhead)

letterheads = tenant_table(
    "letterheads",
    *(Column(name, ARRAY(Text) if name == "address" else Text, nullable=False) for name in _NAMES),
    key=(),
)

_MINE = letterheads.c.tenant_id == bindparam("tenant_id")
_COLUMNS = [letterheads.c[name] for name in _NAMES]


def _made(address: list[str], *texts: str) -> Letterhead:
    return Letterhead(address=tuple(address), **dict(zip(_NAMES[1:], texts, strict=True)))


_of_tenant = Statement(select(*_COLUMNS).where(_MINE), _made)


async def of_tenant(connection: Connection) -> Letterhead:
    """What the documents of the connection's company say of it; an empty one until it says something. Whoever is
    signed in may see it: it is on everything that the company sends."""
    return await connection.row(_of_tenant) or Letterhead()


_new = insert(letterheads).values(
    tenant_id=bindparam("tenant_id"),
    **{name: bindparam(f"new_{name}", type_=letterheads.c[name].type) for name in _NAMES},
)
_keep = Statement[None](
    _new.on_conflict_do_update(
        constraint="letterheads_pkey", set_={name: _new.excluded[name] for name in _NAMES}
    )
)


async def keep(connection: Connection, new: Letterhead) -> None:
    """Let the company's documents say this of it from now on."""
    await connection.run(_keep, **{f"new_{name}": getattr(new, name) for name in _NAMES})
