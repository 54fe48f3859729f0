"""Access groups: a profile with restrictions and members; what an account may do comes from its groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.accounts import accounts as accounts  # the foreign key's target
from db.changes import Changing
from db.connections import Connection, many_each, one_each
from db.file_audiences import forget_access_group
from db.profiles import profiles as profiles  # the foreign key's target
from db.restrictions import (
    access_group_categories,
    access_group_document_kinds,
    access_group_products,
    access_group_warehouses,
)
from db.rows import insert_rows, new_rows
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.permissions import Permission
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.viewers import Viewer

_MODES = ("category_mode", "product_mode", "warehouse_mode", "document_kind_mode")

access_groups = tenant_table(
    "access_groups",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("profile_id", Uuid, nullable=False),
    *(Column(name, Text) for name in _MODES),  # empty: this kind is not restricted
    Column("version", Integer, nullable=False, server_default="1"),
    unique("name", name="access_groups_name_key"),
    refers_to("profiles", "profile_id", name="access_groups_profile_fkey"),
    *(one_of(name, list(RestrictionMode), name=f"access_groups_{name}_check") for name in _MODES),
    Index("access_groups_profile_idx", "tenant_id", "profile_id"),
)

access_group_members = tenant_table(
    "access_group_members",
    Column("access_group_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("ends_on", Date),  # the last day; empty: until further notice
    refers_to("access_groups", "access_group_id", name="access_group_members_group_fkey"),
    refers_to("accounts", "account_id", name="access_group_members_account_fkey"),
    Index("access_group_members_account_idx", "tenant_id", "account_id"),
    key=("access_group_id", "account_id"),
)

_TODAY = func.current_date(type_=Date)
IS_MEMBER_TODAY = or_(access_group_members.c.ends_on.is_(None), access_group_members.c.ends_on >= _TODAY)

# Where a restriction of each kind keeps what it lists.
LISTS: dict[RestrictionKind, tuple[Table, str]] = {
    RestrictionKind.PRODUCT_CATEGORY: (access_group_categories, "category_id"),
    RestrictionKind.PRODUCT: (access_group_products, "product_id"),
    RestrictionKind.WAREHOUSE: (access_group_warehouses, "warehouse_id"),
    RestrictionKind.DOCUMENT_KIND: (access_group_document_kinds, "document_kind"),
}


@dataclass(slots=True)
class AccessGroup:
    """A profile given to the accounts that are its members, and how each kind is restricted."""

    id: UUID
    name: str
    profile_id: UUID
    category_mode: str | None
    product_mode: str | None
    warehouse_mode: str | None
    document_kind_mode: str | None
    version: int

    @property
    def modes(self) -> Modes:
        """How it restricts each kind, whether that is in force or not."""
        given = (self.category_mode, self.product_mode, self.warehouse_mode, self.document_kind_mode)
        return Modes(*(RestrictionMode(mode) if mode else None for mode in given))


@dataclass(slots=True)
class Membership:
    """An account's membership of a group, to the end of its last day if there is one."""

    access_group_id: UUID
    account_id: UUID
    ends_on: date | None


_OF_TENANT = access_groups.c.tenant_id == bindparam("tenant_id")
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_every_one = select(
    access_groups.c.id,
    access_groups.c.name,
    access_groups.c.profile_id,
    access_groups.c.category_mode,
    access_groups.c.product_mode,
    access_groups.c.warehouse_mode,
    access_groups.c.document_kind_mode,
    access_groups.c.version,
).where(_OF_TENANT)
_every = Statement(_every_one.order_by(access_groups.c.name), AccessGroup)
_by_ids = Statement(
    _every_one.where(access_groups.c.id == any_(_IDS)).order_by(access_groups.c.name), AccessGroup
)
_memberships = select(
    access_group_members.c.access_group_id, access_group_members.c.account_id, access_group_members.c.ends_on
).where(access_group_members.c.tenant_id == bindparam("tenant_id"))
_of_accounts = Statement(
    _memberships.where(access_group_members.c.account_id == any_(_IDS), IS_MEMBER_TODAY), Membership
)
_members_of = Statement(
    _memberships.where(access_group_members.c.access_group_id == any_(_IDS), IS_MEMBER_TODAY).order_by(
        access_group_members.c.account_id
    ),
    Membership,
)


