"""The cart."""

from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.carts
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Money, Totals
from schema.nodes import Node
from schema.products import Product, Warehouse


@strawberry.type(description="A line of the cart, at this moment's price and stock.")
class CartItem:
    """resolvers.carts.PricedItem."""

    id: Annotated[strawberry.ID, field(resolvers.carts.item_id, description="The opaque id of the line.")]
    product: Annotated[
        Product | None,
        field(resolvers.carts.item_product, description="The product; null when it is no longer sold."),
    ]
    sku: Annotated[str, field(resolvers.carts.item_sku, description="The product's SKU.")]
    name: Annotated[str, field(resolvers.carts.item_name, description="The product's name.")]
    unit: Annotated[str, field(resolvers.carts.item_unit, description="The product's unit.")]
    quantity: Annotated[
        Decimal, field(resolvers.carts.item_quantity, description="How much, in the product's unit.")
    ]
    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.carts.item_warehouse,
            description="Where it would ship from: the chosen warehouse, or else the one that has most; "
            "null for a service.",
        ),
    ]
    unit_price: Annotated[
        Money | None,
        field(resolvers.carts.item_unit_price, description="The price of one unit at this quantity."),
    ]
    amount: Annotated[
        Money | None, field(resolvers.carts.item_amount, description="Quantity times unit price.")
    ]
    problem: Annotated[
        UserError | None,
        field(resolvers.carts.item_problem, description="Why this line cannot be ordered as it is."),
    ]


@strawberry.type(description="The editable list that every order passes through; one for each account.")
class Cart(Node):
    """db.carts.Cart."""

    version: Annotated[int, field(description="Counts the changes; an update may name the one it has read.")]
    items: Annotated[
        list[CartItem],
        field(resolvers.carts.items, description="The lines, in the order they were added.", size=20),
    ]
    totals: Annotated[
        Totals, field(resolvers.carts.totals, description="What the lines with a price add up to.")
    ]


@strawberry.type(description="What a change to the cart answers.")
class CartPayload:
    """resolvers.carts.CartPayload."""

    cart: Annotated[Cart | None, field(description="The cart after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


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
