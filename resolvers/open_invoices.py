"""Open invoices: a customer's balance in all: debt by how long it is due, and the credit limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry

import db
from db.open_invoices import FirstOf, OpenInvoice
from execution.levels import level
from resolvers import money, nodes, pages
from resolvers.balance_reports import CustomerBalance
from resolvers.context import Context, Info
from rules import credit as limits
from rules.balances import Aged, AgeingBucket, Standing
from rules.pages import DEFAULT_PAGE
from rules.portals import check_currency


@dataclass(slots=True)
class CurrencyBalance:
    """What a report says in one currency."""

    report: CustomerBalance
    standing: Standing

    @property
    def currency(self) -> str:
        """The currency."""
        return self.standing.currency


@dataclass(slots=True)
class AgedDebt:
    """The open invoices of a bucket in one currency of a report."""

    report: CustomerBalance
    currency: str
    aged: Aged


@dataclass(slots=True)
class CustomerCredit:
    """A credit limit, what of it is used and what is left."""

    limit: money.Money
    used: money.Money
    left: money.Money


def standings(report: CustomerBalance, found: list[Standing]) -> list[Standing]:
    """One for each currency of the report, also where nothing moved."""
    known = {each.currency: each for each in found}
    nothing = tuple(Aged(bucket) for bucket in AgeingBucket)
    return [
        known.get(currency) or Standing(currency, nothing, 0, 0)
        for currency in report.currencies(list(known))
    ]


async def balances(root: strawberry.Parent[CustomerBalance], info: Info) -> list[CurrencyBalance]:
    """CustomerBalance.balances."""
    found = await info.context.load_list(db.balance_reports.standings, root.filters)
    return [CurrencyBalance(root, each) for each in standings(root, found)]


def debt(root: strawberry.Parent[CurrencyBalance]) -> money.Money:
    """CurrencyBalance.debt."""
    return money.of_minor(root.standing.debt, root.currency)


def prepaid(root: strawberry.Parent[CurrencyBalance]) -> money.Money:
    """CurrencyBalance.prepayments."""
    return money.of_minor(root.standing.prepayments, root.currency)


def overdue(root: strawberry.Parent[CurrencyBalance]) -> money.Money:
    """CurrencyBalance.overdue."""
    return money.of_minor(root.standing.overdue, root.currency)


def ageing(root: strawberry.Parent[CurrencyBalance]) -> list[AgedDebt]:
    """CurrencyBalance.ageing."""
    return [AgedDebt(root.report, root.currency, each) for each in root.standing.aged]


async def credit(root: strawberry.Parent[CurrencyBalance], info: Info) -> CustomerCredit | None:
    """CurrencyBalance.credit: in the customer's own currency, as orderPreview weighs it. A limit and what is to be
    invoiced have no history, so a report as of an earlier day says nothing of them."""
    customer, currency = root.report.customer, root.currency
    if customer.credit_limit is None or currency != customer.currency or not root.report.is_today:
        return None
    exposure = await db.credit.exposure(info.context.connection, customer.id, currency)
    found = limits.credit(customer.credit_limit, exposure, 0, currency)
    return CustomerCredit(
        *(money.of_minor(each, currency) for each in (found.limit, found.used, found.limit - found.used))
    )


def bucket(root: strawberry.Parent[AgedDebt]) -> AgeingBucket:
    """AgedDebt.bucket."""
    return root.aged.bucket


def aged_amount(root: strawberry.Parent[AgedDebt]) -> money.Money:
    """AgedDebt.amount."""
    return money.of_minor(root.aged.amount, root.currency)


def aged_count(root: strawberry.Parent[AgedDebt]) -> int:
    """AgedDebt.count."""
    return root.aged.count


@level
async def first(
    roots: Sequence[AgedDebt], context: Context, first: pages.First = None
) -> list[list[OpenInvoice]]:
    """AgedDebt.invoices: the first of them; all buckets of a report with one statement."""
    most = first or DEFAULT_PAGE
    keys = [
        (root.report.filters, FirstOf(root.currency, root.aged.bucket, most)) if root.aged.count else None
        for root in roots
    ]
    return await context.load_lists(db.open_invoices.first, keys)


_Currency = Annotated[str | None, strawberry.argument(description="In this currency.")]
_Bucket = Annotated[AgeingBucket | None, strawberry.argument(description="In this bucket.")]


async def page(
    root: strawberry.Parent[CustomerBalance],
    info: Info,
    currency: _Currency = None,
    bucket: _Bucket = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """CustomerBalance.openInvoices."""
    check_currency(currency, "currency")
    asked = pages.Asked(first, after, last, before)
    filters = root.narrowed(currency=root.currency or currency, bucket=bucket and bucket.value)
    if root.currency and currency and currency != root.currency:
        filters["currency"] = ""  # both have to hold, and no row has two
    return await pages.connection(info.context, db.open_invoices, filters, ["DUE_ON_ASC"], asked)


# OpenInvoice.invoice.
invoice = nodes.relation("Invoice", "id")


def invoice_total(root: strawberry.Parent[OpenInvoice]) -> money.Money:
    """OpenInvoice.total."""
    return money.of_minor(root.total, root.currency)


def invoice_open(root: strawberry.Parent[OpenInvoice]) -> money.Money:
    """OpenInvoice.open."""
    return money.of_minor(root.open, root.currency)


def days_overdue(root: strawberry.Parent[OpenInvoice]) -> int:
    """OpenInvoice.daysOverdue."""
    return max(root.days_overdue, 0)
