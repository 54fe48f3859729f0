"""Programs that come from outside: where they are, what one says, and on whose word something falls short."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def found(program: str, how: str) -> str:
    """Where a program is. Without it nothing would be judged: that is no success, and ends the process with 2."""
    place = shutil.which(program)
    if place is None:
        console.print(f"There is no {program} here: {how}")
        sys.exit(2)
    return place


@dataclass(slots=True)
class Verdict:
    """What was asked for and did not hold."""

    broken: list[str] = field(default_factory=list)

    def that(self, holds: bool, what: str) -> None:
        """Take note of what does not hold."""
        if not holds:
            self.broken.append(what)

    def told(self, judge: str) -> int:
        """Say what came of it; 1 where something does not hold."""
        for each in self.broken:
            console.print(f"✗ {each}")
        console.print(
            f"{judge}: {f'falls short in {len(self.broken)}' if self.broken else 'all of it holds'}."
        )
        return int(bool(self.broken))


def row(cells: Sequence[object], widths: Sequence[int]) -> str:
    """Cells below each other, the first to the left."""
    first, *others = (str(cell) for cell in cells)
    return first.ljust(widths[0]) + "".join(
        cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)
    )
