"""Document drafts: invoices and credit notes that the staff has prepared and not posted; they move nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from db.changes import Changing
from db.connections import Connection, one_each
from db.customers import customers as customers  # the foreign key's target
from db.pages import Condition, Key, Listing
from db.rows import names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table
from rules.document_drafts import KINDS
from rules.permissions import Permission
from rules.viewers import Viewer

# It has no number, because it can be deleted and numbers have no gaps; and no amounts, which are those of the moment.
document_drafts = tenant_table(
    "document_drafts",
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("asked", Text, nullable=False),  # JSON of what the mutation that issues it is given
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("staff_member_id", Uuid, nullable=False),  # who began it
    Column("version", Integer, nullable=False, server_default="1"),
    refers_to("customers", "customer_id", name="document_drafts_customer_fkey"),
    one_of("kind", KINDS, name="document_drafts_kind_check"),
    Index("document_drafts_made_at_idx", "tenant_id", "made_at", "id"),
    Index("document_drafts_customer_idx", "tenant_id", "customer_id", "made_at", "id"),
)


@dataclass(slots=True)
class DocumentDraft:
    """A document that is not posted; `asked` is JSON, `today` the database's date by which it is weighed. Times are UTC."""

    id: UUID
    kind: str
    customer_id: UUID
    asked: str
    made_at: datetime
    staff_member_id: UUID
    version: int
    today: date


_OF_TENANT = document_drafts.c.tenant_id == bindparam("tenant_id")
_COLUMNS = [
    *(document_drafts.c[name] for name in names_of(DocumentDraft, leave_out=["today"])),
    func.current_date(type_=Date).label("today"),
]
_every_one = select(*_COLUMNS).where(_OF_TENANT)
_by_ids = Statement(
    _every_one.where(document_drafts.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), DocumentDraft
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, DocumentDraft]:
    """The drafts among the ids; for the staff who could issue them, and nobody else."""
    if not viewer.oversees(Permission.INVOICES_WRITE):
        return {}
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


_CONDITIONS: dict[str, Condition] = {
    "kind": document_drafts.c.kind == bindparam("kind", type_=Text),
    "customer_id": document_drafts.c.customer_id == bindparam("customer_id", type_=Uuid),
}
ORDERS: dict[str, Key] = {"MADE_AT_DESC": Key(document_drafts.c.made_at, descending=True)}
# For the staff, as drafts are. Filters: kind, customer_id.
_listing = Listing(DocumentDraft, lambda _: _every_one, _CONDITIONS, ORDERS, document_drafts.c.id)
keys, page, count = _listing.keys, _listing.page, _listing.count

_changing = Changing(document_drafts, _every_one, DocumentDraft, ["asked"], mine=_OF_TENANT)
# A draft as it is now, which nobody else issues, changes or deletes until this transaction ends; and new values of it.
lock, change = _changing.lock, _changing.change

_NEW = names_of(DocumentDraft, leave_out=["made_at", "version", "today"])
_add = Statement(
    insert(document_drafts)
    .values(tenant_id=bindparam("tenant_id"), **{name: bindparam(name) for name in _NEW})
    .returning(*_COLUMNS),
    DocumentDraft,
)
_remove = Statement[None](
    delete(document_drafts).where(_OF_TENANT, document_drafts.c.id == bindparam("the_id", type_=Uuid))
)


async def add(
    connection: Connection, *, id: UUID, kind: str, customer_id: UUID, asked: str, staff_member_id: UUID
) -> DocumentDraft:
    """Keep a new draft."""
    added = await connection.row(
        _add, id=id, kind=kind, customer_id=customer_id, asked=asked, staff_member_id=staff_member_id
    )
    assert added is not None
    return added


async def remove(connection: Connection, id: UUID) -> None:
    """Delete a locked draft."""
    await connection.run(_remove, the_id=id)
