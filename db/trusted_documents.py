"""Trusted documents: GraphQL documents that a company has listed, each by the hash of its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    select,
)

from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import one_of, tenant_table, unique
from rules.permissions import Permission
from rules.trusted_documents import OperationType
from rules.viewers import Viewer

trusted_documents = tenant_table(
    "trusted_documents",
    Column("id", Uuid, nullable=False),
    Column("hash", Text, nullable=False),  # SHA-256 of the text, in hexadecimal
    Column("text", Text, nullable=False),
    Column("name", Text),  # of its operation, which may have none
    Column("operation_type", Text, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("uploaded_by_id", Uuid, nullable=False),  # the staff member
    unique("hash", name="trusted_documents_hash_key"),
    CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="trusted_documents_hash_check"),
    one_of("operation_type", list(OperationType), name="trusted_documents_operation_type_check"),
    Index("trusted_documents_uploaded_at_idx", "tenant_id", "uploaded_at", "id"),
)


@dataclass(slots=True)
class NewTrustedDocument:
    """A document that is to be listed; `operation_type` is one of rules.trusted_documents.OperationType."""

    id: UUID
    hash: str
    text: str
    name: str | None
    operation_type: str
    uploaded_by_id: UUID


@dataclass(slots=True)
class TrustedDocument:
    """A document on the list of a portal. Times are UTC."""

    id: UUID
    hash: str
    text: str
    name: str | None
    operation_type: str
    uploaded_at: datetime
    uploaded_by_id: UUID


_OF_TENANT = trusted_documents.c.tenant_id == bindparam("tenant_id")
_every_one = select(*(trusted_documents.c[name] for name in names_of(TrustedDocument))).where(_OF_TENANT)
_AMONG_IDS = trusted_documents.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
_text = Statement[str](
    select(trusted_documents.c.text).where(
        _OF_TENANT, trusted_documents.c.hash == bindparam("hash", type_=Text)
    )
)
_by_ids = Statement(_every_one.where(_AMONG_IDS), TrustedDocument)
_by_hashes = Statement(
    _every_one.where(trusted_documents.c.hash == any_(bindparam("hashes", type_=ARRAY(Text)))),
    TrustedDocument,
)


async def text_of(connection: Connection, hash: str) -> str | None:
    """The text of the document with a hash, for everybody: which may be run, is no secret of those who know it."""
    found: str | None = await connection.value(_text, hash=hash)
    return found


async def by_ids(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, TrustedDocument]:
    """The documents among the ids, for staff that may see the list."""
    if not viewer.oversees(Permission.TRUSTED_DOCUMENTS_READ):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def by_hashes(connection: Connection, hashes: Sequence[str]) -> Mapping[str, TrustedDocument]:
    """The documents that have one of the hashes, by their hash."""
    return {each.hash: each for each in await connection.rows(_by_hashes, hashes=hashes)}


_CONDITIONS: dict[str, Condition] = {
    "name": trusted_documents.c.name == bindparam("name", type_=Text),
    "operation_types": trusted_documents.c.operation_type
    == any_(bindparam("operation_types", type_=ARRAY(Text))),
}
ORDERS: dict[str, Key] = {
    "UPLOADED_AT_ASC": Key(trusted_documents.c.uploaded_at),
    "UPLOADED_AT_DESC": Key(trusted_documents.c.uploaded_at, descending=True),
}
# For the staff. Filters are the conditions' names.
_listing = Listing(TrustedDocument, lambda _: _every_one, _CONDITIONS, ORDERS, trusted_documents.c.id)
keys, page, count = _listing.keys, _listing.page, _listing.count


_NEW = names_of(NewTrustedDocument)
_add = Statement(
    insert_rows(trusted_documents, _NEW).returning(*_every_one.selected_columns), TrustedDocument
)
_remove = Statement(
    delete(trusted_documents).where(_OF_TENANT, _AMONG_IDS).returning(*_every_one.selected_columns),
    TrustedDocument,
)


async def add(connection: Connection, new: Sequence[NewTrustedDocument]) -> Mapping[str, TrustedDocument]:
    """List documents, however many, with one statement; by their hash. Ask while the portal is locked, so that nobody
    else lists the same at this time."""
    return {each.hash: each for each in await connection.rows(_add, **as_columns(new, _NEW))}


async def remove(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, TrustedDocument]:
    """Take documents off the list; returns those that were there, by their id."""
    return one_each(await connection.rows(_remove, ids=ids), "id")
