"""Balance reports: what a customer owes and has paid ahead at the end of a day, in three shapes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

import strawberry

import db
from db.balance_reports import Filters
from db.connections import Connection
from db.customers import Customer
from resolvers import nodes
from resolvers.context import Info
from rules.balances import BalanceReportKind, CustomerMissing, PeriodNotUsed
from rules.broken import NotFound
from rules.periods import check_period, midnight, next_day
from rules.portals import check_currency
from rules.viewers import Viewer


@dataclass(slots=True)
class BalanceReport:
    """A report: what it was asked for, and what that means in the database."""

    kind: ClassVar[BalanceReportKind]

    customer: Customer
    as_of: date
    is_today: bool
    currency: str | None
    generated_at: datetime
    filters: Filters
    period_from: date | None = None
    period_to: date | None = None

    def currencies(self, moved: list[str]) -> list[str]:
        """The currencies of the report: the one asked for; or all in which anything moved, and the customer's own."""
        return [self.currency] if self.currency else sorted({*moved, self.customer.currency})

    def narrowed(self, **more: Any) -> dict[str, Any]:
        """The filters with more of them; None is none."""
        return dict(self.filters) | {name: value for name, value in more.items() if value is not None}


@dataclass(slots=True)
class CustomerBalance(BalanceReport):
    """In all."""

    kind = BalanceReportKind.CUSTOMER


@dataclass(slots=True)
class CustomerBalanceByOrder(BalanceReport):
    """By order."""

    kind = BalanceReportKind.BY_ORDER


@dataclass(slots=True)
class ReconciliationReport(BalanceReport):
    """Movement by movement."""

    kind = BalanceReportKind.RECONCILIATION


_SHAPES: dict[BalanceReportKind, type[BalanceReport]] = {
    each.kind: each for each in (CustomerBalance, CustomerBalanceByOrder, ReconciliationReport)
}


@dataclass(slots=True, frozen=True)
class Asked:
    """What is asked for, as a link tells it too: the customer by its global id."""

    kind: BalanceReportKind
    customer: str | None = None
    from_: date | None = None
    to: date | None = None
    currency: str | None = None
    as_of: date | None = None


_Kind = Annotated[BalanceReportKind, strawberry.argument(description="In which shape.")]
_Customer = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Whose; the viewer's own customer when left out. Staff has to say it."),
]
_From = Annotated[
    date | None,
    strawberry.argument(
        name="from", description="RECONCILIATION: the first day (UTC); from the beginning when left out."
    ),
]
_To = Annotated[
    date | None,
    strawberry.argument(description="RECONCILIATION: the last day (UTC); that of `asOf` when left out."),
]
_Currency = Annotated[
    str | None, strawberry.argument(description="In this currency alone; in every one when left out.")
]
_AsOf = Annotated[
    date | None,
    strawberry.argument(
        description="As of the end of this day (UTC): movements after it do not count in any number. Today when left out."
    ),
]


async def report(
    info: Info,
    kind: _Kind,
    customer: _Customer = None,
    from_: _From = None,
    to: _To = None,
    currency: _Currency = None,
    as_of: _AsOf = None,
) -> BalanceReport:
    """Query.balanceReport. Raises NotFound, CustomerMissing, PeriodNotUsed, PeriodReversed and CurrencyInvalid."""
    context = info.context
    asked = Asked(kind, customer and str(customer), from_, to, currency, as_of)
    return await resolved(context.connection, context.signed_in, asked)


async def resolved(connection: Connection, viewer: Viewer, asked: Asked) -> BalanceReport:
    """A report by the rights that the viewer has now; `report` says what it raises."""
    check_currency(asked.currency, "currency")
    today = await db.order_changes.today(connection)
    as_of = asked.as_of or today
    if asked.kind is not BalanceReportKind.RECONCILIATION:
        for name, given in (("from", asked.from_), ("to", asked.to)):
            if given is not None:
                raise PeriodNotUsed(path=(name,))
    last = asked.to or as_of
    check_period(asked.from_, last, "asOf" if asked.to is None else "to")
    customer = await _customer(connection, viewer, asked.customer)
    before = midnight(next_day(min(last, as_of)))
    filters = db.balance_reports.filters(customer.id, before, as_of, asked.currency)
    if asked.kind is BalanceReportKind.RECONCILIATION:
        filters |= {"from_": midnight(asked.from_ or date.min)}
        del filters["as_of"]
    made = _SHAPES[asked.kind](
        customer,
        as_of,
        as_of >= today,
        asked.currency,
        datetime.now(UTC),
        frozenset(filters.items()),
    )
    made.period_from, made.period_to = asked.from_, last
    return made


async def _customer(connection: Connection, viewer: Viewer, id: str | None) -> Customer:
    """Another's customer is told from none by nobody. Raises NotFound and CustomerMissing."""
    key = viewer.customer_id if id is None else nodes.key_or_nothing(id, "Customer")
    if key is None:
        raise CustomerMissing(path=("customer",))
    found = (await db.customers.by_ids(connection, viewer, [key])).get(key)
    if found is None:
        raise NotFound(path=("customer",))
    return found


def customer(root: strawberry.Parent[BalanceReport]) -> Customer:
    """BalanceReport.customer."""
    return root.customer


def kind(root: strawberry.Parent[BalanceReport]) -> BalanceReportKind:
    """BalanceReport.kind."""
    return root.kind