async def every(connection: Connection) -> list[AccessGroup]:
    """All groups of the company, by name. For its staff."""
    return await connection.rows(_every)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, AccessGroup]:
    """The groups among the ids that the viewer may see: its own, or for staff all; in order of name."""
    if not viewer.oversees(Permission.ACCESS_READ):
        mine = {grant.access_group_id for grant in viewer.grants}
        ids = [each for each in ids if each in mine]
    return one_each(await connection.rows(_by_ids, ids=ids), "id") if ids else {}


async def of_accounts(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Membership]]:
    """The memberships of each account today; a customer's account asks for itself."""
    every_account = viewer.oversees(Permission.ACCESS_READ)
    seen = ids if every_account else [each for each in ids if each == viewer.account_id]
    rows = await connection.rows(_of_accounts, ids=seen) if seen else []
    return many_each(rows, ids, "account_id")


async def members_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Membership]]:
    """Who is a member of each group today. For the staff."""
    seen = viewer.oversees(Permission.ACCESS_READ)
    rows = await connection.rows(_members_of, ids=ids) if seen else []
    return many_each(rows, ids, "access_group_id")


@dataclass(slots=True)
class Listed:
    """A value that a group's restriction of some kind lists: an id or, of document kinds, a word."""

    access_group_id: UUID
    value: Any


def _listed_of(table: Table, name: str) -> Statement[Listed]:
    return Statement(
        select(table.c.access_group_id, table.c[name].label("value"))
        .where(table.c.tenant_id == bindparam("tenant_id"), table.c.access_group_id == any_(_IDS))
        .order_by(table.c.access_group_id, table.c[name]),
        Listed,
    )


_listed = {kind: _listed_of(*where) for kind, where in LISTS.items()}


async def listed(
    connection: Connection, kind: RestrictionKind, ids: Sequence[UUID]
) -> Mapping[UUID, list[Any]]:
    """What each group's restriction of a kind lists. For the staff."""
    found: dict[UUID, list[Any]] = {each: [] for each in ids}
    for row in await connection.rows(_listed[kind], ids=ids):
        found[row.access_group_id].append(row.value)
    return found


