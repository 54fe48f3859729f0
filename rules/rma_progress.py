"""RMA progress: which line of a request it is that something was sent in place of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from rules.rma_requests import LineProgress, Resolution


@dataclass(frozen=True, slots=True)
class RMALineProgress(LineProgress):
    """The progress of one line of a request; `invoice_position` is the line of the request's invoice."""

    rma_request_id: UUID
    position: int
    invoice_position: int
    product_id: UUID | None
    sku: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """How much of a product was ordered, and not cancelled, in place of what a request returns."""

    rma_request_id: UUID
    product_id: UUID | None
    sku: str
    quantity: Decimal


def attribute(lines: Sequence[RMALineProgress], replacements: Iterable[Replacement]) -> list[RMALineProgress]:
    """The lines of one request with what was ordered in their place: an order tells the product and not the line, so
    each takes what it was granted, those that are to be replaced first, and the first of them whatever is more."""
    left = list(lines)
    for each in replacements:
        quantity = each.quantity
        own = [index for index, line in enumerate(left) if _is_of(line, each)]
        own.sort(key=lambda index: left[index].resolution is not Resolution.REPLACE)
        for index in own:
            line = left[index]
            takes = min(quantity, max(_due(line) - line.replaced_quantity, Decimal(0)))
            left[index] = replace(line, replaced_quantity=line.replaced_quantity + takes)
            quantity -= takes
        if own and quantity > 0:
            first = left[own[0]]
            left[own[0]] = replace(first, replaced_quantity=first.replaced_quantity + quantity)
    return left


def _is_of(line: RMALineProgress, replacement: Replacement) -> bool:
    if line.product_id is not None and replacement.product_id is not None:
        return line.product_id == replacement.product_id
    return line.sku == replacement.sku


def _due(line: LineProgress) -> Decimal:
    return line.quantity if line.authorised_quantity is None else line.authorised_quantity
