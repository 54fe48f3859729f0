"""Document actions: what the staff can do with posted documents, by the rules that guard the mutations."""

from collections.abc import Callable
from typing import Any

import strawberry

import db
from db.credit_notes import CreditNote
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.orders import Order
from db.payments import Payment
from db.tax_invoices import TaxInvoice
from resolvers.actions import Action, weigh
from resolvers.context import Context, Info
from rules.balances import PaymentKind
from rules.broken import BrokenRule, broken_by
from rules.credit_notes import check_credit, check_return
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


async def of_order(context: Context, order: Order) -> list[Action]:
    """What the staff can do with what was shipped of an order; nothing for customers."""
    if not context.signed_in.is_staff:
        return []
    shipped = await context.load_list(db.shipped_lines.of_orders, order.id)
    return [weigh(context, "INVOICE", Permission.INVOICES_WRITE, _broken(check_order, shipped))]


async def of_invoice(root: strawberry.Parent[Invoice], info: Info) -> list[Action]:
    """Invoice.actions; nothing for customers."""
    context = info.context
    if not context.signed_in.is_staff:
        return []
    lines = await context.load_list(db.invoiced_lines.of_invoices, root.id)
    standing = await context.load_list(db.standing_documents.of_documents, root.id)
    broken = {
        InvoiceAct.TAX_INVOICE: _broken(check_tax_invoice, root.state, standing),
        InvoiceAct.CREDIT: _broken(check_credit, root.state, lines),
        InvoiceAct.RECEIVE: _broken(check_return, root.state, lines),
        InvoiceAct.PAY: _broken(check_payable, root.state, root.open),
        InvoiceAct.REVERSE: _broken(check_reverse, root.state, standing),
    }
    return [weigh(context, act.value, NEEDS[act], broken[act]) for act in InvoiceAct]


async def of_document(
    root: strawberry.Parent[TaxInvoice | CreditNote | GoodsReturn], info: Info
) -> list[Action]:
    """The actions of a document that follows from an invoice: it can be reversed; nothing for customers."""
    context = info.context
    if not context.signed_in.is_staff:
        return []
    standing = await context.load_list(db.standing_documents.of_documents, root.id)
    broken = _broken(check_reverse, root.state, standing)
    return [weigh(context, InvoiceAct.REVERSE.value, Permission.INVOICES_WRITE, broken)]


async def of_payment(root: strawberry.Parent[Payment], info: Info) -> list[Action]:
    """Payment.actions; nothing for customers."""
    context = info.context
    if not context.signed_in.is_staff:
        return []
    lying = await context.load(db.allocations.of_payments, root.id)
    own, every = lying or (0, 0)
    left = left_on_account(PaymentKind(root.kind), own, every)
    broken = {
        "ALLOCATE": _broken(check_allocate, root.state, left),
        "REVERSE": _broken(check_reverse, root.state) or _broken(check_covered, every, every - own),
    }
    return [weigh(context, name, Permission.PAYMENTS_WRITE, rule) for name, rule in broken.items()]
