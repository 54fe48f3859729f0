"""SKUs that were mistyped: which others are one letter off, or begin alike."""

from collections.abc import Collection, Iterable
from itertools import takewhile

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./ "
# What is shorter begins like half the catalogue; what is longer is no SKU.
SHORTEST_BEGINNING = 3
_LONGEST = 40


def neighbours(asked: str) -> set[str]:
    """What may have been meant: one letter more, less or other, two swapped, in capitals, or only the beginning."""
    if not asked.strip() or len(asked) > _LONGEST:
        return set()
    word = asked.strip().upper()
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    near = {word, asked.strip(), asked.strip().lower()}
    near |= {left + right[1:] for left, right in splits if right}
    near |= {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    near |= {left + letter + right[1:] for left, right in splits if right for letter in _LETTERS}
    near |= {left + letter + right for left, right in splits for letter in _LETTERS}
    near |= {word[:length] for length in range(SHORTEST_BEGINNING, len(word))}
    return {each for word in near if (each := word.strip())} - {asked}


def nearest(asked: str, near: Collection[str], there: Iterable[str]) -> str | None:
    """The best of SKUs that are there: one that is a letter off before one that begins alike; None when none is.
    `near` are the neighbours of what was asked for."""
    wanted = asked.strip().upper()
    ranked = []
    for sku in there:
        upper = sku.upper()
        is_near = upper == wanted or (upper in near and len(upper) >= len(wanted) - 1)
        if is_near or begins_alike(upper, wanted):
            alike = sum(
                1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(upper, wanted, strict=False))
            )
            ranked.append((not is_near, -alike, len(sku), sku))
    return min(ranked)[-1] if ranked else None


def begins_alike(sku: str, wanted: str) -> bool:
    """Whether one of the two is the beginning of the other, and long enough to say something."""
    shorter, longer = sorted((sku, wanted), key=len)
    return len(shorter) >= SHORTEST_BEGINNING and longer.startswith(shorter)
