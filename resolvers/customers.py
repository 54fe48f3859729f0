"""Customers: what hangs on one."""

import strawberry

import db
from db.customers import Customer
from db.prices import PriceList
from resolvers.context import Info


async def price_list(root: strawberry.Parent[Customer], info: Info) -> PriceList | None:
    """Customer.priceList: its own, or else the portal's."""
    price_list_id = root.price_list_id or info.context.portal.price_list_id
    return await info.context.load(db.prices.lists_by_ids, price_list_id) if price_list_id else None
