"""File names: what a file is called where it is saved, whatever was in the names it is made of."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|%]+')
_LONGEST = 150


def safe(name: str) -> str:
    """The name without what means something to a header, a path or a shell."""
    return _FORBIDDEN.sub("_", name)


def unlike(names: Iterable[str]) -> Iterator[str]:
    """The names as files of one folder: none leads out of it, is hidden, or is another's, large or small."""
    taken: set[str] = set()
    for name in names:
        path = PurePosixPath(safe(name).strip(" .") or "_")
        stem = path.stem[:_LONGEST]
        found, number = f"{stem}{path.suffix}", 2
        while found.casefold() in taken:
            found, number = f"{stem} ({number}){path.suffix}", number + 1
        taken.add(found.casefold())
        yield found
