"""Document lines: what the lines of orders and of all documents have in common."""

from decimal import Decimal
from typing import Protocol
from uuid import UUID

import strawberry

import db
from resolvers import money
from resolvers.relations import relation


class _Priced(Protocol):
    unit_price: Decimal
    amount: int
    currency: str


class _OfProduct(Protocol):
    product_id: UUID | None


class _FromWarehouse(Protocol):
    warehouse_id: UUID | None


def unit_price(root: strawberry.Parent[_Priced]) -> money.Money:
    """A line's unitPrice."""
    return money.of_unit_price(root.unit_price, root.currency)


def amount(root: strawberry.Parent[_Priced]) -> money.Money:
    """A line's amount."""
    return money.of_minor(root.amount, root.currency)


# A line's product: None when it is no longer sold to the viewer. The line keeps its own name and numbers.
product = relation(db.products.by_ids, "product_id")


# A line's warehouse.
warehouse = relation(db.warehouses.by_ids, "warehouse_id")
