"""Orders: how the lines of a cart become orders, and for when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar
from uuid import UUID

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class RequestedDayPast(BrokenRule):
    """The day for which something was asked has gone by."""

    english = "The day you ask for has passed; today is {today}."
    german = "Der gewünschte Tag ist vorbei; heute ist der {today}."

    today: date


class Shipped(Protocol):
    """A line that ships from a warehouse, or as a service from none."""

    @property
    def warehouse_id(self) -> UUID | None: ...


Line = TypeVar("Line", bound=Shipped)

LONGEST_COMMENT = 2_000
LONGEST_PURCHASE_ORDER_NUMBER = 100


def check_requested(day: date | None, today: date, *path: str) -> None:
    """None asks for no day in particular. Raises RequestedDayPast."""
    if day is not None and day < today:
        raise RequestedDayPast(today=today, path=path)


def split(lines: Sequence[Line]) -> list[tuple[UUID | None, list[Line]]]:
    """One order a warehouse, in the order in which the warehouses first appear.

    Services ride along with the first order; without any goods they are an order of their own.
    """
    groups: dict[UUID | None, list[Line]] = {}
    for line in lines:
        if line.warehouse_id is not None:
            groups.setdefault(line.warehouse_id, []).append(line)
    first = next(iter(groups), None)
    services = [line for line in lines if line.warehouse_id is None]
    if services:
        groups.setdefault(first, []).extend(services)
    return list(groups.items())
