"""Attachments: uploads that are attached to a request to return goods or to a message, and how they are read."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.attachments import Attachment, NewAttachment
from db.connections import Connection
from resolvers import downloads, uploads
from resolvers.context import Context, Info
from rules.access_groups import check_length
from rules.broken import InvalidInput
from rules.viewers import Viewer
from tenants.downloads import Keeping, Kept

# So many belong to one request or message.
MOST = 20


async def attach(
    context: Context,
    ids: Sequence[strawberry.ID],
    *path: str,
    rma_request_id: UUID | None = None,
    ticket_message_id: UUID | None = None,
    there: int = 0,
) -> None:
    """Attach uploads of the viewer's own, beside so many as are there already.

    Raises what access_groups.check_length does, InvalidInput for one that is named twice, and what uploads.take_all does.
    """
    check_length([*ids, *[None] * there], MOST, *path)
    if len({str(each) for each in ids}) < len(ids):
        raise InvalidInput(path=path)
    if not ids:
        return
    new = [
        NewAttachment(uuid.uuid7(), upload.id, rma_request_id, ticket_message_id)
        for upload in await uploads.take_all(context, ids, *path)
    ]
    await db.attachments.add(context.connection, new)


def download(root: strawberry.Parent[Attachment], info: Info) -> downloads.Download:
    """Attachment.download."""
    return downloads.link_to(info.context, ATTACHMENT, {"attachment": str(root.id)})


async def _find(connection: Connection, viewer: Viewer, told: Mapping[str, str]) -> Kept | None:
    key = UUID(told["attachment"])
    found = (await db.attachments.by_ids(connection, viewer, [key])).get(key)
    return None if found is None else Kept(found.upload_id, found.file_name, found.media_type, found.size)


# What it belongs to is asked for besides: a request or a ticket, which need permissions of their own.
ATTACHMENT = Keeping("attachment", None, _find)
