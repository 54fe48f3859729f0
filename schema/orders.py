"""Orders."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.orders
import resolvers.placements
from rules.lifecycle import ProcessingState
from rules.permissions import Permission
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query, subscription
from schema.money import Money, Totals
from schema.nodes import Node
from schema.pages import Connection
from schema.products import Product, Warehouse


@strawberry.type(description="A station of an order or a request, in the company's own words.")
class LifecycleStatus:
    """db.lifecycle_statuses.LifecycleStatus."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[
        str, field(resolvers.orders.status_name, description="Its name, in the language of the request.")
    ]
    processing_state: Annotated[
        ProcessingState, field(description="Where that is, in the same words at every company.")
    ]


@strawberry.type(description="A line of an order, with its own copy of what was ordered.")
class OrderLine:
    """db.orders.OrderLine."""

    position: Annotated[int, field(description="Its place in the order, from 1 on.")]
    sku: Annotated[str, field(description="The SKU when it was ordered.")]
    name: Annotated[str, field(description="The name when it was ordered.")]
    unit: Annotated[str, field(description="The unit of the quantities.")]
    quantity: Annotated[Decimal, field(description="What was ordered.")]
    shipped_quantity: Annotated[Decimal, field(description="What of it was shipped.")]
    outstanding_quantity: Annotated[
        Decimal, field(resolvers.orders.outstanding, description="What is still to be shipped.")
    ]
    unit_price: Annotated[
        Money, field(resolvers.orders.line_unit_price, description="The price of one unit.")
    ]
    tax_rate: Annotated[Decimal, field(description="The tax rate in percent.")]
    amount: Annotated[
        Money,
        field(
            resolvers.orders.line_amount,
            description="Quantity times unit price, rounded half up; with tax where prices include it.",
        ),
    ]
    product: Annotated[
        Product | None,
        field(resolvers.orders.line_product, description="The product; null when it is no longer sold."),
    ]
    warehouse: Annotated[
        Warehouse | None,
        field(resolvers.orders.line_warehouse, description="Where it ships from; null for a service."),
    ]


@strawberry.type(description="Goods and services that a customer has ordered.")
class Order(Node):
    """db.orders.Order."""

    number: Annotated[str, field(description="Its number, e.g. SO-000123.")]
    placed_at: Annotated[datetime, field(description="When it was placed.")]
    status: Annotated[LifecycleStatus | None, field(resolvers.orders.status, description="Where it stands.")]
    customer: Annotated[Customer | None, field(resolvers.orders.customer, description="Who ordered.")]
    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.orders.warehouse,
            description="Where it ships from; null when its lines ship from several or from none.",
        ),
    ]
    placed_together: Annotated[
        list["Order"],
        field(
            resolvers.orders.placed_together,
            description="The other orders of the same cart, which ship from other warehouses.",
            size=2,
        ),
    ]
    purchase_order_number: Annotated[str | None, field(description="The customer's own number.")]
    comment: Annotated[str | None, field(description="What the customer said to it.")]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.orders.totals, description="What it adds up to.")]
    version: Annotated[int, field(description="Counts the changes.")]
    lines: Annotated[
        list[OrderLine], field(resolvers.orders.lines, description="Its lines, by position.", size=20)
    ]


@strawberry.type(description="What orderPlace answers.")
class OrderPlacePayload:
    """resolvers.placements.OrderPlacePayload."""

    orders: Annotated[list[Order] | None, field(description="The new orders, one a warehouse.", size=2)]
    errors: Annotated[list[UserError], field(description="Why nothing was ordered.", size=2)]


@strawberry.type
class OrderQueries:
    """Query fields on orders."""

    orders: Annotated[
        Connection[Order],
        query(
            resolvers.orders.page,
            needs=Permission.ORDERS_READ,
            description="The customer's orders, or for staff those of all customers.",
        ),
    ]
    order: Annotated[
        Order | None,
        query(
            resolvers.orders.order,
            needs=Permission.ORDERS_READ,
            description="One order, by exactly one of id and number.",
        ),
    ]


@strawberry.type
class OrderSubscriptions:
    """Subscription fields on orders."""

    order_changed: Annotated[
        Order | None,
        subscription(
            resolvers.orders.changed,
            needs=Permission.ORDERS_READ,
            description="An order as it is now, whenever one is placed or changes: the customer's, "
            "or for staff those of all customers.",
        ),
    ]


@strawberry.type
class OrderMutations:
    """Mutation fields on orders."""

    order_place: Annotated[
        OrderPlacePayload,
        mutation(
            resolvers.placements.place,
            needs=Permission.ORDERS_PLACE,
            description="Order what is in the cart: one order a warehouse, all of them or none.",
        ),
    ]
