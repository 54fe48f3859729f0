"""What the floor reads: one statement a level, rows put together as dicts."""

import base64
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Data = dict[str, Any]


@dataclass(slots=True)
class Who:
    """Who asks."""

    tenant_id: UUID
    account_id: UUID
    customer_id: UUID
    price_list_id: UUID
    currency: str
    permissions: list[Any]


# Everything that the real server's first statement reads of a customer's account: portal, session, groups.
_VIEWER = """
    select s.tenant_id, a.id, a.customer_id, coalesce(c.price_list_id, p.price_list_id), c.currency,
        p.open, p.restriction_kinds, p.name, p.stock_policy, a.active,
        (select json_agg(json_build_array(g.id, f.built_in, f.permissions, g.category_mode, g.product_mode,
                g.warehouse_mode, g.document_kind_mode))::text
            from access_group_members m
                join access_groups g on g.tenant_id = m.tenant_id and g.id = m.access_group_id
                join profiles f on f.tenant_id = g.tenant_id and f.id = g.profile_id
            where m.tenant_id = $1 and m.account_id = a.id and (m.ends_on is null or m.ends_on >= current_date))
    from portals p
        join sessions s on s.tenant_id = p.tenant_id and s.token_hash = $2 and s.expires_at > now()
        join accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id
        join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
    where p.tenant_id = $1"""
_ORDERS = """
    select id, number, placed_at, total, customer_id from orders where tenant_id = $1 and customer_id = $2
    order by placed_at desc, id desc limit 51"""
_ORDER = """
    select id, number, placed_at, total from orders where tenant_id = $1 and customer_id = $2 and id = any($3)"""
_LINES = """
    select order_id, trim_scale(quantity)::text, amount, product_id from order_lines
    where tenant_id = $1 and order_id = any($2) order by order_id, position"""
_OWN_LINES = """
    select position, sku, name, trim_scale(quantity)::text, trim_scale(unit_price)::text, amount from order_lines
    where tenant_id = $1 and order_id = any($2) order by order_id, position"""
_CUSTOMERS = "select id, code, name from customers where tenant_id = $1 and id = any($2)"
_ACCOUNTS = "select user_name, name from accounts where tenant_id = $1 and id = any($2)"
_PRODUCTS = "select id, sku, name from products where tenant_id = $1 and active and id = any($2)"
_PAGE = "select id, sku, name, unit from products where tenant_id = $1 and active order by sku, id limit 101"
_STOCK = """
    select s.product_id, trim_scale(s.on_hand)::text, w.code from stock s
        join warehouses w on w.tenant_id = s.tenant_id and w.id = s.warehouse_id
    where s.tenant_id = $1 and s.product_id = any($2) order by w.code"""
# All breaks of today: the one for a piece is chosen here, as the real server does.
_PRICES = """
    select distinct on (product_id, min_quantity) product_id, min_quantity, trim_scale(unit_price)::text from prices
    where tenant_id = $1 and product_id = any($2) and price_list_id = $3 and currency = $4
        and valid_from <= current_date and (valid_to is null or valid_to >= current_date)
    order by product_id, min_quantity, valid_from desc"""


async def viewer(connection: Any, tenant_id: UUID, token_hash: bytes) -> Who:
    """Who holds a token."""
    row = await connection.fetchrow(_VIEWER, tenant_id, token_hash)
    return Who(row[0], row[1], row[2], row[3], row[4], json.loads(row[10]))


async def orders(connection: Any, who: Who, _variables: Data) -> Data:
    """Operation A."""
    found = (await connection.fetch(_ORDERS, who.tenant_id, who.customer_id))[:50]
    lines = await connection.fetch(_LINES, who.tenant_id, [each[0] for each in found])
    ids = list({each[3] for each in lines})
    buyers = await connection.fetch(_CUSTOMERS, who.tenant_id, list({each[4] for each in found}))
    customers = {each[0]: {"code": each[1], "name": each[2]} for each in buyers}
    stock = await _stock(connection, who, ids)
    products = {
        each[0]: {"sku": each[1], "name": each[2], "stock": stock[each[0]]}
        for each in await connection.fetch(_PRODUCTS, who.tenant_id, ids)
    }
    of_order: defaultdict[UUID, list[Data]] = defaultdict(list)
    for order_id, quantity, amount, product_id in lines:
        of_order[order_id].append(
            {"quantity": quantity, "amount": _money(amount), "product": products.get(product_id)}
        )
    nodes = [
        {
            "number": number,
            "placedAt": _moment(placed_at),
            "totals": {"total": _money(total)},
            "customer": customers[customer_id],
            "lines": of_order[order_id],
        }
        for order_id, number, placed_at, total, customer_id in found
    ]
    return {"orders": {"nodes": nodes}}


async def products(connection: Any, who: Who, _variables: Data) -> Data:
    """Operation B."""
    found = (await connection.fetch(_PAGE, who.tenant_id))[:100]
    ids = [each[0] for each in found]
    stock = await _stock(connection, who, ids)
    breaks = await connection.fetch(_PRICES, who.tenant_id, ids, who.price_list_id, who.currency)
    prices = {product_id: price for product_id, least, price in breaks if least <= 1}
    nodes = [
        {
            "sku": sku,
            "name": name,
            "unit": unit,
            "price": {"unitPrice": {"amount": _price(prices[product_id])}} if product_id in prices else None,
            "stock": stock[product_id],
        }
        for product_id, sku, name, unit in found
    ]
    return {"products": {"nodes": nodes}}


async def order(connection: Any, who: Who, variables: Data) -> Data:
    """Operation C."""
    order_id = UUID(base64.urlsafe_b64decode(variables["id"]).decode().partition(":")[2])
    (account,) = await connection.fetch(_ACCOUNTS, who.tenant_id, [who.account_id])
    (customer,) = await connection.fetch(_CUSTOMERS, who.tenant_id, [who.customer_id])
    (found,) = await connection.fetch(_ORDER, who.tenant_id, who.customer_id, [order_id])
    lines = [
        {
            "position": position,
            "sku": sku,
            "name": name,
            "quantity": quantity,
            "unitPrice": {"amount": _price(unit_price)},
            "amount": _money(amount),
        }
        for position, sku, name, quantity, unit_price, amount in await connection.fetch(
            _OWN_LINES, who.tenant_id, [order_id]
        )
    ]
    return {
        "viewer": {
            "account": {"userName": account[0], "name": account[1]},
            "customer": {"code": customer[1], "name": customer[2]},
        },
        "order": {
            "number": found[1],
            "placedAt": _moment(found[2]),
            "totals": {"total": _money(found[3])},
            "lines": lines,
        },
    }


async def _stock(connection: Any, who: Who, ids: Iterable[UUID]) -> defaultdict[UUID, list[Data]]:
    levels: defaultdict[UUID, list[Data]] = defaultdict(list)
    for product_id, on_hand, code in await connection.fetch(_STOCK, who.tenant_id, ids):
        levels[product_id].append({"onHand": on_hand, "warehouse": {"code": code}})
    return levels


def _moment(at: datetime) -> str:
    return at.isoformat().removesuffix("+00:00") + "Z"


def _money(minor: int) -> Data:
    return {"amount": f"{minor // 100}.{minor % 100:02}"}


def _price(price: str) -> str:
    """With two decimal places at least; it has no more than it needs."""
    whole, _, places = price.partition(".")
    return f"{whole}.{places:0<2}"


Read = Callable[[Any, Who, Data], Awaitable[Data]]
READS: dict[str, Read] = {"A": orders, "B": products, "C": order}
