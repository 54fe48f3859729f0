"""Reconciliation statements as they are printed: every movement with the running balance, and room to sign."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import db
from db.reconciliation_statements import ReconciliationStatement, ReconciliationStatementLine
from resolvers.prints import Office, office
from rules.balances import MovementKind
from rules.documents import DocumentStatus
from rules.prints import Align, Column, Fact, Printed, Row
from tenants.downloads import Reader, Words

_STATEMENT = ("Reconciliation statement", "Saldenabgleich")
_MOVEMENTS: dict[str, Words] = {
    MovementKind.INVOICE: ("Invoice", "Rechnung"),
    MovementKind.CREDIT_NOTE: ("Credit note", "Gutschrift"),
    MovementKind.PAYMENT: ("Payment", "Zahlung"),
    MovementKind.REFUND: ("Refund", "Rückzahlung"),
}
# What each kind does to what is owed; the other way round it takes an earlier one back.
_RAISES = frozenset({MovementKind.INVOICE, MovementKind.REFUND})
_ANSWERS: dict[str, Words] = {
    DocumentStatus.CONFIRMED: ("Confirmed on", "Bestätigt am"),
    DocumentStatus.DISPUTED: ("Disputed on", "Beanstandet am"),
}


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The statements among the ids that the viewer may see."""
    found = await db.reconciliation_statements.by_ids(reader.connection, reader.viewer, ids)
    lines = await db.reconciliation_statements.lines_of(reader.connection, reader.viewer, list(found))
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {each.id: _printed(writes, each, lines[each.id]) for each in found.values()}


def _printed(
    office: Office, statement: ReconciliationStatement, lines: Sequence[ReconciliationStatementLine]
) -> Printed:
    addressee = office.addressee(statement.customer_id)
    return office.printed(
        kind=_STATEMENT,
        number=statement.number,
        addressee=addressee,
        facts=_facts(office, statement),
        opening=office.say(
            (
                "In this period our books say of your account with us, in {}:",
                "In diesem Zeitraum steht in unseren Büchern zu Ihrem Kundenkonto, in {}:",
            )
        ).format(statement.currency),
        columns=tuple(
            Column(office.say(words), align, wide=wide)
            for words, align, wide in (
                (("Date", "Datum"), Align.LEFT, False),
                (("Document", "Beleg"), Align.LEFT, True),
                (("Debit", "Soll"), Align.RIGHT, False),
                (("Credit", "Haben"), Align.RIGHT, False),
                (("Balance", "Saldo"), Align.RIGHT, False),
            )
        ),
        rows=_rows(office, statement, lines),
        closing=_closing(office, statement),
        signatures=tuple(
            office.say(("{}\nPlace, date, signature", "{}\nOrt, Datum, Unterschrift")).format(name)
            for name in (office.portal.legal_name, addressee[0] if addressee else "")
        ),
    )


def _facts(office: Office, statement: ReconciliationStatement) -> tuple[Fact, ...]:
    period = office.period(statement.period_from, statement.period_to)
    answered = office.day(statement.answered_at) if statement.answered_at else None
    return office.facts(
        (("Statement no.", "Nummer"), statement.number),
        (("Date", "Datum"), office.day(statement.issued_at)),
        (("Period", "Zeitraum"), period),
        (("Customer no.", "Kundennummer"), office.code_of(statement.customer_id)),
        (("Currency", "Währung"), statement.currency),
        (_ANSWERS.get(statement.state, ("", "")), answered if statement.state in _ANSWERS else None),
        (("Reason", "Grund"), statement.dispute_reason),
    )


def _rows(
    office: Office, statement: ReconciliationStatement, lines: Sequence[ReconciliationStatementLine]
) -> tuple[Row, ...]:
    def amount(minor: int) -> str:
        return office.amount(minor, statement.currency)

    opening = office.say(("Opening balance", "Anfangssaldo"))
    closing = office.say(("Closing balance", "Endsaldo"))
    first, last = office.day(statement.period_from), office.day(statement.period_to)
    return (
        Row((first, opening, "", "", amount(statement.opening)), strong=True),
        *(
            Row(
                (
                    office.day(each.moved_at),
                    _document(office, each),
                    amount(each.amount) if each.amount >= 0 else "",
                    amount(-each.amount) if each.amount < 0 else "",
                    amount(each.balance),
                )
            )
            for each in lines
        ),
        Row(
            (last, closing, amount(statement.debit), amount(statement.credit), amount(statement.closing)),
            strong=True,
        ),
    )


def _document(office: Office, line: ReconciliationStatementLine) -> str:
    word = office.say(_MOVEMENTS[line.kind])
    if (line.amount >= 0) is (line.kind in _RAISES):
        return f"{word} {line.document_number}"
    return office.say(("Reversal: {} {}", "Storno: {} {}")).format(word, line.document_number)


def _closing(office: Office, statement: ReconciliationStatement) -> tuple[str, ...]:
    balance = office.money(abs(statement.closing), statement.currency)
    day = office.day(statement.period_to)
    words = (
        ("On {} the account was even.", "Am {} war das Konto ausgeglichen.")
        if statement.closing == 0
        else ("On {} the balance was {} in our favour.", "Am {} betrug der Saldo {} zu unseren Gunsten.")
        if statement.closing > 0
        else ("On {} the balance was {} in your favour.", "Am {} betrug der Saldo {} zu Ihren Gunsten.")
    )
    ask = (
        "Please compare this with your books, and confirm it or tell us what is different.",
        "Bitte vergleichen Sie dies mit Ihren Büchern und bestätigen Sie es, oder sagen Sie uns, was abweicht.",
    )
    # The balance comes last: it is what both sign.
    said = (statement.comment, office.say(ask), office.say(words).format(day, balance))
    return tuple(each for each in said if each)
