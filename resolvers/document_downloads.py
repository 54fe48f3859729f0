"""Documents as files: one as PDF, many as PDFs in a ZIP."""

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.documents import SupplierDocument
from resolvers import (
    credit_note_prints,
    document_lists,
    downloads,
    goods_issue_prints,
    goods_return_prints,
    invoice_prints,
    nodes,
    quotation_prints,
    reconciliation_statement_prints,
)
from resolvers.context import Context, Info
from resolvers.document_lists import SupplierDocumentFilter
from resolvers.prints import Printer
from rules.broken import BrokenRules, InvalidInput, NotFound
from rules.downloads import DocumentFormat, DownloadUnknown
from rules.permissions import Permission
from rules.prints import (
    MOST_DOCUMENTS,
    MOST_ROWS_TOGETHER,
    Printed,
    PrintTooLong,
    TooManyRows,
    Unprinted,
    check_documents,
    check_rows,
)
from tenants.downloads import Bundle, Prints, Reader, in_language

# How each type of document is printed.
_PRINTERS: dict[str, Printer] = {
    "CreditNote": credit_note_prints.printed,
    "GoodsIssue": goods_issue_prints.printed,
    "GoodsReturn": goods_return_prints.printed,
    "Invoice": invoice_prints.printed,
    "Quotation": quotation_prints.printed,
    "ReconciliationStatement": reconciliation_statement_prints.printed,
    "TaxInvoice": invoice_prints.printed_tax_invoices,
}
_AT_ONCE = 25
_KEY_BYTES = 16

_BUNDLE = ("Documents", "Dokumente")
_GONE = ("no longer there, or no longer to be seen", "nicht mehr vorhanden oder nicht mehr sichtbar")


async def download(
    root: strawberry.Parent[Any], info: Info, format: downloads.PrintFormat = DocumentFormat.PDF
) -> downloads.Download:
    """SupplierDocument.download: there is one format yet, so the link does not say it."""
    told = {"type": type(root).__name__, "id": str(root.id)}
    return downloads.link_to(info.context, DOCUMENT, told)


async def _document(reader: Reader, told: Mapping[str, str]) -> Printed:
    """The document as it is now, by the rights that the viewer has now. Raises DownloadUnknown and PrintTooLong."""
    key, printer = UUID(told["id"]), _PRINTERS.get(told["type"])
    found = (await printer(reader, [key])).get(key) if printer else None
    if found is None:
        raise DownloadUnknown
    check_rows(len(found.rows))
    return found


_Ids = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description=f"Global ids of documents of any kind, at most {MOST_DOCUMENTS}."),
]
_Filter = Annotated[
    SupplierDocumentFilter | None,
    strawberry.argument(
        description=f"Or which documents, newest first: those that pass now, at most {MOST_DOCUMENTS}."
    ),
]


async def download_many(info: Info, ids: _Ids = None, filter: _Filter = None) -> downloads.Download:
    """Query.supplierDocumentsDownload, by exactly one of ids and filter. Raises TooManyPrints and NothingToPrint."""
    context = info.context
    if (ids is None) is (filter is None):
        raise InvalidInput(path=("ids",))
    if filter is None:
        check_documents(len(ids or ()), "ids")
        keys = await _named(context, ids or [])
    else:
        documents, keys = await document_lists.ids_of(context, filter, MOST_DOCUMENTS)
        check_documents(documents, "filter")
    packed = b"".join(key.bytes for key in keys)
    told = {"ids": base64.b85encode(packed).decode()}  # two hundred have to fit into an address
    return downloads.link_to(context, DOCUMENTS, told)


async def _named(context: Context, ids: Sequence[str]) -> list[UUID]:
    """The keys of documents, each once. Raises BrokenRules, NotFound for each that the viewer may not see."""
    named = [nodes.parsed(str(each), *_PRINTERS) or ("", nodes.NOTHING) for each in ids]
    keys = [key for _, key in named]
    seen = await db.documents.by_ids(context.connection, context.signed_in, keys)
    missing = [
        NotFound(path=("ids", str(index)))
        for index, (type_name, key) in enumerate(named)
        if type(seen.get(key)).__name__ != type_name
    ]
    if missing:
        raise BrokenRules(missing)
    return list(dict.fromkeys(keys))


async def _documents(reader: Reader, told: Mapping[str, str]) -> Bundle:
    """The documents of a link, in its order."""
    packed = base64.b85decode(told["ids"])
    keys = [UUID(bytes=packed[at : at + _KEY_BYTES]) for at in range(0, len(packed), _KEY_BYTES)]
    return await bundle(reader, keys)


async def bundle(reader: Reader, keys: Sequence[UUID]) -> Bundle:
    """Documents of any kinds, by their keys, in that order. Those that are not to be seen or too long are left out,
    and told of; so are the last ones, where all together have too many rows."""
    documents: list[Printed] = []
    unprinted: list[Unprinted] = []
    rows = gone = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        seen = await db.documents.by_ids(reader.connection, reader.viewer, some)
        gone += len(some) - len(seen)
        printed = await _printed(reader, seen) if rows < MOST_ROWS_TOGETHER else {}
        for key in (each for each in some if each in seen):
            number = seen[key].number or "?"
            one = printed.get(key)
            try:
                if one is not None:
                    check_rows(len(one.rows))
                if one is None or rows + len(one.rows) > MOST_ROWS_TOGETHER:
                    raise TooManyRows
            except (PrintTooLong, TooManyRows) as broken:
                unprinted.append(Unprinted(number, broken.message(reader.language)))
            else:
                documents.append(one)
                rows += len(one.rows)
    if gone:
        unprinted.append(Unprinted(str(gone), in_language(_GONE, reader.language)))
    name = f"{in_language(_BUNDLE, reader.language)} {datetime.now(UTC).date()}"
    return Bundle(name, documents, unprinted)


async def _printed(reader: Reader, seen: Mapping[UUID, SupplierDocument]) -> dict[UUID, Printed]:
    by_type: defaultdict[str, list[UUID]] = defaultdict(list)
    for key, document in seen.items():
        by_type[type(document).__name__].append(key)
    printed: dict[UUID, Printed] = {}
    for name, keys in by_type.items():
        printed |= await _PRINTERS[name](reader, keys)
    return printed


DOCUMENT = Prints("document", Permission.DOCUMENTS_READ, _document)
DOCUMENTS = Prints("documents", Permission.DOCUMENTS_READ, _documents)
