"""Cart items: what each line of the cart would cost, from where it would ship, where it came from."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import strawberry

import db
from db.carts import Cart, CartItem
from resolvers import money, nodes
from resolvers.context import Context, Info
from resolvers.errors import Broken
from resolvers.relations import relation
from rules import amounts, carts
from rules.carts import Assessment, OriginKind
from rules.stock import StockPolicy


@dataclass(slots=True)
class PricedItem:
    """A line of the cart with what it would cost and from where it would ship at this moment."""

    item: CartItem
    assessment: Assessment
    currency: str

    @property
    def warehouse_id(self) -> UUID | None:
        """Where it would ship from."""
        return self.assessment.warehouse_id

    @property
    def known_amount(self) -> int:
        """The amount of a line that can be ordered: what has no price cannot."""
        assert self.assessment.amount is not None
        return self.assessment.amount


async def items(root: strawberry.Parent[Cart], info: Info) -> list[PricedItem]:
    """Cart.items, in the order in which they were put there."""
    return await priced_items(info.context, root)


async def priced_items(context: Context, cart: Cart) -> list[PricedItem]:
    """The lines of the viewer's cart at this moment's prices and stock."""
    policy = StockPolicy(context.portal.stock_policy)

    async def price(item: CartItem) -> PricedItem:
        breaks = await context.load_list(db.prices.of_products, item.product_id)
        levels = await context.load_list(db.stock.to_order_from, item.product_id)
        return PricedItem(item, carts.assess(item, breaks, levels, policy), context.signed_in.currency)

    # All at once, so that the loaders read for all lines together.
    return list(await asyncio.gather(*map(price, await context.load_list(db.carts.items_of, cart.id))))


async def totals(root: strawberry.Parent[Cart], info: Info) -> money.Totals:
    """Cart.totals: of the lines that have a price."""
    priced = await items(root, info)
    lines = [
        (each.assessment.amount, each.item.tax_rate)
        for each in priced
        if each.assessment.amount is not None and each.item.sellable
    ]
    tax_included = any(each.assessment.tax_included for each in priced)
    return money.Totals(amounts.totals(lines, tax_included=tax_included), info.context.signed_in.currency)


def item_id(root: strawberry.Parent[PricedItem]) -> strawberry.ID:
    """CartItem.id."""
    return strawberry.ID(nodes.global_id("CartItem", root.item.id))


def item_sku(root: strawberry.Parent[PricedItem]) -> str:
    """CartItem.sku."""
    return root.item.sku


def item_name(root: strawberry.Parent[PricedItem]) -> str:
    """CartItem.name."""
    return root.item.name


def item_unit(root: strawberry.Parent[PricedItem]) -> str:
    """CartItem.unit."""
    return root.item.unit


def item_quantity(root: strawberry.Parent[PricedItem]) -> Decimal:
    """CartItem.quantity."""
    return root.item.quantity


# CartItem.product: None when it is no longer sold to the viewer.
item_product = relation(db.products.by_ids, "item.product_id")


def _ships_from(root: PricedItem) -> UUID | None:
    return root.assessment.warehouse_id or root.item.warehouse_id


# CartItem.warehouse: the chosen one, or else the one that has most.
item_warehouse = relation(db.warehouses.by_ids, _ships_from)


def item_unit_price(root: strawberry.Parent[PricedItem]) -> money.Money | None:
    """CartItem.unitPrice."""
    price = root.assessment.unit_price
    return None if price is None else money.of_unit_price(price, root.currency)


def item_amount(root: strawberry.Parent[PricedItem]) -> money.Money | None:
    """CartItem.amount."""
    amount = root.assessment.amount
    return None if amount is None else money.of_minor(amount, root.currency)


def item_problem(root: strawberry.Parent[PricedItem]) -> Broken | None:
    """CartItem.problem."""
    problem = root.assessment.problem
    return None if problem is None else Broken(problem)


def item_notice(root: strawberry.Parent[PricedItem]) -> Broken | None:
    """CartItem.notice."""
    notice = root.assessment.notice
    return None if notice is None else Broken(notice)


def item_origin(root: strawberry.Parent[PricedItem]) -> CartItem:
    """CartItem.origin."""
    return root.item


def origin_kind(root: strawberry.Parent[CartItem]) -> OriginKind:
    """CartItemOrigin.kind."""
    return OriginKind(root.origin)


# CartItemOrigin.quotation, as far as the viewer may see it.
origin_quotation = nodes.relation("Quotation", "quotation_id")


# CartItemOrigin.order, as far as the viewer may see it.
origin_order = nodes.relation("Order", "order_id")
