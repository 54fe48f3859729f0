"""Balance reports as files: the sheets of each of the three."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import strawberry

import db
from db.balance_movements import BalanceMovement
from db.connections import Connection
from resolvers import balance_movements, downloads, nodes, open_invoices
from resolvers.balance_reports import (
    Asked,
    BalanceReport,
    CustomerBalance,
    CustomerBalanceByOrder,
    ReconciliationReport,
    resolved,
)
from resolvers.context import Info
from rules.balances import AgeingBucket, BalanceReportKind, MovementKind
from rules.downloads import check_rows
from rules.money import to_major
from rules.periods import midnight
from rules.permissions import Permission
from rules.viewers import Viewer
from tenants.downloads import Asker, CellKind, Column, Report, Sheet, Words, in_language

_AT_ONCE = 500

_CURRENCY = Column(("Currency", "Währung"), width=10)
_NUMBER = Column(("Number", "Nummer"), width=18)
_DOCUMENT = Column(("Document", "Beleg"), width=18)
_ORDER = Column(("Order", "Auftrag"), width=18)
_DEBT = Column(("Debt", "Forderung"), CellKind.AMOUNT)
_PREPAYMENTS = Column(("Prepayments", "Vorauszahlungen"), CellKind.AMOUNT, 16)
_OF_ORDER = (
    _DEBT,
    _PREPAYMENTS,
    Column(("Invoiced", "Berechnet"), CellKind.AMOUNT),
    Column(("Credited", "Gutgeschrieben"), CellKind.AMOUNT),
    Column(("Paid", "Bezahlt"), CellKind.AMOUNT),
    _CURRENCY,
)
BUCKETS: dict[AgeingBucket, Words] = {
    AgeingBucket.NOT_DUE: ("Not due", "Nicht fällig"),
    AgeingBucket.DAYS_1_TO_30: ("1-30 days", "1-30 Tage"),
    AgeingBucket.DAYS_31_TO_60: ("31-60 days", "31-60 Tage"),
    AgeingBucket.DAYS_61_TO_90: ("61-90 days", "61-90 Tage"),
    AgeingBucket.OVER_90_DAYS: ("Over 90 days", "Über 90 Tage"),
}
_KINDS: dict[str, Words] = {
    MovementKind.INVOICE: ("Invoice", "Rechnung"),
    MovementKind.CREDIT_NOTE: ("Credit note", "Gutschrift"),
    MovementKind.PAYMENT: ("Payment", "Zahlung"),
    MovementKind.REFUND: ("Refund", "Rückzahlung"),
}
_TYPES: dict[str, Words] = {
    "Invoice": _KINDS[MovementKind.INVOICE],
    "CreditNote": _KINDS[MovementKind.CREDIT_NOTE],
    "Payment": _KINDS[MovementKind.PAYMENT],
}
_NO_ORDER: Words = ("(no order)", "(kein Auftrag)")
_OPENING: Words = ("Opening balance", "Anfangssaldo")
_CLOSING: Words = ("Closing balance", "Endsaldo")
_BALANCE = (
    Column(("As of (UTC)", "Stand (UTC)"), CellKind.MOMENT, 18),
    _DEBT,
    _PREPAYMENTS,
    Column(("Overdue", "Überfällig"), CellKind.AMOUNT),
    *(Column(words, CellKind.AMOUNT) for words in BUCKETS.values()),
    _CURRENCY,
)
_OPEN_INVOICE = (
    _NUMBER,
    Column(("Issued at (UTC)", "Ausgestellt am (UTC)"), CellKind.MOMENT, 18),
    Column(("Due on", "Fällig am"), width=12),
    Column(("Days overdue", "Tage überfällig"), CellKind.NUMBER),
    Column(("Ageing", "Altersklasse"), width=16),
    Column(("Total", "Gesamt"), CellKind.AMOUNT),
    Column(("Open", "Offen"), CellKind.AMOUNT),
    _CURRENCY,
)
_PREPAYMENT = (
    _DOCUMENT,
    _NUMBER,
    Column(("Since (UTC)", "Seit (UTC)"), CellKind.MOMENT, 18),
    Column(("Amount", "Betrag"), CellKind.AMOUNT),
    _CURRENCY,
)
_BY_ORDER = (_ORDER, Column(("Placed at (UTC)", "Bestellt am (UTC)"), CellKind.MOMENT, 18), *_OF_ORDER)
_SUMS = (
    Column(("Debit", "Soll"), CellKind.AMOUNT),
    Column(("Credit", "Haben"), CellKind.AMOUNT),
)
_MOVEMENT = (
    Column(("Date (UTC)", "Datum (UTC)"), CellKind.MOMENT, 18),
    _DOCUMENT,
    _NUMBER,
    *_SUMS,
    Column(("Balance", "Saldo"), CellKind.AMOUNT),
    _CURRENCY,
)
_TURNOVER = (
    Column(_OPENING, CellKind.AMOUNT, 16),
    *_SUMS,
    Column(_CLOSING, CellKind.AMOUNT),
    _CURRENCY,
)
_Rows = AsyncIterator[Sequence[tuple[Any, ...]]]


async def download(
    root: strawberry.Parent[BalanceReport], info: Info, format: downloads.Format
) -> downloads.Download:
    """BalanceReport.download. Raises DownloadTooLarge."""
    context = info.context
    check_rows(await _COUNTS[root.kind](context.connection, context.signed_in, dict(root.filters)), format)
    told: dict[str, str | date | None] = {
        "customer": nodes.global_id("Customer", root.customer.id),
        "currency": root.currency,
        "as_of": root.as_of,
    }
    if root.kind is BalanceReportKind.RECONCILIATION:
        told |= {"from_": root.period_from, "to": root.period_to}
    given = {name: str(value) for name, value in told.items() if value is not None}
    return downloads.link_to(context, REPORTS[root.kind], given, format)


async def _longest(connection: Connection, viewer: Viewer, filters: Mapping[str, Any]) -> int:
    """Of the two long sheets of a customer's balance."""
    return max(
        await db.open_invoices.count(connection, viewer, filters),
        await db.prepayments.count(connection, viewer, filters),
    )


