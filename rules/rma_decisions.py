"""RMA decisions: what the company may grant of a request, and how much of what it granted is left to be done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rules import quantities
from rules.broken import BrokenRule, InvalidInput, found_at
from rules.documents import CreditOperation
from rules.lifecycle import ProcessingState, TransitionNotAllowed
from rules.money import to_major
from rules.returnable_lines import MoreThanReturnable, ReturnableLine
from rules.rma_progress import RMALineProgress
from rules.rma_requests import (
    TAKEN_BACK,
    LineProgress,
    Resolution,
    RMAAct,
    RMALineState,
    RMAStage,
    line_state,
    reserved_quantity,
    stage,
)
from rules.texts import TextMissing

LONGEST_NOTE = 2_000


class RMAOutcome(StrEnum):
    """As what a request ends that is closed before all of it is done."""

    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


# The processing state in which a request is at each stage; one that was closed ends in the state that was said then.
STATES: dict[RMAStage, ProcessingState] = {
    RMAStage.SUBMITTED: ProcessingState.NOT_STARTED,
    RMAStage.IN_REVIEW: ProcessingState.IN_PROGRESS,
    RMAStage.AUTHORISED: ProcessingState.IN_PROGRESS,
    RMAStage.RECEIVED: ProcessingState.IN_PROGRESS,
    RMAStage.COMPLETED: ProcessingState.COMPLETED,
    RMAStage.DECLINED: ProcessingState.COMPLETED,
}


@dataclass(eq=False, kw_only=True)
class RMALineUnderWay(BrokenRule):
    """A line of a request is decided anew only while nothing of it has come back, was credited or replaced."""

    english = "Something of {sku} has come back, was credited or replaced already; this can no longer be decided anew."
    german = "Von {sku} ist schon etwas zurückgekommen, gutgeschrieben oder ersetzt; das ist nicht mehr neu zu entscheiden."

    sku: str


@dataclass(eq=False, kw_only=True)
class MoreThanAsked(BrokenRule):
    """More is to be granted than the customer asked for."""

    english = "Only {left} of {sku} were asked for."
    german = "Von {sku} wurden nur {left} angefragt."

    sku: str
    left: Decimal


@dataclass(eq=False, kw_only=True)
class MoreThanAuthorised(BrokenRule):
    """More is to come back, to be credited or replaced for a request than was granted and is not done yet."""

    english = "Only {left} of {sku} were granted and are not done yet."
    german = "Von {sku} sind nur {left} genehmigt und noch nicht erledigt."

    sku: str
    left: Decimal


@dataclass(eq=False, kw_only=True)
class ResolutionDiffers(BrokenRule):
    """Something is to be done about a line of a request that was not decided for it."""

    english = "This is not what was decided about {sku}."
    german = "Über {sku} wurde anders entschieden."

    sku: str


class NothingAuthorised(BrokenRule):
    """All that was granted is done already, or nothing was granted for which this could be done."""

    english = "Nothing that was granted is left for this."
    german = "Von dem Genehmigten ist hierfür nichts mehr übrig."


class NothingToRefund(BrokenRule):
    """Nothing is to be refunded for a request, it is not credited yet, or it is paid back."""

    english = "Nothing that was credited for this request is left to be paid back."
    german = "Von dem, was zu dieser Anfrage gutgeschrieben wurde, ist nichts mehr zurückzuzahlen."


class NothingWouldBeCredited(BrokenRule):
    """A request leads to no credit note: what it asks for is repaired, declined, or credited already."""

    english = "Nothing would be credited for this request."
    german = "Zu dieser Anfrage würde nichts gutgeschrieben."


class RMARequestOfAnother(BrokenRule):
    """Something is to be done for a request that is about another invoice or another customer's."""

    english = "This request is about another invoice, goods return or customer."
    german = "Diese Anfrage betrifft eine andere Rechnung, Warenrückgabe oder einen anderen Kunden."


