"""User errors: how a broken rule reads."""

from decimal import Decimal
from typing import Any, TypeAlias

import strawberry

import db
from db.products import Product
from resolvers.context import Info
from rules.broken import BrokenRule
from rules.money import plain
from rules.permissions import MissingPermission, Permission
from rules.stock import InsufficientStock

Quantity: TypeAlias = Decimal


def code(root: strawberry.Parent[BrokenRule]) -> Any:
    """UserError.code."""
    return root.code()


def message(root: strawberry.Parent[BrokenRule], info: Info) -> str:
    """UserError.message."""
    return root.message(info.context.language)


def path(root: strawberry.Parent[BrokenRule]) -> list[str]:
    """UserError.path."""
    return list(root.path)


async def product(root: strawberry.Parent[InsufficientStock], info: Info) -> Product | None:
    """InsufficientStockError.product."""
    return await info.context.load(db.products.by_ids, root.product_id)


def available(root: strawberry.Parent[InsufficientStock]) -> Decimal:
    """InsufficientStockError.available."""
    return plain(root.available)


def permissions(root: strawberry.Parent[MissingPermission]) -> list[Permission]:
    """MissingPermissionError.permissions."""
    return list(root.permissions)
