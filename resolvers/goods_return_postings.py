"""Goods return postings: staff receives goods of an invoice that came back, and puts them into stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.goods_returns import GoodsReturn, GoodsReturnLine
from db.invoices import Invoice
from db.stock import OnHand
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.named_lines import named
from resolvers.posting_locks import invoice_locked
from resolvers.rma_request_locks import Locked, invoice_of, locked
from resolvers.rma_request_stages import refresh
from rules.access_groups import check_length
from rules.broken import BrokenRules, NotFound, found_at
from rules.credit_notes import InvoicedLine, MoreThanInvoiced, check_return
from rules.documents import DocumentStatus
from rules.invoices import LONGEST_COMMENT, check_quantity
from rules.numbers import NumberKind
from rules.rma_decisions import check_done, left_to_receive
from rules.rma_requests import RMAAct
from rules.rows import MOST_ROWS, ValueMissing
from rules.stock import InsufficientStock
from rules.texts import check_text

Place = tuple[UUID, UUID]  # a product and the warehouse where it is


@strawberry.input(description="How much of a line of an invoice came back.")
class GoodsReturnReceiveLineInput:
    """One of goodsReturnReceive's lines."""

    position: int = strawberry.field(description="The line's place in the invoice.")
    quantity: Decimal | None = strawberry.field(
        default=None, description="How much; all that is not back yet when left out."
    )


