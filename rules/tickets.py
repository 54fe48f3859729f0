"""Tickets: questions to the company, what may be done with one, and by when it wants to have answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from rules.broken import BrokenRule
from rules.permissions import MissingPermission, Permission
from rules.texts import TextMissing, check_text

LONGEST_MESSAGE = 20_000

# What can be asked about, by the names of their types.
ABOUT = (
    "Order",
    "Quotation",
    "GoodsIssue",
    "Invoice",
    "TaxInvoice",
    "GoodsReturn",
    "CreditNote",
    "ReconciliationStatement",
    "Product",
    "RMARequest",
    "SharedFile",
    "Payment",
)


class TicketState(StrEnum):
    """For whom a ticket waits."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


class TicketSide(StrEnum):
    """On which side of a ticket somebody is."""

    CUSTOMER = "CUSTOMER"
    COMPANY = "COMPANY"


class TicketAct(StrEnum):
    """What people do with a ticket."""

    REPLY = "REPLY"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"
    NOTE = "NOTE"
    ASSIGN = "ASSIGN"


class TicketTarget(StrEnum):
    """How a ticket stands to a time that the company has set itself."""

    NONE = "NONE"
    PENDING = "PENDING"
    MET = "MET"
    MISSED = "MISSED"


class TicketClosed(BrokenRule):
    """A ticket that is closed cannot be closed again."""

    english = "This ticket is closed already."
    german = "Diese Anfrage ist bereits geschlossen."


class TicketNotClosed(BrokenRule):
    """A ticket that is not closed cannot be reopened."""

    english = "This ticket is not closed."
    german = "Diese Anfrage ist nicht geschlossen."


class TicketReopenedByReply(BrokenRule):
    """A customer reopens a ticket by saying what is still to be done about it."""

    english = "Reply to this ticket to reopen it."
    german = "Antworten Sie auf diese Anfrage, um sie wieder zu öffnen."


class TicketCustomerMissing(BrokenRule):
    """The staff has to say for which customer it opens a ticket, when what it is about does not tell."""

    english = "Say for which customer this ticket is."
    german = "Geben Sie an, für welchen Kunden diese Anfrage ist."


@dataclass(eq=False, kw_only=True)
class NoTicketHandler(BrokenRule):
    """A ticket was to be given to somebody who cannot handle it."""

    english = "{name} does not handle tickets at this company."
    german = "{name} bearbeitet bei diesem Unternehmen keine Anfragen."

    name: str


# What follows from an act: the next state, the rule that forbids it, or None for what that side never does.
Outcome: TypeAlias = TicketState | type[BrokenRule] | None

_OPEN, _ANSWERED, _CLOSED = TicketState
TRANSITIONS: dict[tuple[TicketSide, TicketState], dict[TicketAct, Outcome]] = {
    (TicketSide.CUSTOMER, _OPEN): {
        TicketAct.REPLY: _OPEN,
        TicketAct.CLOSE: _CLOSED,
        TicketAct.REOPEN: TicketNotClosed,
        TicketAct.NOTE: None,
        TicketAct.ASSIGN: None,
    },
    (TicketSide.CUSTOMER, _ANSWERED): {
        TicketAct.REPLY: _OPEN,
        TicketAct.CLOSE: _CLOSED,
        TicketAct.REOPEN: TicketNotClosed,
        TicketAct.NOTE: None,
        TicketAct.ASSIGN: None,
    },
    (TicketSide.CUSTOMER, _CLOSED): {
        TicketAct.REPLY: _OPEN,
        TicketAct.CLOSE: TicketClosed,
        TicketAct.REOPEN: TicketReopenedByReply,
        TicketAct.NOTE: None,
        TicketAct.ASSIGN: None,
    },
    (TicketSide.COMPANY, _OPEN): {
        TicketAct.REPLY: _ANSWERED,
        TicketAct.CLOSE: _CLOSED,
        TicketAct.REOPEN: TicketNotClosed,
        TicketAct.NOTE: _OPEN,
        TicketAct.ASSIGN: _OPEN,
    },
    (TicketSide.COMPANY, _ANSWERED): {
        TicketAct.REPLY: _ANSWERED,
        TicketAct.CLOSE: _CLOSED,
        TicketAct.REOPEN: TicketNotClosed,
        TicketAct.NOTE: _ANSWERED,
        TicketAct.ASSIGN: _ANSWERED,
    },
    # A last word from the company leaves a ticket closed: the customer, who was told it, reopens it if need be.
    (TicketSide.COMPANY, _CLOSED): {
        TicketAct.REPLY: _CLOSED,
        TicketAct.CLOSE: TicketClosed,
        TicketAct.REOPEN: _OPEN,
        TicketAct.NOTE: _CLOSED,
        TicketAct.ASSIGN: _CLOSED,
    },
}

