"""Attachments: files that belong to a request to return goods or to a message of a ticket."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.attachments
from schema.downloads import Download
from schema.fields import field
from schema.nodes import Node


@strawberry.type(
    description="A file, e.g. a photo, that belongs to a request to return goods or to a message."
)
class Attachment(Node):
    """db.attachments.Attachment."""

    file_name: Annotated[str, field(description="Its name.")]
    media_type: Annotated[str, field(description="Its media type.")]
    size: Annotated[int, field(description="How many bytes it has.")]
    sha256: Annotated[str, field(description="Its SHA-256 in hexadecimal.")]
    attached_at: Annotated[datetime, field(description="When it was attached.")]
    download: Annotated[
        Download, field(resolvers.attachments.download, description="How to read it; made anew each time.")
    ]
