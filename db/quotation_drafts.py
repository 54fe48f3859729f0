"""Quotation drafts: which of their lines say of a product what it is no longer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, or_, select

from db.connections import Connection, many_each
from db.products import products
from db.quotations import quotation_lines
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class OutdatedLine:
    """A line whose product is no longer sold, `current_unit` is None, or sold in another unit."""

    quotation_id: UUID
    position: int
    sku: str
    unit: str
    current_unit: str | None


_line = quotation_lines.c
_outdated_lines_of = Statement(
    select(
        _line.quotation_id,
        _line.position,
        _line.sku,
        _line.unit,
        products.c.unit.label("current_unit"),
    )
    .join_from(
        quotation_lines,
        products,
        and_(
            products.c.tenant_id == _line.tenant_id,
            products.c.id == _line.product_id,
            products.c.active,
        ),
        isouter=True,
    )
    .where(
        _line.tenant_id == bindparam("tenant_id"),
        _line.quotation_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        or_(products.c.unit.is_(None), products.c.unit != _line.unit),
    )
    .order_by(_line.quotation_id, _line.position),
    OutdatedLine,
)


async def outdated_lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[OutdatedLine]]:
    """What has changed under the lines of each draft, by position. Ask for drafts that the viewer may see."""
    return many_each(await connection.rows(_outdated_lines_of, ids=ids), ids, "quotation_id")
