"""Payments: reading them."""

from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry

import db
from db.payments import Payment
from resolvers import money, nodes, pages
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.relations import relation
from rules.balances import PaymentKind
from rules.payments import left_on_account
from rules.periods import check_period, midnight, next_day


class PaymentOrder(Enum):
    """In what order payments come."""

    PAID_AT_ASC = "PAID_AT_ASC"
    PAID_AT_DESC = "PAID_AT_DESC"


publish(
    PaymentOrder,
    description="In what order payments come.",
    value={
        PaymentOrder.PAID_AT_ASC: "By the time of payment, oldest first.",
        PaymentOrder.PAID_AT_DESC: "By the time of payment, newest first.",
    }.__getitem__,
)


@strawberry.input(description="Which payments; all that is given must hold.")
class PaymentFilter:
    """payments(filter:)."""

    kind: PaymentKind | None = strawberry.field(default=None, description="Which way the money went.")
    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    reference: str | None = strawberry.field(default=None, description="Whose reference begins like this.")
    customer: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")
    from_: date | None = strawberry.field(
        name="from", default=None, description="Paid on this day or later (UTC)."
    )
    to: date | None = strawberry.field(default=None, description="Paid on this day or before (UTC).")


_Filter = Annotated[PaymentFilter | None, strawberry.argument(description="Which payments.")]
_Order = Annotated[
    list[PaymentOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.payments. Raises PeriodReversed."""
    given = filter or PaymentFilter()
    check_period(given.from_, given.to, "filter", "to")
    order = order_by or [PaymentOrder.PAID_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.payments, _filters(given), order, asked)


def _filters(given: PaymentFilter) -> dict[str, Any]:
    return {
        "kind": given.kind and given.kind.value,
        "number": given.number or None,
        "reference": given.reference or None,
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "paid_from": given.from_ and midnight(given.from_),
        "paid_before": given.to and midnight(next_day(given.to)),
    }


def amount(root: strawberry.Parent[Payment]) -> money.Money:
    """Payment.amount."""
    return money.of_minor(root.amount, root.currency)


def _on_account(root: Payment, allocated: tuple[int, int] | None) -> money.Money:
    own, every = allocated or (0, 0)
    return money.of_minor(left_on_account(PaymentKind(root.kind), own, every), root.currency)


# Payment.onAccount.
on_account = relation(db.allocations.of_payments, "id", then=_on_account)


# Payment.customer.
customer = relation(db.customers.by_ids, "customer_id")
