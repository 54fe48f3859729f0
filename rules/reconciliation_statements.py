"""Reconciliation statements: what may be done with one, and which periods can be stated."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from rules.broken import BrokenRule
from rules.documents import DocumentStatus

LONGEST_COMMENT = 2_000
LONGEST_REASON = 2_000
# A statement is copied and sent whole: a longer one is no letter any more.
MOST_MOVEMENTS = 20_000


class StatementAct(StrEnum):
    """What a customer does with a statement."""

    CONFIRM = "CONFIRM"
    DISPUTE = "DISPUTE"


class StatementAnswered(BrokenRule):
    """A statement is answered once."""

    english = "This statement has been confirmed or disputed already."
    german = "Dieser Auszug wurde schon bestätigt oder beanstandet."


class PeriodNotOver(BrokenRule):
    """A statement tells what happened: its period cannot end in the future."""

    english = "A period that is stated ends today or earlier."
    german = "Ein Zeitraum, der ausgewiesen wird, endet heute oder früher."


@dataclass(eq=False, kw_only=True)
class StatementTooLong(BrokenRule):
    """A period has more movements than a statement holds."""

    english = "The period has {movements} movements; a statement holds at most {most}. Choose a shorter one."
    german = "Der Zeitraum hat {movements} Bewegungen; ein Auszug fasst höchstens {most}. Wählen Sie einen kürzeren."

    movements: int
    most: int = MOST_MOVEMENTS


# What follows from an act: the next state, or the rule that forbids it.
Outcome: TypeAlias = DocumentStatus | type[BrokenRule]

TRANSITIONS: dict[DocumentStatus, dict[StatementAct, Outcome]] = {
    DocumentStatus.ISSUED: {
        StatementAct.CONFIRM: DocumentStatus.CONFIRMED,
        StatementAct.DISPUTE: DocumentStatus.DISPUTED,
    },
    DocumentStatus.CONFIRMED: {
        StatementAct.CONFIRM: StatementAnswered,
        StatementAct.DISPUTE: StatementAnswered,
    },
    DocumentStatus.DISPUTED: {
        StatementAct.CONFIRM: StatementAnswered,
        StatementAct.DISPUTE: StatementAnswered,
    },
}


def refusal(state: str, act: StatementAct) -> BrokenRule | None:
    """Why something cannot be done with a statement in this state, or None."""
    outcome = TRANSITIONS[DocumentStatus(state)][act]
    return None if isinstance(outcome, DocumentStatus) else outcome()


def after(state: str, act: StatementAct, *path: str) -> DocumentStatus:
    """The state in which a statement is after an act. Raises the rule of the table."""
    outcome = TRANSITIONS[DocumentStatus(state)][act]
    if not isinstance(outcome, DocumentStatus):
        raise outcome(path=path)
    return outcome


def check_over(last: date, today: date, *path: str) -> None:
    """Refuse a period that ends in the future. Raises PeriodNotOver."""
    if last > today:
        raise PeriodNotOver(path=path)


def check_length(movements: int, *path: str) -> None:
    """Refuse more movements than a statement holds. Raises StatementTooLong."""
    if movements > MOST_MOVEMENTS:
        raise StatementTooLong(movements=movements, path=path)
