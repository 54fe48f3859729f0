"""Documents on their way in: a header and its lines, brought together and kept or rejected as one.

Good headers and their lines are in ready_<headers> and ready_<lines>; see amounts.py for their columns.
"""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from db.connections import Connection
from db.exchange import rejections
from db.exchange.amounts import LINE_TOO_LARGE
from db.exchange.staging import affect, ask


async def ready_headers(connection: Connection, headers: str, columns: str, joins: str) -> bool:
    """Make the table ready_<headers> of the good staged ones; returns whether any is there already.

    `columns` and `joins` add to `s`, the staged header, and `k`, what the tenant has under its number.
    New ids ascend with the lines of the file: then lines go into their index in its order.
    """
    await affect(
        connection,
        f"""
        create temp table ready_{headers} on commit drop as
        with ids as (
            select id, row_number() over (order by id) as nth
            from (select gen_random_uuid() as id from staged_{headers} where reason is null) made
        )
        select coalesce(k.id, ids.id) as id, k.id is null as is_new, s.file_line, s.number, s.currency,
            c.id as customer_id, m.factor, {columns}
        from (
            select *, row_number() over (order by file_line) as nth from staged_{headers} where reason is null
        ) s
        join ids on ids.nth = s.nth
        join customers c on c.tenant_id = {{tenant}} and c.code = s.customer
        join minor_units m on m.currency = s.currency
        left join {headers} k on k.tenant_id = {{tenant}} and k.number = s.number
        {joins}
        """,
    )
    await affect(connection, f"analyze ready_{headers}")
    return bool(await ask(connection, f"select from ready_{headers} where not is_new limit 1"))


async def reject_lines(connection: Connection, lines: str, reasons: dict[str, str]) -> None:
    """Reject lines that are there twice, and by conditions over `r`, the ready line, and `s`, the staged one."""
    await affect(
        connection,
        f"""
        update staged_{lines} s set reason = 'DUPLICATE: of line ' || d.first
        from ready_{lines} r
        join (
            select document_id, position, min(file_line) as first from ready_{lines}
            group by document_id, position having count(*) > 1
        ) d on d.document_id = r.document_id and d.position = r.position
        where r.file_line = s.file_line and r.file_line > d.first
        """,
    )
    cases = {
        "r.product_id is null": "'UNKNOWN_SKU: there is no sku ' || s.sku",
        LINE_TOO_LARGE: "'AMOUNT_OUT_OF_RANGE: quantity times price is too large'",
    } | reasons
    whens = " ".join(f"when {condition} then {reason}" for condition, reason in cases.items())
    await affect(
        connection,
        f"""
        update staged_{lines} s set reason = case {whens} end
        from ready_{lines} r
        where r.file_line = s.file_line and s.reason is null and ({" or ".join(cases)})
        """,
    )


async def keep_whole(connection: Connection, headers: str, lines: str, document: str) -> None:
    """Reject what belongs to a rejected row, and leave of the ready documents the good ones."""
    await rejections.incomplete(connection, headers, lines, document)
    gone = await affect(
        connection,
        f"""
        delete from ready_{headers} r using staged_{headers} s
        where s.file_line = r.file_line and s.reason is not null
        """,
    )
    if gone:
        await affect(
            connection,
            f"""
            delete from ready_{lines} r
            where not exists (select from ready_{headers} h where h.id = r.document_id)
            """,
        )
