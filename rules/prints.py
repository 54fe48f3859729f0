"""Prints: everything that a printed document shows, as texts in one language; how it looks is not said here."""

from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule, Language

# A document of so many rows is printed in a second or two, and takes some hundred megabytes meanwhile.
MOST_ROWS = 3_000
# Of what is printed together.
MOST_DOCUMENTS = 200
MOST_ROWS_TOGETHER = 3_000


class Align(StrEnum):
    """On which side the cells of a column stand."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(eq=False, kw_only=True)
class PrintTooLong(BrokenRule):
    """A document has more lines than are printed."""

    english = "This document has {rows} lines; at most {most} are printed."
    german = "Dieses Dokument hat {rows} Positionen; gedruckt werden höchstens {most}."

    rows: int
    most: int


@dataclass(eq=False, kw_only=True)
class TooManyPrints(BrokenRule):
    """More documents were asked for than are printed together."""

    english = "These are {documents} documents; at most {most} are printed together. Ask for fewer, e.g. for a shorter period."
    german = "Das sind {documents} Dokumente; zusammen gedruckt werden höchstens {most}. Fragen Sie nach weniger, z. B. nach einem kürzeren Zeitraum."

    documents: int
    most: int = MOST_DOCUMENTS


class NothingToPrint(BrokenRule):
    """No document passes the filter by which they were to be printed."""

    english = "There is no such document."
    german = "Es gibt kein solches Dokument."


class TooManyRows(BrokenRule):
    """Documents have more lines than are printed together."""

    english = "All these documents together have too many lines. Ask for this one alone."
    german = "Alle diese Dokumente haben zusammen zu viele Positionen. Fragen Sie nach diesem allein."


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; the one that is `wide` takes the room that is left."""

    label: str
    align: Align = Align.LEFT
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: a text for each column, and perhaps small print below the wide one."""

    cells: tuple[str, ...]
    note: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something with its label, e.g. a number, a day, a sum."""

    label: str
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What is the company's on each page: its address, the columns at the foot, its logo if it has one."""

    company: str
    sender: str  # the small line above the addressee
    foot: tuple[tuple[str, ...], ...]
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Logo:
    """The picture at the top right."""

    type: str  # of rules.logos.ImageType
    image: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One document. `number` names it to people; `name` is what its file is called, without an ending."""

    language: Language
    number: str
    name: str
    title: str
    head: Head
    logo: Logo | None = None
    addressee: tuple[str, ...]
    facts: tuple[Fact, ...]
    warning: str = ""  # why it no longer holds
    opening: str = ""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sums: tuple[Fact, ...] = ()
    taxes: tuple[tuple[str, ...], ...] = ()  # a heading, then a row for each rate
    closing: tuple[str, ...] = ()
    payment: tuple[Fact, ...] = ()
    signatures: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()  # the page's own words, by name


@dataclass(frozen=True, slots=True)
class Unprinted:
    """A document that could not be printed, and why."""

    number: str
    reason: str


def check_documents(documents: int, *path: str) -> None:
    """Refuse more documents than are printed together, and none. Raises TooManyPrints or NothingToPrint."""
    if documents > MOST_DOCUMENTS:
        raise TooManyPrints(documents=documents, path=path)
    if not documents:
        raise NothingToPrint(path=path)


def check_rows(rows: int, *path: str) -> None:
    """Refuse a document with more lines than are printed. Raises PrintTooLong."""
    if rows > MOST_ROWS:
        raise PrintTooLong(rows=rows, most=MOST_ROWS, path=path)
