"""Stock: how much of each product is in each warehouse, and how much of it is promised."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ColumnElement,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    exists,
    func,
    select,
    table,
    true,
    update,
)

from db.connections import Connection, many_each
from db.orders import order_lines
from db.restrictions import Scope, Shape, scope_of, stock_in
from db.rows import as_columns, given_rows, insert_rows, names_of, update_rows
from db.statements import Statement
from db.tables import QUANTITY, refers_to, tenant_table
from db.warehouses import warehouses
from rules.permissions import Permission
from rules.products import ProductKind
from rules.viewers import Viewer

stock = tenant_table(
    "stock",
    Column("product_id", Uuid, nullable=False),
    Column("warehouse_id", Uuid, nullable=False),
    Column("on_hand", QUANTITY, nullable=False),
    Column("reserved", QUANTITY, nullable=False, server_default="0"),
    refers_to("products", "product_id", name="stock_product_fkey"),
    refers_to("warehouses", "warehouse_id", name="stock_warehouse_fkey"),
    CheckConstraint("reserved >= 0", name="stock_reserved_check"),
    Index("stock_warehouse_idx", "tenant_id", "warehouse_id"),
    key=("product_id", "warehouse_id"),
)


@dataclass(slots=True)
class StockLevel:
    """The stock of one product in one warehouse, in the product's unit."""

    product_id: UUID
    warehouse_id: UUID
    warehouse_code: str
    on_hand: Decimal
    reserved: Decimal


@dataclass(slots=True)
class OnHand:
    """How much of a product is in a warehouse, whoever it is promised to."""

    product_id: UUID
    warehouse_id: UUID
    on_hand: Decimal


# As much of db.products' table as is needed here; that file's reads ask for stock themselves.
_products = table(
    "products",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("category_id", Uuid),
    column("kind", Text),
)
_category_of_product = (
    select(_products.c.category_id)
    .where(_products.c.tenant_id == bindparam("tenant_id"), _products.c.id == stock.c.product_id)
    .scalar_subquery()
)


def _of_warehouses(what: Column[Any]) -> ColumnElement[Any]:
    """One column of all the tenant's warehouses, in the order of their ids."""
    every = select(what).where(warehouses.c.tenant_id == bindparam("tenant_id")).order_by(warehouses.c.id)
    return func.array(every.scalar_subquery(), type_=ARRAY(what.type))


# Read once, and not joined: a plan that is kept for any number of products, and for companies of any size, may else go
# through all that each warehouse has, or through everybody's warehouses for each row.
_warehouse_code = _of_warehouses(warehouses.c.code)[
    func.array_position(_of_warehouses(warehouses.c.id), stock.c.warehouse_id, type_=Integer)
].label("warehouse_code")


def _levels(shape: Shape) -> Select[Any]:
    """The levels of the products `ids`, as far as the viewer's groups allow."""
    return select(
        stock.c.product_id, stock.c.warehouse_id, _warehouse_code, stock.c.on_hand, stock.c.reserved
    ).where(
        stock.c.tenant_id == bindparam("tenant_id"),
        stock.c.product_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        stock_in(shape, stock.c.product_id, _category_of_product, stock.c.warehouse_id),
    )


@lru_cache(maxsize=256)
def _of_products(shape: Shape) -> Statement[StockLevel]:
    return Statement(_levels(shape).order_by(_warehouse_code), StockLevel)


@lru_cache(maxsize=256)
def _lock(shape: Shape) -> Statement[StockLevel]:
    # The rows are locked in one order, so two carts with the same products cannot deadlock.
    ordered = _levels(shape).order_by(stock.c.product_id, stock.c.warehouse_id)
    return Statement(ordered.with_for_update(of=stock), StockLevel)


async def of_products(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[StockLevel]]:
    """The levels of each product that the viewer may see, by warehouse code."""
    return await _read(connection, _of_products, scope_of(viewer), ids)


async def to_order_from(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[StockLevel]]:
    """The levels of each product that the viewer may order from, by warehouse code."""
    return await _read(connection, _of_products, scope_of(viewer, Permission.ORDERS_PLACE), ids)


