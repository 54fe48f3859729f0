"""Quotations: reading them; resolvers/quotation_changes.py issues and declines them."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry

import db
from db.orders import Order
from db.quotations import Quotation
from execution.levels import level
from resolvers import actions, money, nodes, pages
from resolvers.actions import Action
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.quotation_drafts import outdated
from resolvers.relations import relations
from rules import amounts, quotations
from rules.broken import BrokenRule
from rules.permissions import Permission
from rules.quotations import QuotationAct, QuotationState


class QuotationOrder(Enum):
    """In what order quotations come."""

    ISSUED_AT_ASC = "ISSUED_AT_ASC"
    ISSUED_AT_DESC = "ISSUED_AT_DESC"
    VALID_UNTIL_ASC = "VALID_UNTIL_ASC"
    VALID_UNTIL_DESC = "VALID_UNTIL_DESC"


publish(
    QuotationOrder,
    description="In what order quotations come.",
    value={
        QuotationOrder.ISSUED_AT_ASC: "By the time of issue (a draft: of its beginning), oldest first.",
        QuotationOrder.ISSUED_AT_DESC: "By the time of issue (a draft: of its beginning), newest first.",
        QuotationOrder.VALID_UNTIL_ASC: "By the last day, earliest first.",
        QuotationOrder.VALID_UNTIL_DESC: "By the last day, latest first.",
    }.__getitem__,
)


@strawberry.input(description="Which quotations; all that is given must hold.")
class QuotationFilter:
    """quotations(filter:)."""

    states: list[QuotationState] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    customer: strawberry.ID | None = strawberry.field(default=None, description="For this customer.")
    valid_on: date | None = strawberry.field(
        default=None,
        description="Issued by this day and valid on it; declined and ordered ones are not.",
    )


_Filter = Annotated[QuotationFilter | None, strawberry.argument(description="Which quotations.")]
_Order = Annotated[
    list[QuotationOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.quotations."""
    order = order_by or [QuotationOrder.ISSUED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(
        info.context, db.quotations, _filters(filter or QuotationFilter()), order, asked
    )


def _filters(given: QuotationFilter) -> dict[str, Any]:
    return {
        "states": None if given.states is None else [state.value for state in given.states],
        "number": given.number or None,
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "valid_on": given.valid_on,
    }


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Number = Annotated[str | None, strawberry.argument(description="The quotation's number.")]


async def quotation(info: Info, id: _Id = None, number: _Number = None) -> Quotation | None:
    """Query.quotation: by exactly one of id and number."""
    found: Quotation | None = await nodes.by_one_of(
        info.context, "Quotation", id, db.quotations.by_numbers, number
    )
    return found


def totals(root: strawberry.Parent[Quotation]) -> money.Totals:
    """Quotation.totals."""
    return money.Totals(amounts.Totals(root.net, root.tax, root.total), root.currency)


# Quotation.lines.
lines = relations(db.quotations.lines_of, "id")


@level
async def orders(roots: Sequence[Quotation], context: Context) -> list[list[Order]]:
    """Quotation.orders, as far as the viewer may see them."""
    links = await context.load_lists(db.quotation_orders.of_quotations, [root.id for root in roots])
    found = await nodes.load_lists(context, "Order", [[each.order_id for each in far] for far in links])
    return [sorted(each, key=lambda order: order.number) for each in found]


@level
async def of_order(roots: Sequence[Order], context: Context) -> list[Quotation | None]:
    """Order.quotation: that of its first line from one."""
    links = await context.load_lists(db.quotation_orders.of_orders, [root.id for root in roots])
    return await nodes.load_level(
        context, "Quotation", [far[0].quotation_id if far else None for far in links]
    )


# What each act needs; the staff sees all of them, a customer its own.
NEEDS = {
    QuotationAct.ISSUE: Permission.QUOTATIONS_WRITE,
    QuotationAct.UPDATE: Permission.QUOTATIONS_WRITE,
    QuotationAct.DELETE: Permission.QUOTATIONS_WRITE,
    QuotationAct.ORDER: Permission.ORDERS_PLACE,
    QuotationAct.DECLINE: Permission.ORDERS_PLACE,
}


async def actions_of(root: strawberry.Parent[Quotation], info: Info) -> list[Action]:
    """Quotation.actions."""
    context = info.context
    return [
        actions.weigh(context, act.value, needs, await _refusal(context, root, act))
        for act, needs in NEEDS.items()
        if context.signed_in.is_staff or needs is Permission.ORDERS_PLACE
    ]


async def _refusal(context: Context, root: Quotation, act: QuotationAct) -> BrokenRule | None:
    broken = quotations.refusal(root.state, act, is_past=root.is_past)
    if broken is None and act is QuotationAct.ISSUE:
        return next(iter(await outdated(context, root)), None)
    return broken