class RMARequestNotForOperation(BrokenRule):
    """A discount gives money for goods that stay, which no request is about."""

    english = "A discount is given for no request."
    german = "Ein Nachlass wird zu keiner Anfrage gewährt."


class RMARequestNotForPayment(BrokenRule):
    """Money comes in for invoices; for a request it goes back."""

    english = "Only a refund is made for a request."
    german = "Zu einer Anfrage gehört nur eine Rückzahlung."


@dataclass(eq=False, kw_only=True)
class MoreThanCredited(BrokenRule):
    """More is to be paid back for a request than was credited for its lines to be refunded, and not paid back yet."""

    english = "Only {left} {currency} were credited for what is to be refunded, and are not paid back yet."
    german = "Für das zu Erstattende sind nur {left} {currency} gutgeschrieben und noch nicht zurückgezahlt."

    left: Decimal
    currency: str


def is_under_way(line: LineProgress) -> bool:
    """Whether something has happened that stands on what was decided about a line."""
    return line.received_quantity > 0 or line.credited_quantity > 0 or line.replaced_quantity > 0


def granted(
    line: RMALineProgress, resolution: Resolution, quantity: Decimal | None, unit: str
) -> Decimal | None:
    """How much is granted when this is decided about a line: all that is asked when nothing is said.

    Raises RMALineUnderWay, InvalidInput for a quantity of what is declined, MoreThanAsked, or what quantities.check
    raises.
    """
    if is_under_way(line):
        raise RMALineUnderWay(sku=line.sku, path=("position",))
    if resolution is Resolution.DECLINED:
        if quantity is not None:
            raise InvalidInput(path=("authorisedQuantity",))
        return None
    if quantity is None or quantity == line.quantity:
        return line.quantity
    with found_at("authorisedQuantity"):
        quantities.check(quantity, unit)
        if quantity > line.quantity:
            raise MoreThanAsked(sku=line.sku, left=line.quantity)
    return quantity


def left_to_grant(line: ReturnableLine, asked: LineProgress) -> Decimal:
    """How much of an invoice's line can be granted to a request that was not closed: what is neither back nor credited nor
    held by another request; `asked` is its own line of it."""
    own = reserved_quantity(asked, line_state(asked, submitted=True, closed=False))
    others = sum((each.held for each in line.requested), Decimal(0)) - own
    return max(line.invoiced - line.returned - line.credited_apart - others, Decimal(0))


def check_returnable(sku: str, quantity: Decimal, left: Decimal) -> None:
    """Raises MoreThanReturnable."""
    if quantity > left:
        raise MoreThanReturnable(sku=sku, left=left, path=("authorisedQuantity",))


def check_reason(resolution: Resolution, reason: str | None) -> None:
    """What is declined is declined for a reason. Raises TextMissing."""
    if resolution is Resolution.DECLINED and not (reason or "").strip():
        raise TextMissing(path=("reason",))


def left_to_receive(line: LineProgress) -> Decimal:
    """How much can still come back for a line."""
    return _left(line, line.received_quantity) if line.resolution in TAKEN_BACK else Decimal(0)


def left_to_credit(line: LineProgress) -> Decimal:
    """How much can still be credited for a line, whether it is back yet or not."""
    return _left(line, line.credited_quantity) if line.resolution in TAKEN_BACK else Decimal(0)


def left_to_replace(line: LineProgress) -> Decimal:
    """How much can still be sent in place of what a line returns."""
    return _left(line, line.replaced_quantity) if line.resolution is Resolution.REPLACE else Decimal(0)


def _left(line: LineProgress, done: Decimal) -> Decimal:
    return max((line.authorised_quantity or Decimal(0)) - done, Decimal(0))


# What can be done only while something is left for it.
_LEFT: dict[RMAAct, Callable[[LineProgress], Decimal]] = {
    RMAAct.RECEIVE: left_to_receive,
    RMAAct.CREDIT: left_to_credit,
    RMAAct.REPLACE: left_to_replace,
}


