"""Access groups: a profile with members; what a customer's account may do comes from its groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, one_each
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.permissions import Profile
from rules.viewers import Viewer

access_groups = tenant_table(
    "access_groups",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("profile", Text, nullable=False),
    unique("name", name="access_groups_name_key"),
    one_of("profile", list(Profile), name="access_groups_profile_check"),
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

IS_MEMBER_TODAY = or_(
    access_group_members.c.ends_on.is_(None),
    access_group_members.c.ends_on >= func.current_date(type_=Date),
)


@dataclass(slots=True)
class AccessGroup:
    """A profile given to the accounts that are its members."""

    id: UUID
    name: str
    profile: str


@dataclass(slots=True)
class _Membership:
    account_id: UUID
    access_group_id: UUID


_by_ids = Statement(
    select(access_groups.c.id, access_groups.c.name, access_groups.c.profile)
    .where(
        access_groups.c.tenant_id == bindparam("tenant_id"),
        access_groups.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(access_groups.c.name),
    AccessGroup,
)
_memberships = Statement(
    select(access_group_members.c.account_id, access_group_members.c.access_group_id).where(
        access_group_members.c.tenant_id == bindparam("tenant_id"),
        access_group_members.c.account_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        IS_MEMBER_TODAY,
    ),
    _Membership,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, AccessGroup]:
    """The groups among the ids that the viewer may see: its own, or for staff all; in order of name."""
    groups = one_each(await connection.rows(_by_ids, ids=ids), "id")
    if viewer.account_id is None:
        return groups
    mine = await of_accounts(connection, viewer, [viewer.account_id])
    return {each: group for each, group in groups.items() if each in mine[viewer.account_id]}


async def of_accounts(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    """The ids of the groups that each account is a member of today; a customer's account asks for itself."""
    seen = ids if viewer.is_staff else [each for each in ids if each == viewer.account_id]
    found: dict[UUID, list[UUID]] = {each: [] for each in ids}
    for membership in await connection.rows(_memberships, ids=seen):
        found[membership.account_id].append(membership.access_group_id)
    return found


_add = Statement[UUID](
    insert(access_groups)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        name=bindparam("name"),
        profile=bindparam("profile"),
    )
    .on_conflict_do_nothing(constraint="access_groups_name_key")
    .returning(access_groups.c.id)
)
_add_member = Statement[None](
    insert(access_group_members)
    .values(
        tenant_id=bindparam("tenant_id"),
        access_group_id=bindparam("access_group_id"),
        account_id=bindparam("account_id"),
        ends_on=bindparam("ends_on"),
    )
    .on_conflict_do_nothing(constraint="access_group_members_pkey")
)


async def add(connection: Connection, *, id: UUID, name: str, profile: Profile) -> bool:
    """Add a group; False when its name is taken."""
    return await connection.value(_add, id=id, name=name, profile=profile) is not None


async def add_member(connection: Connection, *, access_group_id: UUID, account_id: UUID) -> None:
    """Make an account a member, without end."""
    await connection.run(_add_member, access_group_id=access_group_id, account_id=account_id, ends_on=None)