_add = Statement(
    insert(access_groups)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        name=bindparam("name"),
        profile_id=bindparam("profile_id"),
    )
    .on_conflict_do_nothing(constraint="access_groups_name_key")
    .returning(*_every_one.selected_columns),
    AccessGroup,
)
_named = Statement[UUID](
    select(access_groups.c.id).where(_OF_TENANT, access_groups.c.name == bindparam("name"))
)
_uses_profile = Statement[UUID](
    select(access_groups.c.id)
    .where(_OF_TENANT, access_groups.c.profile_id == bindparam("profile_id"))
    .limit(1)
)
_THIS = bindparam("the_id", type_=Uuid)
_set_modes = Statement[None](
    update(access_groups)
    .where(_OF_TENANT, access_groups.c.id == _THIS)
    .values({name: bindparam(f"new_{name}", type_=Text) for name in _MODES})
)
_remove = Statement[None](delete(access_groups).where(_OF_TENANT, access_groups.c.id == _THIS))
_unlist = {
    kind: Statement[None](
        delete(table).where(table.c.tenant_id == bindparam("tenant_id"), table.c.access_group_id == _THIS)
    )
    for kind, (table, _) in LISTS.items()
}
_list = {
    kind: Statement[None](insert_rows(table, ["access_group_id", name]).on_conflict_do_nothing())
    for kind, (table, name) in LISTS.items()
}
_members = new_rows(access_group_members, ["access_group_id", "account_id", "ends_on"])
_new_ends_on = _members.selected_columns["ends_on"]
_new_members = insert(access_group_members).from_select(
    ["tenant_id", "access_group_id", "account_id", "ends_on"],
    _members.where(or_(_new_ends_on.is_(None), _new_ends_on >= _TODAY)),
)
_add_members = Statement(
    _new_members.on_conflict_do_update(
        constraint="access_group_members_pkey", set_={"ends_on": _new_members.excluded.ends_on}
    ).returning(
        access_group_members.c.access_group_id,
        access_group_members.c.account_id,
        access_group_members.c.ends_on,
    ),
    Membership,
)
_of_tenant_members = access_group_members.c.tenant_id == bindparam("tenant_id")
_remove_members = Statement[None](
    delete(access_group_members).where(_of_tenant_members, access_group_members.c.access_group_id == _THIS)
)
# Of a group that is to go: whoever has become a member since that was looked at keeps it from going.
_remove_ended = Statement[None](
    delete(access_group_members).where(
        _of_tenant_members,
        access_group_members.c.access_group_id == _THIS,
        access_group_members.c.ends_on < _TODAY,
    )
)
_remove_account = Statement[None](
    delete(access_group_members).where(_of_tenant_members, access_group_members.c.account_id == _THIS)
)
_changing = Changing(access_groups, _every_one, AccessGroup, ["name", "profile_id"], mine=_OF_TENANT)
lock, change = _changing.lock, _changing.change


async def add(connection: Connection, *, id: UUID, name: str, profile_id: UUID) -> AccessGroup | None:
    """Add a group that restricts nothing and has no members; None when its name is taken."""
    return await connection.row(_add, id=id, name=name, profile_id=profile_id)


async def id_of_name(connection: Connection, name: str) -> UUID | None:
    """The id of the group of this name."""
    found: UUID | None = await connection.value(_named, name=name)
    return found


async def use_profile(connection: Connection, profile_id: UUID) -> bool:
    """Whether any group uses a profile."""
    return await connection.value(_uses_profile, profile_id=profile_id) is not None


async def restrict(
    connection: Connection, id: UUID, modes: Modes, lists: Mapping[RestrictionKind, Sequence[Any]]
) -> None:
    """Say how a group restricts each kind; of the kinds in `lists`, what is listed is replaced."""
    await connection.run(
        _set_modes,
        the_id=id,
        new_category_mode=modes.category,
        new_product_mode=modes.product,
        new_warehouse_mode=modes.warehouse,
        new_document_kind_mode=modes.document_kind,
    )
    for kind, values in lists.items():
        await connection.run(_unlist[kind], the_id=id)
        if values:
            name = LISTS[kind][1]
            await connection.run(_list[kind], **{"access_group_id": [id] * len(values), name: list(values)})


async def add_members(connection: Connection, members: Sequence[Membership]) -> list[Membership]:
    """Make accounts members, each until its last day if that is given, also those that are members already;
    returns them, but for whose last day is past."""
    return await connection.rows(
        _add_members,
        access_group_id=[each.access_group_id for each in members],
        account_id=[each.account_id for each in members],
        ends_on=[each.ends_on for each in members],
    )


async def remove_members(connection: Connection, access_group_id: UUID) -> None:
    """Take all members out of a group, those whose time has passed too."""
    await connection.run(_remove_members, the_id=access_group_id)


async def remove_account(connection: Connection, account_id: UUID) -> None:
    """Take an account out of all groups."""
    await connection.run(_remove_account, the_id=account_id)


async def remove(connection: Connection, id: UUID) -> None:
    """Delete a group that has no members, with what it lists. Contended when it has one by now."""
    await connection.run(_remove_ended, the_id=id)
    for statement in _unlist.values():
        await connection.run(statement, the_id=id)
    await forget_access_group(connection, id)
    await connection.run(_remove, the_id=id)
