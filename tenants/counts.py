"""Counts: how many there are of each key, as long as the blocks last that they are counted for."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@contextmanager
def counted(counts: Counter[Key], key: Key) -> Iterator[None]:
    """One more of the key as long as the block lasts; a key that there is none of is not kept."""
    counts[key] += 1
    try:
        yield
    finally:
        counts[key] -= 1
        if not counts[key]:
            del counts[key]
