"""Invoice postings: staff charges what was shipped of an order, and gives an invoice its tax invoice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.customers import Customer
from db.goods_issues import GoodsIssue
from db.invoices import Invoice, InvoiceLine
from db.movements import Movement
from db.orders import Order
from db.shipped_lines import ShippedLine
from db.tax_invoices import TaxInvoice
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.posting_locks import billing_address, customer_locked, invoice_locked, posted
from rules.access_groups import check_length
from rules.amounts import line_amount, totals
from rules.balances import MovementKind
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound
from rules.documents import DocumentStatus
from rules.fulfilments import LineTwice
from rules.invoices import (
    LONGEST_COMMENT,
    LinesMissing,
    MoreThanShipped,
    SeveralOrders,
    check_due,
    check_order,
    check_quantity,
    check_tax_invoice,
    left_to_invoice,
)
from rules.numbers import NumberKind
from rules.rows import MOST_ROWS
from rules.texts import check_text


@strawberry.input(description="How much of a line of a goods issue is charged.")
class InvoiceIssueLineInput:
    """One of invoiceIssue's lines."""

    goods_issue: strawberry.ID = strawberry.field(description="The goods issue.")
    position: int = strawberry.field(description="The line's place in the goods issue.")
    quantity: Decimal | None = strawberry.field(
        default=None, description="How much; all of it that is not invoiced yet when left out."
    )


