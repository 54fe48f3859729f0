"""Orders: how the lines of a cart become orders."""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID


class Shipped(Protocol):
    """A line that ships from a warehouse, or as a service from none."""

    @property
    def warehouse_id(self) -> UUID | None: ...


Line = TypeVar("Line", bound=Shipped)

LONGEST_COMMENT = 2_000
LONGEST_PURCHASE_ORDER_NUMBER = 100


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
