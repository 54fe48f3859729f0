"""RMA requests: what a customer may ask to return, what the company may decide, and where a request stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rules.broken import BrokenRule

LONGEST_PROBLEM = 2_000
LONGEST_COMMENT = 2_000
LONGEST_REASON = 2_000
LONGEST_SERIAL_NUMBER = 200
MOST_LINES = 1_000


class Resolution(StrEnum):
    """What the company will do about a line of a request."""

    DIAGNOSE = "DIAGNOSE"
    REPAIR = "REPAIR"
    REPLACE = "REPLACE"
    RETURN = "RETURN"
    REFUND = "REFUND"
    DECLINED = "DECLINED"


# With these the goods come back for good: a goods return, and then a credit note.
TAKEN_BACK = frozenset({Resolution.REPLACE, Resolution.RETURN, Resolution.REFUND})


class RMAWish(StrEnum):
    """What a customer can wish for: the resolutions that help it."""

    REPAIR = "REPAIR"
    REPLACE = "REPLACE"
    RETURN = "RETURN"
    REFUND = "REFUND"


class RMALineState(StrEnum):
    """Where a line of a request stands, derived from what was decided and what has happened since."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_DIAGNOSIS = "IN_DIAGNOSIS"
    AUTHORISED = "AUTHORISED"
    RECEIVED = "RECEIVED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    CLOSED = "CLOSED"


class RMAStage(StrEnum):
    """Where a request stands, derived from its lines."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    AUTHORISED = "AUTHORISED"
    RECEIVED = "RECEIVED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    CLOSED = "CLOSED"


# Of these something is still to be decided.
UNDECIDED_STAGES = (RMAStage.SUBMITTED, RMAStage.IN_REVIEW)


class RMAAct(StrEnum):
    """What people do with a request."""

    UPDATE = "UPDATE"
    DELETE = "DELETE"
    SUBMIT = "SUBMIT"
    DECIDE = "DECIDE"
    RECEIVE = "RECEIVE"
    CREDIT = "CREDIT"
    REPLACE = "REPLACE"
    REFUND = "REFUND"
    CLOSE = "CLOSE"


# These are done only while the request's invoice stands; money that was credited goes back in any case.
ON_INVOICE = frozenset({RMAAct.RECEIVE, RMAAct.CREDIT, RMAAct.REPLACE})


class RMAActor(StrEnum):
    """On which side somebody is."""

    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"


# Who may do what with a request at each stage: C the customer, S the company's staff, - nobody.
_TABLE = """
            | UPDATE DELETE SUBMIT DECIDE RECEIVE CREDIT REPLACE REFUND CLOSE
DRAFT       |   C      C      C      -       -       -      -      -      -
SUBMITTED   |   -      -      -      S       -       -      -      -      S
IN_REVIEW   |   -      -      -      S       S       S      S      S      S
AUTHORISED  |   -      -      -      S       S       S      S      S      S
RECEIVED    |   -      -      -      S       S       S      S      S      S
COMPLETED   |   -      -      -       -       S      -      -      S      -
DECLINED    |   -      -      -      S       -       -      -      -      -
CLOSED      |   -      -      -       -       -      -      -      S      -
"""
_HEAD, *_ROWS = [line.split("|") for line in _TABLE.strip("\n").splitlines()]
_MARKS = {"C": RMAActor.CUSTOMER, "S": RMAActor.STAFF}
TRANSITIONS: frozenset[tuple[RMAStage, RMAAct, RMAActor]] = frozenset(
    (RMAStage(stage.strip()), RMAAct(act), _MARKS[mark])
    for stage, marks in _ROWS
    for act, mark in zip(_HEAD[1].split(), marks.split(), strict=True)
    if mark != "-"
)


class RMARequestSubmitted(BrokenRule):
    """A request that was submitted is changed by its customer no more."""

    english = "This request has been submitted; it can no longer be changed."
    german = "Diese Anfrage wurde eingereicht und kann nicht mehr geändert werden."


class RMARequestNotSubmitted(BrokenRule):
    """A request is a draft: the company's part begins when it is submitted."""

    english = "This request has not been submitted yet."
    german = "Diese Anfrage wurde noch nicht eingereicht."


