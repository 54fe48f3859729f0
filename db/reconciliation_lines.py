"""Reconciliation lines: the movements of one statement, in windows."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, any_, bindparam, select

from db.connections import Connection, many_each
from db.pages import Condition, Key, Listing
from db.reconciliation_statements import (
    ReconciliationStatementLine,
    reconciliation_statement_lines,
    reconciliation_statements,
)
from db.rows import names_of
from db.statements import Statement
from db.tables import leads_to
from rules.viewers import Viewer

_LINES = reconciliation_statement_lines
_OF_STATEMENT = leads_to(_LINES.c.reconciliation_statement_id, reconciliation_statements)
_every_one = (
    select(
        *(
            reconciliation_statements.c.currency if name == "currency" else _LINES.c[name]
            for name in names_of(ReconciliationStatementLine)
        )
    )
    .join_from(_LINES, reconciliation_statements, _OF_STATEMENT)
    .where(_LINES.c.tenant_id == bindparam("tenant_id"))
)
_CONDITIONS: dict[str, Condition] = {
    "statement_id": _LINES.c.reconciliation_statement_id == bindparam("statement_id", type_=Uuid),
}
ORDERS = {"POSITION_ASC": Key(_LINES.c.position)}
# Filters: statement_id, of a statement that the viewer may see.
_listing = Listing(
    ReconciliationStatementLine, lambda _: _every_one, _CONDITIONS, ORDERS, _LINES.c.document_id
)
keys, page, count = _listing.keys, _listing.page, _listing.count

_first = Statement(
    _every_one.where(
        _LINES.c.reconciliation_statement_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        _LINES.c.position <= bindparam("most", type_=Integer),
    ).order_by(_LINES.c.reconciliation_statement_id, _LINES.c.position),
    ReconciliationStatementLine,
)


async def first(
    connection: Connection, _viewer: Viewer, keys: Sequence[tuple[UUID, int]]
) -> Mapping[tuple[UUID, int], list[ReconciliationStatementLine]]:
    """The first movements of statements: so many of each. Ask for statements that the viewer may see."""
    found: dict[tuple[UUID, int], list[ReconciliationStatementLine]] = {}
    for most in {each for _, each in keys}:
        ids = [key for key, each in keys if each == most]
        rows = await connection.rows(_first, ids=ids, most=most)
        lines = many_each(rows, ids, "reconciliation_statement_id")
        found |= {(key, most): lines[key] for key in ids}
    return found
