"""Downloads: files that a signed link gives, for a short while; what a cell of a table may begin with."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

LINK_SECONDS = 300
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*")
# Some programs take the fullwidth ones for the others.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where a program may split a text though it is quoted: a German Excel does at semicolons, and then a quotation
# mark is nothing in front of what follows.
_SPLITS = re.compile(r'([;\t\r\n]"*)')


class DownloadFormat(StrEnum):
    """As what kind of file a report is given."""

    CSV = "CSV"
    XLSX = "XLSX"


class DocumentFormat(StrEnum):
    """As what kind of file a document is given."""

    PDF = "PDF"


# A file holds a connection for seconds: so many are made at once for one session.
MOST_AT_ONCE = 2

# What is made in a few seconds: a row of a workbook costs several times as much as a row of text.
MOST_ROWS = {DownloadFormat.CSV: 100_000, DownloadFormat.XLSX: 25_000}


class DownloadUnknown(BrokenRule):
    """A link was changed, or belongs to another portal."""

    english = "There is no download at this address."
    german = "Unter dieser Adresse gibt es nichts herunterzuladen."


class DownloadExpired(BrokenRule):
    """A link was good once; links are for minutes."""

    english = "This link has expired. Ask for a new one."
    german = "Dieser Link ist abgelaufen. Fordern Sie einen neuen an."


@dataclass(eq=False, kw_only=True)
class TooManyDownloads(BrokenRule):
    """A session follows as many links at once as it may."""

    english = "{most} of your files are being made already. Try again in a moment."
    german = "Es werden schon {most} Ihrer Dateien erstellt. Versuchen Sie es gleich noch einmal."

    most: int


@dataclass(eq=False, kw_only=True)
class DownloadTooLarge(BrokenRule):
    """More rows were asked for than one file holds."""

    english = "These are {rows} rows; this kind of file has at most {most}. Ask for less, e.g. for a shorter period."
    german = "Das sind {rows} Zeilen; eine Datei dieser Art hat höchstens {most}. Fragen Sie nach weniger, z. B. nach einem kürzeren Zeitraum."

    rows: int
    most: int


def check_rows(rows: int, format: DownloadFormat, *path: str) -> None:
    """Refuse a report with more rows than are made. Raises DownloadTooLarge."""
    if rows > MOST_ROWS[format]:
        raise DownloadTooLarge(rows=rows, most=MOST_ROWS[format], path=path)


def harmless(text: str) -> str:
    """A text for a cell of a CSV file: what a spreadsheet program would run as a formula is marked as text by an
    apostrophe (OWASP, CSV injection), also behind what programs split at; a plain number is none."""
    first, *others = _SPLITS.split(text)
    if text.startswith(("\t", "\r", "\n")):
        first = "'"
    return "".join([_marked(first), *(_marked(each) for each in others)])


def _marked(part: str) -> str:
    if part.startswith(_STARTS_A_FORMULA) and not _PLAIN_NUMBER.fullmatch(part):
        return f"'{part}"
    return part
