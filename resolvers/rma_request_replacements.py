"""RMA request replacements: an order of what is sent in place of what a request returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.invoices import Invoice
from db.orders import Order
from db.products import Product
from db.rma_requests import RMARequest
from db.stock import StockLevel
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload
from resolvers.named_lines import named
from resolvers.order_placing import NewLine, NewOrder, Placement, placed
from resolvers.posting_locks import posted
from resolvers.rma_request_locks import Locked, locked
from resolvers.rma_request_stages import refresh
from rules.access_groups import check_length
from rules.amounts import totals
from rules.broken import BrokenRule, BrokenRules, found_at
from rules.carts import assess
from rules.contacts import AddressKind
from rules.credit_notes import InvoicedLine
from rules.invoices import check_standing
from rules.orders import LONGEST_COMMENT, split
from rules.products import ProductUnavailable
from rules.quotations import Quote
from rules.rma_decisions import check_replaced, left_to_replace
from rules.rma_progress import RMALineProgress
from rules.rma_requests import MOST_LINES, RMAAct
from rules.stock import StockPolicy
from rules.texts import check_text


@strawberry.input(
    description="How much of a line of a request is replaced.", name="RmaRequestReplaceLineInput"
)
class RMARequestReplaceLineInput:
    """One of rmaRequestReplace's lines."""

    position: int = strawberry.field(description="The line's place in the request.")
    quantity: Decimal | None = strawberry.field(
        default=None, description="How much; all that was granted and is not replaced yet when left out."
    )