@strawberry.input(description="Goods of an invoice that came back.")
class GoodsReturnReceiveInput:
    """goodsReturnReceive(input:)."""

    invoice: strawberry.ID | None = strawberry.field(
        default=None, description="The invoice; needed unless a request is named, whose invoice it is."
    )
    rma_request: strawberry.ID | None = strawberry.field(
        default=None,
        description="The request for which they came back: at most what was granted of it and is not back yet.",
    )
    lines: list[GoodsReturnReceiveLineInput] | None = strawberry.field(
        default=None,
        description="Which lines, each once, at most 1,000; needed unless a request is named: then all that was granted "
        "of it and is not back yet.",
    )
    warehouse: strawberry.ID | None = strawberry.field(
        default=None,
        description="Where the goods are put into stock; nowhere when left out. Services and what is not in the "
        "catalogue are never put into stock.",
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class GoodsReturnPayload(Payload):
    """The goods return that was posted."""

    goods_return: GoodsReturn | None = None


_Input = Annotated[GoodsReturnReceiveInput, strawberry.argument(description="What came back.")]


async def receive(info: Info, input: _Input) -> GoodsReturnPayload:
    """Mutation.goodsReturnReceive. Locks: the customer, the request, the stock, the numbers."""
    context = info.context
    _check(input)
    place = None
    if input.warehouse is not None:
        place = (await nodes.found(context, str(input.warehouse), "Warehouse", "warehouse")).id
    request: Locked | None = None
    if input.rma_request is not None:
        request = await locked(context, input.rma_request, RMAAct.RECEIVE, "rmaRequest")
        invoice = await invoice_of(context, request, input.invoice)
    else:
        _, invoice = await invoice_locked(context, str(input.invoice), "invoice")
    lines = (await db.invoiced_lines.of_invoices(context.connection, context.signed_in, [invoice.id]))[
        invoice.id
    ]
    with found_at("invoice" if request is None else "rmaRequest"):
        check_return(invoice.state, lines)
    back = _back(input, {line.position: line for line in lines}, request)
    stocked = await stocked_places(context, place, [(line.product_id, quantity) for line, quantity in back])
    await put_back(context, stocked)
    new = _made(invoice, place if stocked else None, input.comment, request)
    await _post(context, new, back)
    await refresh(context, new.rma_request_id)
    return GoodsReturnPayload(new)


def _check(input: GoodsReturnReceiveInput) -> None:
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_length(input.lines, MOST_ROWS, "lines")
    if input.rma_request is None:
        needed = {"invoice": input.invoice, "lines": input.lines}
        if missing := [ValueMissing(path=(name,)) for name, given in needed.items() if given is None]:
            raise BrokenRules(missing)


def _back(
    input: GoodsReturnReceiveInput, lines: Mapping[int, InvoicedLine], request: Locked | None
) -> list[tuple[InvoicedLine, Decimal]]:
    """What has come back. Raises LinesMissing, or BrokenRules with all that is wrong."""
    if request is None:
        return named(input.lines or [], lines, _came_back)
    asked = {line.invoice_position: line for line in request.lines}
    left = {position: left_to_receive(line) for position, line in asked.items()}
    given = input.lines
    if given is None:
        given = [GoodsReturnReceiveLineInput(position=each) for each, rest in left.items() if rest > 0]

    def make(line: InvoicedLine, each: GoodsReturnReceiveLineInput) -> Decimal:
        if line.position not in asked:
            raise NotFound(path=("position",))
        rest = left[line.position]
        if each.quantity is None:
            each = replace(each, quantity=min(rest, line.left_to_return))
        quantity = _came_back(line, each)
        check_done(asked[line.position], quantity, rest)
        return quantity

    return named(given, lines, make)


def _came_back(line: InvoicedLine, asked: GoodsReturnReceiveLineInput) -> Decimal:
    left = line.left_to_return
    quantity = left if asked.quantity is None else asked.quantity
    check_quantity(quantity, left, line.unit, MoreThanInvoiced(sku=line.sku, left=left))
    return quantity


async def stocked_places(
    context: Context, warehouse_id: UUID | None, moved: Sequence[tuple[UUID | None, Decimal]]
) -> dict[Place, Decimal]:
    """How much of goods is moved in a warehouse: of services and unknown products nothing is kept."""
    if warehouse_id is None:
        return {}
    known = [product_id for product_id, _ in moved if product_id is not None]
    goods = await db.products_in_use.goods_among(context.connection, known)
    sums: dict[Place, Decimal] = {}
    for product_id, quantity in moved:
        if product_id is not None and product_id in goods:
            place = product_id, warehouse_id
            sums[place] = sums.get(place, Decimal(0)) + quantity
    return sums


async def put_back(context: Context, moved: Mapping[Place, Decimal]) -> None:
    """Put goods into stock, also where none were kept."""
    there = await db.stock.lock_on_hand(context.connection, list(moved))
    changed = [replace(each, on_hand=each.on_hand + moved[place]) for place, each in there.items()]
    new = [OnHand(*place, quantity) for place, quantity in moved.items() if place not in there]
    await db.stock.change_on_hand(context.connection, changed)
    await db.stock.add_on_hand(context.connection, new)


async def take_out(context: Context, moved: Mapping[Place, Decimal], skus: Mapping[UUID | None, str]) -> None:
    """Take goods out of stock again, which are still on hand. Raises InsufficientStock."""
    there = await db.stock.lock_on_hand(context.connection, list(moved))
    for place, quantity in moved.items():
        on_hand = there[place].on_hand if place in there else Decimal(0)
        if on_hand < quantity:
            raise InsufficientStock(
                product_id=place[0], sku=skus[place[0]], available=max(on_hand, Decimal(0))
            )
    changed = [replace(each, on_hand=each.on_hand - moved[place]) for place, each in there.items()]
    await db.stock.change_on_hand(context.connection, changed)


def _made(
    invoice: Invoice, warehouse_id: UUID | None, comment: str | None, request: Locked | None
) -> GoodsReturn:
    return GoodsReturn(
        id=uuid.uuid7(),
        number="",  # taken once all is checked
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        warehouse_id=warehouse_id,
        received_at=datetime.now(UTC),
        comment=comment or None,
        state=DocumentStatus.ISSUED,
        rma_request_id=None if request is None else request.request.id,
    )


async def _post(context: Context, new: GoodsReturn, back: Sequence[tuple[InvoicedLine, Decimal]]) -> None:
    new.number = (await db.numbers.take(context.connection, NumberKind.GOODS_RETURN, 1))[0]
    lines = [
        GoodsReturnLine(
            goods_return_id=new.id,
            position=position,
            invoice_position=line.position,
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=quantity,
        )
        for position, (line, quantity) in enumerate(back, start=1)
    ]
    await db.goods_returns.add(context.connection, [new], lines)
    told = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
    after = facts_of(new, lines=told)
    context.record("GoodsReturn", new.id, before=None, after=after, customer_id=new.customer_id)
