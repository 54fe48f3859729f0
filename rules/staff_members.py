"""Staff members: which roles somebody may give and take, and that every company keeps an owner."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from rules.broken import BrokenRule
from rules.permissions import StaffRole

MOST_ROLES = 100


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role at one company, or with None at all companies of the supplier."""

    role: StaffRole
    at_tenant_id: UUID | None


class RoleOutOfReach(BrokenRule):
    """Roles are given and taken only by owners of the company in question."""

    english = "Only an owner of all companies concerned may do this."
    german = "Das darf nur, wer Inhaber aller betroffenen Firmen ist."


class RolesMissing(BrokenRule):
    """A staff member was to have no role at all."""

    english = "A staff member has at least one role. Deactivate whoever is to have none."
    german = "Ein Firmenvertreter hat mindestens eine Rolle. Deaktivieren Sie, wer keine haben soll."


class LastOwner(BrokenRule):
    """A company would be left without an owner who can sign in, and nobody could change that."""

    english = "Every company keeps at least one owner who can sign in."
    german = "Jede Firma behält mindestens einen Inhaber, der sich anmelden kann."


def reaches(actor: Iterable[HeldRole], at_tenant_id: UUID | None) -> bool:
    """Whether somebody with these roles gives and takes roles at a company, or with None at all of them."""
    places = {held.at_tenant_id for held in actor if held.role is StaffRole.OWNER}
    return None in places or (at_tenant_id is not None and at_tenant_id in places)


def check_reach(actor: Collection[HeldRole], changed: Iterable[HeldRole], *path: str) -> None:
    """Refuse to touch roles at companies of which the actor is no owner. Raises RoleOutOfReach."""
    if not all(reaches(actor, held.at_tenant_id) for held in changed):
        raise RoleOutOfReach(path=path)


def replaced(
    actor: Collection[HeldRole], had: Iterable[HeldRole], given: Iterable[HeldRole], *path: str
) -> list[HeldRole]:
    """Somebody's roles when the actor gives others: those out of the actor's reach stay as they are.

    Raises RoleOutOfReach for one that is given and neither in reach nor held already.
    """
    kept = [held for held in had if not reaches(actor, held.at_tenant_id)]
    new = [held for held in given if held not in kept]
    check_reach(actor, new, *path)
    return [*kept, *new]