@strawberry.input(
    description="What is sent in place of what a request returns.", name="RmaRequestReplaceInput"
)
class RMARequestReplaceInput:
    """rmaRequestReplace(input:)."""

    rma_request: strawberry.ID = strawberry.field(description="The request.")
    lines: list[RMARequestReplaceLineInput] | None = strawberry.field(
        default=None,
        description="Which lines, of those whose resolution is REPLACE, each once; all that was granted and is not "
        "replaced yet when left out.",
    )
    warehouse: strawberry.ID | None = strawberry.field(
        default=None,
        description="From where goods ship; when left out each from where most of it is available.",
    )
    comment: str | None = strawberry.field(
        default=None, description="A word on the orders, at most 2,000 characters."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class RMARequestReplacePayload(Payload):
    """The orders that were placed, one a warehouse, and the request as it is now."""

    orders: list[Order] | None = None
    rma_request: RMARequest | None = None


_Input = Annotated[RMARequestReplaceInput, strawberry.argument(description="What to replace.")]


async def replace_lines(info: Info, input: _Input) -> RMARequestReplacePayload:
    """Mutation.rmaRequestReplace: all that is asked, or nothing. The credit limit is no obstacle: what is replaced was
    ordered before. Locks: the customer, the request, the stock, the numbers."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_length(input.lines, MOST_LINES, "lines")
    warehouse_id = None
    if input.warehouse is not None:
        warehouse_id = (await nodes.found(context, str(input.warehouse), "Warehouse", "warehouse")).id
    found = await locked(context, input.rma_request, RMAAct.REPLACE, "rmaRequest", version=input.version)
    invoice: Invoice = await posted(context, "Invoice", found.request.invoice_id, "rmaRequest")
    with found_at("rmaRequest"):
        check_standing(invoice.state)
    wanted = _wanted(found, input.lines)
    new = await _new_lines(context, invoice, wanted, warehouse_id)
    orders = await placed(
        context,
        await _placement(context, found.request, invoice, input.comment),
        [_new_order(invoice, *group) for group in split(new)],
    )
    await refresh(context, found.request.id)
    after: RMARequest = await posted(context, "RMARequest", found.request.id, "rmaRequest")
    return RMARequestReplacePayload([each.order for each in orders], after)


def _wanted(
    found: Locked, given: Sequence[RMARequestReplaceLineInput] | None
) -> list[tuple[RMALineProgress, Decimal]]:
    """Which lines are replaced, with how much. Raises LinesMissing, or BrokenRules with all that is
    wrong."""
    if given is None:
        return [(line, left_to_replace(line)) for line in found.lines if left_to_replace(line) > 0]

    def asked(line: RMALineProgress, each: RMARequestReplaceLineInput) -> Decimal:
        quantity = left_to_replace(line) if each.quantity is None else each.quantity
        check_replaced(line, quantity)
        return quantity

    return named(given, {line.position: line for line in found.lines}, asked)


@dataclass(slots=True)
class _Item:
    """A line as rules.carts assesses it, at the price of the invoice."""

    product_id: UUID
    sku: str
    unit: str
    kind: str
    sellable: bool
    quantity: Decimal
    warehouse_id: UUID | None
    quote: Quote | None = None


@dataclass(slots=True)
class _Price:
    """What a line of the invoice charged for one."""

    min_quantity: Decimal
    unit_price: Decimal
    currency: str
    tax_included: bool


async def _new_lines(
    context: Context,
    invoice: Invoice,
    wanted: Sequence[tuple[RMALineProgress, Decimal]],
    warehouse_id: UUID | None,
) -> list[NewLine]:
    """What is ordered, from stock that is locked by now. Raises BrokenRules with all that cannot be had."""
    connection, viewer = context.connection, context.signed_in
    ids = [line.product_id for line, _ in wanted if line.product_id is not None]
    levels = dict(await db.stock.lock(connection, viewer, ids))
    products = await db.products.by_ids(connection, viewer, ids)
    charged = await db.invoiced_lines.of_invoices(connection, viewer, [invoice.id])
    prices = {line.position: line for line in charged[invoice.id]}
    new: list[NewLine] = []
    broken: list[BrokenRule] = []
    for index, (line, quantity) in enumerate(wanted):
        product = products.get(line.product_id) if line.product_id is not None else None
        try:
            if product is None or not product.active:
                raise ProductUnavailable(sku=line.sku)
            price = prices[line.invoice_position]
            made = _new_line(context, invoice, price, product, quantity, levels[product.id], warehouse_id)
            levels[product.id] = _promised(levels[product.id], made)
            new.append(made)
        except BrokenRule as rule:
            broken.append(rule.at("lines", str(index)))
    if broken:
        raise BrokenRules(broken)
    return new


def _new_line(
    context: Context,
    invoice: Invoice,
    charged: InvoicedLine,
    product: Product,
    quantity: Decimal,
    levels: Sequence[StockLevel],
    warehouse_id: UUID | None,
) -> NewLine:
    """A line at the tax and the price of the invoice, less what was discounted since: what is credited for the goods is
    no more than that. Raises what stands in its way."""
    unit_price = charged.price_after_discounts(invoice.currency)
    item = _Item(product.id, product.sku, product.unit, product.kind, True, quantity, warehouse_id)
    price = _Price(Decimal(0), unit_price, invoice.currency, invoice.tax_included)
    found = assess(item, [price], levels, StockPolicy(context.portal.stock_policy))
    if found.problem is not None:
        raise found.problem.at("quantity")
    assert found.amount is not None, "the invoice has a price"
    return NewLine(
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        unit=product.unit,
        quantity=quantity,
        unit_price=unit_price,
        tax_rate=charged.tax_rate,
        amount=found.amount,
        warehouse_id=found.warehouse_id,
    )


def _promised(levels: Sequence[StockLevel], line: NewLine) -> list[StockLevel]:
    """The stock of a product after a line is promised: two lines of an invoice can be of one product."""
    return [
        replace(each, reserved=each.reserved + line.quantity)
        if each.warehouse_id == line.warehouse_id
        else each
        for each in levels
    ]


def _new_order(invoice: Invoice, warehouse_id: UUID | None, lines: Sequence[NewLine]) -> NewOrder:
    sums = totals([(line.amount, line.tax_rate) for line in lines], tax_included=invoice.tax_included)
    return NewOrder(warehouse_id, invoice.tax_included, sums, lines)


async def _placement(
    context: Context, request: RMARequest, invoice: Invoice, comment: str | None
) -> Placement:
    """What the orders have in common: they go where the goods went that are replaced."""
    today = await db.order_changes.today(context.connection)
    return Placement(
        customer_id=request.customer_id,
        account_id=None,
        currency=invoice.currency,
        ship_to=await _ship_to(context, invoice),
        promised_on=today + timedelta(days=context.portal.lead_days),
        comment=comment or None,
        rma_request_id=request.id,
    )


async def _ship_to(context: Context, invoice: Invoice) -> str | None:
    """The address of the invoice's order, or else the customer's only one to ship to."""
    if invoice.order_id is not None:
        orders: Mapping[UUID, Order] = await db.orders.by_ids(
            context.connection, context.signed_in, [invoice.order_id]
        )
        if invoice.order_id in orders and orders[invoice.order_id].ship_to is not None:
            return orders[invoice.order_id].ship_to
    every = await context.load_list(db.contacts.printed_for, invoice.customer_id)
    shipping = [each for each in every if each.kind is AddressKind.SHIPPING]
    return shipping[0].as_json() if len(shipping) == 1 else None
