"""Kinds of documents: what the reads of each kind have in common. db/documents.py reads several kinds at once."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Table, Uuid, any_, bindparam, null, select

from db import events
from db.connections import Connection, one_each
from db.restrictions import WhoseDocuments, own_documents, whose_documents
from db.rows import names_of
from db.statements import Statement
from db.tables import checked, leads_to
from rules.documents import DocumentKind
from rules.viewers import Viewer

Row = TypeVar("Row")


class Documents(Generic[Row]):
    """The documents of one kind: where they are kept, and which of them a viewer sees.

    `row` has the columns of `table` as its fields, and those of `derived`, which are worked out. `issued_at` is
    when a document was issued, `state` where it stands (one of rules.documents.DocumentStatus), `total` what it comes
    to in minor units, where there are amounts. `issued` is what holds besides for a document that its customer sees:
    drafts are the staff's alone.
    """

    def __init__(
        self,
        kind: DocumentKind,
        row: type[Row],
        table: Table,
        *,
        issued_at: ColumnElement[Any],
        state: ColumnElement[str],
        total: ColumnElement[int] | None = None,
        derived: Mapping[str, ColumnElement[Any]] | None = None,
        issued: ColumnElement[bool] | None = None,
    ) -> None:
        self.kind = kind
        self.row = row
        self.table = table
        self.issued_at = issued_at
        self.state = state
        self.total = total
        self.issued = issued
        self._derived = dict(derived or {})
        self._by_ids = lru_cache(maxsize=64)(self._build_by_ids)

    @property
    def columns(self) -> dict[str, ColumnElement[Any]]:
        """The fields of a row, by name."""
        return {
            name: self._derived[name].label(name) if name in self._derived else self.table.c[name]
            for name in names_of(self.row)
        }

    def conditions(self, whose: WhoseDocuments) -> list[ColumnElement[bool]]:
        """What holds for each document that is seen: the staff sees all, a customer its own that were issued, as far
        as its groups allow such documents."""
        mine: list[ColumnElement[bool]] = [self.table.c.tenant_id == bindparam("tenant_id")]
        if whose is not None:
            mine.append(own_documents(whose, self.table.c.customer_id, self.kind))
            mine += [] if self.issued is None else [self.issued]
        return mine

    def visible(self, whose: WhoseDocuments) -> Select[Any]:
        """The documents that are seen, as rows."""
        return select(*self.columns.values()).where(*self.conditions(whose))

    async def by_ids(self, connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Row]:
        """The documents among the ids that the viewer may see."""
        whose, mine = whose_documents(viewer)
        statement = self._by_ids(whose)
        return one_each(await connection.rows(statement, ids=ids, **statement.needed(mine)), "id")

    async def named(self, connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Row]:
        """The documents that others name, which the viewer may see: what is printed of an invoice says which goods
        issues it charges, to whoever may read the invoice. Nothing but their numbers and days may be shown."""
        return one_each(await connection.rows(self._by_ids(None), ids=ids), "id") if ids else {}

    def _build_by_ids(self, whose: WhoseDocuments) -> Statement[Row]:
        tenant, *mine = self.conditions(whose)
        return Statement(
            select(*self.columns.values()).where(
                tenant,
                self.table.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
                *(checked(each) for each in mine),
            ),
            self.row,
        )


async def announce(connection: Connection, ids: Sequence[UUID]) -> None:
    """Tell whoever watches that documents were issued, once this transaction has committed."""
    await events.notify(connection, "SupplierDocument", ids)


def lines_of(row: type[Row], lines: Table, key: str, documents: Table) -> Statement[Row]:
    """The lines of the documents in `ids`, by position; `key` is the column that names the document. The row's
    `currency`, if it has one, is the document's."""
    # Not a join: a plan that is kept for any number of ids may read all documents of the tenant to join a few.
    currency = (
        select(documents.c.currency).where(leads_to(lines.c[key], documents)).scalar_subquery()
        if "currency" in documents.c
        else null()
    )
    columns = (currency.label("currency") if name == "currency" else lines.c[name] for name in names_of(row))
    return Statement(
        select(*columns)
        .where(
            lines.c.tenant_id == bindparam("tenant_id"),
            lines.c[key] == any_(bindparam("ids", type_=ARRAY(Uuid))),
        )
        .order_by(lines.c[key], lines.c.position),
        row,
    )
