"""Document lines: what the lines of orders and of all documents have in common. No types of the schema themselves."""

from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.document_lines
from schema.fields import field
from schema.money import Money
from schema.products import Product


@strawberry.type(description="A line of a document.")
class DocumentLine:
    """A line keeps its own copy of what it is of."""

    position: Annotated[int, field(description="Its place in the document, from 1 on.")]
    sku: Annotated[str, field(description="Its own copy of the SKU.")]
    name: Annotated[str, field(description="Its own copy of the name.")]
    unit: Annotated[str, field(description="The unit of quantities; empty where the ERP told none.")]
    quantity: Annotated[Decimal, field(description="How much.")]
    product: Annotated[
        Product | None,
        field(
            resolvers.document_lines.product,
            description="The product; null when it is no longer sold to the viewer.",
        ),
    ]


@strawberry.type(description="A line of a document with a price.")
class PricedLine(DocumentLine):
    """Its amounts are in the document's currency."""

    unit_price: Annotated[
        Money, field(resolvers.document_lines.unit_price, description="The price of one unit.")
    ]
    tax_rate: Annotated[Decimal, field(description="The tax rate in percent.")]
    amount: Annotated[
        Money,
        field(
            resolvers.document_lines.amount,
            description="Quantity times unit price, rounded half up; with tax where prices include it.",
        ),
    ]
