"""Invoice drafts: what is to be charged, and the invoice that it makes now, posted at once or kept as a draft."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.customers import Customer
from db.goods_issues import GoodsIssue
from db.invoices import Invoice, InvoiceLine
from db.orders import Order
from db.shipped_lines import ShippedLine
from resolvers import nodes
from resolvers.context import Context
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION
from resolvers.posting_locks import billing_address
from rules.access_groups import check_length
from rules.amounts import line_amount, totals
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound, found_at
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
    left_to_invoice,
)
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


@strawberry.input(
    description="What was shipped and is to be paid: an order, or some of its goods issues; or a draft of that."
)
class InvoiceIssueInput:
    """invoiceIssue(input:)."""

    document_draft: strawberry.ID | None = strawberry.field(
        default=None, description="A draft to be issued; then nothing else is said but its version."
    )
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
    draft: bool = strawberry.field(
        default=False,
        description="Only keep it: a draft is seen by nobody but the staff who could issue it, and can be changed.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class Basis:
    """The order that is charged, and which of its goods issues; None: all."""

    order: Order
    goods_issues: set[UUID] | None


@dataclass(slots=True)
class _Charged:
    """How much of a shipped line is charged."""

    line: ShippedLine
    quantity: Decimal


def asked_in(kept: str) -> InvoiceIssueInput:
    """What a draft keeps as JSON."""
    asked = json.loads(kept)
    if asked["lines"] is not None:
        for line in asked["lines"]:
            line["quantity"] = None if line["quantity"] is None else Decimal(line["quantity"])
        asked["lines"] = [InvoiceIssueLineInput(**line) for line in asked["lines"]]
    if asked["due_on"] is not None:
        asked["due_on"] = date.fromisoformat(asked["due_on"])
    return InvoiceIssueInput(**asked)


async def drafted(
    context: Context, asked: InvoiceIssueInput, basis: Basis, customer: Customer, today: date
) -> tuple[Invoice, list[InvoiceLine]]:
    """The invoice as it would be posted at this moment, without its number, and its lines.

    It is posted only if the customer was locked before. Raises BrokenRule or BrokenRules for what stands in the way.
    """
    shipped = await context.load_list(db.shipped_lines.of_orders, basis.order.id)
    chosen = basis.goods_issues
    offered = shipped if chosen is None else [each for each in shipped if each.goods_issue_id in chosen]
    charged = _charged(asked, offered)
    due_on = asked.due_on or today + timedelta(days=context.portal.payment_days)
    check_due(due_on, today, "dueOn")
    bill_to = await billing_address(context, customer.id)
    return _written(basis.order, customer, charged, due_on=due_on, bill_to=bill_to, comment=asked.comment)


async def drafted_now(
    context: Context, asked: InvoiceIssueInput, today: date
) -> tuple[Invoice, list[InvoiceLine]]:
    """The same of what nobody has locked: it can be another one a moment later."""
    basis = await basis_of(context, asked)
    customer = await context.load(db.customers.by_ids, basis.order.customer_id)
    if customer is None:
        raise NotFound(path=("order",))
    return await drafted(context, asked, basis, customer, today)


async def basis_of(context: Context, input: InvoiceIssueInput) -> Basis:
    """What is charged. Raises BrokenRules."""
    check_text(input.comment, LONGEST_COMMENT, "comment")
    check_length(input.lines, MOST_ROWS, "lines")
    if (input.order is None) == (input.goods_issues is None):
        raise InvalidInput(path=("order",))
    if input.goods_issues is None:
        return Basis(await nodes.found(context, str(input.order), "Order", "order"), None)
    check_length(input.goods_issues, MOST_ROWS, "goodsIssues")
    if not input.goods_issues:
        raise LinesMissing(path=("goodsIssues",))
    keys = await nodes.found_keys(
        context, [str(each) for each in input.goods_issues], "GoodsIssue", "goodsIssues"
    )
    orders = {(await nodes.load(context, "GoodsIssue", key)).order_id for key in keys}
    if len(orders) > 1:
        raise SeveralOrders(path=("goodsIssues",))
    order = await nodes.load(context, "Order", orders.pop())
    if order is None:
        raise NotFound(path=("goodsIssues",))
    return Basis(order, set(keys))


def _charged(input: InvoiceIssueInput, offered: Sequence[ShippedLine]) -> list[_Charged]:
    """What is charged. Raises NothingToInvoice, or BrokenRules with all that is wrong with the lines."""
    whole = "order" if input.goods_issues is None else "goodsIssues"
    if input.lines is None:
        with found_at(whole):
            check_order(offered)
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


def _written(
    order: Order,
    customer: Customer,
    charged: Sequence[_Charged],
    *,
    due_on: date,
    bill_to: str | None,
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
        number="",  # taken once all is checked
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
        bill_to=bill_to,
        comment=comment or None,
        open=sums.total,
        state=DocumentStatus.UNPAID,
    )
    return invoice, lines
