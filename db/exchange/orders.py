"""Orders in the exchange: their status, shipped quantities and lines may change from one import to the next."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Collection

from db.connections import Connection
from db.exchange import rma_stages
from db.exchange.amounts import LINE_AMOUNT, total
from db.exchange.documents import keep_whole, ready_headers, reject_lines
from db.exchange.rejections import duplicates, unknown, where
from db.exchange.report import Counts
from db.exchange.staging import affect
from db.exchange.told import Told, change
from rules.deliveries import DeliveryState
from rules.lifecycle import OPEN_STATES, ProcessingState, Subject
from rules.numbers import NumberKind
from rules.products import ProductKind

# What an order that has ended was not shipped, it will not be.
_CANCELLED = "case when h.has_ended then l.quantity - l.shipped_quantity else 0 end"
_TOLD = Told("Order", customer_id="customer_id")
_LINE_COLUMNS = (
    "product_id, sku, name, unit, quantity, shipped_quantity, cancelled_quantity, unit_price, tax_rate, amount,"
    " warehouse_id"
)


async def orders(connection: Connection, _columns: Collection[str]) -> tuple[Counts, Counts]:
    """Merge the staged orders with their lines; returns the counts of both."""
    await _statuses(connection)
    await duplicates(connection, "orders")
    await unknown(connection, "orders", "customer", "customers", "code")
    await where(
        connection,
        "orders",
        "s.status not in (select word from order_statuses)",
        "'UNKNOWN_STATUS: there is no lifecycle status ' || s.status",
    )
    await _lock(connection)
    some_are_kept = await _ready(connection)
    await _ready_lines(connection, some_are_kept)
    await reject_lines(
        connection,
        "order_lines",
        {
            "s.warehouse is not null and r.warehouse_id is null": "'UNKNOWN_WAREHOUSE: there is no warehouse ' || s.warehouse",
            "r.shipped_quantity > r.quantity": "'OUT_OF_RANGE: more is shipped than was ordered'",
        },
    )
    if some_are_kept:
        await _reject_shipped_less(connection)
    await total(connection, "orders", "order_lines", spread="ships_from")
    await keep_whole(connection, "orders", "order_lines", "order")
    await _raise_counter(connection)
    changed, changed_lines = await _update(connection) if some_are_kept else (Counts(), Counts())
    return await _insert(connection, changed, changed_lines)


async def _statuses(connection: Connection) -> None:
    """Make the table of what a file may call a status: a processing state, or the company's own code."""
    states = ", ".join(f"'{state}'" for state in ProcessingState)
    open_states = ", ".join(f"'{state}'" for state in OPEN_STATES)
    await affect(
        connection,
        f"""
        create temp table order_statuses on commit drop as
        select processing_state as word, processing_state as state, id,
            processing_state not in ({open_states}) as has_ended from lifecycle_statuses
        where tenant_id = {{tenant}} and subject = '{Subject.ORDER}' and predefined
        union all
        select code, null, id, processing_state not in ({open_states}) from lifecycle_statuses
        where tenant_id = {{tenant}} and subject = '{Subject.ORDER}' and code not in ({states})
        """,
    )


async def _lock(connection: Connection) -> None:
    """Keep the orders that are there as they are until this transaction ends: what they are compared with
    below would else be older than what is written over. Their stock is locked already."""
    await affect(
        connection,
        """
        select from orders where tenant_id = {tenant}
        and number in (select number from staged_orders where reason is null) order by id for no key update
        """,
    )


async def _ready(connection: Connection) -> bool:
    """An order that is already in the processing state which the file names keeps its own status."""
    return await ready_headers(
        connection,
        "orders",
        """s.ordered_at as placed_at, coalesce(k.tax_included, l.tax_included, false) as tax_included,
            case when ks.processing_state = w.state then k.lifecycle_status_id else w.id end
                as lifecycle_status_id, w.has_ended""",
        """
        join order_statuses w on w.word = s.status
        join portals t on t.tenant_id = {tenant}
        left join price_lists l on l.tenant_id = {tenant} and l.id = coalesce(c.price_list_id, t.price_list_id)
        left join lifecycle_statuses ks on ks.tenant_id = {tenant} and ks.id = k.lifecycle_status_id
        """,
    )


