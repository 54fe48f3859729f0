"""Returnable lines: what of an invoice can be asked to go back, and why the rest cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.invoices import Invoice
from resolvers import days, nodes
from resolvers.context import Context, Info
from rules import returnable_lines
from rules.money import plain
from rules.returnable_lines import ReturnableLine as Dealings
from rules.returnable_lines import ReturnObstacle, ReturnPeriodOver, ReturnTerms


@dataclass(slots=True)
class ReturnableLine:
    """A line of an invoice: how much of it can be returned now, and what keeps the rest."""

    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    returnable_quantity: Decimal
    obstacles: Sequence[ReturnObstacle]


_Invoice = Annotated[strawberry.ID, strawberry.argument(description="The invoice.")]


async def of_invoice(info: Info, invoice: _Invoice) -> list[ReturnableLine] | None:
    """Query.returnableLines: None for an invoice that the viewer may not read."""
    context = info.context
    found: Invoice | None = await nodes.by_global_id(context, str(invoice), "Invoice")
    if found is None:
        return None
    terms = await terms_of(context, found)
    lines = await context.load_list(db.returnable_lines.of_invoices, found.id)
    return [_told(line, terms) for line in lines]


async def terms_of(context: Context, invoice: Invoice) -> ReturnTerms:
    """What holds for all lines of an invoice today, by the database's date."""
    return ReturnTerms(
        state=invoice.state,
        last_day=returnable_lines.last_day(invoice.issued_at.date(), context.portal.return_days),
        today=await days.today(context),
    )


def _told(line: Dealings, terms: ReturnTerms) -> ReturnableLine:
    return ReturnableLine(
        position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=plain(line.quantity),
        returnable_quantity=plain(returnable_lines.returnable(line, terms)),
        obstacles=returnable_lines.obstacles(line, terms),
    )


def obstacle_quantity(root: strawberry.Parent[ReturnObstacle]) -> Decimal:
    """ReturnObstacle.quantity."""
    return plain(root.quantity)


def last_day(root: strawberry.Parent[ReturnObstacle]) -> date | None:
    """ReturnObstacle.lastDay."""
    return root.rule.last_day if isinstance(root.rule, ReturnPeriodOver) else None