# What each act takes.
NEEDS = {
    TicketAct.REPLY: Permission.TICKETS_WRITE,
    TicketAct.CLOSE: Permission.TICKETS_WRITE,
    TicketAct.REOPEN: Permission.TICKETS_WRITE,
    TicketAct.NOTE: Permission.TICKETS_HANDLE,
    TicketAct.ASSIGN: Permission.TICKETS_HANDLE,
}


def refusal(state: str, side: TicketSide, act: TicketAct) -> BrokenRule | None:
    """Why somebody on a side cannot do something with a ticket in this state, or None."""
    outcome = TRANSITIONS[side, TicketState(state)][act]
    if outcome is None:
        return MissingPermission(permissions=(NEEDS[act],))
    return None if isinstance(outcome, TicketState) else outcome()


def after(state: str, side: TicketSide, act: TicketAct, *path: str) -> TicketState:
    """The state in which a ticket is after an act. Raises the rule of the table, or MissingPermission."""
    broken = refusal(state, side, act)
    if broken is not None:
        raise broken.at(*path)
    outcome = TRANSITIONS[side, TicketState(state)][act]
    assert isinstance(outcome, TicketState), "it was not refused"
    return outcome


def acts_of(side: TicketSide) -> list[TicketAct]:
    """What somebody on a side ever does."""
    return [act for act in TicketAct if TRANSITIONS[side, TicketState.OPEN][act] is not None]


def check_message(text: str, *path: str) -> None:
    """Refuse a message that says nothing, or too much. Raises TextMissing or TextTooLong."""
    if not text.strip():
        raise TextMissing(path=path)
    check_text(text, LONGEST_MESSAGE, *path)


def due(opened_at: datetime, hours: int | None) -> datetime | None:
    """By when something is to have happened that the company wants within so many hours; None: within any time."""
    return None if hours is None else opened_at + timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Promises:
    """By when a ticket is to be answered and resolved, and when it was; None: for no time, or not yet."""

    first_answer_due_at: datetime | None
    first_answered_at: datetime | None
    resolution_due_at: datetime | None
    resolved_at: datetime | None

    def first_answer(self, now: datetime) -> TicketTarget:
        """How the first answer stands: what is resolved without one needs none any more."""
        done = [each for each in (self.first_answered_at, self.resolved_at) if each is not None]
        return _target(self.first_answer_due_at, min(done, default=None), now)

    def resolution(self, now: datetime) -> TicketTarget:
        """How the resolution stands; of a ticket that was reopened, the last one."""
        return _target(self.resolution_due_at, self.resolved_at, now)

    def is_overdue(self, now: datetime) -> bool:
        """Whether something is still to happen that should have happened by now."""
        if self.resolved_at is not None:
            return False
        awaited = self.first_answered_at is None and self.first_answer(now) is TicketTarget.MISSED
        return awaited or self.resolution(now) is TicketTarget.MISSED


def _target(due_at: datetime | None, done_at: datetime | None, now: datetime) -> TicketTarget:
    if due_at is None:
        return TicketTarget.NONE
    if done_at is None and now <= due_at:
        return TicketTarget.PENDING
    return TicketTarget.MET if (done_at or now) <= due_at else TicketTarget.MISSED
