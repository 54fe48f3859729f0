"""Words that somebody searches for, wherever they stand in a text."""


def patterns(text: str) -> list[str]:
    """A pattern of LIKE for each word, in small letters: text with it somewhere, whatever characters it has."""
    return [f"%{_escaped(word)}%" for word in text.lower().split()]


def _escaped(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, f"\\{special}")
    return word
