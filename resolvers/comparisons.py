"""Comparisons: a few products side by side, by attribute, price and stock."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.attributes import Attribute, ProductAttribute
from db.prices import Price
from db.products import Product
from resolvers import nodes
from resolvers.context import Info
from resolvers.products import available, price
from rules.attributes import LEAST_COMPARED, MOST_COMPARED, ComparedCountInvalid, differ
from rules.broken import InvalidInput
from rules.quantities import QuantityNotPositive


@dataclass(slots=True)
class ComparedAttribute:
    """What is said of the compared products by one attribute, product by product."""

    attribute: Attribute
    values: list[ProductAttribute | None]
    differs: bool


@dataclass(slots=True)
class ProductComparison:
    """Products side by side; all lists are in the order of the ids that were asked for."""

    products: list[Product | None]
    prices: list[Price | None]
    available: list[Decimal | None]
    rows: list[ComparedAttribute]


_Ids = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="The products by their global ids, 2 to 10 different ones."),
]
_Skus = Annotated[
    list[str] | None,
    strawberry.argument(description="Or by the company's own codes, 2 to 10 different ones."),
]
_Quantity = Annotated[
    Decimal, strawberry.argument(description="At which quantity of each to compare the prices.")
]


@dataclass(slots=True)
class _Column:
    """All that is compared of one product."""

    product: Product | None = None
    price: Price | None = None
    available: Decimal | None = None
    values: dict[UUID, ProductAttribute] = field(default_factory=dict)


async def compare(
    info: Info, ids: _Ids = None, skus: _Skus = None, quantity: _Quantity = Decimal(1)
) -> ProductComparison:
    """Query.compareProducts, by exactly one of ids and SKUs: what the viewer may not see is as empty as what
    never existed."""
    if ids is not None and skus is not None:
        raise InvalidInput(path=("ids",))
    asked = list(dict.fromkeys(ids or skus or ()))  # each product once
    if not LEAST_COMPARED <= len(asked) <= MOST_COMPARED:
        raise ComparedCountInvalid(given=len(asked), path=("ids" if skus is None else "skus",))
    if quantity <= 0:
        raise QuantityNotPositive(path=("quantity",))
    context = info.context
    reads: list[Awaitable[Product | None]] = [
        context.load(db.products.by_skus, each)
        if skus is not None
        else nodes.by_global_id(context, each, "Product")
        for each in asked
    ]
    columns = await asyncio.gather(*(_column(info, each, quantity) for each in reads))
    keys = dict.fromkeys(key for column in columns for key in column.values)
    found = await asyncio.gather(*(info.context.load(db.attributes.by_ids, key) for key in keys))
    attributes = [each for each in found if each is not None]
    return ProductComparison(
        products=[column.product for column in columns],
        prices=[column.price for column in columns],
        available=[column.available for column in columns],
        rows=[
            _row(each, columns) for each in sorted(attributes, key=lambda each: (each.position, each.code))
        ],
    )


async def _column(info: Info, read: Awaitable[Product | None], quantity: Decimal) -> _Column:
    product = await read
    if product is None:
        return _Column()
    at_quantity, left, said = await asyncio.gather(
        price(product, info, quantity=quantity),
        available(product, info),
        info.context.load_list(db.attributes.of_products, product.id),
    )
    return _Column(product, at_quantity, left, {each.attribute_id: each for each in said})


def _row(attribute: Attribute, columns: Sequence[_Column]) -> ComparedAttribute:
    values = [column.values.get(attribute.id) for column in columns]
    seen = [
        value.value if value else None
        for value, column in zip(values, columns, strict=True)
        if column.product is not None
    ]
    return ComparedAttribute(attribute, values, differ(seen))
