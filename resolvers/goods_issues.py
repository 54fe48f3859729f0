"""Goods issues: what was shipped for an order."""

import strawberry

import db
from db.goods_issues import GoodsIssue
from db.orders import Order
from resolvers import nodes
from resolvers.context import Info
from resolvers.relations import relations


async def order(root: strawberry.Parent[GoodsIssue], info: Info) -> Order | None:
    """GoodsIssue.order: None for whoever may not read orders."""
    found: Order | None = await nodes.load(info.context, "Order", root.order_id)
    return found


# GoodsIssue.lines.
lines = relations(db.goods_issues.lines_of, "id")
