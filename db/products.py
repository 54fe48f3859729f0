"""Products: goods and services that a company sells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Computed,
    Index,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.restrictions import Shape, categories_in, products_in, scope_of, stock_in
from db.rows import as_columns, insert_rows, names_of, update_rows
from db.statements import Statement
from db.stock import stock
from db.tables import TAX_RATE, one_of, refers_to, tenant_table, unique
from db.trees import subtree
from rules.permissions import Permission
from rules.products import ProductKind
from rules.viewers import Viewer

# Words are found in English, in German and as they stand, whatever the portal's language.
_SEARCH = (
    "to_tsvector('english', name) || to_tsvector('german', name) || "
    "to_tsvector('simple', sku || ' ' || name || ' ' || description)"
)

products = tenant_table(
    "products",
    Column("id", Uuid, nullable=False),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False),
    Column("category_id", Uuid),
    Column("unit", Text, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),  # false: no longer sold
    Column("search", TSVECTOR, Computed(_SEARCH, persisted=True)),
    unique("sku", name="products_sku_key"),
    refers_to("categories", "category_id", name="products_category_fkey"),
    one_of("kind", list(ProductKind), name="products_kind_check"),
    CheckConstraint("tax_rate between 0 and 100", name="products_tax_rate_check"),
    Index("products_name_idx", "tenant_id", "name", "id"),
    Index("products_category_idx", "tenant_id", "category_id"),
)


@dataclass(slots=True)
class Product:
    """Something that is sold, or was when it is no longer `active`. `tax_rate` is in percent."""

    id: UUID
    sku: str
    name: str
    description: str
    kind: str
    category_id: UUID | None
    unit: str
    tax_rate: Decimal
    active: bool


_COLUMNS = [
    products.c.id,
    products.c.sku,
    products.c.name,
    products.c.description,
    products.c.kind,
    products.c.category_id,
    products.c.unit,
    products.c.tax_rate,
    products.c.active,
]
_every_one = select(*_COLUMNS).where(products.c.tenant_id == bindparam("tenant_id"))


def _visible(shape: Shape) -> Select[Any]:
    """The products that are sold, of the tenant, as far as the viewer's groups allow."""
    return _every_one.where(products.c.active, allowed_by(shape))


def allowed_by(shape: Shape) -> ColumnElement[bool]:
    """Whether a viewer's groups allow a product."""
    return products_in(shape, products.c.id, products.c.category_id)


_WITH_IDS = products.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
_WITH_SKUS = products.c.sku == any_(bindparam("skus", type_=ARRAY(Text)))


@lru_cache(maxsize=256)
def _by_ids(shape: Shape) -> Statement[Product]:
    return Statement(_visible(shape).where(_WITH_IDS), Product)


@lru_cache(maxsize=256)
def _by_skus(shape: Shape) -> Statement[Product]:
    return Statement(_visible(shape).where(_WITH_SKUS), Product)


_kept_by_ids = Statement(_every_one.where(_WITH_IDS), Product)
_kept_by_skus = Statement(_every_one.where(_WITH_SKUS), Product)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Product]:
    """The products among the ids that are sold and that the viewer may see; whoever keeps the catalogue sees
    what is no longer sold as well."""
    if viewer.oversees(Permission.CATALOGUE_WRITE):
        return one_each(await connection.rows(_kept_by_ids, ids=ids), "id")
    scope = scope_of(viewer)
    statement = _by_ids(scope.shape)
    return one_each(await connection.rows(statement, ids=ids, **statement.needed(scope.groups)), "id")


async def by_skus(connection: Connection, viewer: Viewer, skus: Sequence[str]) -> Mapping[str, Product]:
    """The products among the company's own codes, seen by the same people as by their ids."""
    if viewer.oversees(Permission.CATALOGUE_WRITE):
        return await kept_by_skus(connection, skus)
    scope = scope_of(viewer)
    statement = _by_skus(scope.shape)
    return one_each(await connection.rows(statement, skus=skus, **statement.needed(scope.groups)), "sku")