_COUNTS = {
    BalanceReportKind.CUSTOMER: _longest,
    BalanceReportKind.BY_ORDER: db.order_balances.count,
    BalanceReportKind.RECONCILIATION: db.balance_movements.count,
}


async def _report(asker: Asker, kind: BalanceReportKind, told: Mapping[str, str]) -> BalanceReport:
    """The report of a link by the rights that the viewer has now. Raises DownloadTooLarge."""
    given: dict[str, Any] = {
        name: date.fromisoformat(value) if name in ("from_", "to", "as_of") else value
        for name, value in told.items()
    }
    found = await resolved(asker.connection, asker.viewer, Asked(kind, **given))
    check_rows(await _COUNTS[kind](asker.connection, asker.viewer, dict(found.filters)), asker.format)
    return found


async def _customer_code(asker: Asker, told: Mapping[str, str]) -> str:
    """Whose balance it is."""
    key = nodes.key_of(told["customer"], "Customer")
    assert key is not None, "we wrote the link"
    found = await db.customers.by_ids(asker.connection, asker.viewer, [key])
    return found[key].code


async def _customer_balance(asker: Asker, told: Mapping[str, str]) -> Sequence[Sheet]:
    report = await _report(asker, BalanceReportKind.CUSTOMER, told)
    assert isinstance(report, CustomerBalance)
    filters = dict(report.filters)

    async def invoices() -> _Rows:
        async for chunk in db.open_invoices.every(asker.connection, asker.viewer, filters, at_once=_AT_ONCE):
            yield [
                (
                    each.number,
                    each.issued_at,
                    str(each.due_on),
                    Decimal(max(each.days_overdue, 0)),
                    in_language(BUCKETS[AgeingBucket(each.bucket)], asker.language),
                    *_major((each.total, each.open), each.currency),
                )
                for each in chunk
            ]

    async def prepayments() -> _Rows:
        async for chunk in db.prepayments.every(asker.connection, asker.viewer, filters, at_once=_AT_ONCE):
            yield [
                (
                    in_language(_TYPES[each.document_type], asker.language),
                    each.number,
                    each.since,
                    *_major((each.amount,), each.currency),
                )
                for each in chunk
            ]

    async def balances() -> _Rows:
        key = report.filters
        found = (await db.balance_reports.standings(asker.connection, asker.viewer, [key]))[key]
        yield [
            (
                _end_of(report.as_of),
                *_major(
                    (each.debt, each.prepayments, each.overdue, *(aged.amount for aged in each.aged)),
                    each.currency,
                ),
            )
            for each in open_invoices.standings(report, found)
        ]

    return (
        Sheet(("Open invoices", "Offene Rechnungen"), _OPEN_INVOICE, invoices()),
        Sheet(("Prepayments", "Vorauszahlungen"), _PREPAYMENT, prepayments()),
        Sheet(("Balance", "Saldo"), _BALANCE, balances()),
    )


