"""The catalogue in the exchange: warehouses, categories, products, price lists, prices, stock."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Collection, Sequence
from typing import Any

from db.connections import Connection
from db.exchange import rejections
from db.exchange.merge import merge
from db.exchange.rejections import duplicates, unknown
from db.exchange.report import Counts
from db.exchange.staging import affect, ask
from db.exchange.told import Told, change
from rules.broken import BrokenRule
from rules.categories import CategoryBelowItself, CategoryParentUnknown, misplaced
from rules.lifecycle import OPEN_STATES
from rules.products import ProductKind

OF_PRODUCT = Told("Product", id="product_id", of_itself=False)

_REASONS: dict[type[BrokenRule], str] = {
    CategoryParentUnknown: "UNKNOWN_PARENT",
    CategoryBelowItself: "CIRCLE",
}


async def warehouses(connection: Connection, _columns: Collection[str]) -> Counts:
    """Merge the staged warehouses."""
    await duplicates(connection, "warehouses")
    source = "select gen_random_uuid() as id, code, name from staged_warehouses where reason is null"
    return Counts(
        *await merge(
            connection,
            "warehouses",
            source,
            key=["code"],
            values=["name"],
            only_new=["id"],
            told=Told("Warehouse"),
        )
    )


async def categories(connection: Connection, _columns: Collection[str]) -> Counts:
    """Merge the staged categories; parents may come after their children."""
    # Only the whole tree can show a circle: nobody hangs anything elsewhere meanwhile.
    await affect(
        connection, "select from categories where tenant_id = {tenant} order by id for no key update"
    )
    await duplicates(connection, "categories")
    rows: Any = await ask(
        connection, "select file_line, code, parent from staged_categories where reason is null"
    )
    kept: Any = await ask(
        connection,
        """
        select c.code, p.code from categories c
        left join categories p on p.tenant_id = c.tenant_id and p.id = c.parent_id
        where c.tenant_id = {tenant}
        """,
    )
    lines = {code: line for line, code, _ in rows}
    broken = misplaced({code: parent for _, code, parent in rows}, {row[0]: row[1] for row in kept})
    reasons = {lines[code]: f"{_REASONS[type(rule)]}: {rule.message()}" for code, rule in broken.items()}
    await rejections.lines(connection, "categories", reasons)
    await affect(
        connection,
        """
        create temp table category_ids on commit drop as
        select code, id from categories where tenant_id = {tenant}
        union all
        select code, gen_random_uuid() from staged_categories s where reason is null
        and not exists (select from categories c where c.tenant_id = {tenant} and c.code = s.code)
        """,
    )
    source = """
        select i.id, s.code, s.name, p.id as parent_id from staged_categories s
        join category_ids i on i.code = s.code
        left join category_ids p on p.code = s.parent
        where s.reason is null
    """
    values = ["name", "parent_id"]
    return Counts(
        *await merge(
            connection,
            "categories",
            source,
            key=["code"],
            values=values,
            only_new=["id"],
            told=Told("Category"),
        )
    )


async def products(connection: Connection, columns: Collection[str]) -> Counts:
    """Merge the staged products. A description is changed only by a file that has the column."""
    await duplicates(connection, "products")
    await unknown(connection, "products", "category", "categories", "code")
    await _keep_kinds(connection)
    source = """
        select gen_random_uuid() as id, s.sku, s.name, coalesce(s.description, '') as description, s.kind,
            c.id as category_id, s.unit, s.tax_rate
        from staged_products s
        left join categories c on c.tenant_id = {tenant} and c.code = s.category
        where s.reason is null
    """
    values = ["name", "kind", "category_id", "unit", "tax_rate", *given(columns, "description")]
    return Counts(
        *await merge(
            connection,
            "products",
            source,
            key=["sku"],
            values=values,
            only_new=["id"],
            told=Told("Product"),
        )
    )


async def _keep_kinds(connection: Connection) -> None:
    """Reject products in use (as in db/products_in_use.py) that would be of another kind."""
    states = ", ".join(f"'{state}'" for state in OPEN_STATES)
    await rejections.where(
        connection,
        "products",
        f"""s.file_line in (
            select c.file_line from staged_products c
            join products p on p.tenant_id = {{tenant}} and p.sku = c.sku and p.kind <> c.kind
            where c.reason is null and (
                exists (select from stock t
                    where t.tenant_id = {{tenant}} and t.product_id = p.id and (t.on_hand <> 0 or t.reserved <> 0))
                or exists (select from lifecycle_statuses n
                    join orders o on o.tenant_id = {{tenant}} and o.lifecycle_status_id = n.id
                    join order_lines l on l.tenant_id = {{tenant}} and l.order_id = o.id
                    where n.tenant_id = {{tenant}} and n.processing_state in ({states}) and l.product_id = p.id
                    and l.quantity > l.shipped_quantity + l.cancelled_quantity)
            )
        )""",
        "'PRODUCT_IN_USE: it is in stock or still to be shipped; its kind stays'",
    )


async def prices(connection: Connection, columns: Collection[str]) -> Counts:
    """Merge the staged prices. The first price list of the first import is the portal's."""
    await affect(
        connection,
        "update staged_prices set valid_from = '2000-01-01' where reason is null and valid_from is null",
    )
    await duplicates(connection, "prices")
    await rejections.where(
        connection, "prices", "s.valid_to < s.valid_from", "'OUT_OF_RANGE: valid_to is before valid_from'"
    )
    await unknown(connection, "prices", "sku", "products", "sku")
    await price_lists(connection, "prices")
    await change(
        connection,
        """
        update portals t set price_list_id = l.id
        from staged_prices s join price_lists l on l.tenant_id = {tenant} and l.code = s.price_list
        where t.tenant_id = {tenant} and t.price_list_id is null
        and s.file_line = (select min(file_line) from staged_prices where reason is null)
        """,
        Told("Portal", id="tenant_id"),
        is_new=False,
    )
    source = """
        select p.id as product_id, l.id as price_list_id, s.currency, s.min_quantity, s.valid_from,
            s.valid_to, s.unit_price
        from staged_prices s
        join products p on p.tenant_id = {tenant} and p.sku = s.sku
        join price_lists l on l.tenant_id = {tenant} and l.code = s.price_list
        where s.reason is null
    """
    key = ["product_id", "price_list_id", "currency", "min_quantity", "valid_from"]
    values = ["unit_price", *given(columns, "valid_to")]
    return Counts(*await merge(connection, "prices", source, key=key, values=values, told=OF_PRODUCT))


