"""Data by code: a portal with its catalogue, customers, orders and what followed from them, the same every time.

Rows are written by SQL as the superuser, without looking at foreign keys: they hold by the way rows are made.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.peers.database import Place
from db import roles
from db.connections import Database
from rules.permissions import BuiltInProfile
from tenants import provisioning
from tenants.provisioning import NewPortal

_SQL = Path(__file__).parent / "data.sql"
LINES = 5
# Who orders: as many accounts as connections ask, each with lines of products that no other orders.
BUYERS = 8
BOUGHT = 20
# The kinds of keys in data.sql that are asked for here.
_CUSTOMER, _ACCOUNT, _PRODUCT, _ORDER, _WAREHOUSE, _PRICE_LIST = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is at a portal. A quarter of the orders are the viewer's customer's."""

    orders: int = 20_000
    products: int = 2_000
    customers: int = 300
    warehouses: int = 3
    documents: bool = True  # goods issues, invoices, payments


@dataclass(frozen=True, slots=True)
class Buyer:
    """An account that can order, and what it is to put into its cart."""

    account_id: UUID
    token: str
    product_ids: Sequence[UUID]
    warehouse_id: UUID


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal that is filled, and who looks at it."""

    tenant_id: UUID
    slug: str
    token: str
    account_id: UUID
    customer_id: UUID
    order_id: UUID
    price_list_id: UUID
    currency: str
    buyers: Sequence[Buyer]


def key(kind: int, number: int, portal: int) -> UUID:
    """The id of the number-th row of a kind at a portal; later rows have greater ids, as uuid7 makes them."""
    return UUID(f"{kind:02x}{number:010x}70008000{portal:012x}")


async def fill(place: Place, size: Size, number: int = 0) -> Portal:
    """Make the number-th portal with all that is in it, and analyse it."""
    (portal,) = await fill_many(place, size, number, number + 1)
    return portal


async def fill_many(place: Place, size: Size, first: int, last: int) -> list[Portal]:
    """Make the portals of these numbers, all alike."""
    admin, registry = await place.admin(), await Database.open(place.url(roles.MIGRATION), size=1)
    try:
        portals = [await make(admin, registry, size, number) for number in range(first, last)]
        await tidy(admin)
        return portals
    finally:
        await registry.close()
        await admin.close()


async def make(admin: asyncpg.Connection, registry: Database, size: Size, number: int) -> Portal:
    """The number-th portal: `admin` is a superuser's connection, `registry` the migration role's."""
    slug = f"bench-{number}"
    tenant_id = await found(admin, registry, slug)
    await _write(admin, tenant_id, number, size)
    return _portal(tenant_id, slug, number, size)


async def found(admin: asyncpg.Connection, registry: Database, slug: str) -> UUID:
    """Make an empty portal; its tenant."""
    new = NewPortal(
        slug=slug,
        name="Bench",
        legal_name="Bench Ltd",
        currency="GBP",
        locale="en",
        support_email="bench@kontor.example",
        hosts=[f"{slug}.localhost"],
    )
    await provisioning.add_portal(registry, "bench", "Bench", new)
    tenant_id: UUID = await admin.fetchval("select tenant_id from portals where slug = $1", slug)
    return tenant_id


async def _write(admin: asyncpg.Connection, tenant_id: UUID, number: int, size: Size) -> None:
    """Run data.sql, whose parameters are settings: PostgreSQL takes none in a script."""
    settings = {
        "tenant": str(tenant_id),
        "portal": str(number),
        "orders": str(size.orders),
        "lines": str(LINES),
        "products": str(size.products),
        "customers": str(size.customers),
        "warehouses": str(size.warehouses),
        "documents": str(size.documents),
        "buyers": str(BUYERS),
        "profile": BuiltInProfile.CUSTOMER.value,
        "tokens": ",".join(hashlib.sha256(_token(number, n).encode()).hexdigest() for n in range(BUYERS + 1)),
    }
    async with admin.transaction():
        await admin.execute("set local session_replication_role = replica; set local work_mem = '256MB'")
        for name, value in settings.items():
            await admin.execute("select set_config($1, $2, true)", f"bench.{name}", value)
        await admin.execute(_SQL.read_text())


async def tidy(admin: asyncpg.Connection) -> None:
    """Say what there is now, and write it to the disk before anything is measured."""
    await admin.execute("vacuum (analyze)")
    await admin.execute("checkpoint")


def _token(portal: int, account: int) -> str:
    """The token of an account's session; the first account is the viewer's."""
    return f"bench-token-{portal}-{account}"


def _portal(tenant_id: UUID, slug: str, number: int, size: Size) -> Portal:
    def buyer(n: int) -> Buyer:
        first = (n - 1) * BOUGHT % size.products
        bought = [key(_PRODUCT, (first + i) % size.products + 1, number) for i in range(BOUGHT)]
        return Buyer(key(_ACCOUNT, n, number), _token(number, n), bought, key(_WAREHOUSE, 1, number))

    return Portal(
        tenant_id=tenant_id,
        slug=slug,
        token=_token(number, 0),
        account_id=key(_ACCOUNT, 0, number),
        customer_id=key(_CUSTOMER, 1, number),
        order_id=key(_ORDER, max(4, size.orders // 2 // 4 * 4), number),
        price_list_id=key(_PRICE_LIST, 2, number),
        currency="GBP",
        buyers=[buyer(n) for n in range(1, BUYERS + 1)],
    )
