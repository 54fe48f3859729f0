"""Balance movements: the ledger of one customer as people read it: a line for what a document moved at a moment.

A payment that settles three invoices is one line, and what was only moved between invoices and the account is none:
what is owed did not change by it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)

from db.balance_reports import COUNTED, GIVEN, OF_CUSTOMER, Filters, in_currency, total, whose
from db.connections import Connection
from db.movement_documents import DOCUMENT_ID, DOCUMENT_TYPE, number_of
from db.movements import movements
from db.pages import Condition, Key, Listing, Page, Window
from db.reconciliation_statements import reconciliation_statement_lines
from db.statements import Statement
from rules.viewers import Viewer


@dataclass(slots=True)
class BalanceMovement:
    """What a document moved at a moment (UTC): what is owed grew by `amount` to `balance`, in minor units of
    `currency`. `document_type` is a GraphQL type."""

    moved_at: datetime
    kind: str
    document_type: str
    document_id: UUID
    document_number: str
    amount: int
    currency: str
    balance: int = 0


@dataclass(slots=True)
class Turnover:
    """What moved in a period in one currency, in minor units: closing = opening + debit - credit."""

    currency: str
    opening: int
    debit: int
    credit: int
    lines: int

    @property
    def closing(self) -> int:
        """The balance at the end."""
        return self.opening + self.debit - self.credit


_FROM = bindparam("from_", type_=DateTime(timezone=True))
_grouped = (
    select(
        movements.c.currency,
        movements.c.moved_at,
        DOCUMENT_ID.label("document_id"),
        func.min(movements.c.kind).label("kind"),
        func.min(DOCUMENT_TYPE).label("document_type"),
        total(movements.c.amount).label("amount"),
    )
    .where(*COUNTED)
    .group_by(movements.c.currency, movements.c.moved_at, literal_column("document_id"))
    .having(func.sum(movements.c.amount) != 0)
    .subquery("grouped")
)
_COLUMNS = (
    _grouped.c.moved_at,
    _grouped.c.kind,
    _grouped.c.document_type,
    _grouped.c.document_id,
    number_of(_grouped.c.document_id).label("document_number"),
    _grouped.c.amount,
    _grouped.c.currency,
)
_every_one = select(*_COLUMNS)
_CONDITIONS: dict[str, Condition] = {
    **GIVEN,
    "from_": _grouped.c.moved_at >= _FROM,
    "currency": _grouped.c.currency == bindparam("currency", type_=Text),
}
ORDERS = {"MOVED_AT_ASC": Key(_grouped.c.moved_at)}


def _row(*values: Any) -> BalanceMovement:
    return BalanceMovement(*values)


_listing = Listing(_row, lambda _: _every_one, _CONDITIONS, ORDERS, _grouped.c.document_id, whose=whose)
keys, count = _listing.keys, _listing.count
_ahead_of = Statement[int](
    select(total(movements.c.amount)).where(
        *OF_CUSTOMER,
        movements.c.currency == bindparam("currency", type_=Text),
        movements.c.moved_at <= bindparam("moved_at", type_=DateTime(timezone=True)),
        tuple_(movements.c.moved_at, DOCUMENT_ID)
        < tuple_(bindparam("moved_at", type_=DateTime(timezone=True)), bindparam("document_id", type_=Uuid)),
    )
)


async def page(
    connection: Connection,
    viewer: Viewer,
    filters: Mapping[str, Any],
    order: tuple[str, ...],
    window: Window,
) -> Page:
    """A window of the movements in one currency, each with the balance after it: what came before the first of them is
    added up once, whichever way one pages. Filters: those of a report, and from_."""
    found = await _listing.page(connection, viewer, filters, order, window)
    if found.rows:
        first = found.rows[0]
        balance = await connection.value(
            _ahead_of,
            customer_id=filters["customer_id"],
            currency=filters["currency"],
            moved_at=first.moved_at,
            document_id=first.document_id,
            **whose(viewer)[1],
        )
        for row in found.rows:
            balance += row.amount
            row.balance = balance
    return found


def _sum(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(_grouped.c.amount).filter(*conditions), 0).cast(BigInteger)


_IN_PERIOD = _grouped.c.moved_at >= _FROM
_turnovers = Statement(
    select(
        _grouped.c.currency,
        _sum(_grouped.c.moved_at < _FROM).label("opening"),
        _sum(_IN_PERIOD, _grouped.c.amount > 0).label("debit"),
        (-_sum(_IN_PERIOD, _grouped.c.amount < 0)).label("credit"),
        func.count().filter(_IN_PERIOD).label("lines"),
    )
    .where(in_currency(_grouped.c.currency))
    .group_by(_grouped.c.currency)
    .order_by(_grouped.c.currency),
    Turnover,
)
_all = Statement(
    _every_one.where(_IN_PERIOD, in_currency(_grouped.c.currency)).order_by(
        _grouped.c.currency, _grouped.c.moved_at, _grouped.c.document_id
    ),
    _row,
)


async def turnovers(
    connection: Connection, viewer: Viewer, keys: Sequence[Filters]
) -> Mapping[Filters, list[Turnover]]:
    """Opening, debit and credit of each report, one a currency in which anything moved until its end."""
    found = {}
    for key in keys:
        values = {**dict(key), **whose(viewer)[1]}
        found[key] = await connection.rows(_turnovers, **_turnovers.needed(values))
    return found


async def every(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], *, at_once: int
) -> AsyncIterator[list[BalanceMovement]]:
    """All movements of a period with the balance after each, by currency, oldest first, a chunk at a time."""
    key = frozenset(filters.items())
    sums = (await turnovers(connection, viewer, [key]))[key]
    balances = {each.currency: each.opening for each in sums}
    values = {**filters, **whose(viewer)[1]}
    async for chunk in connection.chunks(_all, at_once, **_all.needed(values)):
        for row in chunk:
            row.balance = balances[row.currency] = balances[row.currency] + row.amount
        yield chunk


_NAMES = ("moved_at", "kind", "document_type", "document_id", "document_number", "amount")
_LINES = reconciliation_statement_lines
_ORDERED = (_grouped.c.moved_at, _grouped.c.document_id)
_copy = Statement[None](
    insert(_LINES).from_select(
        ["tenant_id", "reconciliation_statement_id", "position", *_NAMES, "balance"],
        select(
            bindparam("tenant_id", type_=Uuid),
            bindparam("statement_id", type_=Uuid),
            func.row_number().over(order_by=_ORDERED),
            *_COLUMNS[:-1],
            (
                bindparam("opening", type_=BigInteger)
                + func.sum(_grouped.c.amount).over(order_by=_ORDERED, rows=(None, 0))
            ).cast(BigInteger),
        ).where(_IN_PERIOD, _grouped.c.currency == bindparam("currency", type_=Text)),
    )
)


async def copy(
    connection: Connection, viewer: Viewer, filters: Mapping[str, Any], statement_id: UUID, opening: int
) -> None:
    """Keep the movements of a period in one currency as the lines of a statement, with one statement however many.
    The customer is to be locked, or what is posted meanwhile is in neither."""
    values = {**filters, **whose(viewer)[1], "statement_id": statement_id, "opening": opening}
    await connection.run(_copy, **_copy.needed(values))
