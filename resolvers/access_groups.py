"""Access groups: a profile with restrictions and members, kept by the company's staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.access_groups import AccessGroup, Membership
from execution.levels import level
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, differs, facts_of
from resolvers.profiles import DeletedPayload
from resolvers.relations import relation
from resolvers.restrictions import Restriction, RestrictionInput, read_input, restrictions_of
from rules.access_groups import MOST_MEMBERS, AccessGroupInUse, EndDatePast, NameTaken, check_length
from rules.broken import BrokenRules, InvalidInput, NotFound, check_version
from rules.permissions import Permission
from rules.restrictions import Modes, RestrictionKind
from rules.texts import check_name


async def every(info: Info) -> list[AccessGroup]:
    """Query.accessGroups."""
    return await db.access_groups.every(info.context.connection)


# AccessGroup.profile.
profile = relation(db.profiles.by_ids, "profile_id")


@level
async def restrictions(roots: Sequence[AccessGroup], context: Context) -> Sequence[list[Restriction] | None]:
    """AccessGroup.restrictions: None for customers, who are not told what there is besides."""
    if not context.signed_in.oversees(Permission.ACCESS_READ):
        return [None] * len(roots)
    return await restrictions_of(context, roots)


@level
async def members(roots: Sequence[AccessGroup], context: Context) -> Sequence[list[Membership] | None]:
    """AccessGroup.members: None for customers."""
    if not context.signed_in.oversees(Permission.ACCESS_READ):
        return [None] * len(roots)
    return await context.load_lists(db.access_groups.members_of, [root.id for root in roots])


@strawberry.input(description="An account that is to be a member.")
class MemberInput:
    """One of an access group's members."""

    account: strawberry.ID = strawberry.field(description="The account.")
    ends_on: date | None = strawberry.field(
        default=None, description="The last day; until further notice when left out."
    )


@strawberry.input(description="A new access group.")
class AccessGroupCreateInput:
    """accessGroupCreate(input:)."""

    name: str = strawberry.field(description="Its name, 1 to 200 characters, used once.")
    profile: strawberry.ID = strawberry.field(description="The profile: what its members may do.")
    restrictions: list[RestrictionInput] = strawberry.field(
        default_factory=list, description="How its members are restricted, each kind once."
    )
    members: list[MemberInput] = strawberry.field(default_factory=list, description="Its first members.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of an access group; what is left out stays as it is.")
