"""Document lines: what the lines of orders and of all documents have in common."""

from decimal import Decimal
from typing import Protocol
from uuid import UUID

import strawberry

import db
from db.products import Product
from db.warehouses import Warehouse
from resolvers import money
from resolvers.context import Info


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


async def product(root: strawberry.Parent[_OfProduct], info: Info) -> Product | None:
    """A line's product: None when it is no longer sold to the viewer. The line keeps its own name and numbers."""
    return await info.context.load(db.products.by_ids, root.product_id) if root.product_id else None


async def warehouse(root: strawberry.Parent[_FromWarehouse], info: Info) -> Warehouse | None:
    """A line's warehouse."""
    return await info.context.load(db.warehouses.by_ids, root.warehouse_id) if root.warehouse_id else None
