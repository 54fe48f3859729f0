"""Actions: what can be done with an object."""

from typing import Annotated

import strawberry

import resolvers.actions
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field


@strawberry.type(description="Something that might be done with an object, and whether it can be.")
class Action:
    """resolvers.actions.Action."""

    name: Annotated[str, field(description="What, e.g. PLACE.")]
    allowed: Annotated[
        bool, field(resolvers.actions.allowed, description="Whether the viewer can do it at this moment.")
    ]
    reason: Annotated[
        UserError | None,
        field(
            resolvers.actions.reason, description="What the mutation would answer; null when it is allowed."
        ),
    ]
    missing_permission: Annotated[
        Permission | None,
        field(
            resolvers.actions.missing_permission,
            description="The permission that is missing, where that is the reason.",
        ),
    ]
