"""Permission classes: what a root field needs, asked before its resolver runs."""

from typing import Any, TypeAlias

import strawberry
from strawberry.permission import BasePermission
from strawberry.schema_directive import Location

from resolvers.context import Info
from rules.permissions import MissingPermission, Permission, Unauthenticated


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="needs",
    description="What the viewer must be allowed to do to use this field; empty: being signed in is enough.",
)
class NeedsDirective:
    """How a need shows in the SDL."""

    permissions: list[Permission] = strawberry.field(description="All of these are needed.")


class Public:
    """The word for a field that everybody may use; it has to be written."""


class SignedIn:
    """The word for a field that everybody may use who is signed in."""


PUBLIC = Public()
SIGNED_IN = SignedIn()

Needs: TypeAlias = Permission | SignedIn | Public


class NeedsPermission(BasePermission):
    """Lets pass who is signed in at this portal and, if one is named, holds the permission."""

    def __init__(self, needs: Permission | SignedIn) -> None:
        self.needed = (needs,) if isinstance(needs, Permission) else ()
        self._schema_directive = NeedsDirective(permissions=list(self.needed))  # type: ignore[misc]

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """Raises Unauthenticated or MissingPermission, which say more than a bare False."""
        viewer = info.context.viewer
        if viewer is None:
            raise Unauthenticated
        missing = tuple(each for each in self.needed if each not in viewer.permissions)
        if missing:
            raise MissingPermission(permissions=missing)
        return True
