"""Filling carts: many lines at once, as they are to be, and the quotations from which they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, select

from db.carts import buyer, cart_items
from db.carts import usable as is_usable
from db.connections import Connection
from db.products import products
from db.quotations import quotation_lines, quotations
from db.restrictions import DocumentShape, documents_of
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class NewItem:
    """A line as it is to be in a cart, and where it came from."""

    id: UUID
    account_id: UUID
    product_id: UUID
    quantity: Decimal
    warehouse_id: UUID | None
    origin: str
    order_id: UUID | None
    quotation_id: UUID | None
    quotation_position: int | None


_NEW = names_of(NewItem)
_put_rows = insert_rows(cart_items, _NEW)
_put = Statement[None](
    _put_rows.on_conflict_do_update(
        constraint="cart_items_product_key",
        set_={
            name: _put_rows.excluded[name] for name in _NEW if name not in ("id", "account_id", "product_id")
        },
    )
)
_quotations_of = Statement[UUID](
    select(cart_items.c.quotation_id)
    .where(
        cart_items.c.tenant_id == bindparam("tenant_id"),
        cart_items.c.account_id == bindparam("account_id"),
        cart_items.c.quotation_id.is_not(None),
    )
    .distinct()
)


async def put(connection: Connection, items: Sequence[NewItem]) -> None:
    """Put different products into a cart, each as it is given; one that is there already becomes that."""
    await connection.run(_put, **as_columns(items, _NEW))


async def quotations_of(connection: Connection, account_id: UUID) -> list[UUID]:
    """The quotations from which something is in the cart."""
    return await connection.column(_quotations_of, account_id=account_id)


@lru_cache(maxsize=64)
def _usable_lines(shape: DocumentShape) -> Statement[int]:
    line = quotation_lines.c
    return Statement(
        select(line.position)
        .join_from(
            quotation_lines,
            quotations,
            and_(quotations.c.tenant_id == line.tenant_id, quotations.c.id == line.quotation_id),
        )
        .join(products, and_(products.c.tenant_id == line.tenant_id, products.c.id == line.product_id))
        .where(
            line.tenant_id == bindparam("tenant_id"),
            line.quotation_id == bindparam("quotation_id", type_=Uuid),
            is_usable(shape),
        )
    )


async def usable_lines(connection: Connection, viewer: Viewer, quotation_id: UUID) -> set[int]:
    """The positions of a quotation whose prices can hold for the viewer."""
    documents = documents_of(viewer)
    statement = _usable_lines(documents.shape)
    needed = statement.needed({**buyer(viewer), **documents.groups})
    return set(await connection.column(statement, quotation_id=quotation_id, **needed))
