"""Categories: the tree in which products hang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Select, Text, Uuid, any_, bindparam, literal, select

from db.connections import Connection, many_each, one_each
from db.restrictions import Shape, categories_in, scope_of
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


def _visible(shape: Shape) -> Select[Any]:
    """The categories that the viewer's groups allow."""
    return select(categories.c.id, categories.c.code, categories.c.name, categories.c.parent_id).where(
        categories.c.tenant_id == bindparam("tenant_id"), categories_in(shape, categories.c.id)
    )


_IDS = bindparam("ids", type_=ARRAY(Uuid))


@lru_cache(maxsize=256)
def _every(shape: Shape) -> Statement[Category]:
    return Statement(_visible(shape).order_by(categories.c.name, categories.c.id), Category)


@lru_cache(maxsize=256)
def _by_ids(shape: Shape) -> Statement[Category]:
    return Statement(_visible(shape).where(categories.c.id == any_(_IDS)), Category)


@lru_cache(maxsize=256)
def _children_of(shape: Shape) -> Statement[Category]:
    children = _visible(shape).where(categories.c.parent_id == any_(_IDS))
    return Statement(children.order_by(categories.c.name, categories.c.id), Category)


async def every(connection: Connection, viewer: Viewer) -> list[Category]:
    """The whole tree as far as the viewer may see it, as a flat list by name."""
    scope = scope_of(viewer)
    statement = _every(scope.shape)
    return await connection.rows(statement, **statement.needed(scope.groups))


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Category]:
    """The categories among the ids that the viewer may see."""
    scope = scope_of(viewer)
    statement = _by_ids(scope.shape)
    return one_each(await connection.rows(statement, ids=ids, **statement.needed(scope.groups)), "id")


async def children_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Category]]:
    """The direct subcategories of each category, by name."""
    scope = scope_of(viewer)
    statement = _children_of(scope.shape)
    rows = await connection.rows(statement, ids=ids, **statement.needed(scope.groups))
    return many_each(rows, ids, "parent_id")


_path = (
    select(categories.c.id, categories.c.parent_id, literal(0).label("steps"))
    .where(categories.c.tenant_id == bindparam("tenant_id"), categories.c.id == bindparam("category_id"))
    .cte("path", recursive=True)
)
_path = _path.union_all(
    select(categories.c.id, categories.c.parent_id, _path.c.steps + 1).where(
        categories.c.tenant_id == bindparam("tenant_id"), categories.c.id == _path.c.parent_id
    )
)
_path_of = Statement[UUID](select(_path.c.id).order_by(_path.c.steps))


async def path_of(connection: Connection, id: UUID) -> list[UUID]:
    """The ids of a category and of those above it, up to the root, whoever may see them."""
    return await connection.column(_path_of, category_id=id)


_id_by_code = Statement[UUID](
    select(categories.c.id).where(
        categories.c.tenant_id == bindparam("tenant_id"), categories.c.code == bindparam("code")
    )
)


async def id_by_code(connection: Connection, code: str) -> UUID | None:
    """The id of the category with the company's own code, whoever may see it."""
    found: UUID | None = await connection.value(_id_by_code, code=code)
    return found