async def _ready_lines(connection: Connection, some_are_kept: bool) -> None:
    """Bring lines together with what they name. One that stays with its product keeps its tax rate.

    `ships_from` numbers the warehouse: null for a service, 0 for goods without a warehouse.
    """
    kept = "join order_lines k on k.tenant_id = {tenant} and k.order_id = h.id and k.position = l.line"
    same = (
        "(k.product_id, k.quantity, k.shipped_quantity, k.cancelled_quantity, k.unit_price, k.warehouse_id)"
    )
    now = f"(p.id, l.quantity, l.shipped_quantity, {_CANCELLED}, l.unit_price, w.id)"
    await affect(
        connection,
        f"""
        create temp table ready_order_lines on commit drop as
        with numbered as (
            select id, code, row_number() over (order by code)::integer as no
            from warehouses where tenant_id = {{tenant}}
        )
        select l.file_line, h.id as document_id, l.line as position, p.id as product_id,
            l.quantity, l.shipped_quantity, {_CANCELLED} as cancelled_quantity, l.unit_price,
            w.id as warehouse_id, {LINE_AMOUNT} as amount,
            case when p.kind = '{ProductKind.GOODS}' then coalesce(w.no, 0) end as ships_from,
            {"case when k.product_id = p.id then k.tax_rate else p.tax_rate end" if some_are_kept else "p.tax_rate"}
                as tax_rate,
            {"k.order_id is null" if some_are_kept else "true"} as is_new,
            {f"{same} is not distinct from {now}" if some_are_kept else "false"} as is_same
        from staged_order_lines l
        join ready_orders h on h.number = l."order"
        left join products p on p.tenant_id = {{tenant}} and p.sku = l.sku
        left join numbered w on w.code = l.warehouse
        {f"left {kept}" if some_are_kept else ""}
        where l.reason is null
        """,
    )


async def _reject_shipped_less(connection: Connection) -> None:
    """Reject orders whose files know less of a line than was shipped here: its goods issues stand, and
    what they took from the stock would be shipped again."""
    await affect(
        connection,
        """
        update staged_orders s
        set reason = 'ALREADY_SHIPPED: goods issues say ' || d.issued || ' of line ' || d.position
        from (
            select distinct on (i.file_line) i.file_line, i.position, trim_scale(i.issued) as issued
            from (
                select h.id, h.file_line, l.order_position as position, l.product_id, sum(l.quantity) as issued
                from ready_orders h
                join goods_issues g on g.tenant_id = {tenant} and g.order_id = h.id
                join goods_issue_lines l on l.tenant_id = {tenant} and l.goods_issue_id = g.id
                where not h.is_new group by h.id, h.file_line, l.order_position, l.product_id
            ) i
            left join ready_order_lines r on r.document_id = i.id and r.position = i.position
                and r.product_id = i.product_id
            where i.issued > coalesce(r.shipped_quantity, 0)
            order by i.file_line, i.position
        ) d
        where s.file_line = d.file_line and s.reason is null
        """,
    )


async def _raise_counter(connection: Connection) -> None:
    """Numbers of new orders go on behind the greatest that was imported."""
    await affect(
        connection,
        f"""
        update counters set last = imported.greatest from (
            select max(substring(number from '^{NumberKind.ORDER}-([0-9]{{1,18}})$')::bigint) as greatest
            from ready_orders
        ) imported
        where tenant_id = {{tenant}} and kind = '{NumberKind.ORDER}' and last < imported.greatest
        """,
    )


