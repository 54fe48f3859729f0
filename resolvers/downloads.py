"""Downloads: signed links to reports, as clients get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.context import Context
from rules.downloads import DocumentFormat, DownloadFormat
from tenants import downloads
from tenants.downloads import Keeping, Prints, Report

Format = Annotated[DownloadFormat, strawberry.argument(description="As what kind of file.")]
PrintFormat = Annotated[DocumentFormat, strawberry.argument(description="As what kind of file.")]


@dataclass(slots=True)
class Download:
    """A link to a file, which is made or fetched when the link is followed."""

    url: str
    expires_at: datetime


def link_to(
    context: Context,
    report: Report | Prints | Keeping,
    filter: Mapping[str, str],
    format: DownloadFormat | None = None,
) -> Download:
    """A link for the viewer, who may ask for the report or see what is printed or kept, in the language of the request."""
    new = downloads.link(context.signed_in, report, filter, format=format, language=context.language)
    signed = downloads.signed(context.facilities.cursor_key, new)
    return Download(f"/portals/{context.portal.slug}/downloads/{signed}", new.expires_at)
