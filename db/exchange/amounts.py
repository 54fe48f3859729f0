"""Amounts of staged documents, in SQL by the rules of rules/amounts.py: lines, and totals by tax rate.

Documents on their way are in two temporary tables: ready_<headers> (id, is_new, file_line, number,
tax_included, factor, ...) and ready_<lines> (document_id, file_line, tax_rate, amount, ...).
"""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from db.connections import Connection
from db.exchange import rejections
from db.exchange.staging import affect, ask
from rules.amounts import LARGEST_AMOUNT
from rules.money import minor_digits

# Far from what a bigint holds, so that sums over many documents stay there as well.
LARGEST_TOTAL = 10**17

# A line's amount in minor units: PostgreSQL rounds numerics half up, away from zero, as rules do.
LINE_AMOUNT = f"least(round(l.quantity * l.unit_price * h.factor), {LARGEST_AMOUNT})::bigint"
LINE_TOO_LARGE = f"r.amount = {LARGEST_AMOUNT}"

_WITH_CURRENCY = ("orders", "invoices", "credit_notes", "payments")


async def minor_units(connection: Connection) -> None:
    """Make the table minor_units: how many minor units a currency's major unit has."""
    await affect(
        connection,
        "create temp table minor_units (currency text not null, factor numeric not null) on commit drop",
    )
    named = " union ".join(
        f"select currency from staged_{table} where reason is null" for table in _WITH_CURRENCY
    )
    currencies = [str(row[0]) for row in await ask(connection, named)]
    await connection.fetch_text(
        "insert into minor_units select * from unnest($1::text[], $2::numeric[])",
        currencies,
        [10 ** minor_digits(currency) for currency in currencies],
    )


async def total(connection: Connection, headers: str, lines: str, *, spread: str = "null::integer") -> None:
    """Make the table totals_<headers>: id, net, tax, and the lowest and highest of `spread` over the lines.

    Tax is worked out once a rate on the sum of its lines. The division is told ten decimal places, so that
    it does not round before round() does.
    """
    await affect(
        connection,
        f"""
        create temp table totals_{headers} on commit drop as
        select id, sum(case when tax_included then amount - tax else amount end) as net, sum(tax) as tax,
            min(lowest) as lowest, max(highest) as highest
        from (
            select h.id, h.tax_included, g.amount, g.lowest, g.highest, case
                when h.tax_included then round(g.amount * g.tax_rate::numeric(30, 10) / (100 + g.tax_rate))
                else round(g.amount * g.tax_rate * 0.01) end as tax
            from (
                select document_id, tax_rate, sum(amount) as amount,
                    min({spread}) as lowest, max({spread}) as highest
                from ready_{lines} group by document_id, tax_rate
            ) g join ready_{headers} h on h.id = g.document_id
        ) by_rate group by id
        """,
    )
    await rejections.where(
        connection,
        headers,
        f"""s.file_line in (
            select r.file_line from ready_{headers} r join totals_{headers} t on t.id = r.id
            where t.net + t.tax > {LARGEST_TOTAL}
        )""",
        "'AMOUNT_OUT_OF_RANGE: the total is too large'",
    )
