"""Credit notes."""

import strawberry

import db
from db.credit_notes import CreditNote
from resolvers import money, nodes
from resolvers.context import Info
from resolvers.relations import relations

# CreditNote.goodsReturn: None for whoever may not read goods returns.
goods_return = nodes.relation("GoodsReturn", "goods_return_id")


# CreditNote.lines.
lines = relations(db.credit_notes.lines_of, "id")


async def rates(root: strawberry.Parent[CreditNote], info: Info) -> list[money.RateTotal]:
    """CreditNote.rates."""
    return money.of_rates(root, await lines(root, info))
