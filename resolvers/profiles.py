"""Profiles: named sets of permissions, built in or a company's own."""

from dataclasses import dataclass
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.profiles import Profile
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, differs, facts_of
from rules.access_groups import NameTaken, ProfileBuiltIn, ProfileInUse, check_for_customers
from rules.broken import Language, NotFound, check_version
from rules.permissions import PROFILE_NAMES, BuiltInProfile, Permission
from rules.texts import check_name
from tenants.sessions import permissions_of_profile


async def every(info: Info) -> list[Profile]:
    """Query.profiles."""
    return await db.profiles.every(info.context.connection)


def name(root: strawberry.Parent[Profile], info: Info) -> str:
    """Profile.name: of a built-in one in the language of the request."""
    if root.built_in is None:
        return root.name or ""
    english, german = PROFILE_NAMES[BuiltInProfile(root.built_in)]
    return german if info.context.language is Language.GERMAN else english


def built_in(root: strawberry.Parent[Profile]) -> BuiltInProfile | None:
    """Profile.builtIn."""
    return BuiltInProfile(root.built_in) if root.built_in else None


def permissions(root: strawberry.Parent[Profile]) -> list[Permission]:
    """Profile.permissions, in the order of the vocabulary."""
    held = permissions_of_profile(root.built_in, root.permissions)
    return [each for each in Permission if each in held]


_PERMISSIONS = "What its holders may do; only what the people of a customer can be given."


@strawberry.input(description="A profile of the company's own.")
class ProfileCreateInput:
    """profileCreate(input:)."""

    name: str = strawberry.field(description="Its name, 1 to 200 characters, used once.")
    permissions: list[Permission] = strawberry.field(description=_PERMISSIONS)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a profile of the company's own.")
class ProfileUpdateInput:
    """profileUpdate(input:)."""

    profile: strawberry.ID = strawberry.field(description="The profile.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    permissions: list[Permission] | None = strawberry.field(default=None, description=_PERMISSIONS)
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A profile of the company's own that is to go.")
class ProfileDeleteInput:
    """profileDelete(input:)."""

    profile: strawberry.ID = strawberry.field(description="The profile; no group may use it.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class ProfilePayload(Payload):
    """The profile as it is after the change."""

    profile: Profile | None = None


@dataclass(slots=True)
class DeletedPayload(Payload):
    """The id of what is no more."""

    deleted_id: str | None = None


_CreateInput = Annotated[ProfileCreateInput, strawberry.argument(description="The new profile.")]
_UpdateInput = Annotated[ProfileUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[ProfileDeleteInput, strawberry.argument(description="Which profile.")]


async def create(info: Info, input: _CreateInput) -> ProfilePayload:
    """Mutation.profileCreate."""
    context = info.context
    check_name(input.name, "name")
    check_for_customers(input.permissions, "permissions")
    added = await db.profiles.add(
        context.connection, id=uuid.uuid7(), name=input.name, permissions=_words(input.permissions)
    )
    if added is None:
        raise NameTaken(name=input.name, path=("name",))
    context.record("Profile", added.id, before=None, after=facts_of(added))
    return ProfilePayload(added)


async def update(info: Info, input: _UpdateInput) -> ProfilePayload:
    """Mutation.profileUpdate: works at once for all accounts whose groups use it."""
    context = info.context
    check_name(input.name, "name")
    check_for_customers(input.permissions or (), "permissions")
    profile = await _locked(context, input.profile, input.version)
    if input.name not in (None, profile.name):
        await _check_free(context, input.name)
    given = {
        "name": input.name,
        "permissions": None if input.permissions is None else _words(input.permissions),
    }
    if not differs(profile, given):
        context.record_nothing()
        return ProfilePayload(profile)
    changed = await db.profiles.change(context.connection, profile.id, **given)
    context.record("Profile", profile.id, before=facts_of(profile), after=facts_of(changed))
    return ProfilePayload(changed)


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.profileDelete."""
    context = info.context
    profile = await _locked(context, input.profile, input.version)
    if await db.access_groups.use_profile(context.connection, profile.id):
        raise ProfileInUse(path=("profile",))
    await db.profiles.remove(context.connection, profile.id)
    context.record("Profile", profile.id, before=facts_of(profile), after=None)
    return DeletedPayload(str(input.profile))


async def _check_free(context: Context, name: str) -> None:
    if await db.profiles.id_of_name(context.connection, name) is not None:
        raise NameTaken(name=name, path=("name",))


async def _locked(context: Context, id: strawberry.ID, version: int | None) -> Profile:
    """A profile of the company's own. Raises NotFound, ProfileBuiltIn or VersionConflict."""
    key = nodes.key_of(str(id), "Profile")
    profile = await db.profiles.lock(context.connection, key) if key else None
    if profile is None:
        raise NotFound(path=("profile",))
    if profile.built_in is not None:
        raise ProfileBuiltIn(path=("profile",))
    check_version(version, profile.version)
    return profile


def _words(permissions: list[Permission]) -> list[str]:
    return [each.name for each in Permission if each in permissions]
