"""What the business allows: pure functions over plain values."""

from rules import (
    accounts,
    amounts,
    balances,
    broken,
    carts,
    lifecycle,
    money,
    numbers,
    orders,
    pages,
    permissions,
    prices,
    products,
    quantities,
    stock,
    viewers,
)

__all__ = [
    "accounts",
    "amounts",
    "balances",
    "broken",
    "carts",
    "lifecycle",
    "money",
    "numbers",
    "orders",
    "pages",
    "permissions",
    "prices",
    "products",
    "quantities",
    "stock",
    "viewers",
]
