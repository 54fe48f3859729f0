"""Uploads: files that are sent, to be used for something afterwards."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.uploads
from rules.uploads import UploadState
from schema.errors import UserError
from schema.fields import field, mutation
from schema.nodes import Node
from tenants.uploads import NEEDS


@strawberry.type(description="A header of a request.")
class UploadHeader:
    """resolvers.uploads.UploadHeader."""

    name: Annotated[str, field(description="Its name.")]
    value: Annotated[str, field(description="What it says.")]


@strawberry.type(
    description="The request that sends an upload's bytes, as they are, in its body. It is signed: whoever has it can send "
    "them, once, as long as the session that asked for it has not ended."
)
class UploadRequest:
    """resolvers.uploads.UploadRequest."""

    method: Annotated[str, field(description="The HTTP method.")]
    url: Annotated[
        str,
        field(
            description="Where to: the path on the host that was asked, or an address of the storage. Treat it as a secret."
        ),
    ]
    headers: Annotated[list[UploadHeader], field(description="What to send with it.", size=1)]
    expires_at: Annotated[datetime, field(description="Until when: ten minutes.")]


@strawberry.type(
    description="A file that one sends, seen by nobody else. What is not used within a day is thrown away."
)
class Upload(Node):
    """db.uploads.Upload."""

    file_name: Annotated[str, field(description="Its name.")]
    media_type: Annotated[str, field(description="Its media type.")]
    size: Annotated[int, field(description="How many bytes it has.")]
    sha256: Annotated[
        str | None, field(description="Its SHA-256 in hexadecimal; until it has come, as it was announced.")
    ]
    state: Annotated[UploadState, field(description="What has become of it.")]
    announced_at: Annotated[datetime, field(description="When it was announced.")]
    request: Annotated[
        UploadRequest | None,
        field(
            resolvers.uploads.request, description="How to send it; null when nothing is awaited any more."
        ),
    ]


@strawberry.type(description="What a mutation on an upload answers.")
class UploadPayload:
    """resolvers.uploads.UploadPayload."""

    upload: Annotated[Upload | None, field(description="The upload.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class UploadMutations:
    """Mutation fields on uploads."""

    upload_create: Annotated[
        UploadPayload,
        mutation(
            resolvers.uploads.create,
            needs=NEEDS,
            description="Announce a file, and learn how to send it. What comes is looked at: it has to be as large, and "
            "of the kind, as was announced.",
        ),
    ]
