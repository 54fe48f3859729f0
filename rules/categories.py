"""Categories: a tree, in which nothing hangs below itself."""

from collections.abc import Iterable, Mapping, Sequence
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
    tree = _Tree(wanted, kept)
    tree.drop_below_nothing(
        code
        for code, parent in wanted.items()
        if parent is not None and parent not in kept and parent not in wanted
    )
    for code in wanted:
        tree.settle(code)
    return tree.broken


class _Tree:
    """What is wanted above what is kept. Each category is taken or dropped once, so many cost little more than few."""

    def __init__(self, wanted: Mapping[str, str | None], kept: Mapping[str, str | None]) -> None:
        self.broken: dict[str, BrokenRule] = {}
        self._wanted = wanted
        self._kept = kept
        self._taken: set[str] = (
            set()
        )  # those from which the way up has an end: they stay, whatever is dropped
        # What hangs where it stays: the next on the way up, of which what was walked once is cut short.
        self._up = {code: parent for code, parent in kept.items() if code not in wanted}
        self._children: dict[str, list[str]] = {}
        for code, parent in wanted.items():
            if parent is not None:
                self._children.setdefault(parent, []).append(code)

    def drop_below_nothing(self, codes: Iterable[str]) -> None:
        """Drop categories whose parents are not there, and what hangs on them."""
        left = list(codes)
        while left:
            code = left.pop()
            parent = self._wanted[code]
            if code not in self.broken and parent is not None:
                left += self._drop(code, CategoryParentUnknown(parent=parent))

    def settle(self, code: str) -> None:
        """Take a category and all above it, and drop those that the way up meets twice."""
        way: list[str] = []
        places: dict[str, int] = {}
        at = self._top(code)
        while at is not None and at in self._wanted and at not in self.broken and at not in self._taken:
            if at not in places:
                places[at] = len(way)
                way.append(at)
            else:
                self._drop_circle(way[places[at] :])
                # What is left of the way ends where something is not dropped.
                while way and way[-1] in self.broken:
                    del places[way.pop()]
            at = self._top(self._wanted[way[-1]]) if way else None
        self._taken.update(way)

    def _drop_circle(self, codes: Sequence[str]) -> None:
        """Drop all of a circle before what hangs on them: none of them hangs below nothing."""
        orphans: list[str] = []
        for code in codes:
            orphans += self._drop(code, CategoryBelowItself())
        self.drop_below_nothing(orphans)

    def _drop(self, code: str, rule: BrokenRule) -> Sequence[str]:
        """Leave a category where it was kept; what was to hang on one that was not is without a parent."""
        self.broken[code] = rule
        if code not in self._kept:
            return self._children.get(code, ())
        self._up[code] = self._kept[code]
        return ()

    def _top(self, at: str | None) -> str | None:
        """The first on the way up, itself included, that may still be dropped, or where the way ends."""
        way: list[str] = []
        while at is not None and at in self._up:
            way.append(at)
            # Whoever comes here again meanwhile is at an end.
            self._up[at], at = None, self._up[at]
        for code in way:
            self._up[code] = at
        return at
