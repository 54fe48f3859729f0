"""Reconciliation statements: all dealings with a customer in a period, as issued; the customer confirms or disputes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    update,
)

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, many_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.balances import MovementKind
from rules.documents import DocumentKind, DocumentStatus
from rules.viewers import Viewer

_STATES = (DocumentStatus.ISSUED, DocumentStatus.CONFIRMED, DocumentStatus.DISPUTED)

reconciliation_statements = tenant_table(
    "reconciliation_statements",
    Column("id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("period_from", Date, nullable=False),
    Column("period_to", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("opening", BigInteger, nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("closing", BigInteger, nullable=False),
    Column("comment", Text),
    Column("state", Text, nullable=False),
    Column("dispute_reason", Text),
    Column("answered_at", DateTime(timezone=True)),
    Column("account_id", Uuid),  # who answered
    Column("version", Integer, nullable=False, server_default="1"),
    unique("number", name="reconciliation_statements_number_key"),
    refers_to("customers", "customer_id", name="reconciliation_statements_customer_fkey"),
    refers_to("accounts", "account_id", name="reconciliation_statements_account_fkey"),
    one_of("state", _STATES, name="reconciliation_statements_state_check"),
    CheckConstraint("period_from <= period_to", name="reconciliation_statements_period_check"),
    CheckConstraint("closing = opening + debit - credit", name="reconciliation_statements_closing_check"),
    Index("reconciliation_statements_issued_at_idx", "tenant_id", "issued_at", "id"),
    Index("reconciliation_statements_customer_idx", "tenant_id", "customer_id", "issued_at", "id"),
)

# A copy of the ledger's movements in the period, as they were: others may be posted for that period later.
reconciliation_statement_lines = tenant_table(
    "reconciliation_statement_lines",
    Column("reconciliation_statement_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("document_type", Text, nullable=False),  # the GraphQL type of what moved it
    Column("document_id", Uuid, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    refers_to(
        "reconciliation_statements",
        "reconciliation_statement_id",
        name="reconciliation_statement_lines_statement_fkey",
    ),
    one_of("kind", list(MovementKind), name="reconciliation_statement_lines_kind_check"),
    key=("reconciliation_statement_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class ReconciliationStatement:
    """All dealings in a period, both days included. Amounts are minor units of `currency`; closing = opening + debit -
    credit; `state` is ISSUED, CONFIRMED or DISPUTED."""

    id: UUID
    number: str
    customer_id: UUID
    issued_at: datetime
    period_from: date
    period_to: date
    currency: str
    opening: int
    debit: int
    credit: int
    closing: int
    comment: str | None
    state: str
    dispute_reason: str | None
    answered_at: datetime | None
    account_id: UUID | None
    version: int


@dataclass(slots=True)
class ReconciliationStatementLine:
    """One movement as it was when the statement was issued. What is owed grew by `amount` to `balance`, in minor units;
    `document_type` is the GraphQL type of what moved it."""

    reconciliation_statement_id: UUID
    position: int
    moved_at: datetime
    kind: str
    document_type: str
    document_id: UUID
    document_number: str
    amount: int
    balance: int
    currency: str


DOCUMENTS = Documents(
    DocumentKind.RECONCILIATION_STATEMENT,
    ReconciliationStatement,
    reconciliation_statements,
    issued_at=reconciliation_statements.c.issued_at,
    state=reconciliation_statements.c.state,
    total=reconciliation_statements.c.closing,
)
by_ids = DOCUMENTS.by_ids
_lines_of = lines_of_documents(
    ReconciliationStatementLine,
    reconciliation_statement_lines,
    "reconciliation_statement_id",
    reconciliation_statements,
)


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ReconciliationStatementLine]]:
    """All movements of each statement, by position. Ask for statements that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "reconciliation_statement_id")


_NEW = names_of(ReconciliationStatement)
_NEW_LINE = names_of(ReconciliationStatementLine, leave_out=["currency"])
_add = Statement[None](insert_rows(reconciliation_statements, _NEW))
_add_lines = Statement[None](insert_rows(reconciliation_statement_lines, _NEW_LINE))


async def add(
    connection: Connection,
    new: Sequence[ReconciliationStatement],
    lines: Sequence[ReconciliationStatementLine] = (),
) -> None:
    """Issue statements, however many, and the lines that are given; db.balance_movements.copy copies them from the
    ledger. Whoever watches is told."""
    await connection.run(_add, **as_columns(new, _NEW))
    if lines:
        await connection.run(_add_lines, **as_columns(lines, _NEW_LINE))
    await announce(connection, [each.id for each in new])


_THIS = (
    reconciliation_statements.c.tenant_id == bindparam("tenant_id"),
    reconciliation_statements.c.id == bindparam("the_id", type_=Uuid),
)
_COLUMNS = [reconciliation_statements.c[name] for name in _NEW]
_lock = Statement(select(*_COLUMNS).where(*_THIS).with_for_update(key_share=True), ReconciliationStatement)
_answer = Statement(
    update(reconciliation_statements)
    .where(*_THIS)
    .values(
        state=bindparam("new_state", type_=Text),
        dispute_reason=bindparam("reason", type_=Text),
        answered_at=func.now(),
        account_id=bindparam("by_id", type_=Uuid),
        version=reconciliation_statements.c.version + 1,
    )
    .returning(*_COLUMNS),
    ReconciliationStatement,
)


async def lock(connection: Connection, id: UUID) -> ReconciliationStatement | None:
    """A statement as it is now; nobody else answers it until this transaction ends. Whose it is, is asked first."""
    return await connection.row(_lock, the_id=id)


async def answer(
    connection: Connection, id: UUID, state: DocumentStatus, *, by_id: UUID, reason: str | None
) -> ReconciliationStatement:
    """Say of a locked statement what its customer answered."""
    answered = await connection.row(_answer, the_id=id, new_state=state.value, by_id=by_id, reason=reason)
    assert answered is not None, "a row that is locked is there"
    return answered
