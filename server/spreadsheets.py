"""Spreadsheets: tables written to a file as CSV or XLSX, a chunk of rows at a time, off the event loop."""

import asyncio
import csv
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import xlsxwriter

from rules.broken import Language
from rules.downloads import DownloadFormat, harmless
from tenants.downloads import CellKind, Column, Sheet, in_language

Answer = TypeVar("Answer")

_BOM = "\ufeff"  # without it Excel takes UTF-8 for its own encoding
_FIRST_YEAR = 1900  # Excel has no earlier days
_CELLS: dict[CellKind, dict[str, Any]] = {
    CellKind.TEXT: {},
    CellKind.NUMBER: {},
    CellKind.AMOUNT: {"num_format": "#,##0.00####"},
    CellKind.MOMENT: {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: how it is written into a folder, and what it is called."""

    media_type: str
    ending: str
    write: Callable[[Path, Sequence[Sheet], Language], Awaitable[Path]]


async def write_csv(folder: Path, sheets: Sequence[Sheet], language: Language) -> Path:
    """The first sheet as RFC 4180 has it: CRLF, quotes where they are needed."""
    path, sheet = folder / "table.csv", sheets[0]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        file.write(_BOM)
        writer.writerow([in_language(each.words, language) for each in sheet.columns])
        async for chunk in sheet.rows:
            await _in_thread(writer.writerows, [[_as_text(value) for value in row] for row in chunk])
    return path


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    return harmless(value) if isinstance(value, str) else str(value)


async def write_xlsx(folder: Path, sheets: Sequence[Sheet], language: Language) -> Path:
    """All sheets as a workbook. A row that is written is on the disk, not in memory."""
    path = folder / "book.xlsx"
    options = {"constant_memory": True, "tmpdir": str(folder), "default_date_format": "yyyy-mm-dd hh:mm"}
    book = xlsxwriter.Workbook(str(path), options)
    try:
        formats = {kind: book.add_format(look) for kind, look in _CELLS.items()}
        head = book.add_format({"bold": True, "bottom": 1})
        for sheet in sheets:
            page = book.add_worksheet(in_language(sheet.words, language))
            _begin(page, sheet.columns, language, head)
            place = 1
            async for chunk in sheet.rows:
                await _in_thread(_add_rows, page, place, sheet.columns, chunk, formats)
                place += len(chunk)
            page.autofilter(0, 0, place - 1, len(sheet.columns) - 1)
    finally:
        await _in_thread(book.close)  # also of what is given up: it holds open files
    return path


def _begin(page: Any, columns: Sequence[Column], language: Language, head: Any) -> None:
    page.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        page.set_column(place, place, column.width)
        page.write_string(0, place, in_language(column.words, language), head)


def _add_rows(
    page: Any,
    first: int,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    formats: Mapping[CellKind, Any],
) -> None:
    kinds = [column.kind for column in columns]
    for number, row in enumerate(rows, start=first):
        for place, (kind, value) in enumerate(zip(kinds, row, strict=True)):
            if value is None:
                continue
            if kind is CellKind.TEXT:
                page.write_string(number, place, value)  # as a text, whatever it looks like
            elif kind is not CellKind.MOMENT:
                page.write_number(number, place, value, formats[kind])
            elif value.year < _FIRST_YEAR:
                page.write_string(number, place, _as_text(value))
            else:
                moment = value.astimezone(UTC).replace(tzinfo=None)
                page.write_datetime(number, place, moment, formats[kind])


async def _in_thread(work: Callable[..., Answer], *given: Any) -> Answer:
    """Do the work beside the event loop. Whoever is cancelled waits for its end: the file is still being written."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


KINDS: dict[DownloadFormat, Kind] = {
    DownloadFormat.CSV: Kind("text/csv; charset=utf-8; header=present", "csv", write_csv),
    DownloadFormat.XLSX: Kind(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", write_xlsx
    ),
}
