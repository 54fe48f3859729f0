"""Uploads: who may send what was announced, how its bytes are taken in, and what is thrown away."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

import db
from db.connections import Connection, Database
from db.isolation import Mode
from db.uploads import Upload
from rules.permissions import MissingPermission, Permission, Unauthenticated
from rules.uploads import (
    REQUEST_SECONDS,
    Arrival,
    UploadExpired,
    UploadState,
    UploadUnknown,
    UploadUsed,
)
from rules.viewers import Viewer
from tenants import signatures
from tenants.sessions import recognize_session
from tenants.storage import Storage, StorageUnavailable, kept_at, sent_to

_PURPOSE = b"uploads"
# What whoever announces something and whoever sends it needs.
NEEDS = Permission.UPLOADS_WRITE


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an address to send to stands for: one upload of one session of one portal, until a moment."""

    tenant_id: UUID
    session_id: UUID
    upload_id: UUID
    expires_at: datetime


def expiry(upload: Upload) -> datetime:
    """Until when the bytes of an upload may be sent."""
    return upload.announced_at.replace(microsecond=0) + timedelta(seconds=REQUEST_SECONDS)


def ticket(viewer: Viewer, upload: Upload) -> Ticket:
    """The viewer's right to send an upload."""
    assert viewer.session_id is not None, "who asks is signed in"
    return Ticket(viewer.tenant_id, viewer.session_id, upload.id, expiry(upload))


def signed(key: bytes, given: Ticket) -> str:
    """The ticket as a part of an address."""
    ids = [str(each) for each in (given.tenant_id, given.session_id, given.upload_id)]
    return signatures.signed(key, _PURPOSE, orjson.dumps([*ids, int(given.expires_at.timestamp())]))


def read(key: bytes, text: str, tenant_id: UUID, *, now: datetime) -> Ticket:
    """The ticket that was signed for this tenant.

    Raises UploadUnknown (changed, or another tenant's: which, is not told) and UploadExpired.
    """
    body = signatures.opened(key, _PURPOSE, text)
    if body is None:
        raise UploadUnknown
    tenant, session, upload, seconds = orjson.loads(body)
    found = Ticket(UUID(tenant), UUID(session), UUID(upload), datetime.fromtimestamp(seconds, UTC))
    if found.tenant_id != tenant_id:
        raise UploadUnknown
    if found.expires_at <= now:
        raise UploadExpired
    return found


async def check(connection: Connection, given: Ticket) -> None:
    """Who holds the ticket, asked anew: the session has to be there, with the right to upload, and the upload its own.

    Raises Unauthenticated, MissingPermission and UploadUnknown.
    """
    _, viewer = await recognize_session(connection, given.session_id)
    if viewer is None:
        raise Unauthenticated
    if not viewer.may(NEEDS) or viewer.viewed_by is not None:
        raise MissingPermission(permissions=(NEEDS,))
    if not await db.uploads.by_ids(connection, viewer, [given.upload_id]):
        raise UploadUnknown


async def take_in(
    database: Database, storage: Storage, tenant_id: UUID, upload_id: UUID, chunks: AsyncIterator[bytes]
) -> None:
    """Keep the bytes of an upload, once, and look at them as they come; no connection is held meanwhile.

    Raises UploadUsed, and what rules.uploads.Arrival does: then nothing of the upload is left. When the storage fails,
    StorageUnavailable, and it may be sent again.
    """
    upload = await _move(database, tenant_id, upload_id, UploadState.AWAITED, UploadState.ARRIVING)
    if upload is None:
        raise UploadUsed
    arrival = Arrival(upload.announced)
    sums: list[str] = []

    async def looked_at() -> AsyncIterator[bytes]:
        async for chunk in chunks:
            arrival.take(chunk)
            yield chunk
        sums.append(arrival.end())  # before the storage keeps any of it

    try:
        await storage.write(kept_at(tenant_id, upload_id), looked_at())
    except StorageUnavailable:
        await _move(database, tenant_id, upload_id, UploadState.ARRIVING, UploadState.AWAITED)
        raise
    except BaseException:
        async with database.transaction(Mode.WRITE, tenant_id) as connection:
            await db.uploads.discard(connection, upload_id)
        await _sweep_if_possible(database, storage, tenant_id)
        raise
    await _move(database, tenant_id, upload_id, UploadState.ARRIVING, UploadState.READY, sha256=sums[0])
    await _sweep_if_possible(database, storage, tenant_id)


async def take_over(database: Database, storage: Storage, tenant_id: UUID, upload_id: UUID) -> bool:
    """Take in what a sender has put into the storage itself; whether there was anything. What came is read once and
    kept under another key, so nobody can change it after it was looked at.

    Raises what `take_in` does.
    """
    sent = sent_to(tenant_id, upload_id)
    found = await storage.read(sent)
    if found is None:
        return False
    await take_in(database, storage, tenant_id, upload_id, found[1])
    await storage.remove([sent])
    return True


async def sweep(database: Database, storage: Storage, tenant_id: UUID) -> None:
    """Throw away what a tenant's people have uploaded and not used: first the bytes, then the word of them."""
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        gone = await db.uploads.expire(connection)
    if not gone:
        return
    await storage.remove(key(tenant_id, each) for each in gone for key in (kept_at, sent_to))
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        await db.uploads.remove(connection, gone)


async def _sweep_if_possible(database: Database, storage: Storage, tenant_id: UUID) -> None:
    with suppress(StorageUnavailable):  # what is left is swept the next time
        await sweep(database, storage, tenant_id)


async def _move(
    database: Database,
    tenant_id: UUID,
    upload_id: UUID,
    old: UploadState,
    new: UploadState,
    *,
    sha256: str | None = None,
) -> Upload | None:
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        return await db.uploads.move(connection, upload_id, old, new, sha256=sha256)
