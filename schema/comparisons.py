"""Comparisons of products."""

from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.comparisons
from rules.permissions import Permission
from schema.attributes import Attribute, ProductAttribute
from schema.fields import field, query
from schema.products import Price, Product


@strawberry.type(description="What is said of the compared products by one attribute.")
class ComparedAttribute:
    """resolvers.comparisons.ComparedAttribute."""

    attribute: Annotated[Attribute, field(description="By which attribute.")]
    values: Annotated[
        list[ProductAttribute | None],
        field(description="What is said, product by product; null where nothing is.", size=5),
    ]
    differs: Annotated[
        bool,
        field(
            description="Whether the products that are there are not all the same in it; to say nothing is to differ."
        ),
    ]


@strawberry.type(
    description="Products side by side; every list is in the order in which they were asked for."
)
class ProductComparison:
    """resolvers.comparisons.ProductComparison."""

    products: Annotated[
        list[Product | None],
        field(description="The products; null where the viewer sees none.", size=5),
    ]
    prices: Annotated[
        list[Price | None],
        field(description="Today's price of each for the viewer's customer at the quantity.", size=5),
    ]
    available: Annotated[
        list[Decimal | None],
        field(
            description="What can still be promised of each, over all warehouses; null for a service.", size=5
        ),
    ]
    rows: Annotated[
        list[ComparedAttribute],
        field(description="All attributes that say something of one of them, by position and code.", size=10),
    ]


@strawberry.type
class ComparisonQueries:
    """Query fields on comparisons."""

    compare_products: Annotated[
        ProductComparison,
        query(
            resolvers.comparisons.compare,
            needs=Permission.PRODUCTS_READ,
            description="Two to ten products side by side, by exactly one of ids and SKUs: attributes with what "
            "differs, prices, availability.",
        ),
    ]