async def _read(
    connection: Connection,
    read: Callable[[Shape], Statement[StockLevel]],
    scope: Scope,
    ids: Sequence[UUID],
) -> Mapping[UUID, list[StockLevel]]:
    statement = read(scope.shape)
    rows = await connection.rows(statement, ids=ids, **statement.needed(scope.groups))
    return many_each(rows, ids, "product_id")


_wanted = (
    func.unnest(
        bindparam("product_ids", type_=ARRAY(Uuid)),
        bindparam("warehouse_ids", type_=ARRAY(Uuid)),
        bindparam("quantities", type_=ARRAY(QUANTITY)),
    )
    .table_valued(column("product_id", Uuid), column("warehouse_id", Uuid), column("quantity", QUANTITY))
    .render_derived(name="wanted")
)


def _reserve(*, only_available: bool) -> Statement[tuple[UUID, UUID]]:
    enough = stock.c.on_hand - stock.c.reserved >= _wanted.c.quantity
    return Statement(
        update(stock)
        .where(
            stock.c.tenant_id == bindparam("tenant_id"),
            stock.c.product_id == _wanted.c.product_id,
            stock.c.warehouse_id == _wanted.c.warehouse_id,
            enough if only_available else true(),
        )
        .values(reserved=stock.c.reserved + _wanted.c.quantity)
        .returning(stock.c.product_id, stock.c.warehouse_id),
        lambda product_id, warehouse_id: (product_id, warehouse_id),
    )


_reserve_available = _reserve(only_available=True)
_reserve_any = _reserve(only_available=False)


async def lock(
    connection: Connection, viewer: Viewer, product_ids: Sequence[UUID]
) -> Mapping[UUID, list[StockLevel]]:
    """The levels that the viewer may order from, as they are now; nobody else changes them until this
    transaction ends."""
    return await _read(connection, _lock, scope_of(viewer, Permission.ORDERS_PLACE), product_ids)


async def reserve(
    connection: Connection,
    wanted: Mapping[tuple[UUID, UUID], Decimal],
    *,
    only_available: bool,
) -> set[tuple[UUID, UUID]]:
    """Promise quantities of (product, warehouse) pairs; returns the pairs that could be promised.

    With `only_available`, a pair that has less than the quantity is left as it was.
    """
    reserved = await connection.rows(
        _reserve_available if only_available else _reserve_any,
        **_as_parameters(wanted),
    )
    return set(reserved)


# The lines of an order that have stock: goods that ship from a warehouse which keeps them. A product keeps its kind
# while anything is in stock or outstanding, so what was promised as goods is given back or taken as goods; what a
# service has left from when it was goods is an empty row, which keeps nothing from being delivered.
_STOCKED = (
    order_lines.c.tenant_id == bindparam("tenant_id"),
    order_lines.c.order_id == bindparam("order_id", type_=Uuid),
    order_lines.c.warehouse_id.is_not(None),
    stock.c.tenant_id == bindparam("tenant_id"),
    stock.c.product_id == order_lines.c.product_id,
    stock.c.warehouse_id == order_lines.c.warehouse_id,
    _products.c.tenant_id == bindparam("tenant_id"),
    _products.c.id == order_lines.c.product_id,
    _products.c.kind == ProductKind.GOODS,
)
_stocked_lines = Statement[int](select(order_lines.c.position).where(*_STOCKED))
# Names the advisory lock that keeps lines where they ship from; an import takes its other side
# (db/exchange/reservations.py) before it locks all stock.
PLACES = "kontor places "
_keep_places = Statement[None](
    select(
        func.pg_advisory_xact_lock_shared(
            func.hashtextextended(func.concat(PLACES, bindparam("tenant_id", type_=Uuid)), 0)
        )
    )
)
_lock_of_order = Statement(
    select(stock.c.product_id, stock.c.warehouse_id, stock.c.on_hand)
    .where(
        stock.c.tenant_id == bindparam("tenant_id"),
        exists().where(*_STOCKED).correlate(stock),
    )
    .order_by(stock.c.product_id, stock.c.warehouse_id)
    .with_for_update(),
    lambda product_id, warehouse_id, on_hand: (product_id, warehouse_id, on_hand),
)


