"""Filling the cart: from a quotation, an earlier order, a list or CSV text, with a report on every line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.cart_fills import NewItem
from db.carts import Cart, CartItem
from db.prices import Price
from db.products import Product
from db.stock import StockLevel
from resolvers.cart_sources import Asked, CartFillSourceInput, asked_of
from resolvers.context import Context, Info
from resolvers.errors import Broken
from resolvers.mutations import KEY_DESCRIPTION, Payload, Report
from rules import cart_fills, skus
from rules.broken import BrokenRule, check_version
from rules.cart_fills import Verdict, Wanted
from rules.carts import MOST_ITEMS, CartFull
from rules.money import plain
from rules.products import ProductNotFound, ProductUnavailable
from rules.stock import StockPolicy

# For how many SKUs that nothing has another one is looked for.
MOST_SUGGESTED = 20


@strawberry.input(description="With what to fill the cart.")
class CartFillInput:
    """cartFill(input:)."""

    source: CartFillSourceInput = strawberry.field(name="from", description="Where the lines come from.")
    replace: bool = strawberry.field(
        default=False,
        description="Whether what is in the cart gives way. It stays when not one line can be taken.",
    )
    version: int | None = strawberry.field(
        default=None, description="The version of the cart that was read; refused when it has changed since."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class CartFillLine(Report):
    """What became of one line; `quantity` is what the cart holds of the product after it."""

    index: int
    line: int | None
    sku: str
    asked: Decimal | None
    quantity: Decimal
    available: Decimal | None
    suggested_sku: str | None
    reasons: list[Broken]


@dataclass(slots=True)
class CartFillPayload(Payload):
    """The cart after it, and every line that was asked for in one of three lists."""

    cart: Cart | None = None
    added: list[CartFillLine] | None = None
    adjusted: list[CartFillLine] | None = None
    rejected: list[CartFillLine] | None = None


@dataclass(slots=True)
class Suggestion:
    """What might be done about a line."""

    sku: str | None
    quantity: Decimal | None


_FillInput = Annotated[CartFillInput, strawberry.argument(description="With what.")]


async def fill(info: Info, input: _FillInput) -> CartFillPayload:
    """Mutation.cartFill: each line that can be taken is; every line is told."""
    context = info.context
    connection, viewer = context.connection, context.signed_in
    cart = await db.carts.lock(connection, viewer.actor_id)
    check_version(input.version, cart.version)
    asked = await asked_of(context, input.source)
    items = await db.carts.items(connection, viewer)
    filling = await _Filling.begin(context, asked, [] if input.replace else items)
    payload = CartFillPayload(cart=cart, added=[], adjusted=[], rejected=[])
    assert payload.added is not None
    assert payload.adjusted is not None
    assert payload.rejected is not None
    for line in asked:
        told, taken = filling.put(line)
        where = payload.rejected if not taken else payload.adjusted if told.reasons else payload.added
        where.append(told)
    await _suggest(context, payload.rejected)
    if not filling.new:
        context.record_nothing()
        return payload
    if input.replace:
        await db.carts.clear(connection, viewer.actor_id)
    await db.cart_fills.put(connection, list(filling.new.values()))
    payload.cart = await db.carts.touch(connection, viewer.actor_id)
    context.record(
        "Cart",
        cart.id,
        before={"version": cart.version, **({"items": _facts(items)} if input.replace else {})},
        after={"version": payload.cart.version, "filled": _told(filling)},
    )
    return payload


def _facts(items: Iterable[CartItem]) -> list[dict[str, Any]]:
    return [{"sku": each.sku, "quantity": each.quantity} for each in items]


def _told(filling: "_Filling") -> list[dict[str, Any]]:
    by_id = {product.id: product.sku for product in filling.products.values()}
    return [{"sku": by_id[key], "quantity": each.quantity} for key, each in filling.new.items()]


@dataclass(slots=True)
class _Filling:
    """A cart that is being filled: what may be had, what was in it, and what is to be."""

    account_id: UUID
    policy: StockPolicy
    products: Mapping[Any, Product]  # by SKU and by id
    orderable: Mapping[UUID, bool]
    warehouses: Mapping[str, UUID]
    breaks: Mapping[UUID, list[Price]]
    levels: Mapping[UUID, list[StockLevel]]
    there: dict[UUID, CartItem]
    new: dict[UUID, NewItem] = field(default_factory=dict)

    @classmethod
    async def begin(cls, context: Context, asked: Sequence[Asked], items: Sequence[CartItem]) -> "_Filling":
        """Read all that is asked for, with as many statements for a thousand lines as for one."""
        connection, viewer = context.connection, context.signed_in
        named = [each.sku for each in asked if each.product_id is None]
        known = [each.product_id for each in asked if each.product_id is not None]
        codes = [each.warehouse for each in asked if each.warehouse]
        products: dict[Any, Product] = {**await db.products.by_skus(connection, viewer, named)}
        products |= await db.products.by_ids(connection, viewer, known)
        ids = list({product.id for product in products.values()})
        warehouses = await db.warehouses.by_codes(connection, viewer, codes)
        return cls(
            account_id=viewer.actor_id,
            policy=StockPolicy(context.portal.stock_policy),
            products=products,
            orderable=await db.products.orderable(connection, viewer, ids),
            warehouses={code: each.id for code, each in warehouses.items()},
            breaks=await db.prices.of_products(connection, viewer, ids),
            levels=await db.stock.to_order_from(connection, viewer, ids),
            there={item.product_id: item for item in items},
        )

    def put(self, line: Asked) -> tuple[CartFillLine, bool]:
        """Put a line into the cart if it can be; what becomes of it, and whether it was taken."""
        if line.quantity is None:
            assert line.broken is not None
            return _report(line, Decimal(0), [line.broken]), False
        product = self.products.get(line.product_id or line.sku)
        if product is None:
            unknown = ProductUnavailable(sku=line.sku) if line.product_id else ProductNotFound(asked=line.sku)
            return _report(line, Decimal(0), [unknown]), False
        had = self._had(product.id)
        if had == 0 and len(self.there | self.new) >= MOST_ITEMS:
            return _report(line, had, [CartFull()]), False
        verdict = self._judged(line, product, had)
        if verdict.taken:
            self.new[product.id] = self._item(line, product, verdict)
        quantity = verdict.quantity if verdict.taken else had
        return _report(line, quantity, verdict.reasons, verdict.available), verdict.taken

    def _had(self, product_id: UUID) -> Decimal:
        before = self.new.get(product_id) or self.there.get(product_id)
        return before.quantity if before else Decimal(0)

    def _judged(self, line: Asked, product: Product, had: Decimal) -> Verdict:
        before = self.new.get(product.id) or self.there.get(product.id)
        quantity, stays = line.quantity, had
        assert quantity is not None
        if before and line.quotation_id is not None and before.quotation_id == line.quotation_id:
            # The same line of the same quotation once more: what it offers, not twice that.
            quantity, stays = max(quantity, had), Decimal(0)
        chosen = before.warehouse_id if before and line.takes_any_warehouse else line.warehouse_id
        wanted = Wanted(
            product_id=product.id,
            sku=product.sku,
            unit=product.unit,
            kind=product.kind,
            sellable=self.orderable[product.id],
            quantity=quantity,
            warehouse=line.warehouse,
            warehouse_id=self.warehouses.get(line.warehouse) if line.warehouse else chosen,
            quote=line.quote or self._kept_quote(product.id),
        )
        return cart_fills.judge(wanted, stays, self.breaks[product.id], self.levels[product.id], self.policy)

    def _kept_quote(self, product_id: UUID) -> Any:
        item = self.there.get(product_id)
        return item.quote if item else None

    def _item(self, line: Asked, product: Product, verdict: Verdict) -> NewItem:
        """The line as it is to be. What came from a quotation stays so, unless another one comes."""
        before = self.new.get(product.id) or self.there.get(product.id)
        of = before if before and before.quotation_id and not line.quotation_id else None
        return NewItem(
            id=before.id if before else uuid.uuid7(),
            account_id=self.account_id,
            product_id=product.id,
            quantity=verdict.quantity,
            warehouse_id=verdict.warehouse_id,
            origin=of.origin if of else line.origin.value,
            order_id=of.order_id if of else line.order_id,
            quotation_id=of.quotation_id if of else line.quotation_id,
            quotation_position=of.quotation_position if of else line.quotation_position,
        )


def _report(
    line: Asked, quantity: Decimal, reasons: Sequence[BrokenRule], available: Decimal | None = None
) -> CartFillLine:
    return CartFillLine(
        index=line.index,
        line=line.line,
        sku=line.sku,
        asked=line.quantity,
        quantity=plain(quantity),
        available=available,
        suggested_sku=None,
        reasons=[Broken(rule.at("from", *line.path)) for rule in reasons],
    )


async def _suggest(context: Context, rejected: Sequence[CartFillLine]) -> None:
    """Name for SKUs that nothing has what they may have meant: one letter off, or beginning alike."""
    lost = [
        each for each in rejected if isinstance(each.reasons[0].rule, ProductNotFound) and each.sku.strip()
    ]
    asked = list(dict.fromkeys(each.sku for each in lost))[:MOST_SUGGESTED]
    if not asked:
        return
    # Once for each SKU: a list may name the same a thousand times.
    near = {sku: skus.neighbours(sku) for sku in asked}
    every = sorted(set().union(*near.values()))
    beginnings = [sku for sku in asked if len(sku) >= skus.SHORTEST_BEGINNING]
    there = await db.products.skus_like(context.connection, context.signed_in, every, beginnings)
    meant = {sku: skus.nearest(sku, near[sku], there) for sku in asked}
    for each in lost:
        each.suggested_sku = meant.get(each.sku)


def code(root: strawberry.Parent[CartFillLine]) -> Any:
    """CartFillLine.code: that of the first reason; None when the line was taken as asked."""
    return root.reasons[0].rule.code() if root.reasons else None


def suggestion(root: strawberry.Parent[CartFillLine]) -> Suggestion | None:
    """CartFillLine.suggestion."""
    if root.suggested_sku is None and root.available is None:
        return None
    return Suggestion(root.suggested_sku, None if root.available is None else plain(root.available))
