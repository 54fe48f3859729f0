"""Files that the company shares: reading and downloading them; resolvers/file_changes.py shares them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.access_groups import AccessGroup
from db.connections import Connection
from db.customers import Customer
from db.files import SharedFile, SharedFileVersion
from execution.levels import level
from resolvers import actions, downloads, nodes, pages
from resolvers.actions import Action
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relation
from rules import files
from rules.files import FileAct, FileAudience
from rules.permissions import Permission
from rules.texts import LONGEST_NAME, check_text
from rules.viewers import Viewer
from tenants.downloads import Keeping, Kept


class SharedFileOrder(Enum):
    """In what order files come."""

    SHARED_AT_ASC = "SHARED_AT_ASC"
    SHARED_AT_DESC = "SHARED_AT_DESC"
    TITLE_ASC = "TITLE_ASC"
    TITLE_DESC = "TITLE_DESC"


publish(
    SharedFileOrder,
    description="In what order shared files come.",
    value={
        SharedFileOrder.SHARED_AT_ASC: "By when their content was shared, oldest first.",
        SharedFileOrder.SHARED_AT_DESC: "By when their content was shared, newest first.",
        SharedFileOrder.TITLE_ASC: "By title, A first.",
        SharedFileOrder.TITLE_DESC: "By title, Z first.",
    }.__getitem__,
)


@strawberry.input(description="Which files; all that is given must hold.")
class SharedFileFilter:
    """files(filter:)."""

    search: str | None = strawberry.field(
        default=None, description="All of these words stand in the title, the description or the file's name."
    )
    unshared: bool | None = strawberry.field(
        default=None,
        description="Only those that are shared no longer, or only those that are; customers see the latter.",
    )


_Filter = Annotated[SharedFileFilter | None, strawberry.argument(description="Which files.")]
_Order = Annotated[
    list[SharedFileOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.files. Raises TextTooLong."""
    order = order_by or [SharedFileOrder.SHARED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    given = filter or SharedFileFilter()
    check_text(given.search, LONGEST_NAME, "filter", "search")
    filters = {"search": given.search or None, "unshared": given.unshared}
    return await pages.connection(info.context, db.files, filters, order, asked)


async def file(info: Info, id: nodes.NodeId) -> SharedFile | None:
    """Query.file."""
    found: SharedFile | None = await nodes.by_global_id(info.context, str(id), "SharedFile")
    return found


@dataclass(slots=True)
class SharedFileAudience:
    """For whom a file is; `named` are the keys of access groups or of customers, by kind."""

    kind: FileAudience
    named: list[UUID]


_NAMED = {
    FileAudience.ACCESS_GROUPS: db.file_audiences.access_groups_of,
    FileAudience.CUSTOMERS: db.file_audiences.customers_of,
}


@level
async def audience(roots: Sequence[SharedFile], context: Context) -> Sequence[SharedFileAudience | None]:
    """SharedFile.audience: None for customers, who are not told for whom it is besides."""
    if not _oversees(context):
        return [None] * len(roots)
    kinds = [FileAudience(root.audience) for root in roots]
    named = await asyncio.gather(
        *(
            context.load_lists(
                read, [root.id if each is kind else None for root, each in zip(roots, kinds, strict=True)]
            )
            for kind, read in _NAMED.items()
        )
    )
    return [
        SharedFileAudience(kind, [key for keys in each for key in keys])
        for kind, *each in zip(kinds, *named, strict=True)
    ]


@level
async def access_groups(roots: Sequence[SharedFileAudience], context: Context) -> list[list[AccessGroup]]:
    """SharedFileAudience.accessGroups."""
    return await nodes.load_lists(
        context,
        "AccessGroup",
        [root.named if root.kind is FileAudience.ACCESS_GROUPS else [] for root in roots],
    )


@level
async def customers(roots: Sequence[SharedFileAudience], context: Context) -> list[list[Customer]]:
    """SharedFileAudience.customers."""
    return await nodes.load_lists(
        context, "Customer", [root.named if root.kind is FileAudience.CUSTOMERS else [] for root in roots]
    )


@level
async def versions(roots: Sequence[SharedFile], context: Context) -> Sequence[list[SharedFileVersion] | None]:
    """SharedFile.versions: None for customers, who see the newest content alone."""
    if not _oversees(context):
        return [None] * len(roots)
    return await context.load_lists(db.files.versions_of, [root.id for root in roots])


# SharedFileVersion.sharedBy.
shared_by = relation(db.staff_members.by_ids, "shared_by_id")


def _oversees(context: Context) -> bool:
    return context.signed_in.oversees(Permission.FILES_READ)


def download(root: strawberry.Parent[SharedFile], info: Info) -> downloads.Download:
    """SharedFile.download."""
    return _link(info.context, root.id, root.content_version)


def download_of_version(root: strawberry.Parent[SharedFileVersion], info: Info) -> downloads.Download:
    """SharedFileVersion.download."""
    return _link(info.context, root.file_id, root.content_version)


def _link(context: Context, file_id: UUID, content_version: int) -> downloads.Download:
    told = {"file": str(file_id), "contentVersion": str(content_version)}
    return downloads.link_to(context, SHARED_FILE, told)


async def _find(connection: Connection, viewer: Viewer, told: Mapping[str, str]) -> Kept | None:
    """The content that a link names, as far as the viewer may see it now: a customer the newest, of what is for it."""
    file_id, content_version = UUID(told["file"]), int(told["contentVersion"])
    found: Any = (await db.files.by_ids(connection, viewer, [file_id])).get(file_id)
    if found is not None and found.content_version != content_version:
        contents = (await db.files.versions_of(connection, viewer, [file_id]))[file_id]
        found = next((each for each in contents if each.content_version == content_version), None)
    return None if found is None else Kept(found.upload_id, found.file_name, found.media_type, found.size)


SHARED_FILE = Keeping("shared-file", Permission.FILES_READ, _find)


def actions_of(root: strawberry.Parent[SharedFile], info: Info) -> list[Action]:
    """SharedFile.actions: the staff's."""
    context = info.context
    if not context.signed_in.is_staff:
        return []
    return [
        actions.weigh(
            context, act.value, Permission.FILES_WRITE, files.refusal(root.unshared_at is None, act)
        )
        for act in FileAct
    ]
