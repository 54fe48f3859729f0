"""RMA request chains: the request for which something was posted or ordered, and what replaces its goods."""

from collections.abc import Sequence

import db
from db.orders import Order
from db.rma_requests import RMARequest
from execution.levels import level
from resolvers import nodes
from resolvers.context import Context
from rules.permissions import Permission

# The request for which something was made: None for whoever may not read requests.
rma_request = nodes.relation("RMARequest", "rma_request_id")


@level
async def replacement_orders(roots: Sequence[RMARequest], context: Context) -> list[list[Order]]:
    """RMARequest.replacementOrders: none for whoever may not read orders."""
    if Permission.ORDERS_READ not in context.signed_in.permissions:
        return [[] for _ in roots]
    return await context.load_lists(db.orders.replacing, [root.id for root in roots])
