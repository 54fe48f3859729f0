"""Deliveries: how much of an order was shipped, and whether the rest is on time."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class DeliveryState(StrEnum):
    """How much of what was ordered was shipped; what is cancelled is not shipped."""

    NONE = "NONE"
    PARTIAL = "PARTIAL"
    FULL = "FULL"


class DeliverySchedule(StrEnum):
    """How what is outstanding stands to the promised day."""

    ON_SCHEDULE = "ON_SCHEDULE"
    DUE_TODAY = "DUE_TODAY"
    OVERDUE = "OVERDUE"


class Line(Protocol):
    """What was ordered, and what of it was shipped and cancelled."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def shipped_quantity(self) -> Decimal: ...
    @property
    def cancelled_quantity(self) -> Decimal: ...


def outstanding(line: Line) -> Decimal:
    """What is still to be shipped: quantity = shipped + cancelled + outstanding."""
    return line.quantity - line.shipped_quantity - line.cancelled_quantity


def state_of(lines: Iterable[Line]) -> DeliveryState:
    """How far an order is delivered."""
    some, every = False, True
    for line in lines:
        some = some or line.shipped_quantity > 0
        every = every and line.shipped_quantity == line.quantity
    if not some:
        return DeliveryState.NONE
    return DeliveryState.FULL if every else DeliveryState.PARTIAL


def schedule(*, is_outstanding: bool, promised_on: date | None, today: date) -> DeliverySchedule | None:
    """How an order is in time; None when nothing is to come or no day was promised."""
    if not is_outstanding or promised_on is None:
        return None
    if promised_on == today:
        return DeliverySchedule.DUE_TODAY
    return DeliverySchedule.OVERDUE if promised_on < today else DeliverySchedule.ON_SCHEDULE
