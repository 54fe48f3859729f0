"""Stock: how much of each product is in each warehouse, and how much of it is promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Index,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    select,
    true,
    update,
)

from db.connections import Connection, many_each
from db.statements import Statement
from db.tables import QUANTITY, refers_to, tenant_table
from db.warehouses import warehouses
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


_levels = (
    select(
        stock.c.product_id,
        stock.c.warehouse_id,
        warehouses.c.code.label("warehouse_code"),
        stock.c.on_hand,
        stock.c.reserved,
    )
    .join_from(
        stock,
        warehouses,
        (warehouses.c.tenant_id == stock.c.tenant_id) & (warehouses.c.id == stock.c.warehouse_id),
    )
    .where(
        stock.c.tenant_id == bindparam("tenant_id"),
        stock.c.product_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
)
_of_products = Statement(_levels.order_by(warehouses.c.code), StockLevel)


async def of_products(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[StockLevel]]:
    """The levels of each product, by warehouse code."""
    return many_each(await connection.rows(_of_products, ids=ids), ids, "product_id")


_wanted = (
    func.unnest(
        bindparam("product_ids", type_=ARRAY(Uuid)),
        bindparam("warehouse_ids", type_=ARRAY(Uuid)),
        bindparam("quantities", type_=ARRAY(QUANTITY)),
    )
    .table_valued(column("product_id", Uuid), column("warehouse_id", Uuid), column("quantity", QUANTITY))
    .render_derived(name="wanted")
)

# The rows are locked in one order, so two carts with the same products cannot deadlock.
_lock = Statement(
    _levels.order_by(stock.c.product_id, stock.c.warehouse_id).with_for_update(of=stock), StockLevel
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


async def lock(connection: Connection, product_ids: Sequence[UUID]) -> Mapping[UUID, list[StockLevel]]:
    """The levels of the products as they are now; nobody else changes them until this transaction ends."""
    return many_each(await connection.rows(_lock, ids=product_ids), product_ids, "product_id")


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
        product_ids=[product for product, _ in wanted],
        warehouse_ids=[warehouse for _, warehouse in wanted],
        quantities=list(wanted.values()),
    )
    return set(reserved)
