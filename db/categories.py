"""Categories: the tree in which products hang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Text, Uuid, any_, bindparam, select
from sqlalchemy.sql import ColumnElement

from db.connections import Connection, many_each, one_each
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.viewers import Viewer

categories = tenant_table(
    "categories",
    Column("id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_id", Uuid),
    unique("code", name="categories_code_key"),
    refers_to("categories", "parent_id", name="categories_parent_fkey"),
    Index("categories_parent_idx", "tenant_id", "parent_id"),
)


@dataclass(slots=True)
class Category:
    """A node of the category tree; a root has no parent."""

    id: UUID
    code: str
    name: str
    parent_id: UUID | None


_COLUMNS = [categories.c.id, categories.c.code, categories.c.name, categories.c.parent_id]
_OF_TENANT = categories.c.tenant_id == bindparam("tenant_id")

_all = Statement(select(*_COLUMNS).where(_OF_TENANT).order_by(categories.c.name, categories.c.id), Category)
_by_ids = Statement(
    select(*_COLUMNS).where(_OF_TENANT, categories.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))),
    Category,
)
_children_of = Statement(
    select(*_COLUMNS)
    .where(_OF_TENANT, categories.c.parent_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(categories.c.name, categories.c.id),
    Category,
)


async def every(connection: Connection, _viewer: Viewer) -> list[Category]:
    """The whole tree as a flat list, by name."""
    return await connection.rows(_all)


async def by_ids(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Category]:
    """The categories by id."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def children_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Category]]:
    """The direct subcategories of each category, by name."""
    return many_each(await connection.rows(_children_of, ids=ids), ids, "parent_id")


def subtree(root: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition's right side: the ids of the categories that `root` selects and of all below them."""
    tree = select(categories.c.id).where(_OF_TENANT, root).cte("subtree", recursive=True)
    below = select(categories.c.id).where(_OF_TENANT, categories.c.parent_id == tree.c.id)
    return any_(select(tree.union(below).c.id).scalar_subquery())
