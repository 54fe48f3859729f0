"""Order statements: what was ordered, shipped and is outstanding, by product and by order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Protocol
from uuid import UUID

import strawberry

import db
from db.connections import Connection
from db.order_statements import Filters, StatementTotal
from db.orders_in_progress import FirstLines, LineInProgress, OrderInProgress, QuantityOfOrder
from db.products_in_progress import FirstOrders, OrderOfProduct, ProductInProgress
from execution.levels import level
from resolvers import money, nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relation, relations
from rules.pages import DEFAULT_PAGE
from rules.periods import check_period, midnight, next_day
from rules.viewers import Viewer


class StatementOrderOrder(Enum):
    """In what order the orders of a statement come."""

    PLACED_AT_ASC = "PLACED_AT_ASC"
    PLACED_AT_DESC = "PLACED_AT_DESC"


class StatementProductOrder(Enum):
    """In what order the products of a statement come."""

    SKU_ASC = "SKU_ASC"
    SKU_DESC = "SKU_DESC"


publish(
    StatementOrderOrder,
    description="In what order the orders of a statement come.",
    value={
        StatementOrderOrder.PLACED_AT_ASC: "By the time of placing, oldest first.",
        StatementOrderOrder.PLACED_AT_DESC: "By the time of placing, newest first.",
    }.__getitem__,
)
publish(
    StatementProductOrder,
    description="In what order the products of a statement come.",
    value={
        StatementProductOrder.SKU_ASC: "By SKU, lowest first.",
        StatementProductOrder.SKU_DESC: "By SKU, highest first.",
    }.__getitem__,
)


@strawberry.input(description="What a statement is about; all that is given must hold.")
class OrderStatementFilter:
    """orderStatement(filter:)."""

    from_: date | None = strawberry.field(
        default=None, name="from", description="Orders placed on this day or later (UTC)."
    )
    to: date | None = strawberry.field(default=None, description="Orders placed on this day or before (UTC).")
    product: strawberry.ID | None = strawberry.field(default=None, description="Lines of this product.")
    sku: str | None = strawberry.field(default=None, description="Lines with exactly this SKU.")
    order: strawberry.ID | None = strawberry.field(default=None, description="This order.")
    number: str | None = strawberry.field(default=None, description="Orders whose number begins like this.")
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="Orders of this customer; for staff, who see those of all."
    )


@dataclass(slots=True)
class OrderStatement:
    """A statement: what it was asked for, and what that means in the database."""

    generated_at: datetime
    given: OrderStatementFilter
    filters: Filters


@dataclass(slots=True)
class UnitQuantities:
    """Quantities of one unit."""

    unit: str
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal


@dataclass(slots=True)
class OutstandingAmount:
    """What is outstanding in one currency, with or without tax."""

    amount: money.Money
    tax_included: bool


_Filter = Annotated[OrderStatementFilter | None, strawberry.argument(description="What it is about.")]


async def statement(info: Info, filter: _Filter = None) -> OrderStatement:
    """Query.orderStatement."""
    context, given = info.context, filter or OrderStatementFilter()
    filters = await resolved(context.connection, context.signed_in, given)
    return OrderStatement(datetime.now(UTC), given, filters)


async def resolved(connection: Connection, viewer: Viewer, given: OrderStatementFilter) -> Filters:
    """A filter as the database floor has it. A product that is not to be seen finds as much as none.

    Raises PeriodReversed.
    """
    check_period(given.from_, given.to, "filter", "to")
    product_id = nodes.key_or_nothing(given.product, "Product")
    if product_id and product_id not in await db.products.by_ids(connection, viewer, [product_id]):
        product_id = nodes.NOTHING
    filters = {
        "placed_from": given.from_ and midnight(given.from_),
        "placed_before": given.to and midnight(next_day(given.to)),
        "product_id": product_id,
        "sku": given.sku,
        "order_id": nodes.key_or_nothing(given.order, "Order"),
        "number": given.number or None,
        "of_customer_id": nodes.key_or_nothing(given.customer, "Customer"),
    }
    return frozenset((name, value) for name, value in filters.items() if value is not None)


_Orders = Annotated[
    list[StatementOrderOrder] | None,
    strawberry.argument(description="In what order; oldest first when nothing is said."),
]
_Products = Annotated[
    list[StatementProductOrder] | None,
    strawberry.argument(description="In what order; by SKU, lowest first, when nothing is said."),
]


async def orders(
    root: strawberry.Parent[OrderStatement],
    info: Info,
    order_by: _Orders = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """OrderStatement.orders."""
    order = order_by or [StatementOrderOrder.PLACED_AT_ASC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.orders_in_progress, dict(root.filters), order, asked)


async def products(
    root: strawberry.Parent[OrderStatement],
    info: Info,
    order_by: _Products = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """OrderStatement.products."""
    order = order_by or [StatementProductOrder.SKU_ASC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.products_in_progress, dict(root.filters), order, asked)


async def _totals(root: OrderStatement, info: Info) -> list[StatementTotal]:
    return await info.context.load_list(db.order_statements.totals, root.filters)


async def line_count(root: strawberry.Parent[OrderStatement], info: Info) -> int:
    """OrderStatement.lineCount."""
    return sum(each.lines for each in await _totals(root, info))


async def totals(root: strawberry.Parent[OrderStatement], info: Info) -> list[UnitQuantities]:
    """OrderStatement.totals: by unit."""
    return by_unit(await _totals(root, info))


async def amounts(root: strawberry.Parent[OrderStatement], info: Info) -> list[OutstandingAmount]:
    """OrderStatement.outstandingAmounts: by currency, and apart where prices include tax."""
    return by_currency(await _totals(root, info))


class Quantities(Protocol):
    """Something that has quantities of one unit."""

    unit: str
    ordered: Decimal
    shipped: Decimal
    outstanding: Decimal


def by_unit(rows: Iterable[Quantities]) -> list[UnitQuantities]:
    """Quantities added up, each unit by itself."""
    sums: dict[str, UnitQuantities] = {}
    for row in rows:
        known = sums.setdefault(row.unit, UnitQuantities(row.unit, Decimal(), Decimal(), Decimal()))
        known.ordered += row.ordered
        known.shipped += row.shipped
        known.outstanding += row.outstanding
    return [sums[unit] for unit in sorted(sums)]


def by_currency(rows: Iterable[StatementTotal]) -> list[OutstandingAmount]:
    """Outstanding amounts added up, each currency by itself, with tax and without tax apart."""
    sums: dict[tuple[str, bool], int] = {}
    for row in rows:
        key = row.currency, row.tax_included
        sums[key] = sums.get(key, 0) + int(row.outstanding_amount)
    return [
        OutstandingAmount(money.of_minor(minor, currency), tax_included)
        for (currency, tax_included), minor in sorted(sums.items())
    ]


# OrderInProgress.order.
order_of = relation(db.orders.by_ids, "id")


# OrderInProgress.customer.
customer = relation(db.customers.by_ids, "customer_id")


def _asked_for(root: OrderInProgress) -> tuple[Filters, UUID]:
    return root.filters, root.id


def _by_unit(_root: OrderInProgress, found: list[QuantityOfOrder]) -> list[UnitQuantities]:
    return by_unit(found)


def _lines(_root: OrderInProgress, found: list[QuantityOfOrder]) -> int:
    return sum(each.lines for each in found)


def _amount(root: OrderInProgress, found: list[QuantityOfOrder]) -> money.Money:
    return money.of_minor(sum(int(each.outstanding_amount) for each in found), root.currency)


# OrderInProgress.quantities: by unit.
quantities = relations(db.orders_in_progress.quantities_of, _asked_for, then=_by_unit)


# OrderInProgress.lineCount.
lines_of_order = relations(db.orders_in_progress.quantities_of, _asked_for, then=_lines)


# OrderInProgress.outstandingAmount.
amount_of_order = relations(db.orders_in_progress.quantities_of, _asked_for, then=_amount)


@level
async def lines(
    roots: Sequence[OrderInProgress], context: Context, first: pages.First = None
) -> list[list[LineInProgress]]:
    """OrderInProgress.lines: the first of them."""
    keys = [(root.filters, FirstLines(root.id, first or DEFAULT_PAGE)) for root in roots]
    return await context.load_lists(db.orders_in_progress.first_lines, keys)


def line_amount(root: strawberry.Parent[LineInProgress]) -> money.Money:
    """LineInProgress.outstandingAmount."""
    return money.of_minor(int(root.outstanding_amount), root.currency)


@level
async def orders_of_product(
    roots: Sequence[ProductInProgress], context: Context, first: pages.First = None
) -> list[list[OrderOfProduct]]:
    """ProductInProgress.orders: the first of them."""
    most = first or DEFAULT_PAGE
    keys = [(root.filters, FirstOrders(root.sku, root.unit, most)) for root in roots]
    return await context.load_lists(db.products_in_progress.first_orders, keys)


# OrderOfProduct.order.
whole_order = relation(db.orders.by_ids, "order_id")


# OrderOfProduct.customer.
whose_order = relation(db.customers.by_ids, "customer_id")
