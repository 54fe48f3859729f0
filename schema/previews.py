"""Previews of orders."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.previews
from rules.permissions import Permission
from schema.carts import CartItem
from schema.customers import Address
from schema.errors import UserError
from schema.fields import field, query
from schema.money import Money, Totals
from schema.products import StockLevel, Warehouse


@strawberry.type(description="One of the orders that the cart would become.")
class PreviewedOrder:
    """resolvers.order_drafts.OrderDraft."""

    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.previews.order_warehouse, description="Where it would ship from; null: services alone."
        ),
    ]
    lines: Annotated[list[CartItem], field(description="Its lines.", size=20)]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.previews.order_totals, description="What it would add up to.")]
    promised_on: Annotated[date, field(description="The day for which it would be promised.")]


@strawberry.type(description="A line of the cart that cannot be ordered as it is.")
class UnavailableItem:
    """resolvers.cart_items.PricedItem."""

    item: Annotated[CartItem, field(resolvers.previews.unavailable_item, description="The line.")]
    reason: Annotated[UserError, field(resolvers.previews.reason, description="Why not.")]
    alternatives: Annotated[
        list[StockLevel],
        field(
            resolvers.previews.alternatives,
            description="The other warehouses that have enough of it, the one with most first. Where none has, those "
            "that have some of it: `available` is what can be ordered from there.",
            size=3,
        ),
    ]


@strawberry.type(description="What the order would make of the customer's credit limit.")
class OrderPreviewCredit:
    """rules.credit.Credit."""

    limit: Annotated[
        Money, field(resolvers.previews.credit_limit, description="How much the customer may owe.")
    ]
    used: Annotated[
        Money,
        field(
            resolvers.previews.credit_used,
            description="What it owes now, and what its orders are still to be invoiced.",
        ),
    ]
    after: Annotated[Money, field(resolvers.previews.credit_after, description="The same with this order.")]


@strawberry.type(description="What orderPlace would do with the cart at this moment.")
class OrderPreview:
    """resolvers.previews.OrderPreview."""

    cart_version: Annotated[
        int, field(resolvers.previews.cart_version, description="The version of the cart that is shown.")
    ]
    orders: Annotated[
        list[PreviewedOrder],
        field(
            resolvers.previews.orders,
            description="The orders of what can be ordered, one a warehouse.",
            size=2,
        ),
    ]
    totals: Annotated[Totals, field(resolvers.previews.totals, description="What the orders add up to.")]
    unavailable: Annotated[
        list[UnavailableItem],
        field(resolvers.previews.unavailable, description="What cannot be ordered as it is.", size=2),
    ]
    ship_to: Annotated[
        Address | None, field(resolvers.previews.ship_to, description="Where it would be shipped to.")
    ]
    credit: Annotated[
        OrderPreviewCredit | None,
        field(
            resolvers.previews.credit,
            description="What it makes of the credit limit; null where there is none, and for whoever may not read "
            "balances.",
        ),
    ]
    errors: Annotated[
        list[UserError], field(description="Why orderPlace would order nothing of all this now.", size=2)
    ]
    warnings: Annotated[list[UserError], field(description="What orderPlace would warn of.", size=1)]
    preview_token: Annotated[
        str | None,
        field(description="Holds orderPlace to what is shown here; null when it would order nothing."),
    ]
    expires_at: Annotated[datetime | None, field(description="Until when the token can be used: 15 minutes.")]


@strawberry.type
class PreviewQueries:
    """Query fields on previews."""

    order_preview: Annotated[
        OrderPreview,
        query(
            resolvers.previews.preview,
            needs=Permission.ORDERS_PLACE,
            description="What ordering the cart would mean: the orders, what cannot be ordered, the credit after.",
        ),
    ]
