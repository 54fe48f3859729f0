"""Goods returns: what of an invoice came back."""

import db
from resolvers.relations import relations

# GoodsReturn.lines.
lines = relations(db.goods_returns.lines_of, "id")
