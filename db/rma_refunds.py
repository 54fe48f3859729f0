"""RMA refunds: what was credited for the lines of a request that are to be refunded, and what was paid back for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, and_, any_, bindparam, func, not_, select

from db.connections import Connection, many_each
from db.credit_notes import credit_note_lines, credit_notes
from db.payments import payments
from db.reversals import is_reversed
from db.rma_requests import rma_request_lines, rma_requests
from db.statements import Statement
from db.tables import leads_to
from rules.balances import PaymentKind
from rules.rma_requests import Resolution
from rules.viewers import Viewer


@dataclass(slots=True)
class RefundedLine:
    """A line of a credit note that credits what is to be refunded; `amount` in minor units, with tax where the credit
    note's prices include it."""

    rma_request_id: UUID
    credit_note_id: UUID
    tax_included: bool
    amount: int
    tax_rate: Decimal


_OF_REQUESTS = any_(bindparam("ids", type_=ARRAY(Uuid)))
_credited = Statement(
    select(
        credit_notes.c.rma_request_id,
        credit_notes.c.id.label("credit_note_id"),
        credit_notes.c.tax_included,
        credit_note_lines.c.amount,
        credit_note_lines.c.tax_rate,
    )
    .join_from(
        credit_notes,
        credit_note_lines,
        leads_to(credit_note_lines.c.credit_note_id, credit_notes),
    )
    .join(
        rma_requests,
        and_(
            rma_requests.c.tenant_id == credit_notes.c.tenant_id,
            rma_requests.c.id == credit_notes.c.rma_request_id,
            rma_requests.c.invoice_id == credit_note_lines.c.invoice_id,
        ),
    )
    .join(
        rma_request_lines,
        and_(
            rma_request_lines.c.tenant_id == credit_notes.c.tenant_id,
            rma_request_lines.c.rma_request_id == credit_notes.c.rma_request_id,
            rma_request_lines.c.invoice_position == credit_note_lines.c.invoice_position,
        ),
    )
    .where(
        credit_notes.c.tenant_id == bindparam("tenant_id"),
        credit_notes.c.rma_request_id == _OF_REQUESTS,
        rma_request_lines.c.resolution == bindparam("resolution", type_=Text),
        not_(is_reversed(credit_notes)),
    )
    .order_by(credit_notes.c.id, credit_note_lines.c.position),
    RefundedLine,
)
_paid = Statement(
    select(payments.c.rma_request_id, func.sum(payments.c.amount).cast(BigInteger))
    .where(
        payments.c.tenant_id == bindparam("tenant_id"),
        payments.c.rma_request_id == _OF_REQUESTS,
        payments.c.kind == bindparam("kind", type_=Text),
        not_(is_reversed(payments)),
    )
    .group_by(payments.c.rma_request_id),
    lambda request_id, amount: (request_id, amount),
)


async def credited(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[RefundedLine]]:
    """The lines of credit notes for each request that credit what is to be refunded, by credit note; what was reversed
    does not count. Ask for requests that the viewer may see."""
    lines = await connection.rows(_credited, ids=ids, resolution=Resolution.REFUND)
    return many_each(lines, ids, "rma_request_id")


async def paid(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """What was paid back for each request, in minor units; what was reversed does not count."""
    sums = dict(await connection.rows(_paid, ids=ids, kind=PaymentKind.REFUND))
    return {each: sums.get(each, 0) for each in ids}
