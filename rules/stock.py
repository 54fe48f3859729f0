"""Stock: what is available, from where a line ships, and when a line cannot be had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from rules.broken import BrokenRule


class StockPolicy(StrEnum):
    """Whether a company sells what it does not have."""

    REQUIRE_STOCK = "REQUIRE_STOCK"
    ALLOW_BACKORDER = "ALLOW_BACKORDER"


class Level(Protocol):
    """The stock of a product in one warehouse."""

    @property
    def warehouse_code(self) -> str: ...
    @property
    def on_hand(self) -> Decimal: ...
    @property
    def reserved(self) -> Decimal: ...


AnyLevel = TypeVar("AnyLevel", bound=Level)


@dataclass(eq=False, kw_only=True)
class InsufficientStock(BrokenRule):
    """The company sells only what is in stock, and where the line ships from there is less."""

    english = "Only {available} of {sku} are available."
    german = "Von {sku} sind nur {available} verfügbar."

    product_id: UUID
    sku: str
    available: Decimal


@dataclass(eq=False, kw_only=True)
class WarehouseMissing(BrokenRule):
    """The product is kept in no warehouse, so it cannot be ordered."""

    english = "{sku} is kept in no warehouse."
    german = "{sku} wird in keinem Lager geführt."

    sku: str


@dataclass(eq=False, kw_only=True)
class ServiceWithoutStock(BrokenRule):
    """A service was to be kept in a warehouse."""

    english = "{sku} is a service and has no stock."
    german = "{sku} ist eine Dienstleistung und hat keinen Bestand."

    sku: str


@dataclass(eq=False, kw_only=True)
class WarehouseNotFound(BrokenRule):
    """The warehouse that was asked for is none from which the viewer can have the product."""

    english = "This cannot be had from that warehouse."
    german = "Aus diesem Lager ist dies nicht zu haben."


def available(level: Level) -> Decimal:
    """What can still be promised: on hand less reserved, never below zero."""
    return max(level.on_hand - level.reserved, Decimal(0))


def alternatives(levels: Iterable[AnyLevel], quantity: Decimal) -> list[AnyLevel]:
    """Where a quantity can be had, most first; when it is nowhere, where at least some of it is."""
    ordered = sorted(levels, key=lambda level: (-available(level), level.warehouse_code))
    enough = [each for each in ordered if available(each) >= quantity]
    return enough or [each for each in ordered if available(each) > 0]


def best_warehouse(levels: Sequence[AnyLevel]) -> AnyLevel | None:
    """Where a line ships from when nobody chose: where most is available; of equals the first by code."""
    return min(levels, key=lambda level: (-available(level), level.warehouse_code), default=None)
