"""RMA requests: reading them; resolvers/rma_request_changes.py is how customers write and submit them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from db.invoices import InvoiceLine
from db.rma_requests import RMARequest, RMARequestLine
from execution.levels import level
from resolvers import actions, nodes, pages, subscriptions
from resolvers.actions import Action
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relation, relations
from resolvers.rma_request_refunds import left_to_refund
from resolvers.rma_submissions import refusal
from rules.broken import BrokenRule, NotFound
from rules.invoices import check_standing
from rules.money import plain
from rules.periods import check_period, midnight, next_day
from rules.permissions import Permission
from rules.rma_decisions import check_left, check_refundable
from rules.rma_progress import RMALineProgress
from rules.rma_requests import (
    ON_INVOICE,
    RMAAct,
    RMAActor,
    RMALineState,
    RMAStage,
    check,
    line_state,
)


class RMARequestOrder(Enum):
    """In what order requests come."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


publish(
    RMARequestOrder,
    description="In what order requests to return goods come.",
    value={
        RMARequestOrder.CREATED_AT_ASC: "By when they were begun, oldest first.",
        RMARequestOrder.CREATED_AT_DESC: "By when they were begun, newest first.",
    }.__getitem__,
)


@strawberry.input(description="Which requests; all that is given must hold.")
class RMARequestFilter:
    """rmaRequests(filter:)."""

    stage: RMAStage | None = strawberry.field(default=None, description="At this stage.")
    stages: list[RMAStage] | None = strawberry.field(default=None, description="At one of these stages.")
    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    customer: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")
    invoice: strawberry.ID | None = strawberry.field(default=None, description="For this invoice.")
    product: strawberry.ID | None = strawberry.field(
        default=None, description="Of which a line is of this product."
    )
    submitted_from: date | None = strawberry.field(
        default=None, description="Submitted on this day or later (UTC)."
    )
    submitted_to: date | None = strawberry.field(
        default=None, description="Submitted on this day or before (UTC)."
    )


