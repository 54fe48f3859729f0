"""Access groups and profiles: what makes one, and what stands in the way of changing it."""

from collections.abc import Collection
from dataclasses import dataclass

from rules.broken import BrokenRule
from rules.permissions import FOR_CUSTOMERS, Permission
from rules.restrictions import MOST_LISTED

MOST_MEMBERS = 1_000
MOST_GROUPS = 50


@dataclass(eq=False, kw_only=True)
class NameTaken(BrokenRule):
    """Another object of the same kind has this name already."""

    english = "The name {name} is taken."
    german = "Der Name {name} ist vergeben."

    name: str


class AccessGroupsMissing(BrokenRule):
    """An account was to be in no access group, and so could do nothing."""

    english = "An account has to be a member of at least one access group."
    german = "Ein Kundenkonto muss Mitglied mindestens einer Zugriffsgruppe sein."


class EndDatePast(BrokenRule):
    """A membership was to end before today."""

    english = "The last day of a membership cannot be in the past."
    german = "Der letzte Tag einer Mitgliedschaft darf nicht in der Vergangenheit liegen."


@dataclass(eq=False, kw_only=True)
class AccessGroupInUse(BrokenRule):
    """An access group that still has members cannot be deleted."""

    english = "This access group has {members} members; take them out first."
    german = "Diese Zugriffsgruppe hat {members} Mitglieder; entfernen Sie diese zuerst."

    members: int


class ProfileInUse(BrokenRule):
    """A profile that access groups use cannot be deleted."""

    english = "Access groups use this profile; give them another one first."
    german = "Zugriffsgruppen nutzen dieses Profil; geben Sie ihnen zuerst ein anderes."


class ProfileBuiltIn(BrokenRule):
    """A profile that every company has cannot be changed or deleted."""

    english = "This profile is built in; make one of your own."
    german = "Dieses Profil ist vorgegeben; legen Sie ein eigenes an."


@dataclass(eq=False, kw_only=True)
class PermissionNotForCustomers(BrokenRule):
    """A profile was to hold what only the company's own staff may do."""

    english = "The people of a customer cannot be given the permission {word}."
    german = "Die Berechtigung {word} kann Personen eines Kunden nicht gegeben werden."

    word: str


@dataclass(eq=False, kw_only=True)
class RestrictionTwice(BrokenRule):
    """A group restricts each kind once."""

    english = "{kind} is restricted twice."
    german = "{kind} wird zweimal eingeschränkt."

    kind: str


@dataclass(eq=False, kw_only=True)
class RestrictionValuesOfAnotherKind(BrokenRule):
    """A restriction lists values that are not of its kind."""

    english = "A restriction of {kind} lists only values of that kind."
    german = "Eine Einschränkung von {kind} nennt nur Werte dieser Art."

    kind: str


@dataclass(eq=False, kw_only=True)
class ListTooLong(BrokenRule):
    """More was listed than is taken at once."""

    english = "At most {most} can be listed here."
    german = "Hier können höchstens {most} genannt werden."

    most: int = MOST_LISTED


def check_length(listed: Collection[object] | None, most: int, *path: str) -> None:
    """Refuse a list that is too long; None is no list. Raises ListTooLong."""
    if listed is not None and len(listed) > most:
        raise ListTooLong(most=most, path=path)


def check_for_customers(permissions: Collection[Permission], *path: str) -> None:
    """Refuse a profile that holds what is the staff's alone. Raises PermissionNotForCustomers."""
    for index, permission in enumerate(permissions):
        if permission not in FOR_CUSTOMERS:
            raise PermissionNotForCustomers(word=permission.value, path=(*path, str(index)))
