"""Order balances: a customer's balance order by order."""

from datetime import datetime

import strawberry

import db
from db.order_balances import OrderBalance, OrderBalanceTotal
from resolvers import money, nodes, pages
from resolvers.balance_reports import CustomerBalanceByOrder
from resolvers.context import Info


async def totals(root: strawberry.Parent[CustomerBalanceByOrder], info: Info) -> list[OrderBalanceTotal]:
    """CustomerBalanceByOrder.totals."""
    found = await info.context.load_list(db.order_balances.totals, root.filters)
    known = {each.currency: each for each in found}
    return [
        known.get(currency) or OrderBalanceTotal(currency, 0, 0, 0, 0, 0, 0)
        for currency in root.currencies(list(known))
    ]


async def page(
    root: strawberry.Parent[CustomerBalanceByOrder],
    info: Info,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """CustomerBalanceByOrder.orders."""
    asked = pages.Asked(first, after, last, before)
    order = ["PLACED_AT_ASC", "CURRENCY_ASC"]
    return await pages.connection(info.context, db.order_balances, dict(root.filters), order, asked)


# OrderBalance.order: None for what belongs to none, and for whoever may not read orders.
order = nodes.relation("Order", "id")


def placed_at(root: strawberry.Parent[OrderBalance]) -> datetime | None:
    """OrderBalance.placedAt."""
    return root.placed_at if root.id else None


def debt(root: strawberry.Parent[OrderBalance | OrderBalanceTotal]) -> money.Money:
    """OrderBalance.debt."""
    return money.of_minor(root.debt, root.currency)


def prepayments(root: strawberry.Parent[OrderBalance | OrderBalanceTotal]) -> money.Money:
    """OrderBalance.prepayments."""
    return money.of_minor(root.prepayments, root.currency)


def invoiced(root: strawberry.Parent[OrderBalance | OrderBalanceTotal]) -> money.Money:
    """OrderBalance.invoiced."""
    return money.of_minor(root.invoiced, root.currency)


def credited(root: strawberry.Parent[OrderBalance | OrderBalanceTotal]) -> money.Money:
    """OrderBalance.credited."""
    return money.of_minor(root.credited, root.currency)


def paid(root: strawberry.Parent[OrderBalance | OrderBalanceTotal]) -> money.Money:
    """OrderBalance.paid."""
    return money.of_minor(root.paid, root.currency)
