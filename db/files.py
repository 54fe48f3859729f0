"""Files that the company shares with its customers, and the contents that each of them has had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from db.connections import Connection, many_each, one_each
from db.file_audiences import shared_file_access_groups, shared_file_customers
from db.pages import Condition, Key, Listing, Whose
from db.rows import names_of
from db.statements import Statement
from db.tables import leads_to, one_of, refers_to, tenant_table
from db.uploads import uploads
from db.words import patterns
from rules.files import FileAudience
from rules.permissions import Permission
from rules.viewers import Viewer

shared_files = tenant_table(
    "shared_files",
    Column("id", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("visible_from", Date),  # the first and the last day, by the database's date
    Column("visible_to", Date),
    Column("content_version", Integer, nullable=False, server_default="1"),
    Column("shared_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("unshared_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False, server_default="1"),
    one_of("audience", list(FileAudience), name="shared_files_audience_check"),
    CheckConstraint("visible_to >= visible_from", name="shared_files_visible_check"),
    Index("shared_files_shared_at_idx", "tenant_id", "shared_at", "id"),
    Index("shared_files_title_idx", "tenant_id", "title", "id"),
)
shared_file_versions = tenant_table(
    "shared_file_versions",
    Column("file_id", Uuid, nullable=False),
    Column("content_version", Integer, nullable=False),
    Column("upload_id", Uuid, nullable=False),
    Column("shared_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("shared_by_id", Uuid),  # the staff member; empty: from the command line
    refers_to("shared_files", "file_id", name="shared_file_versions_file_fkey"),
    refers_to("uploads", "upload_id", name="shared_file_versions_upload_fkey"),
    Index("shared_file_versions_upload_idx", "tenant_id", "upload_id"),
    key=("file_id", "content_version"),
)


@dataclass(slots=True)
class SharedFile:
    """A file with its content of now; `size` in bytes, `sha256` in hexadecimal, times UTC. `shared_at` is when that
    content was shared."""

    id: UUID
    title: str
    description: str
    audience: str
    visible_from: date | None
    visible_to: date | None
    content_version: int
    shared_at: datetime
    unshared_at: datetime | None
    version: int
    upload_id: UUID
    file_name: str
    media_type: str
    size: int
    sha256: str


@dataclass(slots=True)
class SharedFileVersion:
    """A content that a file has or had."""

    file_id: UUID
    content_version: int
    shared_at: datetime
    shared_by_id: UUID | None
    upload_id: UUID
    file_name: str
    media_type: str
    size: int
    sha256: str


_TENANT = bindparam("tenant_id", type_=Uuid)
_OWN = names_of(SharedFile, leave_out=["upload_id", "file_name", "media_type", "size", "sha256"])
_CONTENT = [
    shared_file_versions.c.upload_id,
    *(uploads.c[n] for n in ("file_name", "media_type", "size", "sha256")),
]
_with_content = (
    select(*(shared_files.c[name] for name in _OWN), *_CONTENT)
    .join_from(
        shared_files,
        shared_file_versions,
        and_(
            shared_file_versions.c.tenant_id == shared_files.c.tenant_id,
            shared_file_versions.c.file_id == shared_files.c.id,
            shared_file_versions.c.content_version == shared_files.c.content_version,
        ),
    )
    .join(
        uploads,
        leads_to(shared_file_versions.c.upload_id, uploads),
    )
    .where(shared_files.c.tenant_id == _TENANT)
)
_TODAY = func.current_date(type_=Date)
_NAMES_OWN = or_(
    shared_files.c.audience == FileAudience.ALL_CUSTOMERS.value,
    and_(
        shared_files.c.audience == FileAudience.CUSTOMERS.value,
        exists().where(
            shared_file_customers.c.tenant_id == shared_files.c.tenant_id,
            shared_file_customers.c.file_id == shared_files.c.id,
            shared_file_customers.c.customer_id == bindparam("own_customer_id", type_=Uuid),
        ),
    ),
    and_(
        shared_files.c.audience == FileAudience.ACCESS_GROUPS.value,
        exists().where(
            shared_file_access_groups.c.tenant_id == shared_files.c.tenant_id,
            shared_file_access_groups.c.file_id == shared_files.c.id,
            shared_file_access_groups.c.access_group_id == any_(bindparam("own_groups", type_=ARRAY(Uuid))),
        ),
    ),
)
_VISIBLE: dict[str, Select[Any]] = {
    "all": _with_content,
    "own": _with_content.where(
        shared_files.c.unshared_at.is_(None),
        or_(shared_files.c.visible_from.is_(None), shared_files.c.visible_from <= _TODAY),
        or_(shared_files.c.visible_to.is_(None), shared_files.c.visible_to >= _TODAY),
        _NAMES_OWN,
    ),
}


def _whose(viewer: Viewer) -> Whose:
    """What a viewer sees: what is for it now, or for staff all. Of its groups those count that let it read files:
    one group's audience and another's permission do not add up."""
    if viewer.oversees(Permission.FILES_READ):
        return "all", {}
    groups = [each.access_group_id for each in viewer.grants if Permission.FILES_READ in each.permissions]
    return "own", {"own_customer_id": viewer.customer_id, "own_groups": groups}


_IDS = bindparam("ids", type_=ARRAY(Uuid))
_by_ids = {
    whose: Statement(visible.where(shared_files.c.id == any_(_IDS)), SharedFile)
    for whose, visible in _VISIBLE.items()
}
_versions_of = Statement(
    select(
        *(shared_file_versions.c[n] for n in ("file_id", "content_version", "shared_at", "shared_by_id")),
        *_CONTENT,
    )
    .join_from(
        shared_file_versions,
        uploads,
        leads_to(shared_file_versions.c.upload_id, uploads),
    )
    .where(shared_file_versions.c.tenant_id == _TENANT, shared_file_versions.c.file_id == any_(_IDS))
    .order_by(shared_file_versions.c.file_id, shared_file_versions.c.content_version.desc()),
    SharedFileVersion,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, SharedFile]:
    """The files among the ids that the viewer may see now."""
    whose, mine = _whose(viewer)
    return one_each(await connection.rows(_by_ids[str(whose)], ids=ids, **mine), "id")


async def versions_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[SharedFileVersion]]:
    """All contents of each file, the newest first. For the staff."""
    seen = viewer.oversees(Permission.FILES_READ)
    return many_each(await connection.rows(_versions_of, ids=ids) if seen else [], ids, "file_id")


_TEXT = func.lower(
    func.concat_ws("\n", shared_files.c.title, shared_files.c.description, uploads.c.file_name), type_=Text
)
_CONDITIONS: dict[str, Condition] = {
    "search": _TEXT.op("like")(all_(bindparam("patterns", type_=ARRAY(Text)))),
    "unshared": shared_files.c.unshared_at.is_not(None) == bindparam("unshared", type_=Boolean),
}
ORDERS: dict[str, Key] = {
    "SHARED_AT_ASC": Key(shared_files.c.shared_at),
    "SHARED_AT_DESC": Key(shared_files.c.shared_at, descending=True),
    "TITLE_ASC": Key(shared_files.c.title),
    "TITLE_DESC": Key(shared_files.c.title, descending=True),
}


def _values(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**filters, "patterns": patterns(str(filters.get("search", "")))}


# Filters: search (all of these words are in title, description or file name), unshared.
_listing = Listing(
    SharedFile,
    _VISIBLE.__getitem__,
    _CONDITIONS,
    ORDERS,
    shared_files.c.id,
    whose=_whose,
    values=_values,
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_add = Statement[None](
    insert(shared_files).values(
        tenant_id=_TENANT,
        **{
            name: bindparam(name)
            for name in ("id", "title", "description", "audience", "visible_from", "visible_to")
        },
    )
)
_THIS = shared_files.c.id == bindparam("the_id", type_=Uuid)
_lock = Statement[UUID](
    select(shared_files.c.id).where(shared_files.c.tenant_id == _TENANT, _THIS).with_for_update()
)
_locked = Statement(_with_content.where(_THIS), SharedFile)
_CHANGING = ("title", "description", "audience", "visible_from", "visible_to", "content_version")
_keep = Statement[None](
    update(shared_files)
    .where(shared_files.c.tenant_id == _TENANT, _THIS)
    .values(
        version=shared_files.c.version + 1,
        shared_at=case(
            (bindparam("new_content_version", type_=Integer) != shared_files.c.content_version, func.now()),
            else_=shared_files.c.shared_at,
        ),
        unshared_at=case((bindparam("is_unshared", type_=Boolean), func.now())),
        **{name: bindparam(f"new_{name}", type_=shared_files.c[name].type) for name in _CHANGING},
    )
)
_add_version = Statement[None](
    insert(shared_file_versions).values(
        tenant_id=_TENANT,
        **{name: bindparam(name) for name in ("file_id", "content_version", "upload_id", "shared_by_id")},
    )
)


async def add(
    connection: Connection,
    *,
    id: UUID,
    title: str,
    description: str,
    audience: FileAudience,
    visible_from: date | None,
    visible_to: date | None,
) -> None:
    """Share a file; its first content and whom it names come next."""
    await connection.run(
        _add,
        id=id,
        title=title,
        description=description,
        audience=audience.value,
        visible_from=visible_from,
        visible_to=visible_to,
    )


async def add_version(
    connection: Connection, *, file_id: UUID, content_version: int, upload_id: UUID, shared_by_id: UUID | None
) -> None:
    """Give a file a content, which is an upload."""
    await connection.run(
        _add_version,
        file_id=file_id,
        content_version=content_version,
        upload_id=upload_id,
        shared_by_id=shared_by_id,
    )


async def lock(connection: Connection, id: UUID) -> SharedFile | None:
    """A file as it is now; nobody else changes it until this transaction ends. Who may see it, has to be asked first."""
    await connection.run(_lock, the_id=id)
    # Only now: a content that somebody else has given it meanwhile was not there when the first statement began.
    return await connection.row(_locked, the_id=id)


async def keep(connection: Connection, changed: SharedFile, *, shared: bool = True) -> None:
    """Keep a locked file as it was changed, and count that; a new content is shared now. Not `shared`: from now on it
    is not."""
    new = {f"new_{name}": getattr(changed, name) for name in _CHANGING}
    await connection.run(_keep, the_id=changed.id, is_unshared=not shared, **new)
