"""Which orders were placed from which quotations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Integer, Uuid, any_, bindparam, select

from db.connections import Connection, many_each
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import refers_to, tenant_table
from rules.viewers import Viewer

quotation_orders = tenant_table(
    "quotation_orders",
    Column("quotation_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),  # of the order's first line from the quotation
    refers_to("quotations", "quotation_id", name="quotation_orders_quotation_fkey"),
    refers_to("orders", "order_id", name="quotation_orders_order_fkey"),
    Index("quotation_orders_order_idx", "tenant_id", "order_id"),
    key=("quotation_id", "order_id"),
)


@dataclass(slots=True)
class QuotationOrder:
    """An order that was placed from a quotation."""

    quotation_id: UUID
    order_id: UUID
    position: int


_NAMES = names_of(QuotationOrder)
_every_one = select(*(quotation_orders.c[name] for name in _NAMES)).where(
    quotation_orders.c.tenant_id == bindparam("tenant_id")
)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_of_quotations = Statement(
    _every_one.where(quotation_orders.c.quotation_id == any_(_IDS)).order_by(quotation_orders.c.order_id),
    QuotationOrder,
)
_of_orders = Statement(
    _every_one.where(quotation_orders.c.order_id == any_(_IDS)).order_by(quotation_orders.c.position),
    QuotationOrder,
)
_add = Statement[None](insert_rows(quotation_orders, _NAMES))


async def of_quotations(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[QuotationOrder]]:
    """What was placed from each quotation. Ask for quotations that the viewer may see."""
    return many_each(await connection.rows(_of_quotations, ids=ids), ids, "quotation_id")


async def of_orders(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[QuotationOrder]]:
    """From what each order was placed, by the order's lines. Ask for orders that the viewer may see."""
    return many_each(await connection.rows(_of_orders, ids=ids), ids, "order_id")


async def add(connection: Connection, links: Sequence[QuotationOrder]) -> None:
    """Link orders to the quotations from which they were placed."""
    await connection.run(_add, **as_columns(links, _NAMES))
