"""Order statements: a report on the orders in progress."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.document_lines
import resolvers.order_statements
import resolvers.statement_downloads
from rules.permissions import Permission
from schema.customers import Customer
from schema.downloads import Download
from schema.fields import field, query
from schema.money import Money
from schema.orders import Order
from schema.pages import Connection
from schema.products import Product


@strawberry.type(description="Quantities of one unit: those of different units are never added.")
class UnitQuantities:
    """resolvers.order_statements.UnitQuantities."""

    unit: Annotated[str, field(description="The unit.")]
    ordered: Annotated[Decimal, field(description="What was ordered.")]
    shipped: Annotated[Decimal, field(description="What of it was shipped.")]
    outstanding: Annotated[Decimal, field(description="What is still to be shipped.")]


@strawberry.type(description="What is outstanding in one currency: currencies are never added.")
class OutstandingAmount:
    """resolvers.order_statements.OutstandingAmount."""

    amount: Annotated[
        Money, field(description="Outstanding quantities at their unit prices, rounded line by line.")
    ]
    tax_included: Annotated[bool, field(description="Whether the amount contains the tax, as the prices do.")]


@strawberry.type(description="A line of an order in a statement.")
class LineInProgress:
    """db.orders_in_progress.LineInProgress."""

    position: Annotated[int, field(description="Its place in the order.")]
    sku: Annotated[str, field(description="The SKU when it was ordered.")]
    name: Annotated[str, field(description="The name when it was ordered.")]
    unit: Annotated[str, field(description="The unit of the quantities.")]
    product: Annotated[
        Product | None,
        field(
            resolvers.document_lines.product,
            description="The product; null when it is not to be seen.",
        ),
    ]
    ordered: Annotated[Decimal, field(description="What was ordered.")]
    shipped: Annotated[Decimal, field(description="What of it was shipped.")]
    outstanding: Annotated[Decimal, field(description="What is still to be shipped.")]
    outstanding_amount: Annotated[
        Money,
        field(
            resolvers.order_statements.line_amount,
            description="The outstanding quantity at its unit price; with tax where prices include it.",
        ),
    ]


@strawberry.type(description="An order in a statement, with its lines that the statement is about.")
class OrderInProgress:
    """db.orders_in_progress.OrderInProgress."""

    order: Annotated[Order | None, field(resolvers.order_statements.order_of, description="The whole order.")]
    number: Annotated[str, field(description="Its number.")]
    placed_at: Annotated[datetime, field(description="When it was placed.")]
    purchase_order_number: Annotated[str | None, field(description="The customer's own number.")]
    customer: Annotated[
        Customer | None, field(resolvers.order_statements.customer, description="Who ordered.")
    ]
    quantities: Annotated[
        list[UnitQuantities],
        field(
            resolvers.order_statements.quantities, description="What its lines add up to, by unit.", size=2
        ),
    ]
    outstanding_amount: Annotated[
        Money,
        field(resolvers.order_statements.amount_of_order, description="What of it is outstanding, as money."),
    ]
    tax_included: Annotated[bool, field(description="Whether amounts contain the tax.")]
    line_count: Annotated[
        int, field(resolvers.order_statements.lines_of_order, description="How many lines.")
    ]
    lines: Annotated[
        list[LineInProgress],
        field(resolvers.order_statements.lines, description="The first lines, by position."),
    ]


@strawberry.type(description="What one order has of a product.")
class OrderOfProduct:
    """db.products_in_progress.OrderOfProduct."""

    order: Annotated[
        Order | None, field(resolvers.order_statements.whole_order, description="The whole order.")
    ]
    number: Annotated[str, field(description="Its number.")]
    placed_at: Annotated[datetime, field(description="When it was placed.")]
    customer: Annotated[
        Customer | None, field(resolvers.order_statements.whose_order, description="Who ordered.")
    ]
    ordered: Annotated[Decimal, field(description="What was ordered.")]
    shipped: Annotated[Decimal, field(description="What of it was shipped.")]
    outstanding: Annotated[Decimal, field(description="What is still to be shipped.")]


@strawberry.type(description="What was ordered under one SKU in one unit.")
class ProductInProgress:
    """db.products_in_progress.ProductInProgress."""

    sku: Annotated[str, field(description="The SKU when it was ordered.")]
    name: Annotated[str, field(description="The name in the newest of the orders.")]
    unit: Annotated[str, field(description="The unit of the quantities.")]
    product: Annotated[
        Product | None,
        field(resolvers.document_lines.product, description="The product; null when it is not to be seen."),
    ]
    ordered: Annotated[Decimal, field(description="What was ordered.")]
    shipped: Annotated[Decimal, field(description="What of it was shipped.")]
    outstanding: Annotated[Decimal, field(description="What is still to be shipped.")]
    order_count: Annotated[int, field(description="In how many orders.")]
    orders: Annotated[
        list[OrderOfProduct],
        field(
            resolvers.order_statements.orders_of_product,
            description="The first of these orders, oldest first. For all of them ask for a statement of the SKU.",
        ),
    ]


@strawberry.type(
    description="What was ordered, shipped and is outstanding of the orders in progress: the same lines by product, by "
    "order, and added up."
)
class OrderStatement:
    """resolvers.order_statements.OrderStatement."""

    generated_at: Annotated[datetime, field(description="When it was made.")]
    line_count: Annotated[
        int, field(resolvers.order_statements.line_count, description="How many lines it is about.")
    ]
    totals: Annotated[
        list[UnitQuantities],
        field(resolvers.order_statements.totals, description="What they add up to, by unit.", size=5),
    ]
    outstanding_amounts: Annotated[
        list[OutstandingAmount],
        field(
            resolvers.order_statements.amounts,
            description="What is outstanding as money, by currency, and apart where prices include tax.",
            size=2,
        ),
    ]
    products: Annotated[
        Connection[ProductInProgress],
        field(resolvers.order_statements.products, description="By product."),
    ]
    orders: Annotated[
        Connection[OrderInProgress],
        field(resolvers.order_statements.orders, description="By order."),
    ]
    download: Annotated[
        Download | None,
        field(
            resolvers.statement_downloads.download,
            description="A link to the whole statement as a file. CSV has a row for each line, up to 100,000; XLSX has "
            "sheets by line, up to 25,000, by product, and added up.",
        ),
    ]


@strawberry.type
class OrderStatementQueries:
    """Query fields on order statements."""

    order_statement: Annotated[
        OrderStatement,
        query(
            resolvers.order_statements.statement,
            needs=Permission.ORDERS_READ,
            description="What is outstanding of the customer's orders in progress, or for staff of all customers'.",
        ),
    ]
