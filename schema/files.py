"""Files that the company shares with its customers."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.file_changes
import resolvers.files
import resolvers.tickets
from rules.files import FileAudience
from rules.permissions import Permission
from schema.access_groups import AccessGroup
from schema.actions import Action
from schema.customers import Customer
from schema.downloads import Download
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.pages import Connection
from schema.staff_members import StaffMember
from schema.tickets import ABOUT_THIS, SupportTicket


@strawberry.type(description="For whom a file is.")
class SharedFileAudience:
    """resolvers.files.SharedFileAudience."""

    kind: Annotated[FileAudience, field(description="All customers, or those that are named.")]
    access_groups: Annotated[
        list[AccessGroup],
        field(resolvers.files.access_groups, description="The access groups that are named.", size=5),
    ]
    customers: Annotated[
        list[Customer], field(resolvers.files.customers, description="The customers that are named.", size=5)
    ]


@strawberry.type(description="A content that a file has or had.")
class SharedFileVersion:
    """db.files.SharedFileVersion."""

    content_version: Annotated[int, field(description="Which content, from 1 on.")]
    file_name: Annotated[str, field(description="The file's name.")]
    media_type: Annotated[str, field(description="Its media type.")]
    size: Annotated[int, field(description="How many bytes it has.")]
    sha256: Annotated[str, field(description="Its SHA-256 in hexadecimal.")]
    shared_at: Annotated[datetime, field(description="When it was shared.")]
    shared_by: Annotated[
        StaffMember | None,
        field(resolvers.files.shared_by, description="Who shared it, if they are still there."),
    ]
    download: Annotated[
        Download, field(resolvers.files.download_of_version, description="A link to this content.")
    ]


@strawberry.type(description="A file that the company shares, e.g. a price list or a brochure.")
class SharedFile(Node):
    """db.files.SharedFile."""

    title: Annotated[str, field(description="What people read.")]
    description: Annotated[str, field(description="More about it; may be empty.")]
    file_name: Annotated[str, field(description="The name under which it is downloaded.")]
    media_type: Annotated[str, field(description="Its media type.")]
    size: Annotated[int, field(description="How many bytes it has.")]
    sha256: Annotated[str, field(description="The SHA-256 of its content, in hexadecimal.")]
    content_version: Annotated[int, field(description="Which content it has now, from 1 on.")]
    shared_at: Annotated[datetime, field(description="When this content was shared.")]
    visible_from: Annotated[
        date | None,
        field(description="The first day on which customers see it (UTC); null: from the beginning."),
    ]
    visible_to: Annotated[date | None, field(description="The last day (UTC); null: until further notice.")]
    unshared_at: Annotated[
        datetime | None, field(description="Since when it is shared no longer; then only the staff sees it.")
    ]
    version: Annotated[int, field(description="Counts the changes.")]
    audience: Annotated[
        SharedFileAudience | None,
        field(resolvers.files.audience, description="For whom it is; null for customers."),
    ]
    versions: Annotated[
        list[SharedFileVersion] | None,
        field(
            resolvers.files.versions,
            description="All contents that it has had, the newest first; null for customers.",
            size=3,
        ),
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]
    download: Annotated[
        Download,
        field(
            resolvers.files.download,
            description="A link to its content. It is good as long as whoever asked may see the file.",
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.files.actions_of,
            description="What can be done with it, for staff: SHARE (another content), UPDATE and UNSHARE.",
            size=3,
        ),
    ]


@strawberry.type(description="What a mutation on a shared file answers.")
class FilePayload:
    """resolvers.file_changes.FilePayload."""

    file: Annotated[SharedFile | None, field(description="The file as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class FileQueries:
    """Query fields on shared files."""

    files: Annotated[
        Connection[SharedFile],
        query(
            resolvers.files.page,
            needs=Permission.FILES_READ,
            description="The files that the company shares with whoever asks, as they are visible today; for staff all.",
        ),
    ]
    file: Annotated[
        SharedFile | None,
        query(resolvers.files.file, needs=Permission.FILES_READ, description="A shared file by its id."),
    ]


@strawberry.type
class FileMutations:
    """Mutation fields on shared files."""

    file_share: Annotated[
        FilePayload,
        mutation(
            resolvers.file_changes.share,
            needs=Permission.FILES_WRITE,
            description="Share an upload with customers, or give a file that is shared already another content; what it "
            "had is kept for the staff.",
        ),
    ]
    file_update: Annotated[
        FilePayload,
        mutation(
            resolvers.file_changes.update,
            needs=Permission.FILES_WRITE,
            description="Change a file's title or description, for whom it is, or when it is visible.",
        ),
    ]
    file_unshare: Annotated[
        FilePayload,
        mutation(
            resolvers.file_changes.unshare,
            needs=Permission.FILES_WRITE,
            description="Share a file no longer; links to it are good for nothing from then on.",
        ),
    ]
