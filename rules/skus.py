"""SKUs that were mistyped: which others are one letter off, or begin alike."""

from collections.abc import Iterable

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


def nearest(asked: str, there: Iterable[str]) -> str | None:
    """The best of SKUs that are there: one that is a letter off before one that begins alike; None when none is."""
    wanted = asked.strip().upper()
    near = neighbours(asked)
    ranked = []
    for sku in there:
        upper = sku.upper()
        if upper in near and len(upper) >= len(wanted) - 1:
            ranked.append((0, abs(len(upper) - len(wanted)), sku))
        elif upper == wanted:
            ranked.append((0, 0, sku))
        elif begins_alike(upper, wanted):
            ranked.append((1, abs(len(upper) - len(wanted)), sku))
    return min(ranked)[2] if ranked else None


def begins_alike(sku: str, wanted: str) -> bool:
    """Whether one of the two is the beginning of the other, and long enough to say something."""
    shorter, longer = sorted((sku, wanted), key=len)
    return len(shorter) >= SHORTEST_BEGINNING and longer.startswith(shorter)
