"""Payments: what customers paid, and what was paid back to them, posted. What each settles is in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
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
from db.pages import Condition, Key, Listing
from db.reversals import state_of
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import checked, one_of, refers_to, tenant_table, unique
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
    Column("rma_request_id", Uuid),  # for which it is paid back
    unique("number", name="payments_number_key"),
    refers_to("customers", "customer_id", name="payments_customer_fkey"),
    refers_to("invoices", "invoice_id", name="payments_invoice_fkey"),
    refers_to("rma_requests", "rma_request_id", name="payments_rma_request_fkey"),
    one_of("kind", list(PaymentKind), name="payments_kind_check"),
    Index("payments_paid_at_idx", "tenant_id", "paid_at", "id"),
    Index("payments_customer_idx", "tenant_id", "customer_id", "paid_at", "id"),
    Index("payments_invoice_idx", "tenant_id", "invoice_id"),
    Index("payments_rma_request_idx", "tenant_id", "rma_request_id"),
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
    rma_request_id: UUID | None = None


STATE = state_of(payments)
_COLUMNS = [STATE.label("state") if name == "state" else payments.c[name] for name in names_of(Payment)]
_every_one = select(*_COLUMNS).where(payments.c.tenant_id == bindparam("tenant_id"))
_OWN = payments.c.customer_id == bindparam("own_customer_id", type_=Uuid)
_VISIBLE = {"all": _every_one, "own": _every_one.where(_OWN)}
_with_ids = _every_one.where(payments.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_by_ids = {"all": Statement(_with_ids, Payment), "own": Statement(_with_ids.where(checked(_OWN)), Payment)}


def _whose(viewer: Viewer) -> tuple[str, dict[str, UUID | None]]:
    """Whose payments a viewer sees: its customer's, or for staff that may read balances all."""
    if viewer.oversees(Permission.BALANCES_READ):
        return "all", {}
    return "own", {"own_customer_id": viewer.customer_id}


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
    """The payments among the ids that the viewer may see: its customer's, or for staff all."""
    whose, mine = _whose(viewer)
    return one_each(await connection.rows(_by_ids[whose], ids=ids, **mine), "id")


def _since(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=DateTime(timezone=True))


_CONDITIONS: dict[str, Condition] = {
    "kind": payments.c.kind == bindparam("kind", type_=Text),
    "number": payments.c.number.op("^@")(bindparam("number", type_=Text)),
    "reference": payments.c.reference.op("^@")(bindparam("reference", type_=Text)),
    "customer_id": payments.c.customer_id == bindparam("customer_id", type_=Uuid),
    "paid_from": payments.c.paid_at >= _since("paid_from"),
    "paid_before": payments.c.paid_at < _since("paid_before"),
}
ORDERS: dict[str, Key] = {
    "PAID_AT_ASC": Key(payments.c.paid_at),
    "PAID_AT_DESC": Key(payments.c.paid_at, descending=True),
}
# Filters: kind, number and reference (their beginnings), customer_id, paid_from, paid_before.
_listing = Listing(Payment, _VISIBLE.__getitem__, _CONDITIONS, ORDERS, payments.c.id, whose=_whose)
keys, page, count = _listing.keys, _listing.page, _listing.count


_NEW = names_of(Payment, leave_out=["state"])
_add = Statement[None](insert_rows(payments, _NEW))


async def add(connection: Connection, new: Sequence[Payment]) -> None:
    """Post payments, however many, with one statement. What they move is posted apart."""
    await connection.run(_add, **as_columns(new, _NEW))
