"""Customer balances: a balance in all, its open invoices and prepayments; and order by order."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.open_invoices
import resolvers.order_balances
import resolvers.prepayments
from rules.balances import AgeingBucket
from schema.balance_reports import BalanceReport
from schema.fields import field
from schema.invoices import Invoice
from schema.money import Money
from schema.nodes import Node
from schema.orders import Order
from schema.pages import Connection
from schema.scalars import CurrencyCode


@strawberry.type(description="An invoice of which something was open.")
class OpenInvoice:
    """db.open_invoices.OpenInvoice."""

    invoice: Annotated[
        Invoice | None,
        field(
            resolvers.open_invoices.invoice,
            description="The invoice as it is now; null when it is not to be seen.",
        ),
    ]
    number: Annotated[str, field(description="Its number.")]
    issued_at: Annotated[datetime, field(description="When it was issued.")]
    due_on: Annotated[date, field(description="The last day on which it was to be paid.")]
    days_overdue: Annotated[
        int, field(resolvers.open_invoices.days_overdue, description="How many days over that; 0: none.")
    ]
    bucket: Annotated[AgeingBucket, field(description="The same in classes.")]
    total: Annotated[
        Money, field(resolvers.open_invoices.invoice_total, description="What it came to, with tax.")
    ]
    open: Annotated[
        Money, field(resolvers.open_invoices.invoice_open, description="What was still to be paid of it.")
    ]


@strawberry.type(description="The open invoices of one age in one currency.")
class AgedDebt:
    """resolvers.open_invoices.AgedDebt."""

    bucket: Annotated[AgeingBucket, field(resolvers.open_invoices.bucket, description="How long due.")]
    amount: Annotated[Money, field(resolvers.open_invoices.aged_amount, description="What is open of them.")]
    count: Annotated[int, field(resolvers.open_invoices.aged_count, description="How many they are.")]
    invoices: Annotated[
        list[OpenInvoice],
        field(
            resolvers.open_invoices.first,
            description="The first of them, the longest due first; CustomerBalance.openInvoices gives all.",
        ),
    ]


@strawberry.type(description="A credit limit and what is left of it, as orderPreview weighs it.")
class CustomerCredit:
    """resolvers.open_invoices.CustomerCredit."""

    limit: Annotated[Money, field(description="How much the customer may owe.")]
    used: Annotated[
        Money,
        field(
            description="What it owes now less what it has paid ahead, and what its orders are still to be invoiced."
        ),
    ]
    left: Annotated[
        Money, field(description="What may still be ordered; below zero: by how much it is exceeded.")
    ]


@strawberry.type(description="What a customer owes and has paid ahead in one currency.")
class CurrencyBalance:
    """resolvers.open_invoices.CurrencyBalance."""

    currency: Annotated[CurrencyCode, field(description="The currency.")]
    debt: Annotated[
        Money,
        field(
            resolvers.open_invoices.debt,
            description="What is open of invoices, and what was paid back beyond what lay on account.",
        ),
    ]
    prepayments: Annotated[
        Money,
        field(
            resolvers.open_invoices.prepaid,
            description="What was paid or credited beyond invoices, and what lies on account.",
        ),
    ]
    overdue: Annotated[
        Money,
        field(
            resolvers.open_invoices.overdue,
            description="What of the debt is open of invoices beyond their last day.",
        ),
    ]
    ageing: Annotated[
        list[AgedDebt],
        field(resolvers.open_invoices.ageing, description="Open invoices by how long they are due.", size=5),
    ]
    credit: Annotated[
        CustomerCredit | None,
        field(
            resolvers.open_invoices.credit,
            description="In the customer's own currency, if it has a limit; null as of an earlier day, of which limits "
            "have no history.",
        ),
    ]


@strawberry.type(description="A payment or credit note that settled an invoice, or lies on account.")
class PrepaymentSource:
    """db.prepayments.PrepaymentSource."""

    document: Annotated[
        Node | None,
        field(
            resolvers.prepayments.document,
            description="A Payment or CreditNote; null when the viewer may not see it.",
        ),
    ]
    document_number: Annotated[str, field(description="Its number.")]
    amount: Annotated[
        Money,
        field(resolvers.prepayments.amount, description="What it brought; below zero: what it took away."),
    ]


@strawberry.type(description="Something that was paid or credited and settles nothing.")
class Prepayment:
    """db.prepayments.Prepayment."""

    number: Annotated[str, field(description="The number of the document on account, or of the invoice.")]
    since: Annotated[datetime, field(description="When its first movement was.")]
    amount: Annotated[
        Money,
        field(
            resolvers.prepayments.amount,
            description="How much; below zero for what was paid back from the account.",
        ),
    ]
    invoice: Annotated[
        Invoice | None,
        field(
            resolvers.prepayments.invoice,
            description="The invoice that was settled beyond its total; null for what lies on account, or when it is not "
            "to be seen.",
        ),
    ]
    sources: Annotated[
        list[PrepaymentSource],
        field(
            resolvers.prepayments.sources,
            description="What lies on account, or all that settled the invoice.",
            size=2,
        ),
    ]


@strawberry.type(description="A customer's balance in all.")
class CustomerBalance(BalanceReport):
    """resolvers.balance_reports.CustomerBalance."""

    balances: Annotated[
        list[CurrencyBalance],
        field(resolvers.open_invoices.balances, description="One a currency.", size=2),
    ]
    open_invoices: Annotated[
        Connection[OpenInvoice],
        field(resolvers.open_invoices.page, description="The open invoices, the longest due first."),
    ]
    prepayments: Annotated[
        Connection[Prepayment],
        field(resolvers.prepayments.page, description="What was paid ahead, the first one first."),
    ]


@strawberry.type(description="What of an order was invoiced, credited and paid, in one currency.")
class OrderBalance:
    """db.order_balances.OrderBalance."""

    order: Annotated[
        Order | None,
        field(
            resolvers.order_balances.order,
            description="The order; null for all that belongs to none, or when it is not to be seen.",
        ),
    ]
    number: Annotated[str | None, field(description="Its number; null for all that belongs to no order.")]
    placed_at: Annotated[
        datetime | None, field(resolvers.order_balances.placed_at, description="When it was placed.")
    ]
    currency: Annotated[CurrencyCode, field(description="The currency.")]
    debt: Annotated[Money, field(resolvers.order_balances.debt, description="What is open of its invoices.")]
    prepayments: Annotated[
        Money,
        field(
            resolvers.order_balances.prepayments,
            description="What was paid or credited beyond them, and what lies on account for it.",
        ),
    ]
    invoiced: Annotated[
        Money, field(resolvers.order_balances.invoiced, description="What its invoices charge.")
    ]
    credited: Annotated[
        Money, field(resolvers.order_balances.credited, description="What credit notes take back.")
    ]
    paid: Annotated[Money, field(resolvers.order_balances.paid, description="Payments less refunds.")]


@strawberry.type(description="What the rows of a balance by order come to in one currency.")
class OrderBalanceTotal:
    """db.order_balances.OrderBalanceTotal."""

    currency: Annotated[CurrencyCode, field(description="The currency.")]
    debt: Annotated[Money, field(resolvers.order_balances.debt, description="What is open of invoices.")]
    prepayments: Annotated[
        Money, field(resolvers.order_balances.prepayments, description="What was paid ahead.")
    ]
    invoiced: Annotated[Money, field(resolvers.order_balances.invoiced, description="What invoices charge.")]
    credited: Annotated[
        Money, field(resolvers.order_balances.credited, description="What credit notes take back.")
    ]
    paid: Annotated[Money, field(resolvers.order_balances.paid, description="Payments less refunds.")]


@strawberry.type(description="A customer's balance order by order.")
class CustomerBalanceByOrder(BalanceReport):
    """resolvers.balance_reports.CustomerBalanceByOrder."""

    totals: Annotated[
        list[OrderBalanceTotal],
        field(resolvers.order_balances.totals, description="What the rows come to, one a currency.", size=2),
    ]
    orders: Annotated[
        Connection[OrderBalance],
        field(
            resolvers.order_balances.page,
            description="An order for each row and currency, the oldest first; all that belongs to no order comes before.",
        ),
    ]
