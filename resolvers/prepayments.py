"""Prepayments: what of a customer's payments and credit notes settles nothing, and whence."""

from typing import Any

import strawberry

import db
from db.invoices import Invoice
from db.prepayments import Prepayment, PrepaymentSource
from resolvers import money, nodes, pages
from resolvers.balance_reports import CustomerBalance
from resolvers.context import Info


async def page(
    root: strawberry.Parent[CustomerBalance],
    info: Info,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """CustomerBalance.prepayments."""
    asked = pages.Asked(first, after, last, before)
    found = await pages.connection(info.context, db.prepayments, dict(root.filters), ["SINCE_ASC"], asked)
    for row in found.page.rows:
        row.filters = root.filters
    return found


def amount(root: strawberry.Parent[Prepayment | PrepaymentSource]) -> money.Money:
    """Prepayment.amount, and that of a source."""
    return money.of_minor(root.amount, root.currency)


async def invoice(root: strawberry.Parent[Prepayment], info: Info) -> Invoice | None:
    """Prepayment.invoice: None for what lies on account."""
    if root.document_type != "Invoice":
        return None
    found: Invoice | None = await nodes.load(info.context, "Invoice", root.id)
    return found


async def sources(root: strawberry.Parent[Prepayment], info: Info) -> list[PrepaymentSource]:
    """Prepayment.sources: what lies on account has one."""
    if root.document_type == "Invoice":
        return await info.context.load_list(db.prepayments.sources, (root.filters, root.id))
    return [PrepaymentSource(root.id, root.id, root.document_type, root.number, root.amount, root.currency)]


async def document(root: strawberry.Parent[PrepaymentSource], info: Info) -> Any:
    """PrepaymentSource.document."""
    return await nodes.load(info.context, root.document_type, root.document_id)
