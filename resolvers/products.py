"""Products: finding them, their prices and their stock."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.prices import Price
from db.products import Product
from db.stock import StockLevel
from resolvers import money, nodes, pages
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.relations import relation, relations
from rules import prices, stock
from rules.broken import InvalidInput
from rules.money import plain
from rules.products import ProductKind

LONGEST_SEARCH = 200
MOST_SKUS = 1_000


class ProductOrder(Enum):
    """In what order products come; several keys make an order by the first, then the second."""

    SKU_ASC = "SKU_ASC"
    SKU_DESC = "SKU_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


publish(
    ProductOrder,
    description="In what order products come.",
    value={
        ProductOrder.SKU_ASC: "By SKU, A to Z.",
        ProductOrder.SKU_DESC: "By SKU, Z to A.",
        ProductOrder.NAME_ASC: "By name, A to Z.",
        ProductOrder.NAME_DESC: "By name, Z to A.",
    }.__getitem__,
)


@strawberry.input(description="Which products; all that is given must hold.")
class ProductFilter:
    """products(filter:)."""

    search: str | None = strawberry.field(
        default=None,
        description="Words in name or description, in English or German grammar, the beginning of words, "
        "or the beginning of a SKU.",
    )
    category: strawberry.ID | None = strawberry.field(
        default=None, description="In this category or one below it, by its global id."
    )
    category_code: str | None = strawberry.field(
        default=None, description="In this category or one below it, by the company's own code."
    )
    skus: list[str] | None = strawberry.field(
        default=None, description="With one of these SKUs, at most 1,000."
    )
    kind: ProductKind | None = strawberry.field(default=None, description="Of this kind.")
    available_only: bool = strawberry.field(
        default=False, description="Only what is available in some warehouse, and services."
    )


_Filter = Annotated[ProductFilter | None, strawberry.argument(description="Which products.")]
_Order = Annotated[
    list[ProductOrder] | None, strawberry.argument(description="In what order; by SKU when nothing is said.")
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.products."""
    order = order_by or [ProductOrder.SKU_ASC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(
        info.context, db.products, _filters(filter or ProductFilter()), order, asked
    )


def _filters(given: ProductFilter) -> dict[str, Any]:
    if given.search is not None and len(given.search) > LONGEST_SEARCH:
        raise InvalidInput(path=("filter", "search"))
    if given.skus is not None and len(given.skus) > MOST_SKUS:
        raise InvalidInput(path=("filter", "skus"))
    return {
        "search": (given.search or "").strip() or None,
        "category_id": nodes.key_or_nothing(given.category, "Category"),
        "category_code": given.category_code,
        "skus": given.skus,
        "kind": given.kind,
        "available_only": given.available_only or None,
    }


_Sku = Annotated[str | None, strawberry.argument(description="The company's own code.")]
_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]


async def product(info: Info, id: _Id = None, sku: _Sku = None) -> Product | None:
    """Query.product: by exactly one of id and sku."""
    found: Product | None = await nodes.by_one_of(info.context, "Product", id, db.products.by_skus, sku)
    return found


# Product.category.
category = relation(db.categories.by_ids, "category_id")


_Quantity = Annotated[
    Decimal,
    strawberry.argument(description="The quantity to buy, in the product's unit; it may earn a break."),
]


def _at_quantity(_root: Product, breaks: list[Price], quantity: _Quantity = Decimal(1)) -> Price | None:
    return prices.at_quantity(breaks, quantity)


# Product.price.
price = relations(db.prices.of_products, "id", then=_at_quantity)


# Product.priceBreaks.
price_breaks = relations(db.prices.of_products, "id")


def unit_price(root: strawberry.Parent[Price]) -> money.Money:
    """Price.unitPrice."""
    return money.of_unit_price(root.unit_price, root.currency)


# Product.stock.
stock_levels = relations(db.stock.of_products, "id")


def _stocked(root: Product) -> UUID | None:
    return None if root.kind == ProductKind.SERVICE else root.id


def _available(root: Product, levels: list[StockLevel]) -> Decimal | None:
    if root.kind == ProductKind.SERVICE:
        return None
    return plain(sum((stock.available(level) for level in levels), Decimal(0)))


# Product.available: over all warehouses; None for a service.
available = relations(db.stock.of_products, _stocked, then=_available)


# StockLevel.warehouse.
level_warehouse = relation(db.warehouses.by_ids, "warehouse_id")


def level_available(root: strawberry.Parent[StockLevel]) -> Decimal:
    """StockLevel.available."""
    return plain(stock.available(root))
