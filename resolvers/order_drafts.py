"""Order drafts: the orders that a cart would become, as the preview shows them and as placing makes them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import strawberry

import db
from db.carts import Cart
from resolvers import nodes
from resolvers.cart_items import PricedItem
from resolvers.context import Context
from rules import amounts, credit
from rules.amounts import Totals
from rules.broken import NotFound
from rules.contacts import Address
from rules.credit import Credit, CreditLimitExceeded
from rules.money import plain, to_major
from rules.orders import split
from rules.portals import CreditPolicy
from rules.previews import Shown, ShownLine


@dataclass(slots=True)
class OrderDraft:
    """One of the orders: what ships from one warehouse, or services alone from none."""

    warehouse_id: UUID | None
    lines: list[PricedItem]
    tax_included: bool
    totals: Totals
    currency: str
    promised_on: date


@dataclass(slots=True)
class CartDraft:
    """All of a cart: every line, and the orders of those that can be ordered."""

    cart: Cart
    lines: Sequence[PricedItem]
    orders: list[OrderDraft]
    ship_to: Address | None
    promised_on: date
    currency: str

    @property
    def totals(self) -> Totals:
        """What the orders add up to."""
        sums = [each.totals for each in self.orders]
        return Totals(
            sum(each.net for each in sums), sum(each.tax for each in sums), sum(each.total for each in sums)
        )


def draft(
    context: Context, cart: Cart, lines: Sequence[PricedItem], ship_to: Address | None, today: date
) -> CartDraft:
    """What a cart with these lines would become when it is placed today."""
    promised_on = today + timedelta(days=context.portal.lead_days)
    currency = context.signed_in.currency
    orderable = [each for each in lines if each.assessment.problem is None]
    orders = [_order(*group, currency, promised_on) for group in split(orderable)]
    return CartDraft(cart, lines, orders, ship_to, promised_on, currency)


def _order(
    warehouse_id: UUID | None, lines: list[PricedItem], currency: str, promised_on: date
) -> OrderDraft:
    tax_included = any(each.assessment.tax_included for each in lines)
    priced = [(each.known_amount, each.item.tax_rate) for each in lines]
    totals = amounts.totals(priced, tax_included=tax_included)
    return OrderDraft(warehouse_id, lines, tax_included, totals, currency, promised_on)


async def ship_to(context: Context, id: strawberry.ID | None) -> Address | None:
    """The shipping address of the viewer's customer behind an id; without one the only one there is.

    Raises NotFound.
    """
    found = await db.contacts.to_ship_to(context.connection, context.signed_in)
    own = {each.key: each for each in found}
    if id is None:
        return next(iter(own.values())) if len(own) == 1 else None
    key = nodes.key_of(str(id), "Address")
    if key is None or key not in own:
        raise NotFound(path=("shipTo",))
    return own[key]


async def credit_of(context: Context, limit: int | None, draft: CartDraft) -> Credit | None:
    """What the orders make of the customer's credit limit; None when it has none."""
    customer_id = context.signed_in.customer_id
    if limit is None or customer_id is None:
        return None
    exposure = await db.credit.exposure(context.connection, customer_id, draft.currency)
    return credit.credit(limit, exposure, draft.totals.total, draft.currency)


def weigh(
    context: Context, credit: Credit | None
) -> tuple[list[CreditLimitExceeded], list[CreditLimitExceeded]]:
    """What the credit limit forbids, and of what it only warns: as the company's policy is."""
    broken = [credit.broken] if credit is not None and credit.broken is not None else []
    return (broken, []) if context.portal.credit_policy == CreditPolicy.BLOCK else ([], broken)


async def shown(context: Context, draft: CartDraft) -> Shown:
    """A draft in words."""
    ids = {each.warehouse_id for each in draft.lines if each.warehouse_id is not None}
    found = await asyncio.gather(*(context.load(db.warehouses.by_ids, each) for each in ids))
    codes = {each.id: each.code for each in found if each is not None}
    totals = draft.totals
    net, tax, total = (str(to_major(each, draft.currency)) for each in (totals.net, totals.tax, totals.total))
    return Shown(
        cart=str(draft.cart.version),
        currency=draft.currency,
        ship_to=draft.ship_to.line if draft.ship_to is not None else None,
        promised_on=str(draft.promised_on),
        net=net,
        tax=tax,
        total=total,
        lines=tuple(_line(each, codes) for each in draft.lines),
    )


def _line(line: PricedItem, codes: dict[UUID, str]) -> ShownLine:
    found, quantity = line.assessment, line.item.quantity
    in_stock = None if found.available is None else found.available >= quantity
    return ShownLine(
        sku=line.item.sku,
        quantity=str(plain(quantity)),
        unit_price=None if found.unit_price is None else str(plain(found.unit_price)),
        amount=None if found.amount is None else str(to_major(found.amount, line.currency)),
        tax_rate=str(plain(line.item.tax_rate)),
        warehouse=codes.get(found.warehouse_id, "?") if found.warehouse_id is not None else None,
        in_stock=None if in_stock is None else str(in_stock).lower(),
        orderable=str(found.problem is None).lower(),
    )
