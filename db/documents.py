"""Documents of all kinds at once: one statement for any mix of them. What is one kind's own is in its noun's file."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    literal_column,
    null,
    select,
    union_all,
)

from db import (
    credit_notes,
    goods_issues,
    goods_returns,
    invoices,
    quotations,
    reconciliation_statements,
    tax_invoices,
)
from db.connections import Connection, one_each
from db.credit_notes import CreditNote
from db.document_kinds import Documents
from db.goods_issues import GoodsIssue
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.quotations import Quotation
from db.reconciliation_statements import ReconciliationStatement
from db.restrictions import WhoseDocuments, whose_documents
from db.statements import Statement
from db.tax_invoices import TaxInvoice
from rules.viewers import Viewer

SupplierDocument: TypeAlias = (
    Quotation | GoodsIssue | Invoice | TaxInvoice | GoodsReturn | CreditNote | ReconciliationStatement
)

KINDS: tuple[Documents[Any], ...] = tuple(
    noun.DOCUMENTS
    for noun in (
        quotations,
        goods_issues,
        invoices,
        tax_invoices,
        goods_returns,
        credit_notes,
        reconciliation_statements,
    )
)

# Every field of any kind, and its type: a document's row has those of its own kind, the others are null.
_TYPES = {name: column.type for kind in KINDS for name, column in kind.columns.items()}
_PLACES = {name: place for place, name in enumerate(_TYPES)}


def _maker(kind: Documents[Any]) -> Callable[[Sequence[Any]], Any]:
    fields = itemgetter(*(_PLACES[name] for name in kind.columns))
    return lambda values: kind.row(*fields(values))


_MAKERS = {kind.kind.value: _maker(kind) for kind in KINDS}


def _made(kind: str, *values: Any) -> SupplierDocument:
    made: SupplierDocument = _MAKERS[kind](values)
    return made


def _rows_of(kind: Documents[Any], whose: WhoseDocuments) -> Select[Any]:
    """The documents of a kind that are seen, with the fields of all kinds."""
    own = kind.columns
    columns: list[ColumnElement[Any]] = [
        own[name] if name in own else null().cast(type_).label(name) for name, type_ in _TYPES.items()
    ]
    return select(literal_column(f"'{kind.kind.value}'", Text).label("kind_of_document"), *columns).where(
        *kind.conditions(whose)
    )


@lru_cache(maxsize=64)
def _by_ids(whose: WhoseDocuments) -> Statement[SupplierDocument]:
    among = bindparam("ids", type_=ARRAY(Uuid))
    return Statement(
        union_all(*(_rows_of(kind, whose).where(kind.table.c.id == any_(among)) for kind in KINDS)), _made
    )


async def by_ids(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, SupplierDocument]:
    """The documents among the ids that the viewer may see, whatever their kinds."""
    whose, mine = whose_documents(viewer)
    statement = _by_ids(whose)
    return one_each(await connection.rows(statement, ids=ids, **statement.needed(mine)), "id")
