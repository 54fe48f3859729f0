"""Products in use: which are in a warehouse, promised, or still to be shipped, and of which stock is kept."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, or_, select, union

from db.connections import Connection
from db.orders import CONDITIONS, OUTSTANDING, order_lines, orders
from db.products import products
from db.statements import Statement
from db.stock import stock
from rules.lifecycle import OPEN_STATES
from rules.products import ProductKind

_IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))
_in_stock = select(stock.c.product_id).where(
    stock.c.tenant_id == bindparam("tenant_id"),
    stock.c.product_id == _IDS,
    or_(stock.c.on_hand != 0, stock.c.reserved != 0),
)
_in_open_orders = (
    select(order_lines.c.product_id)
    .join_from(
        orders,
        order_lines,
        (order_lines.c.tenant_id == orders.c.tenant_id) & (order_lines.c.order_id == orders.c.id),
    )
    .where(
        orders.c.tenant_id == bindparam("tenant_id"),
        CONDITIONS["processing_states"],
        order_lines.c.product_id == _IDS,
        OUTSTANDING > 0,
    )
)
_among = Statement[UUID](union(_in_stock, _in_open_orders))


async def among(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the products of which something is on hand, promised, or outstanding on open orders."""
    if not ids:
        return set()
    return set(await connection.column(_among, ids=ids, processing_states=list(OPEN_STATES)))


_of_kind_among = Statement[UUID](
    select(products.c.id).where(
        products.c.tenant_id == bindparam("tenant_id"),
        products.c.id == _IDS,
        products.c.kind == bindparam("kind", type_=Text),
    )
)


async def goods_among(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the products of which stock is kept: goods, whether they are sold or no longer."""
    return await _among_of_kind(connection, ids, ProductKind.GOODS)


async def services_among(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the products that are services, whether they are sold or no longer."""
    return await _among_of_kind(connection, ids, ProductKind.SERVICE)


async def _among_of_kind(connection: Connection, ids: Sequence[UUID], kind: ProductKind) -> set[UUID]:
    return set(await connection.column(_of_kind_among, ids=ids, kind=kind.value)) if ids else set()