@strawberry.input(description="What was shipped and is to be paid: an order, or some of its goods issues.")
class InvoiceIssueInput:
    """invoiceIssue(input:)."""

    order: strawberry.ID | None = strawberry.field(
        default=None, description="All that was shipped of this order and is not invoiced yet."
    )
    goods_issues: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Or what of these goods issues is not invoiced yet, all of one order."
    )
    lines: list[InvoiceIssueLineInput] | None = strawberry.field(
        default=None, description="Of that only these lines, each once, at most 1,000; all when left out."
    )
    due_on: date | None = strawberry.field(
        default=None,
        description="The last day on which it is to be paid; today and the portal's paymentDays when left out.",
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An invoice that gets its tax invoice.")
class TaxInvoiceIssueInput:
    """taxInvoiceIssue(input:)."""

    invoice: strawberry.ID = strawberry.field(description="The invoice.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class InvoicePayload(Payload):
    """The invoice that was posted."""

    invoice: Invoice | None = None


@dataclass(slots=True)
class TaxInvoicePayload(Payload):
    """The tax invoice that was posted."""

    tax_invoice: TaxInvoice | None = None


_IssueInput = Annotated[InvoiceIssueInput, strawberry.argument(description="What to charge.")]
_TaxInput = Annotated[TaxInvoiceIssueInput, strawberry.argument(description="Of which invoice.")]


@dataclass(slots=True)
class _Charged:
    """How much of a shipped line is charged."""

    line: ShippedLine
    quantity: Decimal


async def issue(info: Info, input: _IssueInput) -> InvoicePayload:
    """Mutation.invoiceIssue."""
    context = info.context
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_length(input.lines, MOST_ROWS, "lines")
    order, chosen = await _of_one_order(context, input)
    customer = await customer_locked(context, order.customer_id)
    shipped = (await db.shipped_lines.of_orders(context.connection, context.signed_in, [order.id]))[order.id]
    offered = shipped if chosen is None else [each for each in shipped if each.goods_issue_id in chosen]
    charged = _charged(input, offered)
    today = await db.order_changes.today(context.connection)
    due_on = input.due_on or today + timedelta(days=context.portal.payment_days)
    check_due(due_on, today, "dueOn")
    new, lines = await _written(context, order, customer, charged, due_on=due_on, comment=input.comment)
    await _post(context, new, lines)
    return InvoicePayload(await posted(context, "Invoice", new.id))


async def _of_one_order(context: Context, input: InvoiceIssueInput) -> tuple[Order, set[UUID] | None]:
    """The order that is charged, and which of its goods issues; None: all. Raises BrokenRules."""
    if (input.order is None) == (input.goods_issues is None):
        raise InvalidInput(path=("order",))
    if input.goods_issues is None:
        return await nodes.found(context, str(input.order), "Order", "order"), None
    check_length(input.goods_issues, MOST_ROWS, "goodsIssues")
    if not input.goods_issues:
        raise LinesMissing(path=("goodsIssues",))
    keys = await nodes.found_keys(
        context, [str(each) for each in input.goods_issues], "GoodsIssue", "goodsIssues"
    )
    read = await db.goods_issues.by_ids(context.connection, context.signed_in, keys)
    orders = {each.order_id for each in read.values()}
    if len(orders) > 1:
        raise SeveralOrders(path=("goodsIssues",))
    order = await nodes.load(context, "Order", orders.pop())
    if order is None:
        raise NotFound(path=("goodsIssues",))
    return order, set(keys)


def _charged(input: InvoiceIssueInput, offered: Sequence[ShippedLine]) -> list[_Charged]:
    """What is charged. Raises NothingToInvoice, or BrokenRules with all that is wrong with the lines."""
    whole = "order" if input.goods_issues is None else "goodsIssues"
    if input.lines is None:
        try:
            check_order(offered)
        except BrokenRule as rule:
            raise rule.at(whole) from None
        every = [_Charged(line, left) for line in offered if (left := left_to_invoice(line)) > 0]
        check_length(every, MOST_ROWS, whole)
        return every
    if not input.lines:
        raise LinesMissing(path=("lines",))
    return _named(input.lines, {(line.goods_issue_id, line.position): line for line in offered})


def _named(
    given: Sequence[InvoiceIssueLineInput], offered: Mapping[tuple[UUID, int], ShippedLine]
) -> list[_Charged]:
    charged: dict[tuple[UUID, int], _Charged] = {}
    issues = {issue_id for issue_id, _ in offered}
    broken: list[BrokenRule] = []
    for index, each in enumerate(given):
        path = ("lines", str(index))
        key = nodes.key_of(str(each.goods_issue), GoodsIssue.__name__)
        line = offered.get((key, each.position)) if key else None
        if key is None or line is None:
            broken.append(NotFound(path=(*path, "position" if key in issues else "goodsIssue")))
        elif (key, each.position) in charged:
            broken.append(LineTwice(position=each.position, path=(*path, "position")))
        else:
            left = left_to_invoice(line)
            charged[key, each.position] = _Charged(line, left if each.quantity is None else each.quantity)
            too_much = MoreThanShipped(sku=line.sku, left=left)
            try:
                check_quantity(charged[key, each.position].quantity, left, line.unit, too_much)
            except BrokenRule as rule:
                broken.append(rule.at(*path))
    if broken:
        raise BrokenRules(broken)
    return list(charged.values())


async def _written(
    context: Context,
    order: Order,
    customer: Customer,
    charged: Sequence[_Charged],
    *,
    due_on: date,
    comment: str | None,
) -> tuple[Invoice, list[InvoiceLine]]:
    """The invoice with its lines: copies of what was shipped, at the prices of the order."""
    invoice_id = uuid.uuid7()
    lines = [
        InvoiceLine(
            invoice_id=invoice_id,
            position=position,
            product_id=each.line.product_id,
            sku=each.line.sku,
            name=each.line.name,
            unit=each.line.unit,
            quantity=each.quantity,
            unit_price=each.line.unit_price,
            tax_rate=each.line.tax_rate,
            amount=line_amount(each.quantity, each.line.unit_price, order.currency),
            goods_issue_id=each.line.goods_issue_id,
            goods_issue_position=each.line.position,
            currency=order.currency,
        )
        for position, each in enumerate(charged, start=1)
    ]
    sums = totals([(line.amount, line.tax_rate) for line in lines], tax_included=order.tax_included)
    invoice = Invoice(
        id=invoice_id,
        number=(await db.numbers.take(context.connection, NumberKind.INVOICE, 1))[0],
        customer_id=customer.id,
        order_id=order.id,
        issued_at=datetime.now(UTC),
        due_on=due_on,
        currency=order.currency,
        tax_included=order.tax_included,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        customer_name=customer.name,
        bill_to=await billing_address(context, customer.id),
        comment=comment or None,
        open=sums.total,
        state=DocumentStatus.UNPAID,
    )
    return invoice, lines


async def _post(context: Context, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    await db.invoices.add(context.connection, [invoice], lines)
    movement = Movement(
        id=uuid.uuid7(),
        kind=MovementKind.INVOICE,
        customer_id=invoice.customer_id,
        order_id=invoice.order_id,
        moved_at=invoice.issued_at,
        currency=invoice.currency,
        amount=invoice.total,
        invoice_id=invoice.id,
        settles_id=invoice.id,
    )
    await db.movements.post(context.connection, [movement])
    told = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
    after = facts_of(invoice, lines=told)
    context.record("Invoice", invoice.id, before=None, after=after, customer_id=invoice.customer_id)


async def issue_tax(info: Info, input: _TaxInput) -> TaxInvoicePayload:
    """Mutation.taxInvoiceIssue: it moves nothing."""
    context = info.context
    _, invoice = await invoice_locked(context, str(input.invoice), "invoice")
    standing = await db.standing_documents.of_documents(context.connection, context.signed_in, [invoice.id])
    try:
        check_tax_invoice(invoice.state, standing[invoice.id])
    except BrokenRule as rule:
        raise rule.at("invoice") from None
    new = TaxInvoice(
        id=uuid.uuid7(),
        number=(await db.numbers.take(context.connection, NumberKind.TAX_INVOICE, 1))[0],
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        issued_at=datetime.now(UTC),
        currency=invoice.currency,
        tax_included=invoice.tax_included,
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        state=DocumentStatus.ISSUED,
    )
    await db.tax_invoices.add(context.connection, [new])
    context.record("TaxInvoice", new.id, before=None, after=facts_of(new), customer_id=new.customer_id)
    return TaxInvoicePayload(new)