# What an order gets from its lines: its totals, how far it is delivered (as in rules/deliveries.py), and the
# warehouse if all goods ship from one.
_SUMMED = f"""
    select h.*, t.net::bigint as net, t.tax::bigint as tax, (t.net + t.tax)::bigint as total,
        d.delivery_state, w.id as warehouse_id
    from ready_orders h join totals_orders t on t.id = h.id
    join (
        select document_id, case when sum(shipped_quantity) = 0 then '{DeliveryState.NONE}'
            when bool_and(shipped_quantity = quantity) then '{DeliveryState.FULL}'
            else '{DeliveryState.PARTIAL}' end as delivery_state
        from ready_order_lines group by document_id
    ) d on d.document_id = h.id
    left join (
        select id, row_number() over (order by code) as no from warehouses where tenant_id = {{tenant}}
    ) w on w.no = t.lowest and t.lowest = t.highest
"""
_HEADER_COLUMNS = (
    "customer_id, placed_at, lifecycle_status_id, warehouse_id, currency, net, tax, total, delivery_state"
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))


async def _update(connection: Connection) -> tuple[Counts, Counts]:
    """Change the orders that are there where they differ: lines first, then headers with a new version."""
    await affect(
        connection,
        """
        create temp table touched_orders on commit drop as
        select distinct document_id as id from ready_order_lines where not is_same
        """,
    )
    gone = """
        k.tenant_id = {tenant} and k.order_id = h.id and not h.is_new and not exists (
            select from ready_order_lines r where r.document_id = k.order_id and r.position = k.position
        )
    """
    await affect(
        connection,
        f"insert into touched_orders select distinct h.id from order_lines k, ready_orders h where {gone}",
    )
    removed = await affect(connection, f"delete from order_lines k using ready_orders h where {gone}")
    updated = await affect(
        connection,
        f"""
        update order_lines k set ({_LINE_COLUMNS}) = row(
            r.product_id, p.sku,
            case when k.product_id = r.product_id then k.name else p.name end,
            case when k.product_id = r.product_id then k.unit else p.unit end,
            r.quantity, r.shipped_quantity, r.cancelled_quantity, r.unit_price, r.tax_rate, r.amount, r.warehouse_id
        )
        from ready_order_lines r join products p on p.tenant_id = {{tenant}} and p.id = r.product_id
        where k.tenant_id = {{tenant}} and k.order_id = r.document_id and k.position = r.position
        and not r.is_same and not r.is_new
        """,
    )
    headers = await change(
        connection,
        f"""
        update orders t set ({_HEADER_COLUMNS}) = row({_of("s", _HEADER_COLUMNS)}), version = t.version + 1
        from ({_SUMMED}) s
        where t.tenant_id = {{tenant}} and t.id = s.id and not s.is_new
        and (({_of("t", _HEADER_COLUMNS)}) is distinct from ({_of("s", _HEADER_COLUMNS)})
            or t.id in (select id from touched_orders))
        """,
        _TOLD,
        is_new=False,
    )
    await rma_stages.follow(connection)
    return Counts(updated=headers), Counts(updated=updated, removed=removed)


async def _insert(connection: Connection, headers: Counts, lines: Counts) -> tuple[Counts, Counts]:
    headers.inserted = await change(
        connection,
        f"""
        insert into orders as t (tenant_id, id, placement_id, number, tax_included, {_HEADER_COLUMNS})
        select {{tenant}}, id, id, number, tax_included, {_HEADER_COLUMNS} from ({_SUMMED}) s where is_new
        """,
        _TOLD,
        is_new=True,
    )
    lines.inserted = await affect(
        connection,
        f"""
        insert into order_lines (tenant_id, order_id, position, {_LINE_COLUMNS})
        select {{tenant}}, r.document_id, r.position, r.product_id, p.sku, p.name, p.unit,
            r.quantity, r.shipped_quantity, r.cancelled_quantity, r.unit_price, r.tax_rate, r.amount, r.warehouse_id
        from ready_order_lines r join products p on p.tenant_id = {{tenant}} and p.id = r.product_id
        where r.is_new
        """,
    )
    return headers, lines