_Filter = Annotated[RMARequestFilter | None, strawberry.argument(description="Which requests.")]
_Order = Annotated[
    list[RMARequestOrder] | None,
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
    """Query.rmaRequests."""
    context = info.context
    order = order_by or [RMARequestOrder.CREATED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    filters = await _filters(context, filter or RMARequestFilter())
    return await pages.connection(context, db.rma_requests, filters, order, asked)


async def _filters(context: Context, given: RMARequestFilter) -> dict[str, Any]:
    check_period(given.submitted_from, given.submitted_to, "filter", "submittedTo")
    stages = given.stages
    if given.stage is not None:
        stages = [each for each in stages if each is given.stage] if stages is not None else [given.stage]
    return {
        "stages": None if stages is None else [each.value for each in stages],
        "number": given.number or None,
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "invoice_id": nodes.key_or_nothing(given.invoice, "Invoice"),
        "product_id": await _product_id(context, given.product),
        "submitted_from": given.submitted_from and midnight(given.submitted_from),
        "submitted_before": given.submitted_to and midnight(next_day(given.submitted_to)),
    }


async def _product_id(context: Context, id: strawberry.ID | None) -> UUID | None:
    """A product that the viewer may see; of another one nothing is told, not even who returns it."""
    if id is None:
        return None
    found = await nodes.by_global_id(context, str(id), "Product")
    return nodes.NOTHING if found is None else UUID(str(found.id))


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Number = Annotated[str | None, strawberry.argument(description="The request's number.")]


async def request(info: Info, id: _Id = None, number: _Number = None) -> RMARequest | None:
    """Query.rmaRequest: by exactly one of id and number."""
    found: RMARequest | None = await nodes.by_one_of(
        info.context, "RMARequest", id, db.rma_requests.by_numbers, number
    )
    return found


_Watched = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The one request to watch; all that the viewer may see when left out."),
]


async def changed(info: Info, rma_request: _Watched = None) -> AsyncGenerator[RMARequest, None]:
    """Subscription.rmaRequestChanged. Raises NotFound for a request that the viewer may not see."""
    context = info.context
    key: UUID | None = None
    if rma_request is not None:
        key = (await nodes.found(context, str(rma_request), "RMARequest", "rmaRequest")).id
    return subscriptions.changes(context, "RMARequest", key)


def number(root: strawberry.Parent[RMARequest]) -> str:
    """RMARequest.number: as of documents it is never null."""
    return root.number or ""


# RMARequest.customer.
customer = relation(db.customers.by_ids, "customer_id")


# RMARequest.invoice, as far as the viewer may read it.
invoice = nodes.relation("Invoice", "invoice_id")


# RMARequest.account, as far as the viewer may see it.
account = relation(db.accounts.by_ids, "account_id")


# RMARequest.status.
status = relation(db.lifecycle_statuses.by_ids, "lifecycle_status_id")


# RMARequest.lines.
lines = relations(db.rma_requests.lines_of, "id")


# RMARequest.attachments.
attachments = relations(db.attachments.of_rma_requests, "id")


def _of_line(line: RMARequestLine, every: list[RMALineProgress]) -> RMALineProgress:
    return next(each for each in every if each.position == line.position)


@level
async def state(roots: Sequence[RMARequestLine], context: Context) -> list[RMALineState]:
    """RMARequestLine.state."""
    wholes, lines = await asyncio.gather(
        _requests_of(context, roots),
        context.load_lists(db.rma_progress.of_requests, [root.rma_request_id for root in roots]),
    )
    return [
        line_state(
            _of_line(root, every),
            submitted=whole.submitted_at is not None,
            closed=whole.closed_at is not None,
        )
        for root, whole, every in zip(roots, wholes, lines, strict=True)
    ]


async def _requests_of(context: Context, lines: Sequence[RMARequestLine]) -> list[RMARequest]:
    return await context.load_each(db.rma_requests.by_ids, [line.rma_request_id for line in lines])


def _received(root: RMARequestLine, every: list[RMALineProgress]) -> Decimal:
    return plain(_of_line(root, every).received_quantity)


# RMARequestLine.receivedQuantity.
received_quantity = relations(db.rma_progress.of_requests, "rma_request_id", then=_received)


def _credited(root: RMARequestLine, every: list[RMALineProgress]) -> Decimal:
    return plain(_of_line(root, every).credited_quantity)


# RMARequestLine.creditedQuantity.
credited_quantity = relations(db.rma_progress.of_requests, "rma_request_id", then=_credited)


def _replaced(root: RMARequestLine, every: list[RMALineProgress]) -> Decimal:
    return plain(_of_line(root, every).replaced_quantity)


# RMARequestLine.replacedQuantity.
replaced_quantity = relations(db.rma_progress.of_requests, "rma_request_id", then=_replaced)


@level
async def invoice_line(roots: Sequence[RMARequestLine], context: Context) -> list[InvoiceLine | None]:
    """RMARequestLine.invoiceLine, as far as the viewer may read the invoice."""
    wholes = await _requests_of(context, roots)
    seen = await nodes.load_level(context, "Invoice", [whole.invoice_id for whole in wholes])
    lines = await context.load_lists(db.invoices.lines_of, [each and each.id for each in seen])
    return [
        next((each for each in every if each.position == root.invoice_position), None)
        for root, every in zip(roots, lines, strict=True)
    ]


# What each side can do with a request, and what that needs.
NEEDS: dict[RMAActor, dict[RMAAct, Permission]] = {
    RMAActor.CUSTOMER: dict.fromkeys(
        (RMAAct.UPDATE, RMAAct.DELETE, RMAAct.SUBMIT), Permission.RMA_REQUESTS_WRITE
    ),
    RMAActor.STAFF: {
        RMAAct.DECIDE: Permission.RMA_REQUESTS_DECIDE,
        RMAAct.RECEIVE: Permission.ORDERS_FULFIL,
        RMAAct.CREDIT: Permission.INVOICES_WRITE,
        RMAAct.REPLACE: Permission.RMA_REQUESTS_DECIDE,
        RMAAct.REFUND: Permission.PAYMENTS_WRITE,
        RMAAct.CLOSE: Permission.RMA_REQUESTS_DECIDE,
    },
}


async def actions_of(root: strawberry.Parent[RMARequest], info: Info) -> list[Action]:
    """RMARequest.actions."""
    context = info.context
    actor = RMAActor.STAFF if context.signed_in.is_staff else RMAActor.CUSTOMER
    return [
        actions.weigh(context, act.value, needs, await _refusal(context, root, act, actor))
        for act, needs in NEEDS[actor].items()
    ]


async def _check_invoice(context: Context, root: RMARequest) -> None:
    """Nothing is done for goods of an invoice that was taken back. Raises InvoiceReversed, or NotFound for whoever may
    not read it."""
    found = await nodes.load(context, "Invoice", root.invoice_id)
    if found is None:
        raise NotFound(path=("rmaRequest",))
    check_standing(found.state)


async def _refusal(context: Context, root: RMARequest, act: RMAAct, actor: RMAActor) -> BrokenRule | None:
    lines = await context.load_list(db.rma_progress.of_requests, root.id)
    try:
        check(act, RMAStage(root.stage), actor)
        check_left(act, lines)
        if act is RMAAct.REFUND:
            check_refundable(await left_to_refund(context, root.id))
        if act in ON_INVOICE:
            await _check_invoice(context, root)
    except BrokenRule as broken:
        return broken
    return await refusal(context, root) if act is RMAAct.SUBMIT else None
