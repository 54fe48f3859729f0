"""Reversals: what was posted and is taken back. The document stays as it was; that it was reversed is told beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Table,
    Text,
    Uuid,
    bindparam,
    case,
    exists,
)

from db.connections import Connection
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.documents import DocumentStatus

_DOCUMENTS = ("invoice_id", "tax_invoice_id", "goods_return_id", "credit_note_id", "payment_id")

reversals = tenant_table(
    "reversals",
    Column("id", Uuid, nullable=False),
    *(Column(name, Uuid) for name in _DOCUMENTS),  # what was reversed: one of them
    Column("reversed_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint(f"num_nonnulls({', '.join(_DOCUMENTS)}) = 1", name="reversals_document_check"),
    *(refers_to(f"{name[:-3]}s", name, name=f"reversals_{name[:-3]}_fkey") for name in _DOCUMENTS),
    *(unique(name, name=f"reversals_{name[:-3]}_key") for name in _DOCUMENTS),
)


@dataclass(slots=True, kw_only=True)
class Reversal:
    """That a document was reversed, when (UTC) and why."""

    id: UUID
    invoice_id: UUID | None = None
    tax_invoice_id: UUID | None = None
    goods_return_id: UUID | None = None
    credit_note_id: UUID | None = None
    payment_id: UUID | None = None
    reversed_at: datetime
    reason: str


def is_reversed(table: Table) -> ColumnElement[bool]:
    """Whether a document of the table was reversed."""
    named = reversals.c[f"{table.name[:-1]}_id"]
    return exists().where(reversals.c.tenant_id == bindparam("tenant_id"), named == table.c.id)


def state_of(table: Table) -> ColumnElement[str]:
    """Where a document stands that holds until it is reversed."""
    return case((is_reversed(table), DocumentStatus.REVERSED.value), else_=DocumentStatus.ISSUED.value)


_NAMES = names_of(Reversal)
_add = Statement[None](insert_rows(reversals, _NAMES))


async def add(connection: Connection, new: Sequence[Reversal]) -> None:
    """Say of documents that they are reversed."""
    await connection.run(_add, **as_columns(new, _NAMES))
