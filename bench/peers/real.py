"""The real portal: an exchange folder imported, and people at it who look and order."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

import db.exchange
from bench.peers.data import BOUGHT, BUYERS, Buyer, Portal, found, tidy
from bench.peers.database import Place
from db import roles
from db.connections import Database
from rules.permissions import BuiltInProfile

_SLUG = "bench-real"
# Somebody who has ordered often, without any order of hundreds of lines; then others who order.
_CUSTOMERS = """
    select c.id, coalesce(c.price_list_id, p.price_list_id), c.currency from customers c
        join portals p on p.tenant_id = c.tenant_id
        join orders o on o.tenant_id = c.tenant_id and o.customer_id = c.id
        join order_lines l on l.tenant_id = o.tenant_id and l.order_id = o.id
    where c.tenant_id = $1 and coalesce(c.price_list_id, p.price_list_id) is not null
    group by c.id, c.price_list_id, p.price_list_id, c.currency having count(distinct o.id) >= $2
    order by count(*), c.id limit $3"""
_GROUP = """
    insert into access_groups (tenant_id, id, name, profile_id)
    select tenant_id, $2, 'Everybody', id from profiles where tenant_id = $1 and built_in = $3"""
_ACCOUNT = """
    insert into accounts (tenant_id, id, customer_id, user_name, name, email)
    values ($1, $2, $3, $4, $4, $4 || '@customers.example')"""
_MEMBER = "insert into access_group_members (tenant_id, access_group_id, account_id) values ($1, $2, $3)"
_CART = "insert into carts (tenant_id, account_id, version) values ($1, $2, 1)"
_SESSION = """
    insert into sessions (tenant_id, id, token_hash, account_id, expires_at)
    values ($1, gen_random_uuid(), $3, $2, now() + interval '1 day')"""
# What is sold on a price list today and has stock in a warehouse, enough of it for as often as is ordered.
_SOLD = """
    update stock s set on_hand = 1000000000 from (
        select p.id, min(w.id::text)::uuid warehouse_id from products p
            join stock t on t.tenant_id = p.tenant_id and t.product_id = p.id
            join warehouses w on w.tenant_id = t.tenant_id and w.id = t.warehouse_id
        where p.tenant_id = $1 and p.active and exists (
            select from prices where tenant_id = $1 and product_id = p.id and price_list_id = $2 and currency = $3
                and min_quantity <= 1 and valid_from <= current_date and valid_to is null)
        group by p.id order by p.id limit $4) sold
    where s.tenant_id = $1 and s.product_id = sold.id and s.warehouse_id = sold.warehouse_id
    returning s.product_id, s.warehouse_id"""


class NothingToMeasure(Exception):
    """The folder has no customer with enough orders, or too few products that can be ordered."""


async def import_real(place: Place, folder: Path) -> Portal:
    """Import a folder into a portal of its own. Raises NothingToMeasure."""
    admin = await place.admin()
    try:
        tenant_id = await _imported(admin, place, folder)
        portal = await _people(admin, tenant_id)
        await tidy(admin)
        return portal
    finally:
        await admin.close()


async def _imported(admin: asyncpg.Connection, place: Place, folder: Path) -> UUID:
    registry, database = await Database.open(place.url(roles.MIGRATION)), await Database.open(place.url())
    try:
        tenant_id = await found(admin, registry, _SLUG)
        with tempfile.TemporaryDirectory() as reports:
            async with database.connect(tenant_id) as connection:
                await db.exchange.run(connection, folder, Path(reports), db.exchange.Silent())
        return tenant_id
    finally:
        await database.close()
        await registry.close()


async def _people(admin: asyncpg.Connection, tenant_id: UUID) -> Portal:
    group_id = uuid4()
    await admin.execute(_GROUP, tenant_id, group_id, BuiltInProfile.CUSTOMER.value)
    often = await admin.fetch(_CUSTOMERS, tenant_id, 50, 1)
    if not often:
        raise NothingToMeasure("no customer has 50 orders and a price list")
    customer_id, price_list_id, currency = often[0]
    others = await admin.fetch(_CUSTOMERS, tenant_id, 1, BUYERS)
    sold = await admin.fetch(_SOLD, tenant_id, price_list_id, currency, BUYERS * BOUGHT)
    if len(sold) < BUYERS * BOUGHT or len({each[1] for each in sold}) != 1:
        raise NothingToMeasure(f"{len(sold)} products can be ordered, or from several warehouses")
    mine, warehouse_id = [each[0] for each in sold], sold[0][1]
    account_id = await _account(admin, tenant_id, group_id, customer_id, "looks")
    buyers = []
    for n, (other_id, *_) in enumerate(others):
        buyer_id = await _account(admin, tenant_id, group_id, other_id, f"buys-{n}")
        buyers.append(Buyer(buyer_id, f"real-buys-{n}", mine[n * BOUGHT : (n + 1) * BOUGHT], warehouse_id))
    order_id = await admin.fetchval(
        "select id from orders where tenant_id = $1 and customer_id = $2 order by placed_at, id limit 1",
        tenant_id,
        customer_id,
    )
    return Portal(
        tenant_id=tenant_id,
        slug=_SLUG,
        token="real-looks",
        account_id=account_id,
        customer_id=customer_id,
        order_id=order_id,
        price_list_id=price_list_id,
        currency=currency,
        buyers=buyers,
    )


async def _account(admin: Any, tenant_id: UUID, group_id: UUID, customer_id: UUID, name: str) -> UUID:
    """An account with its cart and a session, whose token is made of its name."""
    account_id = uuid4()
    await admin.execute(_ACCOUNT, tenant_id, account_id, customer_id, name)
    await admin.execute(_MEMBER, tenant_id, group_id, account_id)
    await admin.execute(_CART, tenant_id, account_id)
    await admin.execute(_SESSION, tenant_id, account_id, hashlib.sha256(f"real-{name}".encode()).digest())
    return account_id
