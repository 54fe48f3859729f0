"""Files that the company shares: for whom, when they are visible, and what can be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.broken import BrokenRule

LONGEST_DESCRIPTION = 2_000
MOST_ADDRESSED = 1_000


class FileAudience(StrEnum):
    """For whom a file is."""

    ALL_CUSTOMERS = "ALL_CUSTOMERS"
    ACCESS_GROUPS = "ACCESS_GROUPS"
    CUSTOMERS = "CUSTOMERS"


class FileAct(StrEnum):
    """What can be done with a file that was shared."""

    SHARE = "SHARE"
    UPDATE = "UPDATE"
    UNSHARE = "UNSHARE"


# By whether it is shared now.
_POSSIBLE: dict[bool, frozenset[FileAct]] = {
    True: frozenset(FileAct),
    False: frozenset({FileAct.SHARE}),
}


class FileUnshared(BrokenRule):
    """A file that is shared no longer can only be shared again."""

    english = "This file is not shared any more; share it again first."
    german = "Diese Datei ist nicht mehr freigegeben; geben Sie sie zuerst wieder frei."


class FileAudienceMissing(BrokenRule):
    """A file was to be shared without a word for whom: it is for nobody by accident, least of all for everybody."""

    english = "Say for whom this is: all customers, or name access groups or customers."
    german = "Geben Sie an, für wen dies ist: alle Kunden, oder nennen Sie Zugriffsgruppen oder Kunden."


@dataclass(eq=False, kw_only=True)
class FileAudienceUnfit(BrokenRule):
    """An audience names what is not of its kind."""

    english = "{kind} goes with its own list and no other."
    german = "{kind} steht mit der eigenen Liste und keiner anderen."

    kind: str


class FilePeriodInvalid(BrokenRule):
    """A file was to be visible until a day before it is visible from."""

    english = "The last day must not be before the first."
    german = "Der letzte Tag darf nicht vor dem ersten liegen."


def refusal(is_shared: bool, act: FileAct) -> BrokenRule | None:
    """What stands in the way of an act."""
    return None if act in _POSSIBLE[is_shared] else FileUnshared(path=("file",))


def check_act(is_shared: bool, act: FileAct) -> None:
    """Refuse what cannot be done. Raises FileUnshared."""
    if (broken := refusal(is_shared, act)) is not None:
        raise broken


def check_period(visible_from: date | None, visible_to: date | None) -> None:
    """Refuse days in the wrong order. Raises FilePeriodInvalid."""
    if visible_from is not None and visible_to is not None and visible_to < visible_from:
        raise FilePeriodInvalid(path=("visibleTo",))


def check_audience(
    kind: FileAudience, access_groups: Sequence[object] | None, customers: Sequence[object] | None
) -> None:
    """Refuse an audience whose lists are not of its kind, or that is nobody.

    Raises FileAudienceUnfit or FileAudienceMissing.
    """
    lists = {FileAudience.ACCESS_GROUPS: access_groups, FileAudience.CUSTOMERS: customers}
    if any(each for name, each in lists.items() if name is not kind):
        raise FileAudienceUnfit(kind=kind.value, path=("audience",))
    if kind in lists and not lists[kind]:
        raise FileAudienceMissing(path=("audience",))
