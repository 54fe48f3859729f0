"""Categories: the tree."""

import db
from db.categories import Category
from resolvers.context import Info
from resolvers.relations import relation, relations


async def every(info: Info) -> list[Category]:
    """Query.categories."""
    context = info.context
    return await db.categories.every(context.connection, context.signed_in)


# Category.parent.
parent = relation(db.categories.by_ids, "parent_id")


# Category.children.
children = relations(db.categories.children_of, "id")