class RMARequestEnded(BrokenRule):
    """A request is completed, declined or closed."""

    english = "This request has ended."
    german = "Diese Anfrage ist beendet."


class RMARequestUndecided(BrokenRule):
    """Nothing of a request was granted yet, so nothing comes back for it."""

    english = "Nothing of this request has been granted yet."
    german = "Von dieser Anfrage wurde noch nichts genehmigt."


@dataclass(frozen=True, slots=True)
class LineProgress:
    """What was decided about a line of a request, and what has happened since. Quantities of the line's unit;
    what was reversed does not count."""

    quantity: Decimal
    resolution: Resolution | None
    authorised_quantity: Decimal | None
    received_quantity: Decimal
    credited_quantity: Decimal
    replaced_quantity: Decimal


def line_state(line: LineProgress, *, submitted: bool, closed: bool) -> RMALineState:
    """Where a line stands."""
    if not submitted:
        return RMALineState.DRAFT
    if line.resolution is Resolution.DECLINED:
        return RMALineState.DECLINED
    if _is_done(line):
        return RMALineState.COMPLETED
    if closed:
        return RMALineState.CLOSED
    if line.resolution is None:
        return RMALineState.SUBMITTED
    if line.resolution is Resolution.DIAGNOSE:
        return RMALineState.IN_DIAGNOSIS
    return RMALineState.RECEIVED if line.received_quantity > 0 else RMALineState.AUTHORISED


def _is_done(line: LineProgress) -> bool:
    """Whether all that was granted has happened. A repair is done when the staff says so, by closing the request."""
    granted = line.authorised_quantity
    if granted is None or line.resolution not in TAKEN_BACK:
        return False
    replaced = line.resolution is not Resolution.REPLACE or line.replaced_quantity >= granted
    return line.credited_quantity >= granted and replaced


_UNDECIDED = frozenset({RMALineState.SUBMITTED, RMALineState.IN_DIAGNOSIS})


def stage(lines: Iterable[RMALineState]) -> RMAStage:
    """Where a request stands that has lines in these states: at what the company has to do next for any of them, which
    is to decide, then to see to what has come back, then to wait for what is still to come. Declined lines count only
    when there are no others."""
    states = set(lines)
    if states & {RMALineState.DRAFT} or not states:
        return RMAStage.DRAFT
    if RMALineState.CLOSED in states:
        return RMAStage.CLOSED
    if states == {RMALineState.SUBMITTED}:
        return RMAStage.SUBMITTED
    if states == {RMALineState.DECLINED}:
        return RMAStage.DECLINED
    if states & _UNDECIDED:
        return RMAStage.IN_REVIEW
    if RMALineState.RECEIVED in states:
        return RMAStage.RECEIVED
    return RMAStage.AUTHORISED if RMALineState.AUTHORISED in states else RMAStage.COMPLETED


def check(act: RMAAct, at: RMAStage, actor: RMAActor) -> None:
    """Refuse what may not be done with a request at a stage by somebody on that side.

    Raises RMARequestSubmitted, RMARequestNotSubmitted, RMARequestUndecided or RMARequestEnded.
    """
    if (at, act, actor) in TRANSITIONS:
        return
    if actor is RMAActor.CUSTOMER:
        raise RMARequestSubmitted
    if at is RMAStage.DRAFT:
        raise RMARequestNotSubmitted
    if at is RMAStage.SUBMITTED:
        raise RMARequestUndecided
    raise RMARequestEnded


def reserved_quantity(line: LineProgress, state: RMALineState) -> Decimal:
    """How much of the invoice's line a request's line holds, so that nobody can ask for it again, besides what is
    credited or back for good already."""
    if state in (RMALineState.DRAFT, RMALineState.DECLINED, RMALineState.COMPLETED, RMALineState.CLOSED):
        return Decimal(0)
    held = line.quantity if line.authorised_quantity is None else line.authorised_quantity
    return max(held - max(line.received_quantity, line.credited_quantity), Decimal(0))
