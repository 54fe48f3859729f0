"""Merging: staged rows become new rows or change those that differ; rows that are equal are not touched."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Sequence

from db.connections import Connection
from db.exchange.staging import affect
from db.exchange.told import Told, change


async def merge(
    connection: Connection,
    table: str,
    source: str,
    *,
    key: Sequence[str],
    values: Sequence[str],
    only_new: Sequence[str] = (),
    versioned: bool = False,
    told: Told | None = None,
) -> tuple[int, int]:
    """Bring a table to what a SELECT says; returns (inserted, updated).

    The SELECT's columns are the key, the values, and what is set with new rows alone. A `versioned` table
    counts its rows' changes. `told` is of which object a row that differs tells the change feed.
    """
    matches = " and ".join(["t.tenant_id = {tenant}", *(f"t.{name} = s.{name}" for name in key)])
    updated = 0
    counted = ", version = t.version + 1" if versioned else ""
    if values:
        differs = f"""
            ({", ".join(f"t.{name}" for name in values)})
                is distinct from ({", ".join(f"s.{name}" for name in values)})
        """
        # By their key, as whoever changes several of them at once does: neither waits in a circle.
        await affect(
            connection,
            f"""
            select from {table} t join ({source}) s on {matches} where {differs}
            order by {", ".join(f"t.{name}" for name in key)} for no key update of t
            """,
        )
        updated = await change(
            connection,
            f"""
            update {table} t set {", ".join(f"{name} = s.{name}" for name in values)}{counted} from ({source}) s
            where {matches} and {differs}
            """,
            told,
            is_new=False,
        )
    columns = [*only_new, *key, *values]
    inserted = await change(
        connection,
        f"""
        insert into {table} as t (tenant_id, {", ".join(columns)})
        select {{tenant}}, {", ".join(f"s.{name}" for name in columns)} from ({source}) s
        where not exists (select from {table} t where {matches})
        """,
        told,
        is_new=True,
    )
    return inserted, updated
