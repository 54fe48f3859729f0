"""RMA request chains: the request for which something was posted or ordered, and what replaces its goods."""

import strawberry

import db
from db.credit_notes import CreditNote
from db.goods_returns import GoodsReturn
from db.orders import Order
from db.payments import Payment
from db.rma_requests import RMARequest
from resolvers import nodes
from resolvers.context import Info
from rules.permissions import Permission


async def rma_request(
    root: strawberry.Parent[Order | GoodsReturn | CreditNote | Payment], info: Info
) -> RMARequest | None:
    """The request for which something was made: None for whoever may not read requests."""
    key = root.rma_request_id
    found: RMARequest | None = await nodes.load(info.context, "RMARequest", key) if key else None
    return found


async def replacement_orders(root: strawberry.Parent[RMARequest], info: Info) -> list[Order]:
    """RMARequest.replacementOrders: none for whoever may not read orders."""
    context = info.context
    if Permission.ORDERS_READ not in context.signed_in.permissions:
        return []
    return await context.load_list(db.orders.replacing, root.id)
