"""Profiles: named sets of permissions for the people of customers; some are built in, others a company's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    select,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import insert

from db.changes import Changing
from db.connections import Connection, one_each
from db.rows import insert_rows
from db.statements import Statement
from db.tables import one_of, tenant_table, unique
from rules.permissions import BuiltInProfile, Permission
from rules.viewers import Viewer

# What the built-in ones permit is in rules/permissions.py and can grow with it; here is who has one.
profiles = tenant_table(
    "profiles",
    Column("id", Uuid, nullable=False),
    Column("built_in", Text),
    Column("name", Text),
    Column("permissions", ARRAY(Text), nullable=False, server_default="{}"),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("name", name="profiles_name_key"),
    one_of("built_in", list(BuiltInProfile), name="profiles_built_in_check"),
    CheckConstraint("(built_in is null) <> (name is null)", name="profiles_name_check"),
    Index(
        "profiles_built_in_key",
        "tenant_id",
        "built_in",
        unique=True,
        postgresql_where=sql_text("built_in is not null"),
    ),
)


@dataclass(slots=True)
class Profile:
    """A named set of permissions, either built in or a company's own, by names of rules.permissions.Permission."""

    id: UUID
    built_in: str | None
    name: str | None
    permissions: list[str]
    version: int


_OF_TENANT = profiles.c.tenant_id == bindparam("tenant_id")
_every_one = select(
    profiles.c.id, profiles.c.built_in, profiles.c.name, profiles.c.permissions, profiles.c.version
).where(_OF_TENANT)
_every = Statement(
    _every_one.order_by(profiles.c.built_in.is_(None), profiles.c.name, profiles.c.id), Profile
)
_by_ids = Statement(_every_one.where(profiles.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), Profile)


async def every(connection: Connection) -> list[Profile]:
    """All profiles of the company: the built-in ones, then its own by name."""
    return await connection.rows(_every)


async def by_ids(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Profile]:
    """The profiles by id: of one's own groups, or for staff of any."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def visible_to(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Profile]:
    """The profiles among the ids that the viewer may look up: all, for staff that may see access groups."""
    return await by_ids(connection, viewer, ids) if viewer.oversees(Permission.ACCESS_READ) else {}


_add_built_in = Statement[None](insert_rows(profiles, ["id", "built_in"]).on_conflict_do_nothing())
_built_in = Statement[UUID](
    select(profiles.c.id).where(_OF_TENANT, profiles.c.built_in == bindparam("built_in"))
)
_add = Statement(
    insert(profiles)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        name=bindparam("name"),
        permissions=bindparam("permissions"),
    )
    .on_conflict_do_nothing(constraint="profiles_name_key")
    .returning(*_every_one.selected_columns),
    Profile,
)
_named = Statement[UUID](select(profiles.c.id).where(_OF_TENANT, profiles.c.name == bindparam("name")))
_remove = Statement[None](
    delete(profiles).where(_OF_TENANT, profiles.c.id == bindparam("the_id", type_=Uuid))
)
_changing = Changing(profiles, _every_one, Profile, ["name", "permissions"], mine=_OF_TENANT)
lock, change = _changing.lock, _changing.change


async def add_built_in(connection: Connection, ids: Mapping[BuiltInProfile, UUID]) -> None:
    """Give a new company the built-in profiles."""
    await connection.run(_add_built_in, id=list(ids.values()), built_in=list(ids))


async def built_in(connection: Connection, profile: BuiltInProfile) -> UUID:
    """The id of a built-in profile."""
    found: UUID = await connection.value(_built_in, built_in=profile)
    return found


async def add(connection: Connection, *, id: UUID, name: str, permissions: Sequence[str]) -> Profile | None:
    """Add a profile of the company's own; None when its name is taken."""
    return await connection.row(_add, id=id, name=name, permissions=permissions)


async def id_of_name(connection: Connection, name: str) -> UUID | None:
    """The id of the company's own profile of this name."""
    found: UUID | None = await connection.value(_named, name=name)
    return found


async def remove(connection: Connection, id: UUID) -> None:
    """Delete a profile that no group uses."""
    await connection.run(_remove, the_id=id)
