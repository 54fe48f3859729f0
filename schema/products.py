"""Products, their prices and their stock."""

from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.attributes
import resolvers.products
import resolvers.tickets
from rules.permissions import Permission
from rules.products import ProductKind
from schema.attributes import ProductAttribute
from schema.categories import Category
from schema.fields import field, query
from schema.money import Money
from schema.nodes import Node
from schema.pages import Connection
from schema.tickets import ABOUT_THIS, SupportTicket


@strawberry.type(description="Where goods are kept and shipped from.")
class Warehouse(Node):
    """db.warehouses.Warehouse."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]


@strawberry.type(description="The stock of a product in one warehouse, in the product's unit.")
class StockLevel:
    """db.stock.StockLevel."""

    warehouse: Annotated[
        Warehouse | None, field(resolvers.products.level_warehouse, description="The warehouse.")
    ]
    on_hand: Annotated[Decimal, field(description="What is there.")]
    reserved: Annotated[Decimal, field(description="What of it is promised to orders.")]
    available: Annotated[
        Decimal,
        field(resolvers.products.level_available, description="What can still be promised, never below 0."),
    ]


@strawberry.type(description="The price of one unit from a quantity on.")
class Price:
    """db.prices.Price."""

    unit_price: Annotated[Money, field(resolvers.products.unit_price, description="The price of one unit.")]
    min_quantity: Annotated[Decimal, field(description="From which quantity on it holds.")]
    tax_included: Annotated[bool, field(description="Whether it contains the tax.")]


@strawberry.type(description="Goods or a service that the company sells.")
class Product(Node):
    """db.products.Product."""

    sku: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    description: Annotated[str, field(description="More about it; may be empty.")]
    kind: Annotated[ProductKind, field(description="Goods or a service.")]
    unit: Annotated[str, field(description="The unit in which it is sold, e.g. pcs or kg.")]
    tax_rate: Annotated[Decimal, field(description="The tax rate in percent.")]
    category: Annotated[
        Category | None, field(resolvers.products.category, description="Where it hangs in the tree.")
    ]
    price: Annotated[
        Price | None,
        field(
            resolvers.products.price,
            description="Today's price for the viewer's customer at a quantity; null when there is none.",
        ),
    ]
    price_breaks: Annotated[
        list[Price],
        field(
            resolvers.products.price_breaks,
            description="Today's prices for the viewer's customer, by quantity.",
            size=3,
        ),
    ]
    stock: Annotated[
        list[StockLevel],
        field(resolvers.products.stock_levels, description="The stock, warehouse by warehouse.", size=5),
    ]
    active: Annotated[
        bool, field(description="Whether it is sold; who keeps the catalogue sees others by id and SKU.")
    ]
    attributes: Annotated[
        list[ProductAttribute],
        field(
            resolvers.attributes.of_product,
            description="What else is said of it, in the attributes' order.",
            size=5,
        ),
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]
    available: Annotated[
        Decimal | None,
        field(
            resolvers.products.available,
            description="What can still be promised, over all warehouses; null for a service.",
        ),
    ]


@strawberry.type
class ProductQueries:
    """Query fields on products."""

    products: Annotated[
        Connection[Product],
        query(
            resolvers.products.page,
            needs=Permission.PRODUCTS_READ,
            description="What the company sells to the viewer.",
        ),
    ]
    product: Annotated[
        Product | None,
        query(
            resolvers.products.product,
            needs=Permission.PRODUCTS_READ,
            description="One product, by exactly one of id and SKU.",
        ),
    ]
