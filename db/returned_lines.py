"""Returned lines: the lines of goods returns, with what of them was credited by credit notes that name the return."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, not_, select

from db.connections import Connection
from db.credit_notes import credit_note_lines, credit_notes
from db.goods_returns import goods_return_lines
from db.reversals import is_reversed
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.credit_notes import ReturnedLine
from rules.viewers import Viewer

_credited = (
    select(func.coalesce(func.sum(credit_note_lines.c.quantity, type_=QUANTITY), 0))
    .join_from(
        credit_note_lines,
        credit_notes,
        leads_to(credit_note_lines.c.credit_note_id, credit_notes),
    )
    .where(
        credit_notes.c.tenant_id == bindparam("tenant_id"),
        credit_notes.c.goods_return_id == goods_return_lines.c.goods_return_id,
        credit_note_lines.c.invoice_position == goods_return_lines.c.invoice_position,
        not_(is_reversed(credit_notes)),
    )
    .correlate(goods_return_lines)
    .scalar_subquery()
)
_of_returns = Statement(
    select(
        goods_return_lines.c.goods_return_id,
        goods_return_lines.c.invoice_position,
        goods_return_lines.c.quantity,
        _credited,
    )
    .where(
        goods_return_lines.c.tenant_id == bindparam("tenant_id"),
        goods_return_lines.c.goods_return_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(goods_return_lines.c.goods_return_id, goods_return_lines.c.position),
    lambda goods_return_id, *values: (goods_return_id, ReturnedLine(*values)),
)


async def of_returns(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ReturnedLine]]:
    """The lines of each goods return, each of another line of its invoice. Ask for returns that the viewer may see."""
    found: dict[UUID, list[ReturnedLine]] = {each: [] for each in ids}
    for goods_return_id, line in await connection.rows(_of_returns, ids=ids):
        found[goods_return_id].append(line)
    return found
