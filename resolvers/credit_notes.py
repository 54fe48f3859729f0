"""Credit notes."""

import db
from resolvers import money, nodes
from resolvers.relations import relations

# CreditNote.goodsReturn: None for whoever may not read goods returns.
goods_return = nodes.relation("GoodsReturn", "goods_return_id")


# CreditNote.lines.
lines = relations(db.credit_notes.lines_of, "id")


# CreditNote.rates.
rates = relations(db.credit_notes.lines_of, "id", then=money.of_rates)
