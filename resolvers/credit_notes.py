"""Credit notes."""

import strawberry

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.goods_returns import GoodsReturn
from resolvers import money, nodes
from resolvers.context import Info


async def goods_return(root: strawberry.Parent[CreditNote], info: Info) -> GoodsReturn | None:
    """CreditNote.goodsReturn: None for whoever may not read goods returns."""
    key = root.goods_return_id
    found: GoodsReturn | None = await nodes.load(info.context, "GoodsReturn", key) if key else None
    return found


async def lines(root: strawberry.Parent[CreditNote], info: Info) -> list[CreditNoteLine]:
    """CreditNote.lines."""
    return await info.context.load_list(db.credit_notes.lines_of, root.id)


async def rates(root: strawberry.Parent[CreditNote], info: Info) -> list[money.RateTotal]:
    """CreditNote.rates."""
    return money.of_rates(root, await lines(root, info))
