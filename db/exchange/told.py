"""What an import tells the change feed: each object that it made or changed, once, as the last thing it does."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from dataclasses import dataclass

from db import change_feed
from db.connections import Connection
from db.exchange.staging import affect
from rules.events import Operation


@dataclass(frozen=True, slots=True)
class Told:
    """Of which object the rows of a table tell: its type, the column with its id, and that with its customer's."""

    node_type: str
    id: str = "id"
    customer_id: str | None = None
    of_itself: bool = True  # whether a new row is a new object; otherwise it belongs to one that is there


async def prepare(connection: Connection) -> None:
    """Make the table of what was changed, in the order of its changing; it goes when the transaction ends."""
    await affect(
        connection,
        """
        create temp table told (
            nth bigint generated always as identity, node_type text, node_id uuid, is_new boolean, customer_id uuid
        ) on commit drop
        """,
    )


async def change(connection: Connection, sql: str, told: Told | None, *, is_new: bool) -> int:
    """Run an INSERT into or UPDATE of a table called `t`, of which each row is told; returns how many rows it touched."""
    if told is None:
        return await affect(connection, sql)
    customer_id = f"t.{told.customer_id}" if told.customer_id else "null::uuid"
    return await affect(
        connection,
        f"""
        with changed as ({sql} returning t.{told.id} as node_id, {customer_id} as customer_id)
        insert into told (node_type, node_id, is_new, customer_id)
        select '{told.node_type}', node_id, {is_new and told.of_itself}, customer_id from changed
        """,
    )


async def tell(connection: Connection) -> None:
    """Put each object into the feed. Whoever else changes anything at this company waits from the first of the last two
    statements on: what is sorted is sorted before."""
    count = await affect(
        connection,
        """
        create temp table told_once on commit drop as
        select row_number() over (order by min(nth)) as nth, node_type, node_id, bool_or(is_new) as is_new,
            any_value(customer_id) as customer_id
        from told group by node_type, node_id
        """,
    )
    if not count:
        return
    before = await change_feed.take(connection, count)
    await affect(
        connection,
        f"""
        insert into changes (tenant_id, position, node_type, node_id, operation, subject_id, customer_id)
        select {{tenant}}, {before:d} + nth, node_type, node_id,
            case when is_new then '{Operation.CREATED}' else '{Operation.UPDATED}' end, node_id, customer_id
        from told_once
        """,
    )
