"""Categories: the tree in which products hang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Select, Text, Uuid, any_, bindparam, literal, select

from db.connections import Connection, many_each, one_each
from db.restrictions import Shape, categories_in, scope_of
from db.rows import as_columns, insert_rows, names_of, update_rows
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


_every_one = select(categories.c.id, categories.c.code, categories.c.name, categories.c.parent_id).where(
    categories.c.tenant_id == bindparam("tenant_id")
)


def _visible(shape: Shape) -> Select[Any]:
    """The categories that the viewer's groups allow."""
    return _every_one.where(categories_in(shape, categories.c.id))


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


_NAMES = names_of(Category)
_kept = Statement(_every_one, Category)
_kept_by_codes = Statement(
    _every_one.where(categories.c.code == any_(bindparam("codes", type_=ARRAY(Text)))), Category
)
_lock = Statement(_every_one.order_by(categories.c.id).with_for_update(key_share=True), Category)
_add = Statement[None](insert_rows(categories, _NAMES))
_change = Statement[None](update_rows(categories, ["id"], ["name", "parent_id"]))


async def kept_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Category]:
    """The categories by the company's own codes, whoever may see them."""
    return one_each(await connection.rows(_kept_by_codes, codes=codes), "code")


async def lock_tree(connection: Connection) -> Mapping[str, Category]:
    """The whole tree by code; nobody else hangs anything elsewhere until this transaction ends.

    Only the whole can show a circle. It is read after the wait for the lock, so that what the other one has
    added is there too.
    """
    await connection.rows(_lock)
    return one_each(await connection.rows(_kept), "code")


async def add(connection: Connection, rows: Sequence[Category]) -> None:
    """Keep new categories; parents and children may be among them. Raises Contended when somebody else has
    just added one of them."""
    if rows:
        await connection.run(_add, **as_columns(rows, _NAMES))


async def change(connection: Connection, rows: Sequence[Category]) -> None:
    """Give categories of the locked tree their names and parents, by id."""
    if rows:
        await connection.run(_change, **as_columns(rows, ["id", "name", "parent_id"]))
