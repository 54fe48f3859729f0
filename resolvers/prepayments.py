"""Prepayments: what of a customer's payments and credit notes settles nothing, and whence."""

from operator import attrgetter
from uuid import UUID

import strawberry

import db
from db.balance_reports import Filters
from db.prepayments import Prepayment, PrepaymentSource
from resolvers import money, nodes, pages
from resolvers.balance_reports import CustomerBalance
from resolvers.context import Info
from resolvers.relations import relations


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


def _invoice_id(root: Prepayment) -> UUID | None:
    return root.id if root.document_type == "Invoice" else None


# Prepayment.invoice: None for what lies on account.
invoice = nodes.relation("Invoice", _invoice_id)


def _used(root: Prepayment) -> tuple[Filters, UUID] | None:
    return (root.filters, root.id) if root.document_type == "Invoice" else None


def _sources(root: Prepayment, found: list[PrepaymentSource]) -> list[PrepaymentSource]:
    if root.document_type == "Invoice":
        return found
    return [PrepaymentSource(root.id, root.id, root.document_type, root.number, root.amount, root.currency)]


# Prepayment.sources: what lies on account has one.
sources = relations(db.prepayments.sources, _used, then=_sources)


# PrepaymentSource.document.
document = nodes.relation_to_any(attrgetter("document_type", "document_id"))
