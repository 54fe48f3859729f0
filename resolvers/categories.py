"""Categories: the tree."""

import strawberry

import db
from db.categories import Category
from resolvers.context import Info


async def every(info: Info) -> list[Category]:
    """Query.categories."""
    context = info.context
    return await db.categories.every(context.connection, context.signed_in)


async def parent(root: strawberry.Parent[Category], info: Info) -> Category | None:
    """Category.parent."""
    return await info.context.load(db.categories.by_ids, root.parent_id) if root.parent_id else None


async def children(root: strawberry.Parent[Category], info: Info) -> list[Category]:
    """Category.children."""
    return await info.context.load_list(db.categories.children_of, root.id)
