"""Memory: what this process has asked for a few seconds ago, so that it need not ask again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

SECONDS = 10.0  # for as long what has changed since may be unknown here

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _nothing(_value: object) -> int:
    return 0


class Memory(Generic[Key, Value]):
    """Values by key, each for a few seconds. What was used longest ago makes room: there are `most` at most, and all
    together they weigh `heaviest`."""

    def __init__(self, most: int, *, weight: Callable[[Value], int] = _nothing, heaviest: int = 0) -> None:
        self._most = most
        self._weight = weight
        self._heaviest = heaviest
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._weighs = 0

    def recall(self, key: Key) -> Value | None:
        """The value of a key, unless that was too long ago."""
        kept = self._kept.get(key)
        if kept is None or kept[0] <= monotonic():
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def keep(self, key: Key, value: Value) -> None:
        """Remember a value that was read just now."""
        if (former := self._kept.pop(key, None)) is not None:
            self._weighs -= self._weight(former[1])
        self._kept[key] = monotonic() + SECONDS, value
        self._weighs += self._weight(value)
        while len(self._kept) > self._most or self._weighs > self._heaviest:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._weighs -= self._weight(dropped)