class AccessGroupUpdateInput:
    """accessGroupUpdate(input:)."""

    group: strawberry.ID = strawberry.field(description="The access group.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    profile: strawberry.ID | None = strawberry.field(default=None, description="The profile.")
    restrictions: list[RestrictionInput] | None = strawberry.field(
        default=None, description="All restrictions from now on, each kind once."
    )
    members: list[MemberInput] | None = strawberry.field(default=None, description="All members from now on.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An access group that is to go.")
class AccessGroupDeleteInput:
    """accessGroupDelete(input:)."""

    group: strawberry.ID = strawberry.field(description="The access group; it may have no members.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class AccessGroupPayload(Payload):
    """The group as it is after the change."""

    access_group: AccessGroup | None = field(default=None)


_CreateInput = Annotated[AccessGroupCreateInput, strawberry.argument(description="The new group.")]
_UpdateInput = Annotated[AccessGroupUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[AccessGroupDeleteInput, strawberry.argument(description="Which group.")]

_EVERY_KIND: Mapping[RestrictionKind, Sequence[Any]] = dict.fromkeys(RestrictionKind, ())


async def create(info: Info, input: _CreateInput) -> AccessGroupPayload:
    """Mutation.accessGroupCreate."""
    context = info.context
    check_name(input.name, "name")
    profile = await nodes.found(context, input.profile, "Profile", "profile")
    modes, lists = await read_input(context, input.restrictions)
    group = await db.access_groups.add(
        context.connection, id=uuid.uuid7(), name=input.name, profile_id=profile.id
    )
    if group is None:
        raise NameTaken(name=input.name, path=("name",))
    await db.access_groups.restrict(context.connection, group.id, modes, lists)
    await _join(context, group.id, input.members)
    after = await _facts(context, _restricted(group, modes))
    context.record("AccessGroup", group.id, before=None, after=after)
    return AccessGroupPayload(access_group=_restricted(group, modes))


async def update(info: Info, input: _UpdateInput) -> AccessGroupPayload:
    """Mutation.accessGroupUpdate: works at once for all its members."""
    context = info.context
    check_name(input.name, "name")
    group = await _locked(context, input.group, input.version)
    if input.name not in (None, group.name):
        await _check_free(context, input.name)
    profile = None
    if input.profile is not None:
        profile = await nodes.found(context, input.profile, "Profile", "profile")
    with_members = input.members is not None
    before = await _facts(context, group, with_members=with_members)
    given = {"name": input.name, "profile_id": profile.id if profile else None}
    if not differs(group, given) and input.restrictions is None and input.members is None:
        context.record_nothing()
        return AccessGroupPayload(access_group=group)
    changed = await db.access_groups.change(context.connection, group.id, **given)
    if input.restrictions is not None:
        modes, lists = await read_input(context, input.restrictions)
        await db.access_groups.restrict(context.connection, group.id, modes, {**_EVERY_KIND, **lists})
        changed = _restricted(changed, modes)
    if input.members is not None:
        await db.access_groups.remove_members(context.connection, group.id)
        await _join(context, group.id, input.members)
    after = await _facts(context, changed, with_members=with_members)
    context.record("AccessGroup", group.id, before=before, after=after)
    return AccessGroupPayload(access_group=changed)


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.accessGroupDelete."""
    context = info.context
    group = await _locked(context, input.group, input.version)
    members = await db.access_groups.members_of(context.connection, context.signed_in, [group.id])
    if members[group.id]:
        raise AccessGroupInUse(members=len(members[group.id]), path=("group",))
    before = await _facts(context, group)
    await db.access_groups.remove(context.connection, group.id)
    context.record("AccessGroup", group.id, before=before, after=None)
    return DeletedPayload(str(input.group))


async def _locked(context: Context, id: strawberry.ID, version: int | None) -> AccessGroup:
    """The group behind an id, which nobody else changes now. Raises NotFound or VersionConflict."""
    key = nodes.key_of(str(id), "AccessGroup")
    group = await db.access_groups.lock(context.connection, key) if key else None
    if group is None:
        raise NotFound(path=("group",))
    check_version(version, group.version)
    return group


async def _check_free(context: Context, name: str) -> None:
    if await db.access_groups.id_of_name(context.connection, name) is not None:
        raise NameTaken(name=name, path=("name",))


async def _join(context: Context, group_id: UUID, given: Sequence[MemberInput]) -> None:
    """Make accounts members. Raises BrokenRules for each that is not there or whose last day is past."""
    check_length(given, MOST_MEMBERS, "members")
    keys = await nodes.found_keys(context, [str(each.account) for each in given], "Account", "members")
    if len(keys) < len(given):
        raise InvalidInput(path=("members",))
    wanted = [Membership(group_id, key, each.ends_on) for key, each in zip(keys, given, strict=True)]
    made = {each.account_id for each in await db.access_groups.add_members(context.connection, wanted)}
    past = [
        EndDatePast(path=("members", str(index), "endsOn"))
        for index, each in enumerate(wanted)
        if each.account_id not in made
    ]
    if past:
        raise BrokenRules(past)


def _restricted(group: AccessGroup, modes: Modes) -> AccessGroup:
    return replace(
        group,
        category_mode=modes.category,
        product_mode=modes.product,
        warehouse_mode=modes.warehouse,
        document_kind_mode=modes.document_kind,
    )


async def _facts(context: Context, group: AccessGroup, *, with_members: bool = True) -> dict[str, Any]:
    """A group with what it lists and, where that may change, who is a member, for the audit."""
    connection = context.connection
    lists = {
        kind.value: (await db.access_groups.listed(connection, kind, [group.id]))[group.id]
        for kind in RestrictionKind
        if group.modes.of(kind) is not None
    }
    if not with_members:
        return facts_of(group, lists=lists)
    members = await db.access_groups.members_of(connection, context.signed_in, [group.id])
    return facts_of(
        group,
        lists=lists,
        members=[{"account": each.account_id, "ends_on": each.ends_on} for each in members[group.id]],
    )
