"""Returnable lines: the lines of invoices with what came back, was credited, and is asked for in requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, not_, select

from db import invoiced_lines, products_in_use, rma_progress
from db.connections import Connection
from db.credit_notes import credit_note_lines, credit_notes
from db.goods_returns import goods_returns
from db.reversals import is_reversed
from db.rma_requests import rma_requests
from db.statements import Statement
from db.tables import QUANTITY, leads_to
from rules.credit_notes import InvoicedLine
from rules.documents import CreditOperation
from rules.returnable_lines import Requested, ReturnableLine
from rules.rma_progress import RMALineProgress
from rules.rma_requests import RMAStage, line_state, reserved_quantity
from rules.viewers import Viewer

Place = tuple[UUID, int]  # an invoice, and a line's place in it


@dataclass(slots=True)
class _Asking:
    """A request that was submitted, for lines of an invoice."""

    id: UUID
    invoice_id: UUID
    is_closed: bool


@dataclass(slots=True)
class _Elsewhere:
    """What of a line was credited for goods that came back, where the request of both is not the same; None: for none."""

    rma_request_id: UUID | None
    invoice_id: UUID
    invoice_position: int
    quantity: Decimal


_IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))
_asking = Statement(
    select(rma_requests.c.id, rma_requests.c.invoice_id, rma_requests.c.closed_at.is_not(None).label("is_closed"))
    .where(
        rma_requests.c.tenant_id == bindparam("tenant_id"),
        rma_requests.c.invoice_id == _IDS,
        rma_requests.c.stage != RMAStage.DRAFT.value,
    ),
    _Asking,
)  # fmt: skip
_request = func.coalesce(credit_notes.c.rma_request_id, goods_returns.c.rma_request_id)
_elsewhere = Statement(
    select(
        _request.label("rma_request_id"),
        credit_note_lines.c.invoice_id,
        credit_note_lines.c.invoice_position,
        func.sum(credit_note_lines.c.quantity, type_=QUANTITY).label("quantity"),
    )
    .join_from(
        credit_note_lines,
        credit_notes,
        leads_to(credit_note_lines.c.credit_note_id, credit_notes),
    )
    .join(
        goods_returns,
        leads_to(credit_notes.c.goods_return_id, goods_returns),
    )
    .where(
        credit_note_lines.c.tenant_id == bindparam("tenant_id"),
        credit_note_lines.c.invoice_id == _IDS,
        credit_note_lines.c.invoice_position.is_not(None),
        credit_notes.c.operation != CreditOperation.DISCOUNT.value,
        goods_returns.c.rma_request_id.is_(None) | (goods_returns.c.rma_request_id != _request),
        not_(is_reversed(credit_notes)),
    )
    .group_by(_request, credit_note_lines.c.invoice_id, credit_note_lines.c.invoice_position),
    _Elsewhere,
)


async def of_invoices(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ReturnableLine]]:
    """The lines of each invoice with what can be returned of them, by position, with the same number of statements
    however many there are. Ask for invoices that the viewer may see."""
    lines = await invoiced_lines.of_invoices(connection, viewer, ids)
    products = {line.product_id for found in lines.values() for line in found if line.product_id is not None}
    services = await products_in_use.services_among(connection, list(products))
    elsewhere = await connection.rows(_elsewhere, ids=ids)
    requested = await _requested(connection, viewer, ids, elsewhere)
    of_returns: dict[Place, Decimal] = {}
    for each in elsewhere:
        place = each.invoice_id, each.invoice_position
        of_returns[place] = of_returns.get(place, Decimal(0)) + each.quantity
    return {
        invoice_id: [
            _line(
                line,
                of_returns.get((invoice_id, line.position), Decimal(0)),
                tuple(requested.get((invoice_id, line.position), [])),
                is_service=line.product_id in services,
            )
            for line in found
        ]
        for invoice_id, found in lines.items()
    }


async def _requested(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID], elsewhere: Sequence[_Elsewhere]
) -> dict[Place, list[Requested]]:
    """What the requests for the invoices have to do with each line."""
    asking = await connection.rows(_asking, ids=ids)
    progress = await rma_progress.of_requests(connection, viewer, [each.id for each in asking])
    apart = {(each.rma_request_id, each.invoice_position): each.quantity for each in elsewhere}
    found: dict[Place, list[Requested]] = {}
    for each in asking:
        for line in progress[each.id]:
            other = apart.get((each.id, line.invoice_position), Decimal(0))
            place = each.invoice_id, line.invoice_position
            found.setdefault(place, []).append(_of_request(line, other, is_closed=each.is_closed))
    return found


def _of_request(line: RMALineProgress, credited_elsewhere: Decimal, *, is_closed: bool) -> Requested:
    state = line_state(line, submitted=True, closed=is_closed)
    return Requested(
        held=reserved_quantity(line, state),
        received=line.received_quantity,
        credited=line.credited_quantity - credited_elsewhere,
    )


def _line(
    line: InvoicedLine, of_returns: Decimal, requested: tuple[Requested, ...], *, is_service: bool
) -> ReturnableLine:
    return ReturnableLine(
        invoice_id=line.invoice_id,
        position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=line.quantity,
        returned_quantity=line.returned_quantity,
        credited_quantity=line.credited_quantity,
        credited_returned=of_returns,
        requested=requested,
        is_service=is_service,
    )
