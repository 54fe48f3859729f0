"""Downloads."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.fields import field


@strawberry.type(
    description="A link to a file. Whoever has it can follow it without a token, as long as the session that asked for "
    "it has not ended and may still see what is in it."
)
class Download:
    """resolvers.downloads.Download."""

    url: Annotated[
        str,
        field(description="The path with the signature, on the host that was asked. Treat it as a secret."),
    ]
    expires_at: Annotated[datetime, field(description="Until when it can be followed: five minutes.")]
