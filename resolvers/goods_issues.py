"""Goods issues: what was shipped for an order."""

import strawberry

import db
from db.customers import Customer
from db.goods_issues import GoodsIssue, GoodsIssueLine
from db.orders import Order
from db.products import Product
from db.warehouses import Warehouse
from resolvers import nodes
from resolvers.context import Info


async def order(root: strawberry.Parent[GoodsIssue], info: Info) -> Order | None:
    """GoodsIssue.order: None for whoever may not read orders."""
    found: Order | None = await nodes.load(info.context, "Order", root.order_id)
    return found


async def customer(root: strawberry.Parent[GoodsIssue], info: Info) -> Customer | None:
    """GoodsIssue.customer."""
    return await info.context.load(db.customers.by_ids, root.customer_id)


async def warehouse(root: strawberry.Parent[GoodsIssue], info: Info) -> Warehouse | None:
    """GoodsIssue.warehouse."""
    return await info.context.load(db.warehouses.by_ids, root.warehouse_id) if root.warehouse_id else None


async def lines(root: strawberry.Parent[GoodsIssue], info: Info) -> list[GoodsIssueLine]:
    """GoodsIssue.lines."""
    return await info.context.load_list(db.goods_issues.lines_of, root.id)


async def line_product(root: strawberry.Parent[GoodsIssueLine], info: Info) -> Product | None:
    """GoodsIssueLine.product: None when it is no longer sold to the viewer."""
    return await info.context.load(db.products.by_ids, root.product_id) if root.product_id else None
