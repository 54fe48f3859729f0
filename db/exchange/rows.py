"""Rows: the text of a CSV file as rows for staging, each with its line number, those that are bad with why.

Blocks of plain rows pass as they are: one pattern tells that every value is what its column may hold. The
others (values with quotes, numbers at the edge, anything bad) are read one by one.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from db.exchange.layout import Column, Layout
from db.exchange.sources import LONGEST_LINE, Blocks, Unreadable
from db.exchange.values import Rejected

_LONGEST_REASON = 500
_BLOCK = 128 * 1024
_BOM = b"\xef\xbb\xbf"


class Lines:
    """The physical lines of a file, for csv.reader. `number` is the line last read, counted from 1."""

    def __init__(self, blocks: Blocks) -> None:
        self.file = blocks.file.name
        self.number = 0
        self.block = b""
        self.at = 0
        self.taken = 0  # bytes of the row that is being read
        self._blocks = blocks

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        if not self.more():
            raise StopIteration
        end = self.block.index(b"\n", self.at) + 1
        line = self.block[self.at : end]
        self.at = end
        self.number += 1
        self.taken += len(line)
        if self.taken > LONGEST_LINE:
            raise Unreadable(
                self.file,
                f"line {self.number}: a row is longer than {LONGEST_LINE} bytes; is a quote missing?",
            )
        return line.decode()

    def more(self) -> bool:
        """Whether there is something to read at `at` of `block`."""
        if self.at == len(self.block):
            self.block = next(self._blocks, b"")
            self.at = len(_BOM) if self.number == 0 and self.block.startswith(_BOM) else 0
        return self.at < len(self.block)


class Rows:
    """The rows of a file one by one, as lists of texts; a row that is no CSV is one text, `malformed`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._reader = csv.reader(lines, strict=True)
        self.line = 0  # where the row begins
        self.malformed = False

    def __iter__(self) -> "Rows":
        return self

    def __next__(self) -> list[str]:
        """Raises Unreadable when a quote is never closed."""
        lines = self._lines
        self.line = lines.number + 1
        lines.taken = 0
        self.malformed = False
        try:
            return next(self._reader)
        except csv.Error as error:
            if lines.number != self.line or "end of data" in str(error):
                raise Unreadable(lines.file, f"line {self.line}: a quote is not closed ({error})") from None
            self.malformed = True
            return [lines.block[lines.at - lines.taken : lines.at].decode().rstrip("\r\n")]


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a file: its columns in the file's order; None for one that the layout has not."""

    names: tuple[str, ...]
    columns: tuple[Column | None, ...]

    @property
    def unknown(self) -> list[str]:
        """The names of the columns that are ignored."""
        return [name for name, column in zip(self.names, self.columns, strict=True) if column is None]

    def plain(self) -> re.Pattern[bytes]:
        """Matches any number of rows, from where a row begins, in which every value is plain.

        No possessive quantifiers or atomic groups: Python 3.11.0 to 3.11.4 match them wrongly.
        """
        values = (
            column.kind.pattern(required=column.required) if column else rb'[^,"\r\n\0]*'
            for column in self.columns
        )
        return re.compile(rb"(?:" + b",".join(values) + rb"\r?\n)*")


def header(rows: Rows, layout: Layout, file: str) -> Header:
    """Read the header. Raises Unreadable when the file is empty, or a column is missing or there twice."""
    names = tuple(name.strip() for name in next(rows, []))
    if not any(names) or rows.malformed:
        raise Unreadable(file, "it has no header row")
    known = {column.name: column for column in layout.columns}
    missing = [name for name, column in known.items() if name not in names and not column.optional]
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if missing or twice:
        lacks = f"it lacks the columns {', '.join(missing)}" if missing else ""
        doubles = f"the columns {', '.join(twice)} are there twice" if twice else ""
        raise Unreadable(file, "; ".join(filter(None, (lacks, doubles))))
    return Header(names, tuple(known.get(name) for name in names))


def staged(lines: Lines, rows: Rows, head: Header) -> Iterator[bytes]:
    """The rows as CSV for COPY, block by block: line number, reason, then the file's columns.

    A bad row has a reason, and of its values those texts that are good: they say what it belonged to.
    """
    ready: list[bytes] = []
    size = 0
    for part in _parts(lines, rows, head):
        ready.append(part)
        size += len(part)
        if size >= _BLOCK:
            yield b"".join(ready)
            ready.clear()
            size = 0
    if ready:
        yield b"".join(ready)


def _parts(lines: Lines, rows: Rows, head: Header) -> Iterator[bytes]:
    """Runs of plain rows, and in between the others one by one."""
    plain = head.plain()
    while lines.more():
        found = plain.match(lines.block, lines.at)
        assert found is not None, "the pattern matches no rows as well"
        end = found.end()
        if end > lines.at:
            part = lines.block[lines.at : end].replace(b"\r\n", b"\n").split(b"\n")[:-1]
            yield b"\n".join(map(b"%d,,%b".__mod__, zip(count(lines.number + 1), part))) + b"\n"
            lines.number += len(part)
            lines.at = end
        else:
            values = next(rows)
            if values:
                yield _staged_row(rows, values, head.columns)


def _staged_row(rows: Rows, values: Sequence[str], columns: Sequence[Column | None]) -> bytes:
    reasons: list[str] = []
    if rows.malformed:
        reasons.append("MALFORMED: quotes or line breaks are not as CSV has them")
        values = values[0].split(",")
    elif len(values) != len(columns):
        reasons.append(f"WRONG_COLUMN_COUNT: {len(values)} values for {len(columns)} columns")
    kept = []
    for number, column in enumerate(columns):
        try:
            kept.append(_kept(column, values[number]) if number < len(values) else "")
        except Rejected as rejected:
            reasons.append(str(rejected))
            kept.append("")
    if reasons:
        texts = [column is not None and column.kind.sql == "text" for column in columns]
        kept = [value if is_text else "" for value, is_text in zip(kept, texts, strict=True)]
    reason = "; ".join(reasons)[:_LONGEST_REASON]
    return ",".join([str(rows.line), *map(_quoted, [reason, *kept])]).encode() + b"\n"


def _kept(column: Column | None, text: str) -> str:
    if column is None:
        return ""
    if "\0" in text:
        raise Rejected(f"NUL_BYTE: in {column.name}")
    if not text:
        if column.required:
            raise Rejected(f"MISSING_VALUE: {column.name} is empty")
        return ""
    try:
        return column.kind.read(text)
    except Rejected as reason:
        code, _, meaning = str(reason).partition(": ")
        raise Rejected(f"{code}: {column.name}: {meaning}") from None


def _quoted(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if text else ""