def check_left(act: RMAAct, lines: Iterable[LineProgress]) -> None:
    """Refuse what is to be done for a request when nothing of any line is left for it. Raises NothingAuthorised."""
    if act in _LEFT and not any(_LEFT[act](line) > 0 for line in lines):
        raise NothingAuthorised


def to_credit(lines: Iterable[RMALineProgress]) -> dict[int, Decimal]:
    """What is credited for a request when nobody says more, by the place in the invoice: what has come back; or all
    that was granted, where nothing of the request is to come back at all before."""
    every = [line for line in lines if left_to_credit(line) > 0]
    back = {
        line.invoice_position: min(line.received_quantity - line.credited_quantity, left_to_credit(line))
        for line in every
        if line.received_quantity > line.credited_quantity
    }
    if back or any(line.received_quantity > 0 for line in every):
        return back
    return {line.invoice_position: left_to_credit(line) for line in every}


def expected_credit(line: LineProgress, wish: str | None, *, closed: bool) -> Decimal:
    """How much of a line a request will still lead to be credited: of what is undecided all that is asked, unless the
    customer wishes it repaired; once the request was closed only what came back of it."""
    if closed:
        return min(left_to_credit(line), max(line.received_quantity - line.credited_quantity, Decimal(0)))
    if line.resolution in (None, Resolution.DIAGNOSE):
        return Decimal(0) if wish == Resolution.REPAIR else line.quantity
    return left_to_credit(line)


def check_operation(operation: CreditOperation) -> None:
    """Raises RMARequestNotForOperation."""
    if operation is CreditOperation.DISCOUNT:
        raise RMARequestNotForOperation(path=("operation",))


def check_done(line: RMALineProgress, quantity: Decimal, left: Decimal) -> None:
    """Refuse to do more for a line than is left of what was granted. Raises ResolutionDiffers or MoreThanAuthorised."""
    if line.resolution not in TAKEN_BACK:
        raise ResolutionDiffers(sku=line.sku, path=("position",))
    if quantity > left:
        raise MoreThanAuthorised(sku=line.sku, left=left, path=("quantity",))


def check_replaced(line: RMALineProgress, quantity: Decimal) -> None:
    """Refuse to replace what is not to be replaced, or more than is left of what was granted. Raises ResolutionDiffers
    or MoreThanAuthorised; what of a unit can be ordered, whoever places the order checks."""
    if line.resolution is not Resolution.REPLACE:
        raise ResolutionDiffers(sku=line.sku, path=("position",))
    left = left_to_replace(line)
    if quantity > left:
        raise MoreThanAuthorised(sku=line.sku, left=left, path=("quantity",))


def check_refundable(left: int) -> None:
    """Refuse to pay back when nothing that was credited for it is left of that; minor units. Raises NothingToRefund."""
    if left <= 0:
        raise NothingToRefund


def check_refund(amount: int, left: int, currency: str) -> None:
    """Refuse to pay back more than was credited for what is to be refunded and is not paid back yet; minor units.

    Raises NothingToRefund and MoreThanCredited.
    """
    with found_at("rmaRequest"):
        check_refundable(left)
    if amount > left:
        raise MoreThanCredited(left=to_major(left, currency), currency=currency, path=("amount",))


def stage_of(lines: Iterable[LineProgress], *, closed: bool) -> RMAStage:
    """Where a request stands that was submitted and has these lines."""
    states: list[RMALineState] = [line_state(line, submitted=True, closed=closed) for line in lines]
    return stage(states)


def check_state(before: ProcessingState, at: RMAStage, named: ProcessingState) -> None:
    """Refuse a status that is not one of the stage at which a request is. Raises TransitionNotAllowed."""
    if STATES[at] is not named:
        raise TransitionNotAllowed(before=before, after=named, path=("status",))
