"""Categories: a tree, in which nothing hangs below itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class CategoryParentUnknown(BrokenRule):
    """The category that another was to hang below is not there, nor taken with it."""

    english = "There is no category {parent}."
    german = "Es gibt keine Kategorie {parent}."

    parent: str


class CategoryBelowItself(BrokenRule):
    """A category was to hang below itself, be it with others between."""

    english = "A category cannot hang below itself."
    german = "Eine Kategorie kann nicht unter sich selbst hängen."


def misplaced(wanted: Mapping[str, str | None], kept: Mapping[str, str | None]) -> dict[str, BrokenRule]:
    """The categories that would hang below nothing or below themselves, each with the rule that it breaks.

    Both are parents by code: those that are wanted now, and what is there. A category that is not taken stays
    where it was, so what the others hang on is looked at anew.
    """
    taken = dict(wanted)
    broken: dict[str, BrokenRule] = {}
    while True:
        tree = dict(kept) | taken
        bad: dict[str, BrokenRule] = {
            code: CategoryParentUnknown(parent=parent)
            for code, parent in taken.items()
            if parent is not None and parent not in tree
        }
        for code in _in_circles(tree) & taken.keys():
            bad.setdefault(code, CategoryBelowItself())
        if not bad:
            return broken
        broken |= bad
        taken = {code: parent for code, parent in taken.items() if code not in bad}


def _in_circles(tree: Mapping[str, str | None]) -> set[str]:
    """The codes from which the way up comes back to where it began."""
    done: set[str] = set()
    found: set[str] = set()
    for start in tree:
        way: dict[str, None] = {}
        at: str | None = start
        while at is not None and at in tree and at not in done and at not in way:
            way[at] = None
            at = tree[at]
        if at in way:
            steps = list(way)
            found.update(steps[steps.index(at) :])
        done.update(way)
    return found
