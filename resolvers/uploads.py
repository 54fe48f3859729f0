"""Uploads: announcing one, how its bytes are to be sent, and taking one into use."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.uploads import Upload
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Beforehand, Payload, facts_of
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by
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


Named = tuple[str, tuple[str, ...]]  # an upload's global id, and where in the input it stands


async def take(context: Context, id: strawberry.ID, *path: str) -> Upload:
    """An upload of the viewer's own, from now on used for what the mutation makes of it. Raises what take_all does."""
    (used,) = await _take(context, [(str(id), path)])
    return used


async def take_all(context: Context, ids: Sequence[strawberry.ID], *path: str) -> list[Upload]:
    """Uploads of the viewer's own, each another, from now on used for what the mutation makes of them.

    Raises BrokenRules: NotFound, UploadMissing, UploadUsed, and what is wrong with what came; and Beforehand for what
    its sender has put into the storage itself: to look at that takes as long as it is.
    """
    return await _take(context, [(str(each), (*path, str(index))) for index, each in enumerate(ids)])


async def _take(context: Context, named: Sequence[Named]) -> list[Upload]:
    paths = dict(zip(await _keys(context, named), (path for _, path in named), strict=True))
    locked = await db.uploads.lock(context.connection, list(paths))
    if gone := [NotFound(path=path) for key, path in paths.items() if key not in locked]:
        raise BrokenRules(gone)
    awaited = {key: path for key, path in paths.items() if locked[key].state == UploadState.AWAITED}
    if awaited and context.facilities.storage.signer is not None:
        raise Beforehand(lambda: _take_over(context, awaited))
    checks = [partial(check_usable, locked[key].state, *path) for key, path in paths.items()]
    if broken := list(broken_by(checks)):
        raise BrokenRules(broken)
    used = await db.uploads.use(context.connection, list(paths))
    return [used[key] for key in paths]


async def _keys(context: Context, named: Sequence[Named]) -> list[UUID]:
    seen = await asyncio.gather(*(nodes.by_global_id(context, given, "Upload") for given, _ in named))
    if missing := [NotFound(path=path) for each, (_, path) in zip(seen, named, strict=True) if each is None]:
        raise BrokenRules(missing)
    return [each.id for each in seen]


async def _take_over(context: Context, awaited: Mapping[UUID, tuple[str, ...]]) -> None:
    """All of them, however many: a mutation begins anew only a few times."""
    facilities, broken = context.facilities, list[BrokenRule]()
    for key, path in awaited.items():
        try:
            if not await uploads.take_over(facilities.database, facilities.storage, context.tenant_id, key):
                raise UploadMissing
        except BrokenRule as rule:
            broken.append(rule.at(*path))
    if broken:
        raise BrokenRules(broken)
