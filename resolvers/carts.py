"""Carts: what is in the viewer's cart, and changing it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.carts import Cart, CartItem
from db.products import Product
from db.warehouses import Warehouse
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload
from rules import carts, quantities
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound, check_version
from rules.carts import CartFull
from rules.products import ProductNotFound, ProductUnavailable

_VERSION = "The version of the cart that was read; refused when it has changed since."


async def cart(info: Info) -> Cart:
    """Query.cart: the viewer's own."""
    context = info.context
    return await db.carts.of_account(context.connection, context.signed_in.actor_id)


@strawberry.input(description="A product and how much of it. Name the product by exactly one of id and SKU.")
class CartLineInput:
    """One of cartAddItems' items."""

    product: strawberry.ID | None = strawberry.field(default=None, description="The product's global id.")
    sku: str | None = strawberry.field(default=None, description="The product's SKU.")
    quantity: Decimal = strawberry.field(description="How much, in the product's unit.")
    warehouse: strawberry.ID | None = strawberry.field(
        default=None, description="The warehouse to ship from; when left out, the one that has most."
    )


@strawberry.input(description="What to put into the cart.")
class CartAddItemsInput:
    """cartAddItems(input:)."""

    items: list[CartLineInput] = strawberry.field(
        description="Products and quantities. A product that is in the cart already gets more."
    )
    version: int | None = strawberry.field(default=None, description=_VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of one line of the cart.")
class CartUpdateItemInput:
    """cartUpdateItem(input:)."""

    item: strawberry.ID = strawberry.field(description="The id of the line.")
    quantity: Decimal | None = strawberry.field(default=None, description="The new quantity.")
    warehouse: strawberry.ID | None = strawberry.field(
        default=None, description="The warehouse to ship from."
    )
    version: int | None = strawberry.field(default=None, description=_VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to take out of the cart.")
class CartRemoveItemInput:
    """cartRemoveItem(input:)."""

    item: strawberry.ID = strawberry.field(description="The id of the line.")
    version: int | None = strawberry.field(default=None, description=_VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="The cart to empty.")
class CartClearInput:
    """cartClear(input:)."""

    version: int | None = strawberry.field(default=None, description=_VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class CartPayload(Payload):
    """The cart as it is after the change."""

    cart: Cart | None = None


_AddInput = Annotated[CartAddItemsInput, strawberry.argument(description="What to add.")]
_UpdateInput = Annotated[CartUpdateItemInput, strawberry.argument(description="What to change.")]
_RemoveInput = Annotated[CartRemoveItemInput, strawberry.argument(description="What to remove.")]
_ClearInput = Annotated[CartClearInput, strawberry.argument(description="Which cart.")]


async def add_items(info: Info, input: _AddInput) -> CartPayload:
    """Mutation.cartAddItems: all lines or, when one cannot be added, none."""
    context = info.context
    account_id = context.signed_in.actor_id
    await _lock(context, input.version)
    if len(input.items) > carts.MOST_ITEMS:
        raise CartFull(path=("items",))
    wanted = await _wanted(context, input.items)
    in_cart = await db.carts.add(
        context.connection,
        account_id,
        ids=[uuid.uuid7() for _ in wanted],
        product_ids=[each.product.id for each in wanted],
        quantities=[each.quantity for each in wanted],
        warehouse_ids=[each.warehouse_id for each in wanted],
    )
    for line, quantity in zip(wanted, in_cart, strict=True):
        line.check(quantity)
    if await db.carts.size(context.connection, account_id) > carts.MOST_ITEMS:
        raise CartFull(path=("items",))
    added = [{"sku": each.product.sku, "quantity": each.quantity} for each in wanted]
    return await _touched(context, {}, {"added": added})


@dataclass(slots=True)
class _Wanted:
    """A product to add, and at which line of the input it was asked for."""

    product: Product
    quantity: Decimal
    warehouse_id: UUID | None
    index: int

    def check(self, quantity: Decimal) -> None:
        try:
            quantities.check(quantity, self.product.unit)
        except BrokenRule as broken:
            raise broken.at("items", str(self.index), "quantity") from None


async def _wanted(context: Context, lines: Sequence[CartLineInput]) -> list[_Wanted]:
    """The lines with their products, one a product; raises BrokenRules for all that cannot be added."""
    broken: list[BrokenRule] = []
    wanted: dict[UUID, _Wanted] = {}
    # All at once, so that the loaders read for all lines together.
    for added in await asyncio.gather(
        *(_looked_up(context, index, line) for index, line in enumerate(lines))
    ):
        if isinstance(added, BrokenRule):
            broken.append(added)
            continue
        same = wanted.setdefault(added.product.id, added)
        if same is not added:
            same.quantity += added.quantity
            same.warehouse_id = added.warehouse_id or same.warehouse_id
            same.check(same.quantity)
    if broken:
        raise BrokenRules(broken)
    return list(wanted.values())


async def _looked_up(context: Context, index: int, line: CartLineInput) -> _Wanted | BrokenRule:
    """A line with its product and warehouse, or the rule that it breaks."""
    try:
        product = await _product(context, line)
        added = _Wanted(product, line.quantity, await _warehouse(context, line.warehouse), index)
        added.check(line.quantity)
    except BrokenRule as rule:
        return rule if rule.path[:1] == ("items",) else rule.at("items", str(index))
    return added


async def _product(context: Context, line: CartLineInput) -> Product:
    """The product of a line. Raises ProductNotFound, or ProductUnavailable for one to be seen but not ordered."""
    found = await _seen_product(context, line)
    if not await context.load(db.products.orderable, found.id):
        raise ProductUnavailable(sku=found.sku, path=("sku" if line.sku is not None else "product",))
    return found


async def _seen_product(context: Context, line: CartLineInput) -> Product:
    if (line.product is None) == (line.sku is None):
        raise InvalidInput(path=("product",))
    found: Product | None
    if line.sku is not None:
        found = await context.load(db.products.by_skus, line.sku)
        if found is None:
            raise ProductNotFound(asked=line.sku, path=("sku",))
        return found
    found = await nodes.by_global_id(context, str(line.product), "Product")
    if found is None:
        raise ProductNotFound(asked=str(line.product), path=("product",))
    return found


async def _warehouse(context: Context, id: strawberry.ID | None) -> UUID | None:
    if id is None:
        return None
    found: Warehouse | None = await nodes.by_global_id(context, str(id), "Warehouse")
    if found is None:
        raise NotFound(path=("warehouse",))
    return found.id


async def update_item(info: Info, input: _UpdateInput) -> CartPayload:
    """Mutation.cartUpdateItem."""
    context = info.context
    account_id = context.signed_in.actor_id
    cart = await _lock(context, input.version)
    item = await _item(context, input.item)
    if input.quantity is not None:
        try:
            quantities.check(input.quantity, item.unit)
        except BrokenRule as broken:
            raise broken.at("quantity") from None
    warehouse_id = await _warehouse(context, input.warehouse)
    before = {"sku": item.sku, "quantity": item.quantity, "warehouse": item.warehouse_id}
    after = before | {
        "quantity": input.quantity or item.quantity,
        "warehouse": warehouse_id or item.warehouse_id,
    }
    if before == after:
        context.record_nothing()
        return CartPayload(cart)
    await db.carts.change(
        context.connection, account_id, item.id, quantity=input.quantity, warehouse_id=warehouse_id
    )
    return await _touched(context, before, after)


async def remove_item(info: Info, input: _RemoveInput) -> CartPayload:
    """Mutation.cartRemoveItem."""
    context = info.context
    account_id = context.signed_in.actor_id
    await _lock(context, input.version)
    item = await _item(context, input.item)
    await db.carts.remove(context.connection, account_id, item.id)
    return await _touched(context, {"sku": item.sku, "quantity": item.quantity}, {})


async def clear(info: Info, input: _ClearInput) -> CartPayload:
    """Mutation.cartClear."""
    context = info.context
    account_id = context.signed_in.actor_id
    await _lock(context, input.version)
    items = await db.carts.items(context.connection, context.signed_in)
    await db.carts.clear(context.connection, account_id)
    return await _touched(
        context, {"items": [{"sku": each.sku, "quantity": each.quantity} for each in items]}, {}
    )


async def _touched(context: Context, before: dict[str, Any], after: dict[str, Any]) -> CartPayload:
    """The cart with its next version, and the change written down."""
    cart = await db.carts.touch(context.connection, context.signed_in.actor_id)
    context.record(
        "Cart",
        cart.id,
        before={"version": cart.version - 1, **before},
        after={"version": cart.version, **after},
    )
    return CartPayload(cart)


async def _item(context: Context, id: strawberry.ID) -> CartItem:
    """The line of the viewer's own cart behind an id. Raises NotFound."""
    found = nodes.parsed(str(id), "CartItem")
    mine = await db.carts.items(context.connection, context.signed_in)
    for item in mine:
        if found is not None and item.id == found[1]:
            return item
    raise NotFound(path=("item",))


async def _lock(context: Context, version: int | None) -> Cart:
    locked = await db.carts.lock(context.connection, context.signed_in.actor_id)
    check_version(version, locked.version)
    return locked
