"""Previews: what orderPlace would do with the cart now, and a token that holds it to that."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.carts import Cart
from db.stock import StockLevel
from resolvers import actions, money, order_drafts
from resolvers.actions import Action
from resolvers.cart_items import PricedItem, priced_items
from resolvers.context import Context, Info
from resolvers.errors import Broken
from resolvers.order_drafts import CartDraft, OrderDraft
from resolvers.relations import relation, relations
from rules import stock
from rules.broken import BrokenRule
from rules.carts import obstacles
from rules.contacts import Address
from rules.credit import Credit, CreditLimitExceeded
from rules.permissions import Permission
from rules.previews import PreviewChanged, Shown, differences
from rules.stock import InsufficientStock, WarehouseMissing
from tenants import previews

_ShipTo = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="One of the customer's own shipping addresses, as orderPlace takes it; when left out, the only one "
        "if there is just one."
    ),
]


@dataclass(slots=True)
class OrderPreview:
    """A draft with what orderPlace would say to it."""

    draft: CartDraft
    credit: Credit | None
    errors: list[Broken]
    warnings: list[Broken]
    preview_token: str | None
    expires_at: datetime | None


async def preview(info: Info, ship_to: _ShipTo = None) -> OrderPreview:
    """Query.orderPreview. Raises NotFound for an address that is not there."""
    context = info.context
    address = await order_drafts.ship_to(context, ship_to)
    cart = await db.carts.of_account(context.connection, context.signed_in.actor_id)
    draft = await _draft(context, cart, address)
    credit, broken, warnings = await _weighed(context, draft)
    token, expires_at = (None, None) if broken else await _token(context, draft)
    return OrderPreview(
        draft,
        credit,
        [Broken(each) for each in broken],
        [Broken(each) for each in warnings],
        token,
        expires_at,
    )


async def actions_of(root: strawberry.Parent[Cart], info: Info) -> list[Action]:
    """Cart.actions: what the preview says against ordering all of it is why one cannot."""
    _, broken, _ = await _weighed(info.context, await _draft(info.context, root, None))
    needs = Permission.ORDERS_PLACE
    return [
        actions.weigh(info.context, "PLACE", needs, broken[0] if broken else None),
        actions.weigh(info.context, "CLEAR", needs),
        actions.weigh(info.context, "FILL", needs),
    ]


async def _draft(context: Context, cart: Cart, address: Address | None) -> CartDraft:
    today = await db.order_changes.today(context.connection)
    return order_drafts.draft(context, cart, await priced_items(context, cart), address, today)


async def _weighed(
    context: Context, draft: CartDraft
) -> tuple[Credit | None, list[BrokenRule], list[CreditLimitExceeded]]:
    """What a draft makes of the credit limit, what stands in its way, and what is only to be warned of."""
    credit = await _credit(context, draft)
    forbidden, warnings = order_drafts.weigh(context, credit)
    return credit, [*obstacles([each.assessment for each in draft.lines]), *forbidden], warnings


async def _credit(context: Context, draft: CartDraft) -> Credit | None:
    customer_id = context.signed_in.customer_id
    assert customer_id is not None, "only a customer's account orders"
    customer = await context.load(db.customers.by_ids, customer_id)
    return await order_drafts.credit_of(context, customer.credit_limit if customer else None, draft)


async def _token(context: Context, draft: CartDraft) -> tuple[str, datetime]:
    expires_at = previews.expiry()
    shown = await order_drafts.shown(context, draft)
    return previews.signed(context.facilities.cursor_key, context.signed_in, shown, expires_at), expires_at


def expected(context: Context, token: str | None) -> Shown | None:
    """What the viewer was shown; None without a token. Raises PreviewTokenInvalid and PreviewTokenExpired."""
    if token is None:
        return None
    return previews.read(context.facilities.cursor_key, token, context.signed_in, now=datetime.now(UTC))


def changes(before: Shown, after: Shown) -> list[PreviewChanged]:
    """The rule that is broken when anything is not as it was shown."""
    found = differences(before, after)
    return [PreviewChanged(differences=tuple(found), path=("previewToken",))] if found else []


def orders(root: strawberry.Parent[OrderPreview]) -> list[OrderDraft]:
    """OrderPreview.orders."""
    return root.draft.orders


def unavailable(root: strawberry.Parent[OrderPreview]) -> list[PricedItem]:
    """OrderPreview.unavailable."""
    return [each for each in root.draft.lines if each.assessment.problem is not None]


def cart_version(root: strawberry.Parent[OrderPreview]) -> int:
    """OrderPreview.cartVersion."""
    return root.draft.cart.version


def ship_to(root: strawberry.Parent[OrderPreview]) -> Address | None:
    """OrderPreview.shipTo."""
    return root.draft.ship_to


def totals(root: strawberry.Parent[OrderPreview]) -> money.Totals:
    """OrderPreview.totals."""
    return money.Totals(root.draft.totals, root.draft.currency)


def credit(root: strawberry.Parent[OrderPreview], info: Info) -> Credit | None:
    """OrderPreview.credit: None for whoever may not read balances."""
    return root.credit if info.context.signed_in.may(Permission.BALANCES_READ) else None


def credit_limit(root: strawberry.Parent[Credit]) -> money.Money:
    """OrderPreviewCredit.limit."""
    return money.of_minor(root.limit, root.currency)


def credit_used(root: strawberry.Parent[Credit]) -> money.Money:
    """OrderPreviewCredit.used."""
    return money.of_minor(root.used, root.currency)


def credit_after(root: strawberry.Parent[Credit]) -> money.Money:
    """OrderPreviewCredit.after."""
    return money.of_minor(root.after, root.currency)


# PreviewedOrder.warehouse.
order_warehouse = relation(db.warehouses.by_ids, "warehouse_id")


def order_totals(root: strawberry.Parent[OrderDraft]) -> money.Totals:
    """PreviewedOrder.totals."""
    return money.Totals(root.totals, root.currency)


def unavailable_item(root: strawberry.Parent[PricedItem]) -> PricedItem:
    """UnavailableItem.item."""
    return root


def reason(root: strawberry.Parent[PricedItem]) -> Broken:
    """UnavailableItem.reason."""
    assert root.assessment.problem is not None
    return Broken(root.assessment.problem)


def _elsewhere(root: PricedItem) -> UUID | None:
    lacks_stock = isinstance(root.assessment.problem, (InsufficientStock, WarehouseMissing))
    return root.item.product_id if lacks_stock else None


def _alternatives(root: PricedItem, levels: list[StockLevel]) -> list[StockLevel]:
    return stock.alternatives(levels, root.item.quantity)


# UnavailableItem.alternatives: where the viewer may order it from, or some of it.
alternatives = relations(db.stock.to_order_from, _elsewhere, then=_alternatives)
