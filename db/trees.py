"""Trees: the ids of categories with all that hangs below them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, any_, bindparam, column, select, table
from sqlalchemy.sql import ColumnCollection

# As much of db.categories' table as a tree needs; that file's reads are held to trees themselves.
_categories = table(
    "categories",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("code", Text),
    column("parent_id", Uuid),
)
_OF_TENANT = _categories.c.tenant_id == bindparam("tenant_id")


def subtree(
    root: Callable[[ColumnCollection[str, Any]], ColumnElement[bool]], name: str = "subtree"
) -> ColumnElement[Any]:
    """A condition's right side: the ids of the categories that `root` selects and of all below them.

    `root` is given the columns tenant_id, id, code and parent_id; `name` tells apart the trees of one statement.
    """
    tree = select(_categories.c.id).where(_OF_TENANT, root(_categories.c)).cte(name, recursive=True)
    below = select(_categories.c.id).where(_OF_TENANT, _categories.c.parent_id == tree.c.id)
    return any_(select(tree.union(below).c.id).scalar_subquery())