async def orderable(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
    """Which of the products that the viewer sees it may order too. Mostly all of them, without asking."""
    scope = scope_of(viewer, Permission.ORDERS_PLACE)
    if scope == scope_of(viewer) or scope.shape is None:
        return dict.fromkeys(ids, True)
    statement = _by_ids(scope.shape)
    found = one_each(await connection.rows(statement, ids=ids, **statement.needed(scope.groups)), "id")
    return {each: each in found for each in ids}


@lru_cache(maxsize=256)
def _skus_like(shape: Shape) -> Statement[str]:
    asked = (
        func.unnest(bindparam("beginnings", type_=ARRAY(Text)))
        .table_valued(column("beginning", Text))
        .render_derived(name="asked")
    )
    visible = and_(products.c.tenant_id == bindparam("tenant_id"), products.c.active, allowed_by(shape))
    first = (
        select(products.c.sku)
        .where(visible, products.c.sku.op("^@")(asked.c.beginning))
        .order_by(products.c.sku)
        .limit(1)
        .lateral("first")
    )
    exact = select(products.c.sku).where(
        visible, products.c.sku == any_(bindparam("skus", type_=ARRAY(Text)))
    )
    return Statement(union(exact, select(first.c.sku).select_from(asked.join(first, true()))), str)


async def skus_like(
    connection: Connection, viewer: Viewer, skus: Sequence[str], beginnings: Sequence[str]
) -> list[str]:
    """The SKUs that the viewer may order from: those of the list, and the first that begins like each beginning."""
    scope = scope_of(viewer, Permission.ORDERS_PLACE)
    statement = _skus_like(scope.shape)
    return await connection.column(
        statement, skus=skus, beginnings=beginnings, **statement.needed(scope.groups)
    )


def _text_matches() -> ColumnElement[bool]:
    words = bindparam("words", type_=Text)
    query = func.websearch_to_tsquery(literal_column("'english'"), words).op("||")(
        func.websearch_to_tsquery(literal_column("'german'"), words)
    )
    prefix = func.to_tsquery(literal_column("'simple'"), bindparam("word_prefix", type_=Text))
    return or_(
        products.c.search.op("@@")(query),
        products.c.search.op("@@")(prefix),
        func.upper(products.c.sku).op("^@")(bindparam("sku_prefix", type_=Text)),
    )


def _is_available(shape: Shape) -> ColumnElement[bool]:
    """A service, or goods that are left in a warehouse which the viewer's groups allow."""
    return or_(
        products.c.kind == ProductKind.SERVICE,
        exists().where(
            stock.c.tenant_id == bindparam("tenant_id"),
            stock.c.product_id == products.c.id,
            stock.c.on_hand > stock.c.reserved,
            stock_in(shape, products.c.id, products.c.category_id, stock.c.warehouse_id),
        ),
    )


def _is_below(shape: Shape, column: str, value: ColumnElement[Any]) -> ColumnElement[bool]:
    """In a category or below it, if the viewer's groups allow that category."""
    return products.c.category_id == subtree(
        lambda category: and_(category[column] == value, categories_in(shape, category.id))
    )


_CONDITIONS: dict[str, Condition] = {
    "search": _text_matches(),
    "category_id": lambda shape: _is_below(shape, "id", bindparam("category_id", type_=Uuid)),
    "category_code": lambda shape: _is_below(shape, "code", bindparam("category_code", type_=Text)),
    "skus": products.c.sku == any_(bindparam("skus", type_=ARRAY(Text))),
    "kind": products.c.kind == bindparam("kind", type_=Text),
    "available_only": _is_available,
}

ORDERS: dict[str, Key] = {
    "SKU_ASC": Key(products.c.sku),
    "SKU_DESC": Key(products.c.sku, descending=True),
    "NAME_ASC": Key(products.c.name),
    "NAME_DESC": Key(products.c.name, descending=True),
}


def _filter_values(filters: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in filters.items() if name not in ("search", "available_only")}
    if "search" in filters:
        text: str = filters["search"]
        values |= {"words": text, "word_prefix": _word_prefix(text), "sku_prefix": text.strip().upper()}
    return values


def _word_prefix(text: str) -> str:
    """A tsquery for people who are still typing: all words, the last one as a prefix."""
    words = ["".join(c for c in word if c.isalnum()) for word in text.lower().split()]
    return " & ".join(f"{word}:*" for word in words if word)


# Filters: search, category_id, category_code, skus, kind, available_only (its value is not looked at).
_listing = Listing(
    Product,
    _visible,
    _CONDITIONS,
    ORDERS,
    products.c.id,
    whose=lambda viewer: ((scope := scope_of(viewer)).shape, scope.groups),
    values=_filter_values,
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_NAMES = names_of(Product)
_CHANGING = [name for name in _NAMES if name not in ("id", "sku")]
# Keys stay as they are, so whoever only refers to a product (a cart, stock) need not wait.
_lock_by_skus = Statement(
    _every_one.where(_WITH_SKUS).order_by(products.c.sku).with_for_update(key_share=True), Product
)
_add = Statement[None](insert_rows(products, _NAMES))
_change = Statement[None](update_rows(products, ["id"], _CHANGING))


async def kept_by_skus(connection: Connection, skus: Sequence[str]) -> Mapping[str, Product]:
    """The products by the company's own codes, sold or not, whoever may see them."""
    return one_each(await connection.rows(_kept_by_skus, skus=skus), "sku")


async def lock_by_skus(connection: Connection, skus: Sequence[str]) -> Mapping[str, Product]:
    """The same as they are now; nobody else changes them until this transaction ends."""
    return one_each(await connection.rows(_lock_by_skus, skus=skus), "sku")


async def add(connection: Connection, rows: Sequence[Product]) -> None:
    """Keep new products. Raises Contended when somebody else has just added one of them."""
    if rows:
        await connection.run(_add, **as_columns(rows, _NAMES))


async def change(connection: Connection, rows: Sequence[Product]) -> None:
    """Bring products that are locked to what the rows say, by id."""
    if rows:
        await connection.run(_change, **as_columns(rows, ["id", *_CHANGING]))
