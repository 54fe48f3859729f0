"""Rejections: staged rows that cannot go in are given a reason, a code and what it means here."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Mapping

from db.connections import Connection
from db.exchange.layout import LAYOUT
from db.exchange.staging import affect


async def duplicates(connection: Connection, table: str) -> None:
    """Of good rows with one key only the first stays good."""
    columns = ", ".join(f'"{column}"' for column in LAYOUT[table].key)
    same = " and ".join(f's."{column}" = d."{column}"' for column in LAYOUT[table].key)
    await affect(
        connection,
        f"""
        update staged_{table} s set reason = 'DUPLICATE: of line ' || d.first
        from (
            select {columns}, min(file_line) as first from staged_{table} where reason is null
            group by {columns} having count(*) > 1
        ) d
        where {same} and s.file_line > d.first and s.reason is null
        """,
    )


async def unknown(connection: Connection, table: str, column: str, target: str, key: str) -> None:
    """A code that names nothing: neither what is kept nor what this import has brought."""
    noun = column.upper()
    await affect(
        connection,
        f"""
        update staged_{table} s set reason = 'UNKNOWN_{noun}: there is no {column} ' || s."{column}"
        where s.reason is null and s."{column}" is not null and not exists (
            select from {target} t where t.tenant_id = {{tenant}} and t.{key} = s."{column}"
        )
        """,
    )


async def where(connection: Connection, table: str, condition: str, reason: str) -> None:
    """Good rows `s` for which a condition holds; `reason` is an SQL expression."""
    await affect(
        connection,
        f"update staged_{table} s set reason = {reason} where s.reason is null and ({condition})",
    )


async def lines(connection: Connection, table: str, reasons: Mapping[int, str]) -> None:
    """Rows by their line numbers."""
    if reasons:
        await connection.fetch_text(
            f"""
            update staged_{table} s set reason = r.reason
            from unnest($1::bigint[], $2::text[]) as r (file_line, reason) where r.file_line = s.file_line
            """,
            list(reasons.keys()),
            list(reasons.values()),
        )


async def incomplete(connection: Connection, headers: str, body: str, document: str) -> None:
    """Documents go in whole: a bad header or line takes all the rest of its document with it.

    `document` is the column of the lines that holds the number of their header.
    """
    await where(
        connection,
        headers,
        f'not exists (select from staged_{body} b where b."{document}" = s.number)',
        f"'NO_LINES: {body} has no line of it'",
    )
    await where(
        connection,
        body,
        f'not exists (select from staged_{headers} h where h.number = s."{document}")',
        f"""'NO_HEADER: {headers} has no ' || s."{document}" """,
    )
    await affect(connection, "drop table if exists bad_documents")
    await affect(
        connection,
        f"""
        create temp table bad_documents on commit drop as
        select number, min(why) as why from (
            select number, 'line ' || file_line || ' of {headers}: ' || reason as why
            from staged_{headers} where reason is not null and number is not null
            union all
            select "{document}", 'line ' || file_line || ' of {body}: ' || reason
            from staged_{body} where reason is not null and "{document}" is not null
        ) found group by number
        """,
    )
    for table, number in ((headers, "number"), (body, document)):
        await affect(
            connection,
            f"""
            update staged_{table} s set reason = 'DOCUMENT_REJECTED: ' || b.why
            from bad_documents b where s."{number}" = b.number and s.reason is null
            """,
        )
