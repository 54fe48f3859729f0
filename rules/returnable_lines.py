"""Returnable lines: how much of what was invoiced can be asked to go back, and what stands in the way of the rest."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from rules.broken import BrokenRule
from rules.documents import DocumentStatus
from rules.invoices import InvoiceReversed, check_quantity

MOST_RETURN_DAYS = 3_650
_NONE = Decimal(0)


@dataclass(eq=False, kw_only=True)
class ReturnDaysInvalid(BrokenRule):
    """The days in which goods can be returned are fewer than none or more than ten years."""

    english = "The time for returns is 0 to {most} days, or has no end."
    german = "Die Rückgabefrist beträgt 0 bis {most} Tage oder ist unbegrenzt."

    most: int = MOST_RETURN_DAYS


class AlreadyReturned(BrokenRule):
    """Goods of a line of an invoice have come back."""

    english = "These have been returned already."
    german = "Dies wurde bereits zurückgegeben."


class AlreadyCredited(BrokenRule):
    """Something of a line of an invoice was credited without anything coming back."""

    english = "These have been credited already."
    german = "Dies wurde bereits gutgeschrieben."


class InAnotherRequest(BrokenRule):
    """A request that is open or granted asks for it."""

    english = "Another request asks for these."
    german = "Dies ist Gegenstand einer anderen Anfrage."


@dataclass(eq=False, kw_only=True)
class ReturnPeriodOver(BrokenRule):
    """The last day on which goods of an invoice could be returned has gone by."""

    english = "The last day for returns was {last_day}."
    german = "Die Rückgabefrist endete am {last_day}."

    last_day: date


class Service(BrokenRule):
    """A service is nothing that could be sent back."""

    english = "A service cannot be sent back."
    german = "Eine Dienstleistung kann nicht zurückgegeben werden."


@dataclass(eq=False, kw_only=True)
class MoreThanReturnable(BrokenRule):
    """More is asked to go back than is left of a line of an invoice."""

    english = "Only {left} of {sku} can be returned."
    german = "Von {sku} können nur {left} zurückgegeben werden."

    sku: str
    left: Decimal


@dataclass(frozen=True, slots=True)
class Requested:
    """What a request that was submitted has to do with a line of an invoice. `held`: what it still keeps from others,
    besides what was received or credited for it; `credited` leaves out credit notes for goods that came back without
    naming the request."""

    held: Decimal
    received: Decimal
    credited: Decimal


@dataclass(frozen=True, slots=True)
class ReturnableLine:
    """A line of an invoice with all that was done with it; quantities of the line's unit, discounts and what was reversed
    left out. `credited_returned`: what of `credited_quantity` is for goods that came back, and not for the same request
    as these: they count as returned already."""

    invoice_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    returned_quantity: Decimal
    credited_quantity: Decimal
    credited_returned: Decimal
    requested: tuple[Requested, ...]
    is_service: bool

    @property
    def returned(self) -> Decimal:
        """What has come back of it."""
        return min(self.returned_quantity, self.invoiced)

    @property
    def credited_apart(self) -> Decimal:
        """What was credited of it and has not come back: each piece counts once, returned or credited."""
        for_received = sum((min(each.credited, each.received) for each in self.requested), _NONE)
        apart = self.credited_quantity - self.credited_returned - for_received
        return min(max(apart, _NONE), self.invoiced - self.returned)

    @property
    def held(self) -> Decimal:
        """What requests keep from others."""
        held = sum((each.held for each in self.requested), _NONE)
        return min(held, self.invoiced - self.returned - self.credited_apart)

    @property
    def invoiced(self) -> Decimal:
        """How much was invoiced; an import may bring lines that give back."""
        return max(self.quantity, _NONE)

    @property
    def left(self) -> Decimal:
        """What is neither back nor credited nor asked for."""
        return self.invoiced - self.returned - self.credited_apart - self.held


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """What holds for all lines of an invoice: where it stands, its last day for returns (None: there is none), today."""

    state: str
    last_day: date | None
    today: date

    @property
    def is_over(self) -> bool:
        """Whether it is too late."""
        return self.last_day is not None and self.today > self.last_day


@dataclass(frozen=True, slots=True)
class ReturnObstacle:
    """Why some of a line cannot be returned, and how much of it that is about."""

    rule: BrokenRule
    quantity: Decimal


def last_day(issued_on: date, days: int | None) -> date | None:
    """The last day on which goods of an invoice can be returned; None: it never ends."""
    if days is None:
        return None
    return issued_on + timedelta(days=min(days, (date.max - issued_on).days))


def check_return_days(days: int | None, *path: str) -> None:
    """None is no end. Raises ReturnDaysInvalid."""
    if days is not None and not 0 <= days <= MOST_RETURN_DAYS:
        raise ReturnDaysInvalid(path=path)


def barred(line: ReturnableLine, terms: ReturnTerms) -> BrokenRule | None:
    """What keeps all of a line from being returned, whatever has become of it so far."""
    if terms.state == DocumentStatus.REVERSED:
        return InvoiceReversed()
    if line.is_service:
        return Service()
    if terms.is_over:
        assert terms.last_day is not None
        return ReturnPeriodOver(last_day=terms.last_day)
    return None


def obstacles(line: ReturnableLine, terms: ReturnTerms) -> list[ReturnObstacle]:
    """What keeps how much of a line from being returned; together with what can be returned it is what was invoiced."""
    barrier = barred(line, terms)
    if barrier is not None and not isinstance(barrier, ReturnPeriodOver):
        found = [ReturnObstacle(barrier, line.invoiced)]
    else:
        found = [
            ReturnObstacle(AlreadyReturned(), line.returned),
            ReturnObstacle(AlreadyCredited(), line.credited_apart),
            ReturnObstacle(InAnotherRequest(), line.held),
            *([] if barrier is None else [ReturnObstacle(barrier, line.left)]),
        ]
    return [each for each in found if each.quantity > 0]


def returnable(line: ReturnableLine, terms: ReturnTerms) -> Decimal:
    """How much of a line can be asked to go back now."""
    return line.left if barred(line, terms) is None else _NONE


def check(line: ReturnableLine, terms: ReturnTerms, quantity: Decimal) -> None:
    """Refuse to ask for more of a line than can be returned, or for what its unit does not allow.

    Raises, at the path `quantity`, what bars all of it, MoreThanReturnable, or what quantities.check raises.
    """
    barrier = barred(line, terms)
    left = returnable(line, terms)
    check_quantity(quantity, left, line.unit, barrier or MoreThanReturnable(sku=line.sku, left=left))
