"""Credit notes."""

import strawberry

import db
from db.credit_notes import CreditNote
from db.goods_returns import GoodsReturn
from resolvers import money, nodes
from resolvers.context import Info
from resolvers.relations import relations


async def goods_return(root: strawberry.Parent[CreditNote], info: Info) -> GoodsReturn | None:
    """CreditNote.goodsReturn: None for whoever may not read goods returns."""
    key = root.goods_return_id
    found: GoodsReturn | None = await nodes.load(info.context, "GoodsReturn", key) if key else None
    return found


# CreditNote.lines.
lines = relations(db.credit_notes.lines_of, "id")


async def rates(root: strawberry.Parent[CreditNote], info: Info) -> list[money.RateTotal]:
    """CreditNote.rates."""
    return money.of_rates(root, await lines(root, info))
