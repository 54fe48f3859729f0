"""Texts that people write: how long they may be, and which must say something."""

import re
from dataclasses import dataclass

from rules.broken import BrokenRule

LONGEST_NAME = 200
LONGEST_EMAIL = 254  # RFC 5321

# What can be told without sending a mail: something, one @, a domain with a dot; and nothing that would make a list, a
# comment or another header of it in a mail (RFC 5322, "specials").
_SPECIAL = r'@\s()<>\[\]:;\\,"\x00-\x1f\x7f-\x9f'
_EMAIL = re.compile(rf"[^{_SPECIAL}]+@[^{_SPECIAL}.]+(\.[^{_SPECIAL}.]+)+")


@dataclass(eq=False, kw_only=True)
class TextTooLong(BrokenRule):
    """A text has more characters than are kept."""

    english = "This text can have at most {most} characters."
    german = "Dieser Text darf höchstens {most} Zeichen haben."

    most: int


class TextMissing(BrokenRule):
    """A text that has to say something is empty."""

    english = "This must not be empty."
    german = "Dies darf nicht leer sein."


class InvalidEmail(BrokenRule):
    """A text is no address that mail could be sent to."""

    english = "This is not an e-mail address."
    german = "Dies ist keine E-Mail-Adresse."


def check_text(text: str | None, most: int, *path: str) -> None:
    """Refuse a text that is longer than what is kept. Raises TextTooLong."""
    if text is not None and len(text) > most:
        raise TextTooLong(most=most, path=path)


def check_name(name: str | None, *path: str) -> None:
    """Refuse a name that is empty or too long; None is no name yet. Raises TextMissing or TextTooLong."""
    if name is not None and not name.strip():
        raise TextMissing(path=path)
    check_text(name, LONGEST_NAME, *path)


def check_email(email: str | None, *path: str) -> None:
    """Refuse what cannot be an address; None is no address yet. Raises InvalidEmail or TextTooLong."""
    check_text(email, LONGEST_EMAIL, *path)
    if email is not None and not _EMAIL.fullmatch(email):
        raise InvalidEmail(path=path)
