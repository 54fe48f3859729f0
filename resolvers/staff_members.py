"""Staff members: a supplier's owners give its people roles at one, several or all of its companies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import strawberry
import uuid_utils.compat as uuid

import db
from db.staff_members import Role, StaffMember
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, SECRET, VERSION_DESCRIPTION, Payload, differs, facts_of
from resolvers.relations import relation, relations
from rules.access_groups import check_length
from rules.accounts import ACTIVATION_DAYS
from rules.broken import NotFound, check_version
from rules.permissions import StaffRole
from rules.staff_members import (
    MOST_ROLES,
    HeldRole,
    LastOwner,
    RolesMissing,
    check_reach,
    replaced,
)
from rules.texts import check_email, check_name
from tenants import provisioning, sessions
from tenants.activation import new_code
from tenants.passwords import check_new
from tenants.provisioning import NewLogin

# StaffMember.roles.
roles = relations(db.staff_members.roles_of, "id")


def role(root: strawberry.Parent[Role]) -> StaffRole:
    """StaffMemberRole.role."""
    return StaffRole(root.role)


# StaffMemberRole.portal: None for all companies, or for one that the viewer may not enter.
role_portal = relation(db.portals.by_ids, "at_tenant_id")


def everywhere(root: strawberry.Parent[Role]) -> bool:
    """StaffMemberRole.everywhere."""
    return root.at_tenant_id is None


@strawberry.input(description="A role at one company, or at all of the supplier's.")
class StaffMemberRoleInput:
    """One of a staff member's roles."""

    role: StaffRole = strawberry.field(description="The role.")
    portal: strawberry.ID | None = strawberry.field(
        default=None, description="The company's portal; all companies when left out."
    )


@strawberry.input(description="Somebody who is to work for the supplier.")
class StaffMemberProvisionInput:
    """staffMemberProvision(input:)."""

    user_name: str = strawberry.field(description="The name to sign in with, 1 to 200 characters.")
    name: str = strawberry.field(description="The person's name.")
    email: str = strawberry.field(description="Where the person is written to.")
    roles: list[StaffMemberRoleInput] = strawberry.field(description="At least one role.")
    password: str | None = strawberry.field(
        default=None,
        description="A first password, 8 to 1,000 characters; without one there is an activation code.",
        metadata=SECRET,
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY_DESCRIPTION} The activation code is told only once."
    )


@strawberry.input(description="What to change of a staff member; what is left out stays as it is.")
class StaffMemberUpdateInput:
    """staffMemberUpdate(input:)."""

    staff_member: strawberry.ID = strawberry.field(description="The staff member.")
    name: str | None = strawberry.field(default=None, description="The person's name.")
    email: str | None = strawberry.field(default=None, description="Where the person is written to.")
    roles: list[StaffMemberRoleInput] | None = strawberry.field(
        default=None,
        description="The roles from now on at companies of which the viewer is an owner, at least one; roles "
        "elsewhere stay as they are.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A staff member who is to come in no more.")
class StaffMemberDeactivateInput:
    """staffMemberDeactivate(input:)."""

    staff_member: strawberry.ID = strawberry.field(description="The staff member.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A staff member who is to get a new activation code.")
class StaffMemberResetAccessInput:
    """staffMemberResetAccess(input:)."""

    staff_member: strawberry.ID = strawberry.field(
        description="The staff member; one who was deactivated comes back."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY_DESCRIPTION} The activation code is told only once."
    )


@dataclass(slots=True)
class StaffMemberPayload(Payload):
    """The staff member as it is after the change."""

    staff_member: StaffMember | None = None


@dataclass(slots=True)
class StaffMemberAccessPayload(StaffMemberPayload):
    """The staff member, and the code with which it sets a password."""

    activation_code: str | None = field(default=None, metadata=SECRET)


_ProvisionInput = Annotated[StaffMemberProvisionInput, strawberry.argument(description="Who.")]
_UpdateInput = Annotated[StaffMemberUpdateInput, strawberry.argument(description="What to change.")]
_DeactivateInput = Annotated[StaffMemberDeactivateInput, strawberry.argument(description="Who.")]
_ResetInput = Annotated[StaffMemberResetAccessInput, strawberry.argument(description="Who.")]


async def provision(info: Info, input: _ProvisionInput) -> StaffMemberAccessPayload:
    """Mutation.staffMemberProvision."""
    context = info.context
    user_name = provisioning.user_name_of(input.user_name, "userName")
    check_name(input.name, "name")
    check_email(input.email, "email")
    given = await _given(context, input.roles)
    check_reach(await _reach(context), given, "roles")
    password_hash = None
    if input.password is not None:
        check_new(input.password, user_name, "password")
        password_hash = await context.facilities.passwords.hash(input.password)
    new = NewLogin(user_name=user_name, name=input.name, email=input.email, password_hash=password_hash)
    member_id, code = await provisioning.add_staff_member(context.connection, new, given)
    added = await db.staff_members.lock(context.connection, member_id)
    assert added is not None
    context.record("StaffMember", member_id, before=None, after=facts_of(added, roles=_facts(given)))
    return StaffMemberAccessPayload(added, activation_code=code.text if code else None)


