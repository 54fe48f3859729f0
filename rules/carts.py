"""Carts: what each line would cost, where it would ship from, and what stands in its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from rules import amounts, prices, quantities, stock
from rules.broken import BrokenRule
from rules.products import ProductKind, ProductUnavailable
from rules.quotations import Quote

# More lines than this in one cart are an import, not an order.
MOST_ITEMS = 1_000


class OriginKind(StrEnum):
    """How a line came into the cart."""

    MANUAL = "MANUAL"
    LINES = "LINES"
    CSV = "CSV"
    ORDER = "ORDER"
    QUOTATION = "QUOTATION"


class Item(Protocol):
    """A line of a cart."""

    @property
    def product_id(self) -> UUID: ...
    @property
    def sku(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def sellable(self) -> bool: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def warehouse_id(self) -> UUID | None: ...
    @property
    def quote(self) -> Quote | None: ...


class PriceBreak(prices.Break, Protocol):
    """A price with its currency."""

    @property
    def currency(self) -> str: ...
    @property
    def tax_included(self) -> bool: ...


class WarehouseLevel(stock.Level, Protocol):
    """The stock of a product in one warehouse."""

    @property
    def warehouse_id(self) -> UUID: ...


@dataclass(eq=False, kw_only=True)
class CartEmpty(BrokenRule):
    """An order was placed from a cart with nothing in it."""

    english = "The cart is empty."
    german = "Der Warenkorb ist leer."


@dataclass(eq=False, kw_only=True)
class CartFull(BrokenRule):
    """A cart holds only so many lines."""

    english = "A cart holds at most {most} lines."
    german = "Ein Warenkorb fasst höchstens {most} Zeilen."

    most: int = MOST_ITEMS


@dataclass(slots=True)
class Assessment:
    """What ordering a cart's line would mean at this moment; `amount` in minor units.

    `problem` is the rule that would be broken; then the price may be missing. `notice` says why a line that came
    from a quotation is not at its price.
    """

    unit_price: Decimal | None
    amount: int | None
    tax_included: bool
    warehouse_id: UUID | None
    available: Decimal | None
    problem: BrokenRule | None
    notice: BrokenRule | None = None


def assess(
    item: Item,
    breaks: Sequence[PriceBreak],
    levels: Sequence[WarehouseLevel],
    policy: stock.StockPolicy,
) -> Assessment:
    """Work out price and warehouse of a line from today's prices and stock.

    A quotation's price holds while the quotation does, for at most the quantity that it offers: a line that asks
    for more is at today's price as a whole. A service ships from nowhere. Goods ship from the chosen warehouse,
    or else from the one that has most. What is not sold to the customer has neither price nor warehouse.
    """
    if not item.sellable:
        return Assessment(None, None, False, None, None, ProductUnavailable(sku=item.sku))
    quote = item.quote
    notice = quote.refusal(item.quantity) if quote is not None else None
    price = quote if notice is None and quote is not None else prices.at_quantity(breaks, item.quantity)
    amount = amounts.line_amount(item.quantity, price.unit_price, price.currency) if price else None
    level = _level(item, levels)
    available = None if level is None else stock.available(level)
    return Assessment(
        unit_price=price.unit_price if price else None,
        amount=amount,
        tax_included=price.tax_included if price else False,
        warehouse_id=level.warehouse_id if level else None,
        available=available,
        problem=_problem(item, amount, available, policy),
        notice=notice,
    )


def obstacles(lines: Sequence[Assessment]) -> list[BrokenRule]:
    """What stands in the way of ordering a cart with these lines, each with its path; empty when it can be."""
    if not lines:
        return [CartEmpty()]
    return [
        line.problem.at("cart", "items", str(index))
        for index, line in enumerate(lines)
        if line.problem is not None
    ]


def _level(item: Item, levels: Sequence[WarehouseLevel]) -> WarehouseLevel | None:
    if item.kind == ProductKind.SERVICE:
        return None
    if item.warehouse_id is not None:
        return next((each for each in levels if each.warehouse_id == item.warehouse_id), None)
    return stock.best_warehouse(levels)


def _problem(
    item: Item, amount: int | None, available: Decimal | None, policy: stock.StockPolicy
) -> BrokenRule | None:
    try:
        quantities.check(item.quantity, item.unit)
    except BrokenRule as broken:
        return broken
    if amount is None:
        return prices.PriceMissing(sku=item.sku)
    if amount >= amounts.LARGEST_AMOUNT:
        return amounts.AmountTooLarge(sku=item.sku)
    if item.kind == ProductKind.SERVICE:
        return None
    if available is None:
        return stock.WarehouseMissing(sku=item.sku)
    if policy is stock.StockPolicy.REQUIRE_STOCK and available < item.quantity:
        return stock.InsufficientStock(product_id=item.product_id, sku=item.sku, available=available)
    return None
