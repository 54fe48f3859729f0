"""The demo's reconciliation statement: what a made-up company and its first customer had to do with each other."""

from datetime import UTC, date, datetime

import uuid_utils.compat as uuid

import db
from db.balance_movements import Turnover
from db.connections import Connection
from db.reconciliation_statements import ReconciliationStatement
from rules.documents import DocumentStatus
from rules.numbers import NumberKind
from rules.periods import midnight, next_day
from server.demo import people
from server.demo.portals import DemoPortal

_FROM, _TO = date(2026, 7, 1), date(2026, 9, 30)
_COMMENTS = {
    "en": "For your books of the third quarter.",
    "de": "Für Ihre Bücher zum dritten Quartal.",
}


async def add(connection: Connection, portal: DemoPortal) -> None:
    """An issued statement of the third quarter for the customer of the portal's first person."""
    buyer = await people.first_buyer(connection, portal)
    assert buyer.customer_id is not None
    filters = {
        "customer_id": buyer.customer_id,
        "from_": midnight(_FROM),
        "before": midnight(next_day(_TO)),
        "currency": buyer.currency,
    }
    key = frozenset(filters.items())
    found = (await db.balance_movements.turnovers(connection, buyer, [key]))[key]
    turnover = next(iter(found), Turnover(buyer.currency, 0, 0, 0, 0))
    new = ReconciliationStatement(
        id=uuid.uuid7(),
        number=(await db.numbers.take(connection, NumberKind.RECONCILIATION_STATEMENT, 1))[0],
        customer_id=buyer.customer_id,
        issued_at=datetime.now(UTC),
        period_from=_FROM,
        period_to=_TO,
        currency=buyer.currency,
        opening=turnover.opening,
        debit=turnover.debit,
        credit=turnover.credit,
        closing=turnover.closing,
        comment=_COMMENTS[portal.locale],
        state=DocumentStatus.ISSUED.value,
        dispute_reason=None,
        answered_at=None,
        account_id=None,
        version=1,
    )
    await db.reconciliation_statements.add(connection, [new])
    await db.balance_movements.copy(connection, buyer, filters, new.id, turnover.opening)