async def price_lists(connection: Connection, table: str) -> None:
    """Make the price lists that good rows of a staged table name and that are not there yet."""
    source = f"""
        select gen_random_uuid() as id, code, code as name from (
            select distinct price_list as code from staged_{table}
            where reason is null and price_list is not null
        ) named
    """
    await merge(connection, "price_lists", source, key=["code"], values=[], only_new=["id", "name"])


async def stock(connection: Connection, _columns: Collection[str]) -> Counts:
    """Merge what is on hand."""
    await duplicates(connection, "stock")
    await unknown(connection, "stock", "warehouse", "warehouses", "code")
    await unknown(connection, "stock", "sku", "products", "sku")
    await rejections.where(
        connection,
        "stock",
        f"""exists (select from products p
            where p.tenant_id = {{tenant}} and p.sku = s.sku and p.kind = '{ProductKind.SERVICE}')""",
        "'SERVICE_WITHOUT_STOCK: ' || s.sku || ' is a service and has no stock'",
    )
    source = """
        select p.id as product_id, w.id as warehouse_id, s.quantity as on_hand
        from staged_stock s
        join products p on p.tenant_id = {tenant} and p.sku = s.sku
        join warehouses w on w.tenant_id = {tenant} and w.code = s.warehouse
        where s.reason is null
    """
    key = ["product_id", "warehouse_id"]
    return Counts(*await merge(connection, "stock", source, key=key, values=["on_hand"], told=OF_PRODUCT))


async def customers(connection: Connection, _columns: Collection[str]) -> Counts:
    """Merge the staged customers; price lists they name come into being."""
    await duplicates(connection, "customers")
    await price_lists(connection, "customers")
    source = """
        select gen_random_uuid() as id, s.code, s.name, coalesce(s.country, '') as country, s.currency,
            coalesce(s.email, '') as email, l.id as price_list_id
        from staged_customers s
        left join price_lists l on l.tenant_id = {tenant} and l.code = s.price_list
        where s.reason is null
    """
    values = ["name", "country", "currency", "email", "price_list_id"]
    return Counts(
        *await merge(
            connection,
            "customers",
            source,
            key=["code"],
            values=values,
            only_new=["id"],
            versioned=True,
            told=Told("Customer", customer_id="id"),
        )
    )


def given(columns: Collection[str], *optional: str) -> Sequence[str]:
    """The optional columns that a file has: only these are changed by it."""
    return [name for name in optional if name in columns]
