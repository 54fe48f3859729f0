"""Allocations: what of payments settles which invoice, and what lies on account, by the ledger (db/movements.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, Uuid, and_, any_, bindparam, func, or_, select

from db.connections import Connection
from db.movements import Movement, movements
from db.payments import payments
from db.rows import names_of
from db.statements import Statement
from rules.viewers import Viewer

_OF_TENANT = movements.c.tenant_id == bindparam("tenant_id")
_ON_ACCOUNT = movements.c.settles_id.is_(None)
_AMOUNT = func.coalesce(func.sum(movements.c.amount), 0).cast(BigInteger)


@dataclass(slots=True)
class Allocation:
    """What the movements of a payment make at an invoice, in minor units; below zero for what it has paid."""

    payment_id: UUID
    kind: str
    amount: int


_on_account = Statement[int](
    select(_AMOUNT).where(
        _OF_TENANT,
        _ON_ACCOUNT,
        movements.c.customer_id == bindparam("customer_id", type_=Uuid),
        movements.c.currency == bindparam("currency", type_=Text),
    )
)
# The account of the customer and currency of each payment: all that lies there, and what of that is the payment's.
_of_payment: ColumnElement[Any] = func.coalesce(
    func.sum(movements.c.amount).filter(movements.c.payment_id == payments.c.id), 0
).cast(BigInteger)
_of_payments = Statement(
    select(payments.c.id, _of_payment, _AMOUNT)
    .outerjoin_from(
        payments,
        movements,
        and_(
            movements.c.tenant_id == payments.c.tenant_id,
            movements.c.customer_id == payments.c.customer_id,
            movements.c.currency == payments.c.currency,
            _ON_ACCOUNT,
        ),
    )
    .where(
        payments.c.tenant_id == bindparam("tenant_id"),
        payments.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .group_by(payments.c.id),
    lambda payment_id, own, every: (payment_id, (own, every)),
)
_at_invoice = Statement(
    select(movements.c.payment_id, func.min(movements.c.kind).label("kind"), _AMOUNT.label("amount"))
    .where(
        _OF_TENANT,
        movements.c.settles_id == bindparam("invoice_id", type_=Uuid),
        movements.c.payment_id.is_not(None),
    )
    .group_by(movements.c.payment_id)
    .having(func.sum(movements.c.amount) != 0)
    .order_by(movements.c.payment_id),
    Allocation,
)
_THE = bindparam("document_id", type_=Uuid)
_posted_by = Statement(
    select(*(movements.c[name] for name in names_of(Movement)))
    .where(
        _OF_TENANT,
        or_(
            movements.c.invoice_id == _THE, movements.c.credit_note_id == _THE, movements.c.payment_id == _THE
        ),
    )
    .order_by(movements.c.moved_at, movements.c.id),
    lambda *values: Movement(**dict(zip(names_of(Movement), values, strict=True))),
)


async def on_account(connection: Connection, customer_id: UUID, currency: str) -> int:
    """What the ledger says of a customer's account in a currency: below zero for what lies there."""
    found: int = await connection.value(_on_account, customer_id=customer_id, currency=currency)
    return found


async def of_payments(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, tuple[int, int]]:
    """What the ledger says of each payment's part of its customer's account, and of that whole account. Ask for
    payments that the viewer may see."""
    return dict(await connection.rows(_of_payments, ids=ids))


async def at_invoice(connection: Connection, invoice_id: UUID) -> list[Allocation]:
    """What payments have left at an invoice."""
    return await connection.rows(_at_invoice, invoice_id=invoice_id)


async def posted_by(connection: Connection, document_id: UUID) -> list[Movement]:
    """All movements of an invoice, a credit note or a payment, oldest first."""
    return await connection.rows(_posted_by, document_id=document_id)
