"""Uploads: announcing one, how its bytes are to be sent, and taking one into use."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.uploads import Upload
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Beforehand, Payload, facts_of
from rules.broken import BrokenRules, NotFound, found_at
from rules.uploads import (
    MOST_UNUSED,
    Announced,
    TooManyUploads,
    UploadMissing,
    UploadState,
    check_announced,
    check_usable,
)
from tenants import uploads
from tenants.storage import sent_to


@strawberry.input(description="A file that is to be sent.")
class UploadCreateInput:
    """uploadCreate(input:)."""

    name: str = strawberry.field(description="Its name, with the ending of its kind, at most 200 characters.")
    media_type: str = strawberry.field(description="Its media type, e.g. application/pdf.")
    size: int = strawberry.field(description="How many bytes it has, at most 50,000,000.")
    sha256: str | None = strawberry.field(
        default=None, description="Its SHA-256 in small hexadecimal digits, to be compared."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class UploadPayload(Payload):
    """The upload as it was announced."""

    upload: Upload | None = None


@dataclass(slots=True)
class UploadHeader:
    """A header of the request that sends an upload."""

    name: str
    value: str


@dataclass(slots=True)
class UploadRequest:
    """The request that sends an upload's bytes."""

    method: str
    url: str
    headers: list[UploadHeader]
    expires_at: datetime


_CreateInput = Annotated[UploadCreateInput, strawberry.argument(description="What is to be sent.")]


async def create(info: Info, input: _CreateInput) -> UploadPayload:
    """Mutation.uploadCreate."""
    context = info.context
    announced = Announced(input.name, input.media_type, input.size, input.sha256)
    if wrong := list(check_announced(announced)):
        raise BrokenRules(wrong)
    viewer = context.signed_in
    if await db.uploads.unused(context.connection, viewer) >= MOST_UNUSED:
        raise TooManyUploads
    upload = await db.uploads.add(
        context.connection,
        id=uuid.uuid7(),
        account_id=viewer.account_id,
        staff_member_id=viewer.staff_member_id,
        announced=announced,
    )
    context.record("Upload", upload.id, before=None, after=facts_of(upload))
    return UploadPayload(upload)


async def request(root: strawberry.Parent[Upload], info: Info) -> UploadRequest | None:
    """Upload.request: None when nothing is awaited any more."""
    context, expires_at = info.context, uploads.expiry(root)
    seconds = int((expires_at - datetime.now(UTC)).total_seconds())
    if root.state != UploadState.AWAITED or seconds <= 0:
        return None
    storage = context.facilities.storage
    if storage.signer is not None:
        url = await storage.sign(sent_to(context.tenant_id, root.id), seconds)
    else:
        ticket = uploads.ticket(context.signed_in, root)
        signed = uploads.signed(context.facilities.cursor_key, ticket)
        url = f"/portals/{context.portal.slug}/uploads/{signed}"
    return UploadRequest("PUT", url, [UploadHeader("Content-Type", root.media_type)], expires_at)


async def take(context: Context, id: strawberry.ID, *path: str) -> Upload:
    """An upload of the viewer's own, from now on used for what the mutation makes of it.

    Raises NotFound, UploadMissing, UploadUsed, and what is wrong with what came; and Beforehand for what its sender has
    put into the storage itself: to look at that takes as long as it is.
    """
    seen = await nodes.found(context, id, "Upload", *path)
    upload = await db.uploads.lock(context.connection, seen.id)
    if upload is None:
        raise NotFound(path=path)
    if upload.state == UploadState.AWAITED and context.facilities.storage.signer is not None:
        raise Beforehand(lambda: _take_over(context, upload, path))
    check_usable(upload.state, *path)
    used = await db.uploads.move(context.connection, upload.id, UploadState.READY, UploadState.USED)
    assert used is not None, "it is locked"
    return used


async def _take_over(context: Context, upload: Upload, path: tuple[str, ...]) -> None:
    facilities = context.facilities
    with found_at(*path):
        if not await uploads.take_over(facilities.database, facilities.storage, context.tenant_id, upload.id):
            raise UploadMissing
