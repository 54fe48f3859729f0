"""Dice: where the random choices of a case come from, so that a case can be repeated and made smaller."""

import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

_MOST_ATTEMPTS = 3_000
_MOST_SECONDS = 90


class Dice:
    """Choices by numbers; 0 is always the simplest one. What was thrown is kept."""

    def __init__(self, throw: Callable[[int], int]) -> None:
        self._throw = throw
        self.thrown: list[int] = []

    def below(self, sides: int) -> int:
        """A number from 0 to `sides` - 1."""
        number = self._throw(sides) if sides > 1 else 0
        self.thrown.append(number)
        return number

    def chance(self, percent: int) -> bool:
        """True in that many of a hundred cases."""
        return self.below(100) >= 100 - percent

    def pick(self, some: Sequence[T]) -> T:
        """One of them."""
        return some[self.below(len(some))]

    def several(self, some: Sequence[T], least: int, most: int) -> list[T]:
        """So many of them, each at most once, in an order of their own."""
        left = list(some)
        wanted = min(len(left), least + self.below(most - least + 1))
        return [left.pop(self.below(len(left))) for _ in range(wanted)]


def seeded(seed: int) -> Dice:
    """The same choices for the same seed."""
    return Dice(random.Random(seed).randrange)


def repeated(thrown: Sequence[int]) -> Dice:
    """What was thrown once; zeros when that is used up."""
    numbers = iter(thrown)
    return Dice(lambda sides: min(next(numbers, 0), sides - 1))


@st.composite
def dice(draw: st.DrawFn) -> Dice:
    """Choices of hypothesis, which makes a failing case smaller by itself."""
    return Dice(lambda sides: draw(st.integers(0, sides - 1)))


def smallest(thrown: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Fewer and smaller numbers with which it still fails."""
    best, attempts, until = list(thrown), 0, time.monotonic() + _MOST_SECONDS
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(best):
            attempts += 1
            if attempts > _MOST_ATTEMPTS or time.monotonic() > until:
                return best
            if fails(candidate):
                best, improved = candidate, True
                break
    return best


def _smaller(numbers: list[int]) -> "Sequence[list[int]]":
    candidates: list[list[int]] = []
    size = max(1, len(numbers) // 2)
    while True:
        candidates += [numbers[:at] + numbers[at + size :] for at in range(0, len(numbers), size)]
        if size == 1:
            break
        size //= 2
    candidates += [[*numbers[:at], 0, *numbers[at + 1 :]] for at, each in enumerate(numbers) if each]
    return candidates
