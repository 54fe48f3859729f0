"""Filling the cart from a list: what is taken as asked, what is adjusted, what is not taken, and why."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from rules import quantities, stock
from rules.broken import BrokenRule
from rules.carts import MOST_ITEMS, Assessment, CartFull, PriceBreak, WarehouseLevel, assess
from rules.products import ProductKind, ProductUnavailable
from rules.quotations import Quote
from rules.texts import check_text

# A line says three things and a text a cart's worth of lines: what is larger is no list of products, and reading it
# would keep everybody else waiting.
LONGEST_LINE = 1_000
MOST_COLUMNS = 50
LONGEST_TEXT = MOST_ITEMS * 250

_NUMBER = re.compile(r"-?[0-9]{1,25}(\.[0-9]{1,12})?")
_QUOTED = re.compile(r'"[^"]*"')
_DELIMITERS = "\t;,"  # the first of these that stands in the first line
_HEADINGS = {
    "sku": ("sku", "artikel", "artikelnummer"),
    "quantity": ("quantity", "menge"),
    "warehouse": ("warehouse", "lager"),
}


@dataclass(eq=False, kw_only=True)
class CsvLineUnreadable(BrokenRule):
    """A line of CSV text is not sku,quantity,warehouse, with a number as the quantity."""

    english = "Line {line} is not like: sku,quantity,warehouse."
    german = "Zeile {line} ist nicht von der Form: Artikel,Menge,Lager."

    line: int


class CartSourceEmpty(BrokenRule):
    """A list or CSV text names not one product, so the cart could not be filled from it."""

    english = "There is nothing here to fill the cart from."
    german = "Hier steht nichts, womit der Warenkorb gefüllt werden könnte."


@dataclass(frozen=True, slots=True)
class Row:
    """A line of CSV text: its number from 1 on, and what is asked; `quantity` is None when it cannot be read."""

    line: int
    sku: str
    quantity: Decimal | None
    warehouse: str | None


def read_csv(text: str) -> list[Row]:
    """The lines of CSV text that are not blank, a heading left out. Raises TextTooLong, or CartFull for more than a cart
    holds."""
    check_text(text, LONGEST_TEXT)
    lines = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
        if line.strip()
    ]
    if not lines:
        return []
    unquoted = _QUOTED.sub("", lines[0][1][:LONGEST_LINE])
    delimiter = next((each for each in _DELIMITERS if each in unquoted), ",")
    columns = _columns(_cells(lines[0][1], delimiter))
    if columns is not None:
        del lines[0]
    if len(lines) > MOST_ITEMS:
        raise CartFull
    return [_row(number, _cells(line, delimiter), columns or {}) for number, line in lines]


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of one line; none when its quotation marks do not match, or when it is too long or has too many."""
    if len(line) > LONGEST_LINE or line.count(delimiter) >= MOST_COLUMNS:
        return []
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return []


def _columns(cells: Sequence[str]) -> dict[str, int] | None:
    """Which cell is which, when the cells are a heading; None when they are not."""
    words = [cell.lower() for cell in cells]
    places = {
        name: place
        for name, known in _HEADINGS.items()
        for place, word in enumerate(words)
        if word.split(" ")[0] in known
    }
    return places if {"sku", "quantity"} <= places.keys() and len(places) == len(words) else None


def _row(line: int, cells: Sequence[str], columns: dict[str, int]) -> Row:
    places = columns or {"sku": 0, "quantity": 1, "warehouse": 2}
    sku, quantity, warehouse = (
        cells[places[name]] if name in places and places[name] < len(cells) else "" for name in _HEADINGS
    )
    readable = bool(sku) and _NUMBER.fullmatch(quantity) and not any(cells[len(places) :])
    return Row(line, sku, Decimal(quantity) if readable else None, warehouse or None)


@dataclass(slots=True)
class Wanted:
    """A product that is to go into the cart: a line of a cart that is not there yet.

    `warehouse` is the code that was asked for; `warehouse_id` is None when there is none of that code.
    """

    product_id: UUID
    sku: str
    unit: str
    kind: str
    sellable: bool
    quantity: Decimal
    warehouse: str | None
    warehouse_id: UUID | None
    quote: Quote | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a line: how much the cart holds from then on, from where, and what was not as asked.

    A line that is not `taken` leaves the cart as it is. `available` is told where stock stood in the way.
    """

    taken: bool
    quantity: Decimal
    warehouse_id: UUID | None
    reasons: list[BrokenRule]
    available: Decimal | None = None


def judge(
    wanted: Wanted,
    there: Decimal,
    breaks: Sequence[PriceBreak],
    levels: Sequence[WarehouseLevel],
    policy: stock.StockPolicy,
) -> Verdict:
    """What becomes of a line when `there` of its product is in the cart already and stays.

    A quantity that the unit does not allow is rounded down, one that is not in stock becomes what is, a document's
    warehouse that is not to be had becomes the one with most; all of that is told, as is a quotation's price that
    does not hold.
    """
    reasons: list[BrokenRule] = []

    def refused(*why: BrokenRule, available: Decimal | None = None) -> Verdict:
        return Verdict(False, there, wanted.warehouse_id, [*reasons, *why], available)

    if not wanted.sellable:
        return refused(ProductUnavailable(sku=wanted.sku))
    try:
        total = there + _divisible(wanted, reasons)
        quantities.check(total, wanted.unit)
        warehouse_id = _warehouse(wanted, levels, reasons)
    except BrokenRule as rule:
        return refused(rule)
    item = replace(wanted, quantity=total, warehouse_id=warehouse_id)
    found = assess(item, breaks, levels, policy)
    available = None
    if isinstance(found.problem, stock.InsufficientStock):
        reasons.append(found.problem)
        available = found.problem.available
        item.quantity = quantities.rounded_down(available, wanted.unit)
        if item.quantity <= there:
            return refused(available=available)
        found = assess(item, breaks, levels, policy)
    if found.problem is not None:
        return refused(found.problem, available=available)
    return _taken(item, found, reasons, available)


def _taken(item: Wanted, found: Assessment, reasons: list[BrokenRule], available: Decimal | None) -> Verdict:
    notices = [] if found.notice is None else [found.notice]
    return Verdict(True, item.quantity, item.warehouse_id, [*reasons, *notices], available)


def _divisible(wanted: Wanted, reasons: list[BrokenRule]) -> Decimal:
    """The quantity that the unit allows. Raises what is wrong with it when none is left."""
    try:
        quantities.check(wanted.quantity, wanted.unit)
    except quantities.QuantityNotDivisible as rule:
        rounded = quantities.rounded_down(wanted.quantity, wanted.unit)
        if not rounded:
            raise
        reasons.append(rule)
        return rounded
    return wanted.quantity


def _warehouse(wanted: Wanted, levels: Sequence[WarehouseLevel], reasons: list[BrokenRule]) -> UUID | None:
    """The warehouse that was asked for, when it has the product. Raises WarehouseNotFound when somebody named
    another; where a document did, it gives way."""
    asked = wanted.warehouse_id is not None or wanted.warehouse is not None
    if not asked or wanted.kind == ProductKind.SERVICE:
        return None
    if any(level.warehouse_id == wanted.warehouse_id for level in levels):
        return wanted.warehouse_id
    if wanted.warehouse is not None:
        raise stock.WarehouseNotFound
    reasons.append(stock.WarehouseNotFound())
    return None
