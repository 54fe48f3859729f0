"""File changes: the company's staff shares files, says for whom and how long, and takes them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.files import SharedFile
from resolvers import nodes, uploads
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from rules.access_groups import check_length
from rules.broken import NotFound, check_version
from rules.files import (
    LONGEST_DESCRIPTION,
    MOST_ADDRESSED,
    FileAct,
    FileAudience,
    FileAudienceMissing,
    check_act,
    check_audience,
    check_period,
)
from rules.texts import check_name, check_text

Named = Mapping[FileAudience, Sequence[UUID]]


@strawberry.input(description="For whom a file is.")
class FileAudienceInput:
    """fileShare(input.audience:)."""

    kind: FileAudience = strawberry.field(description="All customers, or those that are named.")
    access_groups: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The access groups, for ACCESS_GROUPS; at most 1,000."
    )
    customers: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The customers, for CUSTOMERS; at most 1,000."
    )


@strawberry.input(description="A file to share, or a new content for one.")
class FileShareInput:
    """fileShare(input:)."""

    upload: strawberry.ID = strawberry.field(description="The content: an upload of one's own that was sent.")
    file: strawberry.ID | None = strawberry.field(
        default=None,
        description="The file that is to have this content from now on; a new one when left out. What is left out "
        "below then stays as it is.",
    )
    title: str | None = strawberry.field(
        default=None, description="What people read, 1 to 200 characters; the file's name when left out."
    )
    description: str | None = strawberry.field(
        default=None, description="More about it, at most 2,000 characters."
    )
    audience: FileAudienceInput | None = strawberry.field(
        default=None, description="For whom it is; needed for a new file."
    )
    visible_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="The first day on which customers see it; null: from now on."
    )
    visible_to: date | None = strawberry.field(
        default=strawberry.UNSET, description="The last day; null: until further notice."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a file; what is left out stays as it is.")
class FileUpdateInput:
    """fileUpdate(input:)."""

    file: strawberry.ID = strawberry.field(description="The file.")
    title: str | None = strawberry.field(default=None, description="What people read, 1 to 200 characters.")
    description: str | None = strawberry.field(
        default=None, description="More about it, at most 2,000 characters."
    )
    audience: FileAudienceInput | None = strawberry.field(
        default=None, description="For whom it is from now on."
    )
    visible_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="The first day on which customers see it; null: from now on."
    )
    visible_to: date | None = strawberry.field(
        default=strawberry.UNSET, description="The last day; null: until further notice."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A file that is to be shared no longer.")
class FileUnshareInput:
    """fileUnshare(input:)."""

    file: strawberry.ID = strawberry.field(description="The file.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class FilePayload(Payload):
    """The file as it is now."""

    file: SharedFile | None = None


_ShareInput = Annotated[FileShareInput, strawberry.argument(description="The file, and for whom.")]
_UpdateInput = Annotated[FileUpdateInput, strawberry.argument(description="What to change.")]
_UnshareInput = Annotated[FileUnshareInput, strawberry.argument(description="Which file.")]


async def share(info: Info, input: _ShareInput) -> FilePayload:
    """Mutation.fileShare."""
    if input.file is not None:
        return await _share_anew(info.context, input, input.file)
    context, connection = info.context, info.context.connection
    _check_texts(input)
    visible_from, visible_to = _or_none(input.visible_from), _or_none(input.visible_to)
    check_period(visible_from, visible_to)
    if input.audience is None:
        raise FileAudienceMissing(path=("audience",))
    named = await _named(context, input.audience)
    upload = await uploads.take(context, input.upload, "upload")
    file_id = uuid.uuid7()
    await db.files.add(
        connection,
        id=file_id,
        title=input.title or PurePosixPath(upload.file_name).stem,
        description=input.description or "",
        audience=input.audience.kind,
        visible_from=visible_from,
        visible_to=visible_to,
    )
    await _add_version(context, file_id, 1, upload.id)
    await db.file_audiences.replace(connection, file_id, named)
    return await _answer(context, file_id, None)


async def _share_anew(context: Context, input: FileShareInput, id: strawberry.ID) -> FilePayload:
    """Give a file another content; one that was shared no longer is again."""
    found = await _locked(context, id, input.version, FileAct.SHARE)
    before = await _facts(context, found)
    changed = await _change(context, found, input)
    upload = await uploads.take(context, input.upload, "upload")
    changed.content_version += 1
    await _add_version(context, changed.id, changed.content_version, upload.id)
    await db.files.keep(context.connection, changed)
    return await _answer(context, changed.id, before)


async def update(info: Info, input: _UpdateInput) -> FilePayload:
    """Mutation.fileUpdate."""
    context = info.context
    found = await _locked(context, input.file, input.version, FileAct.UPDATE)
    before = await _facts(context, found)
    await db.files.keep(context.connection, await _change(context, found, input))
    return await _answer(context, found.id, before)


async def unshare(info: Info, input: _UnshareInput) -> FilePayload:
    """Mutation.fileUnshare: customers see it no longer, and links to it are good for nothing."""
    context = info.context
    found = await _locked(context, input.file, input.version, FileAct.UNSHARE)
    before = await _facts(context, found)
    await db.files.keep(context.connection, found, shared=False)
    return await _answer(context, found.id, before)


async def _locked(context: Context, id: strawberry.ID, version: int | None, act: FileAct) -> SharedFile:
    """A file that nobody else changes now. Raises NotFound, VersionConflict or FileUnshared."""
    seen = await nodes.found(context, id, "SharedFile", "file")
    found = await db.files.lock(context.connection, seen.id)
    if found is None:
        raise NotFound(path=("file",))
    check_version(version, found.version)
    check_act(found.unshared_at is None, act)
    return found


def _check_texts(given: FileShareInput | FileUpdateInput) -> None:
    check_name(given.title, "title")
    check_text(given.description, LONGEST_DESCRIPTION, "description")


def _or_none(day: date | None) -> date | None:
    return None if day is strawberry.UNSET else day


async def _change(context: Context, file: SharedFile, given: FileShareInput | FileUpdateInput) -> SharedFile:
    """The file with what is given; whom it names from now on is kept already."""
    _check_texts(given)
    days = {"visible_from": given.visible_from, "visible_to": given.visible_to}
    texts = {"title": given.title, "description": given.description}
    said: dict[str, Any] = {name: day for name, day in days.items() if day is not strawberry.UNSET}
    said |= {name: text for name, text in texts.items() if text is not None}
    changed = replace(file, **said)
    check_period(changed.visible_from, changed.visible_to)
    if given.audience is not None:
        named = await _named(context, given.audience)
        await db.file_audiences.replace(context.connection, file.id, named)
        changed.audience = given.audience.kind.value
    return changed


async def _named(context: Context, given: FileAudienceInput) -> Named:
    """Whom an audience names. Raises BrokenRules, NotFound for each that is not there, and what check_audience does."""
    named = {}
    for kind, ids, type_name, place in (
        (FileAudience.ACCESS_GROUPS, given.access_groups, "AccessGroup", "accessGroups"),
        (FileAudience.CUSTOMERS, given.customers, "Customer", "customers"),
    ):
        check_length(ids, MOST_ADDRESSED, "audience", place)
        named[kind] = await nodes.found_keys(context, ids or [], type_name, "audience", place)
    check_audience(given.kind, given.access_groups, given.customers)
    return named


async def _add_version(context: Context, file_id: UUID, content_version: int, upload_id: UUID) -> None:
    await db.files.add_version(
        context.connection,
        file_id=file_id,
        content_version=content_version,
        upload_id=upload_id,
        shared_by_id=context.signed_in.staff_member_id,
    )


async def _answer(context: Context, file_id: UUID, before: Mapping[str, Any] | None) -> FilePayload:
    file = await db.files.lock(context.connection, file_id)
    assert file is not None, "it was written in this transaction"
    context.record("SharedFile", file_id, before=before, after=await _facts(context, file))
    return FilePayload(file)


async def _facts(context: Context, file: SharedFile) -> dict[str, Any]:
    connection, viewer = context.connection, context.signed_in
    groups = await db.file_audiences.access_groups_of(connection, viewer, [file.id])
    customers = await db.file_audiences.customers_of(connection, viewer, [file.id])
    return facts_of(file, access_groups=groups[file.id], customers=customers[file.id])
