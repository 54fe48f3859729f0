"""Orders: how the lines of a cart become orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from rules.broken import BrokenRule


class Shipped(Protocol):
    """A line that ships from a warehouse, or as a service from none."""

    @property
    def warehouse_id(self) -> UUID | None: ...


Line = TypeVar("Line", bound=Shipped)

LONGEST_COMMENT = 2_000
LONGEST_PURCHASE_ORDER_NUMBER = 100


@dataclass(eq=False, kw_only=True)
class TextTooLong(BrokenRule):
    """A text has more characters than are kept."""

    english = "This text can have at most {most} characters."
    german = "Dieser Text darf höchstens {most} Zeichen haben."

    most: int


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


def check_text(text: str | None, most: int, *path: str) -> None:
    """Refuse a text that is longer than what is kept. Raises TextTooLong."""
    if text is not None and len(text) > most:
        raise TextTooLong(most=most, path=path)
