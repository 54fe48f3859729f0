"""Reservations in the exchange: what open orders have not shipped is promised stock."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from db.connections import Connection
from db.exchange.staging import affect
from db.stock import PLACES
from rules.lifecycle import OPEN_STATES
from rules.numbers import NumberKind
from rules.products import ProductKind

_MOST = "999999999999.999"  # what the column holds


async def lock(connection: Connection) -> None:
    """Keep the portal from placing and shipping orders until this transaction ends: in its order, where they ship from,
    stock, then numbers; customers are locked already.

    Otherwise an order placed meanwhile would lose its reservation, or take a number that is imported, and who ships
    one would find that it ships from elsewhere now.
    """
    # Those who ship share it (db.stock.lock_of_order).
    await affect(connection, f"select pg_advisory_xact_lock(hashtextextended('{PLACES}' || {{tenant}}, 0))")
    await affect(
        connection,
        "select from stock where tenant_id = {tenant} order by product_id, warehouse_id for update",
    )
    await affect(
        connection,
        f"""
        insert into counters (tenant_id, kind, last) values ({{tenant}}, '{NumberKind.ORDER}', 0)
        on conflict do nothing
        """,
    )
    await affect(
        connection,
        f"select from counters where tenant_id = {{tenant}} and kind = '{NumberKind.ORDER}' for update",
    )


async def correct(connection: Connection) -> int:
    """Set what is reserved where it is not what open orders still need of goods; returns how many rows changed."""
    states = ", ".join(f"'{state}'" for state in OPEN_STATES)
    await affect(
        connection,
        f"""
        create temp table needed on commit drop as
        select l.product_id, l.warehouse_id, least(sum(l.quantity - l.shipped_quantity - l.cancelled_quantity), {_MOST})
            as quantity
        from lifecycle_statuses s
        join orders o on o.tenant_id = {{tenant}} and o.lifecycle_status_id = s.id
        join order_lines l on l.tenant_id = {{tenant}} and l.order_id = o.id
        join products p on p.tenant_id = {{tenant}} and p.id = l.product_id and p.kind = '{ProductKind.GOODS}'
        where s.tenant_id = {{tenant}} and s.processing_state in ({states})
        and l.warehouse_id is not null and l.quantity > l.shipped_quantity + l.cancelled_quantity
        group by l.product_id, l.warehouse_id
        """,
    )
    changed = await affect(
        connection,
        """
        update stock t set reserved = s.reserved
        from (
            select k.product_id, k.warehouse_id, coalesce(n.quantity, 0) as reserved
            from stock k left join needed n using (product_id, warehouse_id) where k.tenant_id = {tenant}
        ) s
        where t.tenant_id = {tenant} and t.product_id = s.product_id and t.warehouse_id = s.warehouse_id
        and t.reserved <> s.reserved
        """,
    )
    return changed + await affect(
        connection,
        """
        insert into stock (tenant_id, product_id, warehouse_id, on_hand, reserved)
        select {tenant}, product_id, warehouse_id, 0, quantity from needed n
        where not exists (
            select from stock t where t.tenant_id = {tenant} and t.product_id = n.product_id
            and t.warehouse_id = n.warehouse_id
        )
        """,
    )
