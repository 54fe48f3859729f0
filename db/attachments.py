"""Attachments: files that belong to a request to return goods or to a message. Their bytes are uploads."""

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
    Select,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    select,
)

from db import rma_requests, ticket_messages
from db.connections import Connection, many_each, one_each
from db.rows import as_columns, insert_rows
from db.statements import Statement
from db.tables import leads_to, refers_to, tenant_table
from db.uploads import let_go, uploads
from rules.permissions import Permission
from rules.viewers import Viewer

attachments = tenant_table(
    "attachments",
    Column("id", Uuid, nullable=False),
    Column("upload_id", Uuid, nullable=False),
    Column("rma_request_id", Uuid),  # what it belongs to
    Column("ticket_message_id", Uuid),
    Column("attached_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    refers_to("uploads", "upload_id", name="attachments_upload_fkey"),
    refers_to("rma_requests", "rma_request_id", name="attachments_rma_request_fkey"),
    refers_to("ticket_messages", "ticket_message_id", name="attachments_ticket_message_fkey"),
    CheckConstraint(
        "num_nonnulls(rma_request_id, ticket_message_id) = 1", name="attachments_belongs_to_check"
    ),
    Index("attachments_upload_idx", "tenant_id", "upload_id"),
    Index("attachments_rma_request_idx", "tenant_id", "rma_request_id"),
    Index("attachments_ticket_message_idx", "tenant_id", "ticket_message_id"),
)


@dataclass(slots=True)
class NewAttachment:
    """An upload that is to belong to one of both."""

    id: UUID
    upload_id: UUID
    rma_request_id: UUID | None = None
    ticket_message_id: UUID | None = None


@dataclass(slots=True)
class Attachment:
    """A file that belongs to something; `size` in bytes, `sha256` in hexadecimal, times UTC."""

    id: UUID
    upload_id: UUID
    rma_request_id: UUID | None
    ticket_message_id: UUID | None
    attached_at: datetime
    file_name: str
    media_type: str
    size: int
    sha256: str


_IDS = bindparam("ids", type_=ARRAY(Uuid))
_every_one: Select[tuple[object, ...]] = (
    select(
        *(
            attachments.c[name]
            for name in ("id", "upload_id", "rma_request_id", "ticket_message_id", "attached_at")
        ),
        *(uploads.c[name] for name in ("file_name", "media_type", "size", "sha256")),
    )
    .join_from(
        attachments,
        uploads,
        leads_to(attachments.c.upload_id, uploads),
    )
    .where(attachments.c.tenant_id == bindparam("tenant_id"))
    .order_by(attachments.c.attached_at, attachments.c.id)
)
_of_rma_requests = Statement(_every_one.where(attachments.c.rma_request_id == any_(_IDS)), Attachment)
_of_ticket_messages = Statement(_every_one.where(attachments.c.ticket_message_id == any_(_IDS)), Attachment)
_by_ids = Statement(_every_one.where(attachments.c.id == any_(_IDS)), Attachment)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Attachment]:
    """The attachments among the ids of what the viewer may see."""
    found = await connection.rows(_by_ids, ids=ids)
    requests = [each.rma_request_id for each in found if each.rma_request_id is not None]
    messages = [each.ticket_message_id for each in found if each.ticket_message_id is not None]
    seen: set[UUID | None] = set()
    if requests and viewer.may(Permission.RMA_REQUESTS_READ):
        seen |= (await rma_requests.by_ids(connection, viewer, requests)).keys()
    if messages and viewer.may(Permission.TICKETS_READ):
        seen |= (await ticket_messages.by_ids(connection, viewer, messages)).keys()
    return one_each((each for each in found if _belongs_to(each) in seen), "id")


def _belongs_to(attachment: Attachment) -> UUID | None:
    return attachment.rma_request_id or attachment.ticket_message_id


async def of_rma_requests(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Attachment]]:
    """The attachments of each request, oldest first. Ask for requests that the viewer may see."""
    return many_each(await connection.rows(_of_rma_requests, ids=ids), ids, "rma_request_id")


async def of_ticket_messages(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Attachment]]:
    """The attachments of each message, oldest first. Ask for messages that the viewer may see."""
    return many_each(await connection.rows(_of_ticket_messages, ids=ids), ids, "ticket_message_id")


_NEW = ["id", "upload_id", "rma_request_id", "ticket_message_id"]
_add = Statement[None](insert_rows(attachments, _NEW))
_remove = Statement[UUID](
    delete(attachments)
    .where(attachments.c.tenant_id == bindparam("tenant_id"), attachments.c.id == any_(_IDS))
    .returning(attachments.c.upload_id)
)


async def add(connection: Connection, new: Sequence[NewAttachment]) -> None:
    """Attach uploads, which are used from now on, with one statement."""
    await connection.run(_add, **as_columns(new, _NEW))


async def remove(connection: Connection, ids: Sequence[UUID]) -> None:
    """Take attachments away; their bytes are thrown away with the next that come."""
    if ids:
        await let_go(connection, await connection.column(_remove, ids=ids))
