"""Placing: the viewer's cart becomes orders, one a warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.orders import Order
from db.quotation_orders import QuotationOrder
from resolvers import order_drafts, previews
from resolvers.cart_items import PricedItem
from resolvers.context import Context, Info
from resolvers.errors import Broken
from resolvers.mutations import Payload, facts_of
from resolvers.order_drafts import CartDraft, OrderDraft
from resolvers.order_placing import NewLine, NewOrder, Placement, placed
from rules.broken import BrokenRule, BrokenRules, check_version
from rules.carts import assess, obstacles
from rules.orders import LONGEST_COMMENT, LONGEST_PURCHASE_ORDER_NUMBER, check_requested
from rules.previews import Shown
from rules.stock import StockPolicy
from rules.texts import check_text


@strawberry.input(description="The viewer's cart, to be ordered as it is.")
class OrderPlaceInput:
    """orderPlace(input:)."""

    version: int | None = strawberry.field(
        default=None, description="The version of the cart that was read; refused when it has changed since."
    )
    purchase_order_number: str | None = strawberry.field(
        default=None, description="The customer's own number for this, at most 100 characters."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the company, at most 2,000 characters."
    )
    requested_on: date | None = strawberry.field(
        default=None, description="The day for which the customer would like it; today or later."
    )
    ship_to: strawberry.ID | None = strawberry.field(
        default=None,
        description="One of the customer's own shipping addresses; when left out, the only one if there is just one.",
    )
    preview_token: str | None = strawberry.field(
        default=None,
        description="The token of a preview: when anything that it showed is different by now, nothing is ordered "
        "and the differences are told.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeating the call with the same key and input gives the same orders and places none again.",
    )


@dataclass(slots=True)
class OrderPlacePayload(Payload):
    """The orders that were placed, one a warehouse."""

    orders: list[Order] | None = None
    warnings: list[Broken] = field(default_factory=list)


_PlaceInput = Annotated[OrderPlaceInput, strawberry.argument(description="What to order.")]


async def place(info: Info, input: _PlaceInput) -> OrderPlacePayload:
    """Mutation.orderPlace: the whole cart, or, when any line cannot be ordered, nothing.

    Locks: the cart, the customer, the quotations from which lines came, the stock, the numbers.
    """
    context = info.context
    connection, viewer = context.connection, context.signed_in
    check_text(input.purchase_order_number, LONGEST_PURCHASE_ORDER_NUMBER, "purchaseOrderNumber")
    check_text(input.comment, LONGEST_COMMENT, "comment")
    today = await db.order_changes.today(connection)
    check_requested(input.requested_on, today, "requestedOn")
    expected = previews.expected(context, input.preview_token)
    ship_to = await order_drafts.ship_to(context, input.ship_to)
    cart = await db.carts.lock(connection, viewer.actor_id)
    check_version(input.version, cart.version)
    assert viewer.customer_id is not None, "only a customer's account places orders"
    customer = await db.customers.lock(connection, viewer.customer_id)
    assert customer is not None, "an account has a customer"
    draft = order_drafts.draft(context, cart, await _locked_items(context), ship_to, today)
    await _check(context, draft, expected)
    forbidden, warnings = order_drafts.weigh(
        context, await order_drafts.credit_of(context, customer.credit_limit, draft)
    )
    if forbidden:
        raise BrokenRules(forbidden)
    orders = await _placed(context, draft, input)
    return OrderPlacePayload(orders, [Broken(rule) for rule in warnings])


async def _locked_items(context: Context) -> list[PricedItem]:
    """The cart's lines at today's prices and at the stock of this moment, which is now locked.

    The quotations from which lines came are locked too, before the stock.
    """
    connection, viewer = context.connection, context.signed_in
    product_ids = [item.product_id for item in await db.carts.items(connection, viewer)]
    quotation_ids = await db.cart_fills.quotations_of(connection, viewer.actor_id)
    await db.quotations.lock(connection, quotation_ids)
    levels = await db.stock.lock(connection, viewer, product_ids)
    # Read after the wait for the locks, so that prices and names are of the same moment as the stock.
    items = await db.carts.items(connection, viewer)
    breaks = await db.prices.of_products(connection, viewer, product_ids)
    policy = StockPolicy(context.portal.stock_policy)
    return [
        PricedItem(
            item, assess(item, breaks[item.product_id], levels[item.product_id], policy), viewer.currency
        )
        for item in items
    ]


async def _check(context: Context, draft: CartDraft, expected: Shown | None) -> None:
    """Raises BrokenRules: PreviewChanged, CartEmpty, or every line that cannot be ordered."""
    broken: list[BrokenRule] = []
    if expected is not None:
        broken += previews.changes(expected, await order_drafts.shown(context, draft))
    broken += obstacles([each.assessment for each in draft.lines])
    if broken:
        raise BrokenRules(broken)


async def _placed(context: Context, draft: CartDraft, input: OrderPlaceInput) -> list[Order]:
    """The orders of a draft of which all can be ordered; the cart is empty after it."""
    connection, viewer = context.connection, context.signed_in
    assert viewer.customer_id is not None, "only a customer's account places orders"
    placement = Placement(
        customer_id=viewer.customer_id,
        account_id=viewer.account_id,
        currency=draft.currency,
        ship_to=None if draft.ship_to is None else draft.ship_to.as_json(),
        promised_on=draft.promised_on,
        purchase_order_number=input.purchase_order_number,
        comment=input.comment,
        requested_on=input.requested_on,
    )
    orders = await placed(context, placement, [_new(each) for each in draft.orders])
    await _follow_up(context, orders, [each.lines for each in draft.orders])
    await db.carts.clear(connection, viewer.actor_id)
    cart = await db.carts.touch(connection, viewer.actor_id)
    context.record("Cart", cart.id, before={"version": cart.version - 1}, after={"version": cart.version})
    return orders


def _new(draft: OrderDraft) -> NewOrder:
    """What one of a cart's orders is made of."""
    lines = [_line(each) for each in draft.lines]
    return NewOrder(draft.warehouse_id, draft.tax_included, draft.totals, lines)


def _line(line: PricedItem) -> NewLine:
    assert line.assessment.unit_price is not None, "what has no price cannot be ordered"
    return NewLine(
        product_id=line.item.product_id,
        sku=line.item.sku,
        name=line.item.name,
        unit=line.item.unit,
        quantity=line.item.quantity,
        unit_price=line.assessment.unit_price,
        tax_rate=line.item.tax_rate,
        amount=line.known_amount,
        warehouse_id=line.warehouse_id,
    )


async def _follow_up(
    context: Context, orders: Sequence[Order], groups: Sequence[Sequence[PricedItem]]
) -> None:
    """Say of the quotations whose lines are ordered, all or some, that they are, and from which orders."""
    links: dict[tuple[UUID, UUID], QuotationOrder] = {}
    for order, lines in zip(orders, groups, strict=True):
        for position, line in enumerate(lines, start=1):
            quotation_id, quote = line.item.quotation_id, line.item.quote
            if quotation_id is not None and quote is not None and quote.refusal(line.item.quantity) is None:
                link = QuotationOrder(quotation_id, order.id, position)
                links.setdefault((quotation_id, order.id), link)
    if not links:
        return
    before = await db.quotations.lock(context.connection, list({each for each, _ in links}))
    for ordered in await db.quotations.set_ordered(context.connection, list(before)):
        context.record("Quotation", ordered.id, before=facts_of(before[ordered.id]), after=facts_of(ordered))
    await db.quotation_orders.add(context.connection, list(links.values()))