def _give_back(*, shipped: bool) -> Statement[tuple[UUID, UUID]]:
    """Take back a promise; what is shipped is no longer on hand either."""
    # Never below zero: what an import has left unreserved, the next one puts right.
    values = {"reserved": func.greatest(stock.c.reserved - _wanted.c.quantity, 0)}
    return Statement(
        update(stock)
        .where(
            stock.c.tenant_id == bindparam("tenant_id"),
            stock.c.product_id == _wanted.c.product_id,
            stock.c.warehouse_id == _wanted.c.warehouse_id,
            stock.c.on_hand >= _wanted.c.quantity if shipped else true(),
        )
        .values(**values, **({"on_hand": stock.c.on_hand - _wanted.c.quantity} if shipped else {}))
        .returning(stock.c.product_id, stock.c.warehouse_id),
        lambda product_id, warehouse_id: (product_id, warehouse_id),
    )


_ship = _give_back(shipped=True)
_free = _give_back(shipped=False)


async def lock_of_order(connection: Connection, order_id: UUID) -> dict[tuple[UUID, UUID], Decimal]:
    """What is on hand of each (product, warehouse) that an order ships from; nobody else changes it until this
    transaction ends. Locked before the order itself, and in the order in which placing locks stock.

    Nor does an import give its lines other places: whoever waited for one would have locked what was theirs before.
    """
    await connection.run(_keep_places)
    rows = await connection.rows(_lock_of_order, order_id=order_id)
    return {(product_id, warehouse_id): on_hand for product_id, warehouse_id, on_hand in rows}


async def stocked_lines(connection: Connection, order_id: UUID) -> set[int]:
    """The positions of an order's lines that have stock, in the warehouse that they ship from."""
    return set(await connection.column(_stocked_lines, order_id=order_id))


async def ship(connection: Connection, wanted: Mapping[tuple[UUID, UUID], Decimal]) -> set[tuple[UUID, UUID]]:
    """Take quantities of (product, warehouse) pairs from what is on hand and from what is promised; returns the
    pairs of which there was enough."""
    return set(await connection.rows(_ship, **_as_parameters(wanted)))


async def free(connection: Connection, wanted: Mapping[tuple[UUID, UUID], Decimal]) -> None:
    """Promise quantities of (product, warehouse) pairs no longer."""
    await connection.run(_free, **_as_parameters(wanted))


def _as_parameters(wanted: Mapping[tuple[UUID, UUID], Decimal]) -> dict[str, list[Any]]:
    return {
        "product_ids": [product for product, _ in wanted],
        "warehouse_ids": [warehouse for _, warehouse in wanted],
        "quantities": list(wanted.values()),
    }


_KEY = ["product_id", "warehouse_id"]
_NAMES = names_of(OnHand)
_counted = given_rows(stock, _KEY)
# In the order in which orders lock it, so that counting and ordering cannot deadlock.
_lock_on_hand = Statement(
    select(*(stock.c[name] for name in _NAMES))
    .where(stock.c.tenant_id == bindparam("tenant_id"), *(stock.c[name] == _counted.c[name] for name in _KEY))
    .order_by(stock.c.product_id, stock.c.warehouse_id)
    .with_for_update(of=stock),
    OnHand,
)
_add_on_hand = Statement[None](insert_rows(stock, _NAMES))
_change_on_hand = Statement[None](update_rows(stock, _KEY, ["on_hand"]))


async def lock_on_hand(
    connection: Connection, pairs: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], OnHand]:
    """What is on hand of (product, warehouse) pairs now; nobody else changes it until this transaction ends."""
    if not pairs:
        return {}
    products, places = [product for product, _ in pairs], [place for _, place in pairs]
    found = await connection.rows(_lock_on_hand, product_id=products, warehouse_id=places)
    return {(each.product_id, each.warehouse_id): each for each in found}


async def add_on_hand(connection: Connection, rows: Sequence[OnHand]) -> None:
    """Keep products in warehouses where they were not kept. In the order of the locks, as others may add the
    same; raises Contended when somebody just has."""
    if rows:
        ordered = sorted(rows, key=lambda each: (each.product_id, each.warehouse_id))
        await connection.run(_add_on_hand, **as_columns(ordered, _NAMES))


async def change_on_hand(connection: Connection, rows: Sequence[OnHand]) -> None:
    """Say what is on hand where that is locked; what is promised stays promised."""
    if rows:
        await connection.run(_change_on_hand, **as_columns(rows, _NAMES))
