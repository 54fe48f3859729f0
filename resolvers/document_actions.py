"""Document actions: what the staff can do with posted documents, by the rules that guard the mutations."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import db
from db.credit_notes import CreditNote
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.orders import Order
from db.payments import Payment
from db.tax_invoices import TaxInvoice
from execution.levels import level
from resolvers.actions import Action, weigh
from resolvers.context import Context
from rules.balances import PaymentKind
from rules.broken import BrokenRule, broken_by
from rules.credit_notes import InvoicedLine, check_credit, check_return
from rules.invoices import InvoiceAct, check_order, check_payable, check_tax_invoice
from rules.payments import check_allocate, left_on_account
from rules.permissions import Permission
from rules.reversals import check_covered, check_reverse

NEEDS = {
    InvoiceAct.TAX_INVOICE: Permission.INVOICES_WRITE,
    InvoiceAct.CREDIT: Permission.INVOICES_WRITE,
    InvoiceAct.RECEIVE: Permission.ORDERS_FULFIL,
    InvoiceAct.PAY: Permission.PAYMENTS_WRITE,
    InvoiceAct.REVERSE: Permission.INVOICES_WRITE,
}


def _broken(check: Callable[..., None], *facts: Any) -> BrokenRule | None:
    return next(broken_by([lambda: check(*facts)]), None)


async def of_orders(context: Context, orders: Sequence[Order]) -> list[list[Action]]:
    """What the staff can do with what was shipped of each order; nothing for customers."""
    if not context.signed_in.is_staff:
        return [[] for _ in orders]
    shipped = await context.load_lists(db.shipped_lines.of_orders, [order.id for order in orders])
    return [
        [weigh(context, "INVOICE", Permission.INVOICES_WRITE, _broken(check_order, lines))]
        for lines in shipped
    ]


@level
async def of_invoice(roots: Sequence[Invoice], context: Context) -> list[list[Action]]:
    """Invoice.actions; nothing for customers."""
    if not context.signed_in.is_staff:
        return [[] for _ in roots]
    ids = [root.id for root in roots]
    found = await asyncio.gather(
        context.load_lists(db.invoiced_lines.of_invoices, ids),
        context.load_lists(db.standing_documents.of_documents, ids),
    )
    return [_of_invoice(context, *each) for each in zip(roots, *found, strict=True)]


def _of_invoice(
    context: Context, root: Invoice, lines: list[InvoicedLine], standing: list[str]
) -> list[Action]:
    broken = {
        InvoiceAct.TAX_INVOICE: _broken(check_tax_invoice, root.state, standing),
        InvoiceAct.CREDIT: _broken(check_credit, root.state, lines),
        InvoiceAct.RECEIVE: _broken(check_return, root.state, lines),
        InvoiceAct.PAY: _broken(check_payable, root.state, root.open),
        InvoiceAct.REVERSE: _broken(check_reverse, root.state, standing),
    }
    return [weigh(context, act.value, NEEDS[act], broken[act]) for act in InvoiceAct]


@level
async def of_document(
    roots: Sequence[TaxInvoice | CreditNote | GoodsReturn], context: Context
) -> list[list[Action]]:
    """The actions of a document that follows from an invoice: it can be reversed; nothing for customers."""
    if not context.signed_in.is_staff:
        return [[] for _ in roots]
    found = await context.load_lists(db.standing_documents.of_documents, [root.id for root in roots])
    name, needs = InvoiceAct.REVERSE.value, Permission.INVOICES_WRITE
    return [
        [weigh(context, name, needs, _broken(check_reverse, root.state, standing))]
        for root, standing in zip(roots, found, strict=True)
    ]


@level
async def of_payment(roots: Sequence[Payment], context: Context) -> list[list[Action]]:
    """Payment.actions; nothing for customers."""
    if not context.signed_in.is_staff:
        return [[] for _ in roots]
    lying = await context.load_level(db.allocations.of_payments, [root.id for root in roots])
    return [_of_payment(context, root, *(each or (0, 0))) for root, each in zip(roots, lying, strict=True)]


def _of_payment(context: Context, root: Payment, own: int, every: int) -> list[Action]:
    left = left_on_account(PaymentKind(root.kind), own, every)
    broken = {
        "ALLOCATE": _broken(check_allocate, root.state, left),
        "REVERSE": _broken(check_reverse, root.state) or _broken(check_covered, every, every - own),
    }
    return [weigh(context, name, Permission.PAYMENTS_WRITE, rule) for name, rule in broken.items()]
