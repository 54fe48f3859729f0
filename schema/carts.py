"""The cart."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry

import resolvers.cart_fills
import resolvers.cart_items
import resolvers.carts
from rules.carts import OriginKind
from rules.permissions import Permission
from schema.actions import Action
from schema.errors import ErrorCode, UserError
from schema.fields import field, mutation, query
from schema.money import Money, Totals
from schema.nodes import Node
from schema.orders import Order
from schema.products import Product, Warehouse
from schema.quotations import Quotation


@strawberry.type(description="How a line came into the cart.")
class CartItemOrigin:
    """db.carts.CartItem."""

    kind: Annotated[OriginKind, field(resolvers.cart_items.origin_kind, description="In which way.")]
    quotation: Annotated[
        Quotation | None,
        field(resolvers.cart_items.origin_quotation, description="The quotation, if it came from one."),
    ]
    order: Annotated[
        Order | None,
        field(
            resolvers.cart_items.origin_order, description="The earlier order, if it is a copy of one's line."
        ),
    ]


@strawberry.type(description="A line of the cart, at this moment's price and stock.")
class CartItem:
    """resolvers.cart_items.PricedItem."""

    id: Annotated[
        strawberry.ID, field(resolvers.cart_items.item_id, description="The opaque id of the line.")
    ]
    product: Annotated[
        Product | None,
        field(resolvers.cart_items.item_product, description="The product; null when it is no longer sold."),
    ]
    sku: Annotated[str, field(resolvers.cart_items.item_sku, description="The product's SKU.")]
    name: Annotated[str, field(resolvers.cart_items.item_name, description="The product's name.")]
    unit: Annotated[str, field(resolvers.cart_items.item_unit, description="The product's unit.")]
    quantity: Annotated[
        Decimal, field(resolvers.cart_items.item_quantity, description="How much, in the product's unit.")
    ]
    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.cart_items.item_warehouse,
            description="Where it would ship from: the chosen warehouse, or else the one that has most; "
            "null for a service.",
        ),
    ]
    unit_price: Annotated[
        Money | None,
        field(resolvers.cart_items.item_unit_price, description="The price of one unit at this quantity."),
    ]
    amount: Annotated[
        Money | None, field(resolvers.cart_items.item_amount, description="Quantity times unit price.")
    ]
    problem: Annotated[
        UserError | None,
        field(resolvers.cart_items.item_problem, description="Why this line cannot be ordered as it is."),
    ]
    notice: Annotated[
        UserError | None,
        field(
            resolvers.cart_items.item_notice,
            description="Why a line from a quotation is at today's price and not at the quotation's.",
        ),
    ]
    origin: Annotated[
        CartItemOrigin, field(resolvers.cart_items.item_origin, description="How it came into the cart.")
    ]


@strawberry.type(description="The editable list that every order passes through; one for each account.")
class Cart(Node):
    """db.carts.Cart."""

    version: Annotated[int, field(description="Counts the changes; an update may name the one it has read.")]
    items: Annotated[
        list[CartItem],
        field(resolvers.cart_items.items, description="The lines, in the order they were added.", size=20),
    ]
    totals: Annotated[
        Totals, field(resolvers.cart_items.totals, description="What the lines with a price add up to.")
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.previews.actions_of,
            description="What can be done with it: PLACE, CLEAR and FILL.",
            size=3,
        ),
    ]


@strawberry.type(description="What a change to the cart answers.")
class CartPayload:
    """resolvers.carts.CartPayload."""

    cart: Annotated[Cart | None, field(description="The cart after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What might be done about a line that was not taken as asked.")
class CartFillSuggestion:
    """resolvers.cart_fills.Suggestion."""

    sku: Annotated[str | None, field(description="A SKU that may have been meant.")]
    quantity: Annotated[Decimal | None, field(description="How much is available.")]


@strawberry.type(description="What became of one line that was asked for.")
class CartFillLine:
    """resolvers.cart_fills.CartFillLine."""

    index: Annotated[int, field(description="Its place in what was asked for, from 0 on.")]
    line: Annotated[int | None, field(description="The number of its line in the CSV text, from 1 on.")]
    sku: Annotated[str, field(description="The SKU that was asked for; empty when it could not be read.")]
    asked: Annotated[
        Decimal | None, field(description="How much was asked for; null when it could not be read.")
    ]
    quantity: Annotated[Decimal, field(description="How much of the product the cart holds after this line.")]
    code: Annotated[
        Any,
        field(
            resolvers.cart_fills.code,
            description="Why it was not taken as asked: the code of the first reason; null when it was.",
            type_=ErrorCode | None,
        ),
    ]
    reasons: Annotated[
        list[UserError], field(description="All that is not as asked, with texts and paths.", size=1)
    ]
    suggestion: Annotated[
        CartFillSuggestion | None,
        field(resolvers.cart_fills.suggestion, description="What might be done about it, if something can."),
    ]


@strawberry.type(
    description="What cartFill answers: every line that was asked for is in one of the three lists."
)
class CartFillPayload:
    """resolvers.cart_fills.CartFillPayload."""

    cart: Annotated[Cart | None, field(description="The cart after it.")]
    added: Annotated[
        list[CartFillLine] | None, field(description="What was taken as asked.", size=20, as_given=True)
    ]
    adjusted: Annotated[
        list[CartFillLine] | None,
        field(description="What was taken, but not as asked.", size=2, as_given=True),
    ]
    rejected: Annotated[
        list[CartFillLine] | None, field(description="What was not taken.", size=2, as_given=True)
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was done at all.", size=2)]


@strawberry.type
class CartQueries:
    """Query fields on the cart."""

    cart: Annotated[
        Cart,
        query(resolvers.carts.cart, needs=Permission.ORDERS_PLACE, description="The viewer's own cart."),
    ]


@strawberry.type
class CartMutations:
    """Mutation fields on the cart."""

    cart_add_items: Annotated[
        CartPayload,
        mutation(
            resolvers.carts.add_items,
            needs=Permission.ORDERS_PLACE,
            description="Put products into the cart: all of them or, when one cannot be added, none.",
        ),
    ]
    cart_fill: Annotated[
        CartFillPayload,
        mutation(
            resolvers.cart_fills.fill,
            needs=Permission.ORDERS_PLACE,
            description="Fill the cart from a quotation, an earlier order, a list or CSV text: every line that can be "
            "taken is, and every line is reported.",
        ),
    ]
    cart_update_item: Annotated[
        CartPayload,
        mutation(
            resolvers.carts.update_item,
            needs=Permission.ORDERS_PLACE,
            description="Change the quantity or the warehouse of a line.",
        ),
    ]
    cart_remove_item: Annotated[
        CartPayload,
        mutation(
            resolvers.carts.remove_item,
            needs=Permission.ORDERS_PLACE,
            description="Take a line out of the cart.",
        ),
    ]
    cart_clear: Annotated[
        CartPayload,
        mutation(resolvers.carts.clear, needs=Permission.ORDERS_PLACE, description="Empty the cart."),
    ]
