"""Attributes of products: their kinds, what can be said by each, how that reads, and when two products differ."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rules.broken import BrokenRule, Language
from rules.money import plain

MOST_CHOICES = 200
MOST_ATTRIBUTES = 200  # of one product in one call
LEAST_COMPARED, MOST_COMPARED = 2, 10
LONGEST_VALUE = 500
LARGEST_POSITION = 999_999_999

# As the database reads it too: what is imported is looked at there.
NUMBER = r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?"
_BOOLEANS = {
    Language.ENGLISH: {"true": "Yes", "false": "No"},
    Language.GERMAN: {"true": "Ja", "false": "Nein"},
}


class AttributeKind(StrEnum):
    """What can be said by an attribute."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    CHOICE = "CHOICE"


class AttributeUnitMisplaced(BrokenRule):
    """An attribute that is no number was given a unit."""

    english = "Only a number has a unit."
    german = "Nur eine Zahl hat eine Einheit."


class AttributeChoicesMisplaced(BrokenRule):
    """An attribute that is no choice was given choices."""

    english = "Only an attribute of the kind CHOICE has choices."
    german = "Nur ein Merkmal der Art CHOICE hat Auswahlwerte."


class AttributeChoicesMissing(BrokenRule):
    """An attribute to choose from has nothing to choose."""

    english = "An attribute of the kind CHOICE needs at least one choice."
    german = "Ein Merkmal der Art CHOICE braucht mindestens einen Auswahlwert."


class AttributeInUse(BrokenRule):
    """An attribute that says something of a product keeps its kind."""

    english = "Products have this attribute; its kind stays as it is."
    german = "Waren haben dieses Merkmal; seine Art bleibt, wie sie ist."


@dataclass(eq=False, kw_only=True)
class ComparedCountInvalid(BrokenRule):
    """Too few products were to be compared, or too many to read side by side."""

    english = "Compare {least} to {most} different products; these are {given}."
    german = "Vergleichen Sie {least} bis {most} verschiedene Produkte; dies sind {given}."

    given: int
    least: int = LEAST_COMPARED
    most: int = MOST_COMPARED


@dataclass(eq=False, kw_only=True)
class AttributeChoiceInUse(BrokenRule):
    """A choice that a product has cannot be taken away."""

    english = "Products have the choice {choice}; it stays."
    german = "Waren haben den Auswahlwert {choice}; er bleibt."

    choice: str


class AttributeValueNoNumber(BrokenRule):
    """A number was wanted, with at most 12 digits and 6 decimal places."""

    english = "This is a number with up to 12 digits and 6 decimal places, like 12.5."
    german = "Dies ist eine Zahl mit bis zu 12 Stellen und 6 Nachkommastellen, etwa 12.5."


class AttributeValueNoBoolean(BrokenRule):
    """True or false was wanted."""

    english = "This is either true or false."
    german = "Dies ist entweder true oder false."


@dataclass(eq=False, kw_only=True)
class AttributeValueNoChoice(BrokenRule):
    """The code of a choice was wanted."""

    english = "{choice} is none of the choices of this attribute."
    german = "{choice} ist keiner der Auswahlwerte dieses Merkmals."

    choice: str


def read_value(text: str, kind: AttributeKind, choices: Collection[str]) -> str:
    """A value as it is kept: equal values are equal texts. `choices` are the codes of an attribute of choices.

    Raises AttributeValueNoNumber, AttributeValueNoBoolean or AttributeValueNoChoice.
    """
    if kind is AttributeKind.NUMBER:
        if not re.fullmatch(NUMBER, text, re.ASCII):
            raise AttributeValueNoNumber
        return format(plain(Decimal(text) or Decimal(0)), "f")
    if kind is AttributeKind.BOOLEAN:
        if text.lower() not in ("true", "false"):
            raise AttributeValueNoBoolean
        return text.lower()
    if kind is AttributeKind.CHOICE and text not in choices:
        raise AttributeValueNoChoice(choice=text)
    return text


def readable(value: str, kind: AttributeKind, unit: str | None, language: Language) -> str:
    """A value that is kept, as people read it; of a choice its name is known elsewhere."""
    if kind is AttributeKind.NUMBER:
        number = value.replace(".", ",") if language is Language.GERMAN else value
        return f"{number} {unit}" if unit else number
    if kind is AttributeKind.BOOLEAN:
        return _BOOLEANS[language][value]
    return value


def differ(values: Sequence[str | None]) -> bool:
    """Whether products that are compared are not all the same in one attribute; saying nothing is a difference."""
    return len(set(values)) > 1
