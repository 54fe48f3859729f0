"""RMA refunds: what was credited for the lines of a request that are to be refunded, and what was paid back for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, func, not_, select

from db.connections import Connection
from db.credit_notes import credit_note_lines, credit_notes
from db.payments import payments
from db.reversals import is_reversed
from db.rma_requests import rma_request_lines, rma_requests
from db.statements import Statement
from rules.balances import PaymentKind
from rules.rma_requests import Resolution


@dataclass(slots=True)
class RefundedLine:
    """A line of a credit note that credits what is to be refunded; `amount` in minor units, with tax where the credit
    note's prices include it."""

    credit_note_id: UUID
    tax_included: bool
    amount: int
    tax_rate: Decimal


_REQUEST = bindparam("request_id", type_=Uuid)
_credited = Statement(
    select(
        credit_notes.c.id.label("credit_note_id"),
        credit_notes.c.tax_included,
        credit_note_lines.c.amount,
        credit_note_lines.c.tax_rate,
    )
    .join_from(
        credit_notes,
        credit_note_lines,
        and_(
            credit_note_lines.c.tenant_id == credit_notes.c.tenant_id,
            credit_note_lines.c.credit_note_id == credit_notes.c.id,
        ),
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
        credit_notes.c.rma_request_id == _REQUEST,
        rma_request_lines.c.resolution == bindparam("resolution", type_=Text),
        not_(is_reversed(credit_notes)),
    )
    .order_by(credit_notes.c.id, credit_note_lines.c.position),
    RefundedLine,
)
_paid = Statement[int](
    select(func.coalesce(func.sum(payments.c.amount), 0).cast(BigInteger)).where(
        payments.c.tenant_id == bindparam("tenant_id"),
        payments.c.rma_request_id == _REQUEST,
        payments.c.kind == bindparam("kind", type_=Text),
        not_(is_reversed(payments)),
    )
)


async def credited(connection: Connection, request_id: UUID) -> Sequence[RefundedLine]:
    """The lines of credit notes for a request that credit what is to be refunded, by credit note; what was reversed
    does not count."""
    return await connection.rows(_credited, request_id=request_id, resolution=Resolution.REFUND)


async def paid(connection: Connection, request_id: UUID) -> int:
    """What was paid back for a request, in minor units; what was reversed does not count."""
    found: int = await connection.value(_paid, request_id=request_id, kind=PaymentKind.REFUND)
    return found
