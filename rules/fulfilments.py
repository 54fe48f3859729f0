"""Fulfilments: what may be done with an order that was placed, by whom, and how much of it can be shipped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from rules.broken import BrokenRule
from rules.deliveries import Line, outstanding
from rules.lifecycle import OPEN_STATES, ProcessingState
from rules.permissions import MissingPermission, Permission
from rules.portals import CancellationPolicy
from rules.stock import InsufficientStock
from rules.viewers import Viewer


class OrderAct(StrEnum):
    """What can be done with an order that was placed."""

    UPDATE = "UPDATE"
    SHIP = "SHIP"
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"


NEEDS: dict[OrderAct, Permission] = {
    OrderAct.UPDATE: Permission.ORDERS_FULFIL,
    OrderAct.SHIP: Permission.ORDERS_FULFIL,
    OrderAct.CLOSE: Permission.ORDERS_FULFIL,
    OrderAct.CANCEL: Permission.ORDERS_CANCEL,
}

LONGEST_NOTE = 2_000
LONGEST_REASON = 2_000


@dataclass(eq=False, kw_only=True)
class OrderClosed(BrokenRule):
    """The order is completed or cancelled: nothing more happens with it."""

    english = "This order has ended."
    german = "Dieser Auftrag ist beendet."


@dataclass(eq=False, kw_only=True)
class OrderNotInProgress(BrokenRule):
    """Only an order in progress is closed; one that nobody has begun with is cancelled."""

    english = "Only an order in progress can be closed."
    german = "Nur ein Auftrag in Bearbeitung kann geschlossen werden."


class ShipmentEmpty(BrokenRule):
    """A shipment that names its lines names one at least."""

    english = "Name at least one line; without `lines`, all that is outstanding is shipped."
    german = "Nennen Sie mindestens eine Position; ohne `lines` wird alles Offene geliefert."


class NothingOutstanding(BrokenRule):
    """All of the order is shipped or cancelled."""

    english = "Nothing of this order is outstanding."
    german = "Von diesem Auftrag ist nichts offen."


class OrderOutstanding(BrokenRule):
    """An order does not end while some of it is outstanding: that has to be shipped, closed or cancelled."""

    english = "Some of this order is outstanding: ship the rest, close the order or cancel it."
    german = (
        "Von diesem Auftrag ist noch etwas offen: liefern Sie den Rest, schließen oder stornieren Sie ihn."
    )


class OrderShipped(BrokenRule):
    """Some of the order is shipped, so it cannot be cancelled."""

    english = "Some of this order is shipped already."
    german = "Von diesem Auftrag ist bereits etwas geliefert."


class CancellationNotAllowed(BrokenRule):
    """The company does not let customers cancel their orders."""

    english = "Orders cannot be cancelled here; please write to us."
    german = "Aufträge können hier nicht storniert werden; bitte schreiben Sie uns."


@dataclass(eq=False, kw_only=True)
class MoreThanOutstanding(BrokenRule):
    """More is to be shipped than is outstanding."""

    english = "Only {outstanding} of {sku} are outstanding."
    german = "Von {sku} sind nur {outstanding} offen."

    sku: str
    outstanding: Decimal


@dataclass(eq=False, kw_only=True)
class LineTwice(BrokenRule):
    """A line is named twice."""

    english = "Line {position} is named twice."
    german = "Position {position} ist doppelt genannt."

    position: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, as far as that decides what may be done with it."""

    state: ProcessingState
    is_shipped: bool
    is_outstanding: bool


def standing_of(state: ProcessingState, lines: Iterable[Line]) -> Standing:
    """Where an order stands that is in a state and has these lines."""
    shipped = is_outstanding = False
    for line in lines:
        shipped = shipped or line.shipped_quantity > 0
        is_outstanding = is_outstanding or outstanding(line) > 0
    return Standing(state, shipped, is_outstanding)


def check(act: OrderAct, order: Standing, viewer: Viewer, policy: CancellationPolicy) -> None:
    """Refuse what may not be done with an order that the viewer sees.

    Raises MissingPermission, OrderClosed, OrderNotInProgress, NothingOutstanding, OrderShipped or
    CancellationNotAllowed.
    """
    if not viewer.may(NEEDS[act]):
        raise MissingPermission(permissions=(NEEDS[act],))
    if act is not OrderAct.UPDATE and order.state not in OPEN_STATES:
        raise OrderClosed
    if act is OrderAct.SHIP and not order.is_outstanding:
        raise NothingOutstanding
    if act is OrderAct.CLOSE and order.state is not ProcessingState.IN_PROGRESS:
        raise OrderNotInProgress
    if act is OrderAct.CANCEL:
        _check_cancel(order, viewer, policy)


def _check_cancel(order: Standing, viewer: Viewer, policy: CancellationPolicy) -> None:
    if order.is_shipped:
        raise OrderShipped
    if policy is CancellationPolicy.NOT_ALLOWED and not viewer.is_staff:
        raise CancellationNotAllowed


def check_end(after: ProcessingState, order: Standing) -> None:
    """Refuse that a mere change of status ends what is not at its end. Raises OrderOutstanding or OrderShipped."""
    if after == order.state or after in OPEN_STATES:
        return
    if order.is_outstanding:
        raise OrderOutstanding
    if after is ProcessingState.CANCELLED and order.is_shipped:
        raise OrderShipped


def closed_as(order: Standing) -> ProcessingState:
    """What an order is when it is closed: completed when something was shipped, else cancelled."""
    return ProcessingState.COMPLETED if order.is_shipped else ProcessingState.CANCELLED


@dataclass(frozen=True, slots=True)
class Shipping:
    """A quantity of an order's line that is to be shipped, from a place that keeps stock or from none."""

    product_id: UUID | None
    sku: str
    place: tuple[UUID, UUID] | None  # product and warehouse
    quantity: Decimal
    path: tuple[str, ...]


def short(wanted: Iterable[Shipping], on_hand: Mapping[tuple[UUID, UUID], Decimal]) -> list[BrokenRule]:
    """InsufficientStock for each that asks for more than the ones before it have left on hand."""
    left = dict(on_hand)
    broken: list[BrokenRule] = []
    for each in wanted:
        if each.place is None or each.product_id is None:
            continue
        there = max(left.get(each.place, Decimal(0)), Decimal(0))
        if each.quantity > there:
            broken.append(
                InsufficientStock(product_id=each.product_id, sku=each.sku, available=there, path=each.path)
            )
        else:
            left[each.place] = there - each.quantity
    return broken
