"""RMA progress: what has happened of each line of the requests to return goods: received, credited, replaced."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from db.connections import Connection, many_each
from db.credit_notes import OF_DISCOUNTS, credit_note_lines, credit_notes
from db.goods_returns import goods_return_lines, goods_returns
from db.orders import order_lines, orders
from db.reversals import is_reversed
from db.rma_requests import rma_request_lines, rma_requests
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.rma_progress import Replacement, RMALineProgress, attribute
from rules.rma_requests import Resolution
from rules.viewers import Viewer

_IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))

_received = (
    select(
        goods_returns.c.rma_request_id,
        goods_return_lines.c.invoice_position,
        func.sum(goods_return_lines.c.quantity, type_=QUANTITY).label("quantity"),
    )
    .join_from(
        goods_returns,
        goods_return_lines,
        leads_to(goods_return_lines.c.goods_return_id, goods_returns),
    )
    .where(
        goods_returns.c.tenant_id == bindparam("tenant_id"),
        goods_returns.c.rma_request_id == _IDS,
        not_(is_reversed(goods_returns)),
    )
    .group_by(goods_returns.c.rma_request_id, goods_return_lines.c.invoice_position)
    .subquery("received")
)
_their_returns = (
    select(goods_returns.c.id)
    .where(goods_returns.c.tenant_id == bindparam("tenant_id"), goods_returns.c.rma_request_id == _IDS)
    .scalar_subquery()
)
# A credit note is for the request that it names itself, or else for that of the goods return which it credits.
_REQUEST = func.coalesce(credit_notes.c.rma_request_id, goods_returns.c.rma_request_id)
_credited = (
    select(
        _REQUEST.label("rma_request_id"),
        credit_note_lines.c.invoice_id,
        credit_note_lines.c.invoice_position,
        func.sum(credit_note_lines.c.quantity, type_=QUANTITY).label("quantity"),
    )
    .join_from(
        credit_notes,
        credit_note_lines,
        leads_to(credit_note_lines.c.credit_note_id, credit_notes),
    )
    .outerjoin(
        goods_returns,
        leads_to(credit_notes.c.goods_return_id, goods_returns),
    )
    .where(
        credit_notes.c.tenant_id == bindparam("tenant_id"),
        or_(credit_notes.c.rma_request_id == _IDS, credit_notes.c.goods_return_id == any_(_their_returns)),
        credit_notes.c.operation != OF_DISCOUNTS,
        not_(is_reversed(credit_notes)),
    )
    .group_by(_REQUEST, credit_note_lines.c.invoice_id, credit_note_lines.c.invoice_position)
    .subquery("credited")
)


def _line(quantity: Decimal, resolution: str | None, *facts: Any) -> RMALineProgress:
    return RMALineProgress(quantity, None if resolution is None else Resolution(resolution), *facts)


_KEYS = ("rma_request_id", "position", "invoice_position", "product_id", "sku")
_of_requests = Statement(
    select(
        *(rma_request_lines.c[name] for name in ("quantity", "resolution", "authorised_quantity")),
        func.coalesce(_received.c.quantity, 0).label("received_quantity"),
        func.coalesce(_credited.c.quantity, 0).label("credited_quantity"),
        literal_column("0::numeric", QUANTITY).label("replaced_quantity"),
        *(rma_request_lines.c[name] for name in _KEYS),
    )
    .join_from(
        rma_request_lines,
        rma_requests,
        leads_to(rma_request_lines.c.rma_request_id, rma_requests),
    )
    .outerjoin(
        _received,
        and_(
            _received.c.rma_request_id == rma_request_lines.c.rma_request_id,
            _received.c.invoice_position == rma_request_lines.c.invoice_position,
        ),
    )
    .outerjoin(
        _credited,
        and_(
            _credited.c.rma_request_id == rma_request_lines.c.rma_request_id,
            _credited.c.invoice_id == rma_requests.c.invoice_id,
            _credited.c.invoice_position == rma_request_lines.c.invoice_position,
        ),
    )
    .where(
        rma_request_lines.c.tenant_id == bindparam("tenant_id"), rma_request_lines.c.rma_request_id == _IDS
    )
    .order_by(rma_request_lines.c.rma_request_id, rma_request_lines.c.position),
    _line,
)
_replacements = Statement(
    select(
        orders.c.rma_request_id,
        order_lines.c.product_id,
        order_lines.c.sku,
        func.sum(order_lines.c.quantity - order_lines.c.cancelled_quantity, type_=QUANTITY).label("quantity"),
    )
    .join_from(
        orders,
        order_lines,
        leads_to(order_lines.c.order_id, orders),
    )
    .where(orders.c.tenant_id == bindparam("tenant_id"), orders.c.rma_request_id == _IDS)
    .group_by(orders.c.rma_request_id, order_lines.c.product_id, order_lines.c.sku)
    .order_by(order_lines.c.sku, order_lines.c.product_id),
    Replacement,
)


async def of_requests(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[RMALineProgress]]:
    """What was decided of each line of the requests and what has happened since, by position, with two statements.
    What was reversed or cancelled does not count, nor do discounts. Ask for requests that the viewer may see."""
    return await of_locked(connection, ids)


async def of_locked(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, list[RMALineProgress]]:
    """The same of requests that are locked, whoever looks."""
    lines = many_each(await connection.rows(_of_requests, ids=ids), ids, "rma_request_id")
    replaced = many_each(await connection.rows(_replacements, ids=ids), ids, "rma_request_id")
    return {key: attribute(found, replaced[key]) if replaced[key] else found for key, found in lines.items()}
