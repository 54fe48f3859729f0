"""Standing documents: what stands on a document, so that it cannot be reversed before that is."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    literal_column,
    not_,
    select,
    union,
)

from db.connections import Connection
from db.credit_notes import credit_note_lines, credit_notes
from db.goods_returns import goods_returns
from db.reversals import is_reversed
from db.statements import Statement
from db.tax_invoices import tax_invoices
from rules.documents import DocumentKind
from rules.viewers import Viewer


def _standing(kind: DocumentKind, documents: Table, on: ColumnElement[Any]) -> Select[Any]:
    """What of a kind stands on the documents `ids`, and is not reversed itself."""
    return select(on.label("document_id"), literal_column(f"'{kind}'", Text).label("kind")).where(
        documents.c.tenant_id == bindparam("tenant_id"),
        on == any_(bindparam("ids", type_=ARRAY(Uuid))),
        not_(is_reversed(documents)),
    )


_of_documents = Statement(
    union(
        _standing(DocumentKind.TAX_INVOICE, tax_invoices, tax_invoices.c.invoice_id),
        _standing(DocumentKind.GOODS_RETURN, goods_returns, goods_returns.c.invoice_id),
        _standing(DocumentKind.CREDIT_NOTE, credit_notes, credit_notes.c.invoice_id),
        _standing(DocumentKind.CREDIT_NOTE, credit_notes, credit_notes.c.goods_return_id),
        _standing(DocumentKind.CREDIT_NOTE, credit_notes, credit_note_lines.c.invoice_id).where(
            credit_note_lines.c.tenant_id == credit_notes.c.tenant_id,
            credit_note_lines.c.credit_note_id == credit_notes.c.id,
        ),
    ),
    lambda document_id, kind: (document_id, kind),
)


async def of_documents(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[str]]:
    """The kinds of what stands on each invoice or goods return. Ask for documents that the viewer may see."""
    found: dict[UUID, list[str]] = {each: [] for each in ids}
    for document_id, kind in await connection.rows(_of_documents, ids=ids):
        found[document_id].append(kind)
    return found
