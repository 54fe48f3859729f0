"""Goods issues: what was shipped for an order."""

import db
from resolvers import nodes
from resolvers.relations import relations

# GoodsIssue.order: None for whoever may not read orders.
order = nodes.relation("Order", "order_id")


# GoodsIssue.lines.
lines = relations(db.goods_issues.lines_of, "id")
