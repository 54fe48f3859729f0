"""Payments: what customers paid, and what was paid back to them, posted. What each settles is in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    select,
)

from db.connections import Connection, one_each
from db.invoices import invoices as invoices  # the foreign key's target
from db.reversals import state_of
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.balances import PaymentKind
from rules.permissions import Permission
from rules.viewers import Viewer

payments = tenant_table(
    "payments",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=PaymentKind.PAYMENT),
    Column("customer_id", Uuid, nullable=False),
    Column("invoice_id", Uuid),  # what an import said it is for
    Column("paid_at", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reference", Text),
    unique("number", name="payments_number_key"),
    refers_to("customers", "customer_id", name="payments_customer_fkey"),
    refers_to("invoices", "invoice_id", name="payments_invoice_fkey"),
    one_of("kind", list(PaymentKind), name="payments_kind_check"),
    Index("payments_paid_at_idx", "tenant_id", "paid_at", "id"),
    Index("payments_customer_idx", "tenant_id", "customer_id", "paid_at", "id"),
    Index("payments_invoice_idx", "tenant_id", "invoice_id"),
)


@dataclass(slots=True)
class Payment:
    """Money that came from a customer, or for kind REFUND went back. `amount` is in minor units of `currency`, times
    are UTC; `state` is ISSUED or REVERSED."""

    id: UUID
    number: str
    kind: str
    customer_id: UUID
    invoice_id: UUID | None
    paid_at: datetime
    currency: str
    amount: int
    reference: str | None
    state: str


STATE = state_of(payments)
_COLUMNS = [STATE.label("state") if name == "state" else payments.c[name] for name in names_of(Payment)]
_every_one = select(*_COLUMNS).where(payments.c.tenant_id == bindparam("tenant_id"))
_those = _every_one.where(payments.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_by_ids = Statement(_those, Payment)
_own_by_ids = Statement(_those.where(payments.c.customer_id == bindparam("customer_id", type_=Uuid)), Payment)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
    """The payments among the ids that the viewer may see: its customer's, or for staff all."""
    if viewer.oversees(Permission.BALANCES_READ):
        return one_each(await connection.rows(_by_ids, ids=ids), "id")
    return one_each(await connection.rows(_own_by_ids, ids=ids, customer_id=viewer.customer_id), "id")


_NEW = names_of(Payment, leave_out=["state"])
_add = Statement[None](insert_rows(payments, _NEW))


async def add(connection: Connection, new: Sequence[Payment]) -> None:
    """Post payments, however many, with one statement. What they move is posted apart."""
    await connection.run(_add, **as_columns(new, _NEW))