async def update(info: Info, input: _UpdateInput) -> StaffMemberPayload:
    """Mutation.staffMemberUpdate: new roles count at once, at every company."""
    context = info.context
    check_name(input.name, "name")
    check_email(input.email, "email")
    owned = await db.staff_members.lock_owners(context.connection)
    member, had = await _locked(context, input.staff_member, input.version)
    reach, has = await _reach(context), had
    if input.roles is not None:
        has = replaced(reach, had, await _given(context, input.roles), "roles")
        await db.staff_members.remove_roles(context.connection, member.id)
        ids = [uuid.uuid7() for _ in has]
        await db.staff_members.add_roles(context.connection, member.id, has, ids)
    if input.roles is None or input.name is not None or input.email is not None:
        check_reach(reach, had, "staffMember")
    given = {"name": input.name, "email": input.email}
    if not differs(member, given) and _facts(had) == _facts(has):
        context.record_nothing()
        return StaffMemberPayload(member)
    changed = await db.staff_members.change(context.connection, member.id, **given)
    await _check_owners(context, owned)
    context.record(
        "StaffMember",
        member.id,
        before=facts_of(member, roles=_facts(had)),
        after=facts_of(changed, roles=_facts(has)),
    )
    return StaffMemberPayload(changed)


async def deactivate(info: Info, input: _DeactivateInput) -> StaffMemberPayload:
    """Mutation.staffMemberDeactivate: refused at once at every company."""
    context = info.context
    owned = await db.staff_members.lock_owners(context.connection)
    member, had = await _locked(context, input.staff_member, input.version)
    check_reach(await _reach(context), had, "staffMember")
    changed = await db.staff_members.change(context.connection, member.id, active=False)
    await _end_sessions(context, member)
    await _check_owners(context, owned)
    context.record("StaffMember", member.id, before=facts_of(member), after=facts_of(changed))
    return StaffMemberPayload(changed)


async def reset_access(info: Info, input: _ResetInput) -> StaffMemberAccessPayload:
    """Mutation.staffMemberResetAccess: the password is gone, sessions end, a new code opens the door."""
    context = info.context
    owned = await db.staff_members.lock_owners(context.connection)
    member, had = await _locked(context, input.staff_member, input.version)
    check_reach(await _reach(context), had, "staffMember")
    code = new_code()
    await db.staff_members.passwords.reset(context.connection, member.id, code.hash, days=ACTIVATION_DAYS)
    await _end_sessions(context, member)
    await _check_owners(context, owned)
    changed = await db.staff_members.lock(context.connection, member.id)
    assert changed is not None
    context.record("StaffMember", member.id, before=facts_of(member), after=facts_of(changed))
    return StaffMemberAccessPayload(changed, activation_code=code.text)


async def _locked(
    context: Context, id: strawberry.ID, version: int | None
) -> tuple[StaffMember, list[HeldRole]]:
    """The staff member behind an id with its roles. Raises NotFound or VersionConflict."""
    key = nodes.key_of(str(id), "StaffMember")
    member = await db.staff_members.lock(context.connection, key) if key else None
    if member is None:
        raise NotFound(path=("staffMember",))
    check_version(version, member.version)
    held = await db.staff_members.roles_of(context.connection, context.signed_in, [member.id])
    return member, [each.held for each in held[member.id]]


async def _reach(context: Context) -> list[HeldRole]:
    """The roles of who is acting."""
    actor_id = context.signed_in.actor_id
    held = await db.staff_members.roles_of(context.connection, context.signed_in, [actor_id])
    return [each.held for each in held[actor_id]]


async def _given(context: Context, roles: Sequence[StaffMemberRoleInput]) -> list[HeldRole]:
    """The roles of an input, each once. Raises RolesMissing, ListTooLong, or NotFound for a portal that the
    viewer may not enter."""
    if not roles:
        raise RolesMissing(path=("roles",))
    check_length(roles, MOST_ROLES, "roles")
    held = []
    for index, each in enumerate(roles):
        at_tenant_id = None
        if each.portal is not None:
            path = ("roles", str(index), "portal")
            at_tenant_id = (await nodes.found(context, each.portal, "Portal", *path)).id
        held.append(HeldRole(each.role, at_tenant_id))
    return list(dict.fromkeys(held))


async def _end_sessions(context: Context, member: StaffMember) -> None:
    await db.sessions.remove_of(context.connection, member.id)
    await sessions.end_at_sisters(context.connection, member.id)


async def _check_owners(context: Context, before: set[Any]) -> None:
    """Refuse to leave a company without an owner that had one before. Raises LastOwner."""
    if before - await db.staff_members.owned(context.connection):
        raise LastOwner(path=("staffMember",))


def _facts(roles: Sequence[HeldRole]) -> list[dict[str, Any]]:
    return [{"role": each.role, "portal": each.at_tenant_id} for each in roles]
