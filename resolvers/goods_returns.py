"""Goods returns: what of an invoice came back."""

import strawberry

import db
from db.goods_returns import GoodsReturn, GoodsReturnLine
from resolvers.context import Info


async def lines(root: strawberry.Parent[GoodsReturn], info: Info) -> list[GoodsReturnLine]:
    """GoodsReturn.lines."""
    return await info.context.load_list(db.goods_returns.lines_of, root.id)
