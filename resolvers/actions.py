"""Actions: what can be done with an object, and if not, why; from the very rules that guard the mutations."""

from dataclasses import dataclass

import strawberry

from resolvers.context import Context
from resolvers.errors import Broken
from rules.broken import BrokenRule
from rules.permissions import MissingPermission, Permission


@dataclass(slots=True)
class Action:
    """Something that might be done. `broken` is the rule that forbids it."""

    name: str
    broken: BrokenRule | None


def weigh(context: Context, name: str, needs: Permission, broken: BrokenRule | None = None) -> Action:
    """An action that takes a permission and breaks a rule or none, looked at in the order of a mutation.

    Who looks at the portal as an account is told what that account can do: it sees what the account sees.
    """
    viewer = context.signed_in
    if not viewer.may(needs):
        return Action(name, MissingPermission(permissions=(needs,)))
    return Action(name, broken)


def allowed(root: strawberry.Parent[Action]) -> bool:
    """Action.allowed."""
    return root.broken is None


def reason(root: strawberry.Parent[Action]) -> Broken | None:
    """Action.reason."""
    return None if root.broken is None else Broken(root.broken)


def missing_permission(root: strawberry.Parent[Action]) -> Permission | None:
    """Action.missingPermission."""
    return root.broken.permissions[0] if isinstance(root.broken, MissingPermission) else None
