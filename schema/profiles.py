"""Profiles."""

from typing import Annotated

import strawberry

import resolvers.profiles
from rules.permissions import BuiltInProfile, Permission
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node


@strawberry.type(description="A named set of permissions for the people of customers.")
class Profile(Node):
    """db.profiles.Profile."""

    name: Annotated[
        str,
        field(
            resolvers.profiles.name, description="Its name; of a built-in one in the language of the request."
        ),
    ]
    built_in: Annotated[
        BuiltInProfile | None,
        field(
            resolvers.profiles.built_in, description="Which built-in profile it is; null: the company's own."
        ),
    ]
    permissions: Annotated[
        list[Permission],
        field(resolvers.profiles.permissions, description="What its holders may do.", size=5),
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What a change to a profile answers.")
class ProfilePayload:
    """resolvers.profiles.ProfilePayload."""

    profile: Annotated[Profile | None, field(description="The profile after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What a mutation that deletes something answers.")
class DeletedPayload:
    """resolvers.profiles.DeletedPayload."""

    deleted_id: Annotated[strawberry.ID | None, field(description="The global id of what is no more.")]
    errors: Annotated[list[UserError], field(description="Why nothing was deleted.", size=1)]


@strawberry.type
class ProfileQueries:
    """Query fields on profiles."""

    profiles: Annotated[
        list[Profile],
        query(
            resolvers.profiles.every,
            needs=Permission.ACCESS_READ,
            description="The built-in profiles, then the company's own by name.",
            size=6,
        ),
    ]


@strawberry.type
class ProfileMutations:
    """Mutation fields on profiles."""

    profile_create: Annotated[
        ProfilePayload,
        mutation(
            resolvers.profiles.create,
            needs=Permission.ACCESS_WRITE,
            description="Make a profile of the company's own.",
        ),
    ]
    profile_update: Annotated[
        ProfilePayload,
        mutation(
            resolvers.profiles.update,
            needs=Permission.ACCESS_WRITE,
            description="Change a profile of the company's own; it counts at once for all whose groups use it.",
        ),
    ]
    profile_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.profiles.delete,
            needs=Permission.ACCESS_WRITE,
            description="Delete a profile of the company's own that no access group uses.",
        ),
    ]
