"""Documents as files: one as PDF."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import strawberry

from resolvers import downloads, goods_issue_prints, quotation_prints
from resolvers.context import Info
from resolvers.prints import Printer
from rules.downloads import DocumentFormat, DownloadUnknown
from rules.permissions import Permission
from rules.prints import Printed, check_rows
from tenants.downloads import Asker, Prints

# How each type of document is printed.
_PRINTERS: dict[str, Printer] = {
    "GoodsIssue": goods_issue_prints.printed,
    "Quotation": quotation_prints.printed,
}


async def download(
    root: strawberry.Parent[Any], info: Info, format: downloads.PrintFormat = DocumentFormat.PDF
) -> downloads.Download:
    """SupplierDocument.download."""
    told = {"type": type(root).__name__, "id": str(root.id)}
    return downloads.link_to(info.context, DOCUMENT, told, format)


async def _document(asker: Asker, told: Mapping[str, str]) -> Printed:
    """The document as it is now, by the rights that the viewer has now. Raises DownloadUnknown and PrintTooLong."""
    key, printer = UUID(told["id"]), _PRINTERS.get(told["type"])
    found = (await printer(asker, [key])).get(key) if printer else None
    if found is None:
        raise DownloadUnknown
    check_rows(found.number, len(found.rows))
    return found


DOCUMENT = Prints("document", Permission.DOCUMENTS_READ, _document)
