"""What it means to break a rule: a typed error with a stable code and a text in each language."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from rules.money import minor_digits, plain


class Language(StrEnum):
    """The languages in which people read texts."""

    ENGLISH = "en"
    GERMAN = "de"


Path = tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class BrokenRule(Exception):
    """A rule of the business was broken. The class name is the code that clients see.

    `path` leads to the offending part of the input, e.g. ("items", "0", "quantity").
    """

    english: ClassVar[str]
    german: ClassVar[str]

    path: Path = field(default=())

    @classmethod
    def code(cls) -> str:
        """The code: `InsufficientStock` is INSUFFICIENT_STOCK, `RMARequestEnded` RMA_REQUEST_ENDED."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).upper()

    def message(self, language: Language = Language.ENGLISH) -> str:
        """The text for people, with the facts of this case filled in."""
        text = self.german if language is Language.GERMAN else self.english
        return text.format_map(_Facts(self, language))

    def at(self, *path: str) -> "BrokenRule":
        """The same broken rule, found at `path` of the input."""
        self.path = (*path, *self.path)
        return self

    def __str__(self) -> str:
        return f"{self.code()}: {self.message()}"


class BrokenRules(Exception):
    """Several rules were broken at once, each with its own path."""

    def __init__(self, rules: Sequence[BrokenRule]) -> None:
        super().__init__("; ".join(str(rule) for rule in rules))
        self.rules = list(rules)


@contextmanager
def found_at(*path: str) -> Iterator[None]:
    """A rule that is broken inside is found at `path` of the input."""
    try:
        yield
    except BrokenRule as rule:
        raise rule.at(*path) from None


class _Facts(dict[str, object]):
    """The attributes of a broken rule, properties included, for filling in its text: what is left of 12.5 is 0, not 0.0;
    and in German 12,5. Beside a currency it is an amount, with all its decimal places: 50.00 GBP."""

    def __init__(self, rule: BrokenRule, language: Language) -> None:
        super().__init__()
        self._rule = rule
        self._language = language

    def __missing__(self, name: str) -> object:
        fact: object = getattr(self._rule, name)
        if not isinstance(fact, Decimal):
            return fact
        currency: str | None = getattr(self._rule, "currency", None)
        number = format(plain(fact, minor_digits(currency) if currency else 0), "f")
        return number.replace(".", ",") if self._language is Language.GERMAN else number


def all_rules(root: type[BrokenRule] = BrokenRule) -> Iterator[type[BrokenRule]]:
    """Every class of broken rule that exists, each once."""
    for rule in root.__subclasses__():
        yield rule
        yield from all_rules(rule)


class NotFound(BrokenRule):
    """The id, code or number names nothing that the viewer may see."""

    english = "Nothing is here under this id, code or number."
    german = "Unter dieser Kennung, diesem Code oder dieser Nummer ist hier nichts vorhanden."


class InvalidInput(BrokenRule):
    """The input has the right type and still makes no sense."""

    english = "This input is not valid."
    german = "Diese Eingabe ist nicht gültig."


@dataclass(eq=False, kw_only=True)
class VersionConflict(BrokenRule):
    """The object was changed since the client read it."""

    english = "This was changed in the meantime; its version is now {current}."
    german = "Dies wurde inzwischen geändert; die Version ist jetzt {current}."

    current: int


def check_version(read: int | None, current: int) -> None:
    """Refuse a change to what has changed since it was read; None is a client that does not ask for that.

    Raises VersionConflict.
    """
    if read is not None and read != current:
        raise VersionConflict(current=current, path=("version",))


def broken_by(checks: Iterable[Callable[[], None]]) -> Iterator[BrokenRule]:
    """The rules that are broken when each check is made, however many."""
    for check in checks:
        try:
            check()
        except BrokenRule as rule:
            yield rule


class IdempotencyKeyReused(BrokenRule):
    """The same idempotency key came with another input."""

    english = "This idempotency key was already used with another input."
    german = "Dieser Idempotenzschlüssel wurde bereits mit einer anderen Eingabe verwendet."


class InvalidIdempotencyKey(BrokenRule):
    """The idempotency key is empty or longer than 255 characters."""

    english = "An idempotency key has 1 to 255 characters."
    german = "Ein Idempotenzschlüssel hat 1 bis 255 Zeichen."