async def _by_order(asker: Asker, told: Mapping[str, str]) -> Sequence[Sheet]:
    report = await _report(asker, BalanceReportKind.BY_ORDER, told)
    assert isinstance(report, CustomerBalanceByOrder)
    names = [each.name for each in fields(db.order_balances.OrderBalanceTotal)][2:]

    async def orders() -> _Rows:
        async for chunk in db.order_balances.every(
            asker.connection, asker.viewer, dict(report.filters), at_once=_AT_ONCE
        ):
            yield [
                (
                    each.number or in_language(_NO_ORDER, asker.language),
                    each.placed_at if each.id else None,
                    *_major((getattr(each, name) for name in names), each.currency),
                )
                for each in chunk
            ]

    async def totals() -> _Rows:
        key = report.filters
        found = (await db.order_balances.totals(asker.connection, asker.viewer, [key]))[key]
        yield [_major((getattr(each, name) for name in names), each.currency) for each in found]

    return (
        Sheet(("Orders", "Aufträge"), _BY_ORDER, orders()),
        Sheet(("Totals", "Summen"), _OF_ORDER, totals()),
    )


async def _reconciliation(asker: Asker, told: Mapping[str, str]) -> Sequence[Sheet]:
    report = await _report(asker, BalanceReportKind.RECONCILIATION, told)
    assert isinstance(report, ReconciliationReport)
    assert report.period_to is not None, "a reconciliation has a last day"
    key = report.filters
    found = (await db.balance_movements.turnovers(asker.connection, asker.viewer, [key]))[key]
    sums = {each.currency: each for each in balance_movements.turnovers(report, found)}
    begun = midnight(report.period_from) if report.period_from else None
    ended = _end_of(report.period_to)

    async def movements() -> _Rows:
        left = iter(sums.values())
        current = next(left)
        yield [_edge(asker, _OPENING, begun, current.opening, current.currency)]
        async for chunk in db.balance_movements.every(
            asker.connection, asker.viewer, dict(report.filters), at_once=_AT_ONCE
        ):
            rows = []
            for each in chunk:
                while each.currency != current.currency:
                    rows.append(_edge(asker, _CLOSING, ended, current.closing, current.currency))
                    current = next(left)
                    rows.append(_edge(asker, _OPENING, begun, current.opening, current.currency))
                rows.append(_movement(asker, each))
            yield rows
        rest = [_edge(asker, _CLOSING, ended, current.closing, current.currency)]
        for current in left:
            rest.append(_edge(asker, _OPENING, begun, current.opening, current.currency))
            rest.append(_edge(asker, _CLOSING, ended, current.closing, current.currency))
        yield rest

    async def totals() -> _Rows:
        yield [
            _major((each.opening, each.debit, each.credit, each.closing), each.currency)
            for each in sums.values()
        ]

    return (
        Sheet(("Movements", "Bewegungen"), _MOVEMENT, movements()),
        Sheet(("Totals", "Summen"), _TURNOVER, totals()),
    )


def _movement(asker: Asker, each: BalanceMovement) -> tuple[Any, ...]:
    sides = (max(each.amount, 0) or None, max(-each.amount, 0) or None)
    return (
        each.moved_at,
        in_language(_KINDS[each.kind], asker.language),
        each.document_number,
        *(None if side is None else to_major(side, each.currency) for side in sides),
        *_major((each.balance,), each.currency),
    )


def _edge(asker: Asker, words: Words, at: datetime | None, balance: int, currency: str) -> tuple[Any, ...]:
    """The row before or after the movements in one currency."""
    return (at, in_language(words, asker.language), None, None, None, *_major((balance,), currency))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC).replace(microsecond=0)


def _major(amounts: Iterable[int], currency: str) -> tuple[Any, ...]:
    """Minor units as cells, and the currency after them."""
    return (*(to_major(each, currency) for each in amounts), currency)


REPORTS = {
    BalanceReportKind.CUSTOMER: Report(
        "customer-balance",
        ("Customer balance", "Kundensaldo"),
        Permission.BALANCES_READ,
        _customer_balance,
        _customer_code,
    ),
    BalanceReportKind.BY_ORDER: Report(
        "balance-by-order",
        ("Customer balance by orders", "Kundensaldo nach Aufträgen"),
        Permission.BALANCES_READ,
        _by_order,
        _customer_code,
    ),
    BalanceReportKind.RECONCILIATION: Report(
        "reconciliation",
        ("Reconciliation report", "Saldenabgleichsbericht"),
        Permission.BALANCES_READ,
        _reconciliation,
        _customer_code,
    ),
}
