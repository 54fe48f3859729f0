"""Balances of a real portal against its own CSV files: `python -m bench.balances FOLDER`.

Imports an exchange folder, asks the balance of every customer, and compares it to the penny with what the files alone say,
worked out here without anything of ours. Then pages the reconciliation of the customer with the most movements.
"""

import asyncio
import csv
import gzip
import io
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

import db
import db.exchange
from bench.import_exchange import new_tenant, plain
from db import migrations, roles
from db.connections import Connection, Database
from db.embedded import Cluster
from db.isolation import Mode
from db.pages import Window
from rules.permissions import Permission
from rules.viewers import Viewer

_DATABASE = "bench"
_AS_OF = date(2013, 1, 1)
_PENNY = Decimal("0.01")
# Every movement of the customer with most of them once more, some seconds earlier, two dozen times.
_LENGTHEN = """
    insert into movements (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount, invoice_id,
        credit_note_id, payment_id, settles_id)
    select tenant_id, gen_random_uuid(), kind, customer_id, order_id, moved_at - n * interval '1 second', currency,
        amount, invoice_id, credit_note_id, payment_id, settles_id
    from movements, generate_series(1, 24) n where customer_id = (
        select customer_id from movements group by customer_id order by count(*) desc limit 1)"""


def main(folder: Path) -> None:
    """Make a server, compare, throw the server away."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    cluster = Cluster(home)
    try:
        cluster.up()
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), _DATABASE))
        migrations.upgrade(cluster.url(roles.MIGRATION, _DATABASE))
        asyncio.run(_run(cluster, folder))
    finally:
        cluster.destroy()
        shutil.rmtree(home)


async def _run(cluster: Cluster, folder: Path) -> None:
    admin = await asyncpg.connect(plain(cluster.url("postgres", _DATABASE)))
    database = await Database.open(cluster.url(roles.SERVER, _DATABASE))
    tenant_id = await new_tenant(admin, database)
    await admin.close()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as reports:
        async with database.connect(tenant_id) as connection:
            await db.exchange.run(connection, folder, Path(reports), db.exchange.Silent())
    print(f"imported in {time.perf_counter() - start:.1f} s")
    viewer = Viewer(
        tenant_id=tenant_id,
        session_id=None,
        account_id=None,
        staff_member_id=uuid4(),
        customer_id=None,
        price_list_id=None,
        currency="GBP",
        permissions=frozenset(Permission),
    )
    async with database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        await _compare(connection, viewer, folder)
        await _page(connection, viewer)
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        await connection.fetch_text(_LENGTHEN)
        print("the same customer with 25 times as many movements:")
        await _page(connection, viewer)
    await database.close()


async def _compare(connection: Connection, viewer: Viewer, folder: Path) -> None:
    """The standing of every customer, by report and by files."""
    expected = _by_files(folder)
    customers = await connection.fetch_text("select code, id from customers")
    start = time.perf_counter()
    wrong, debts, ahead = [], Decimal(), Decimal()
    for code, key in customers:
        filters = _filters(key)
        found = (await db.balance_reports.standings(connection, viewer, [filters]))[filters]
        told = {each.currency: (each.debt, each.prepayments) for each in found}
        if told != expected.get(code, {}):
            wrong.append((code, told, expected.get(code)))
        debts += Decimal(sum(debt for debt, _ in told.values())) / 100
        ahead += Decimal(sum(prepaid for _, prepaid in told.values())) / 100
    seconds = time.perf_counter() - start
    print(f"{len(customers):,} customers, {len(expected):,} with movements, in {seconds:.1f} s")
    print(f"debt {debts:,}, prepayments {ahead:,}; differing from the files: {len(wrong)}")
    for code, told, files in wrong[:10]:
        print(f"  {code}: {told}, by the files {files}")
    if wrong:
        sys.exit(1)


def _filters(customer_id: UUID) -> Any:
    before = datetime(_AS_OF.year, _AS_OF.month, _AS_OF.day + 1, tzinfo=UTC)
    return frozenset(db.balance_reports.filters(customer_id, before, _AS_OF, None).items())


def _by_files(folder: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Debt and prepayments of each customer by currency, in pence, from the files alone."""
    invoiced = _totals(folder, "invoice_lines", "invoice")
    credited = _totals(folder, "credit_note_lines", "credit_note")
    opened: defaultdict[tuple[str, str], defaultdict[str, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for row in _rows(folder, "invoices"):
        opened[row["customer"], row["currency"]][row["number"]] += invoiced[row["number"]]
    for row in _rows(folder, "credit_notes"):
        opened[row["customer"], row["currency"]][row["invoice"]] -= credited[row["number"]]
    for row in _rows(folder, "payments"):
        opened[row["customer"], row["currency"]][row["invoice"]] -= Decimal(row["amount"])
    found: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for (customer, currency), sums in opened.items():
        debt = sum((each for each in sums.values() if each > 0), Decimal())
        prepaid = -sum((each for each in sums.values() if each < 0), Decimal())
        found[customer][currency] = int(debt * 100), int(prepaid * 100)
    return dict(found)


def _totals(folder: Path, table: str, document: str) -> defaultdict[str, Decimal]:
    """What each document comes to: nets rounded by line, tax by rate on their sum, both half up."""
    nets: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in _rows(folder, table):
        net = Decimal(row["quantity"]) * Decimal(row["unit_price"])
        nets[row[document], row["tax_rate"]] += net.quantize(_PENNY, ROUND_HALF_UP)
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (number, rate), net in nets.items():
        totals[number] += net + (net * Decimal(rate) / 100).quantize(_PENNY, ROUND_HALF_UP)
    return totals


def _rows(folder: Path, table: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{table}.csv.gz") as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))


async def _page(connection: Connection, viewer: Viewer) -> None:
    """All pages of the longest reconciliation, forwards and backwards: statements and time for each page."""
    rows = await connection.fetch_text(
        """select c.code, m.customer_id, m.currency, count(*), sum(m.amount) from movements m
        join customers c on c.tenant_id = m.tenant_id and c.id = m.customer_id
        group by 1, 2, 3 order by 4 desc limit 1"""
    )
    code, key, currency, how_many, closing = rows[0]
    before = datetime(_AS_OF.year, _AS_OF.month, _AS_OF.day + 1, tzinfo=UTC)
    filters = {"customer_id": key, "before": before, "currency": currency}
    filters |= {"from_": datetime(1, 1, 1, tzinfo=UTC)}
    sums_key = frozenset(filters.items())
    (turnover,) = (await db.balance_movements.turnovers(connection, viewer, [sums_key]))[sums_key]
    assert turnover.closing == closing
    print(
        f"{code}: {how_many:,} movements, {turnover.lines:,} lines, closing {Decimal(turnover.closing) / 100:,}"
    )
    start = time.perf_counter()
    asked = frozenset(db.balance_reports.filters(key, before, _AS_OF, currency).items())
    await db.balance_reports.standings(connection, viewer, [asked])
    middle = time.perf_counter()
    await db.order_balances.totals(connection, viewer, [asked])
    print(
        f"  in all {1_000 * (middle - start):.1f} ms, by order {1_000 * (time.perf_counter() - middle):.1f} ms"
    )
    for backwards in (False, True):
        seen, costs, times = await _walk(connection, viewer, filters, backwards)
        balance = turnover.opening
        for each in seen:
            balance += each.amount
            assert each.balance == balance
        assert (len(seen), balance) == (turnover.lines, turnover.closing)
        ms = sorted(1_000 * each for each in times)
        print(
            f"  {'backwards' if backwards else 'forwards'}: {len(costs)} pages of 100, statements a page {set(costs)}, "
            f"ms a page: first {1_000 * times[0]:.1f}, median {ms[len(ms) // 2]:.1f}, last {1_000 * times[-1]:.1f}"
        )


async def _walk(
    connection: Connection, viewer: Viewer, filters: dict[str, Any], backwards: bool
) -> tuple[list[Any], list[int], list[float]]:
    seen: list[Any] = []
    costs: list[int] = []
    times: list[float] = []
    at: dict[str, Any] = {}
    while True:
        start, ran = time.perf_counter(), connection.statements
        window = Window(100, backwards=backwards, **at)
        page = await db.balance_movements.page(connection, viewer, filters, ("MOVED_AT_ASC",), window)
        costs.append(connection.statements - ran)
        times.append(time.perf_counter() - start)
        seen = page.rows + seen if backwards else seen + page.rows
        if not (page.has_previous if backwards else page.has_next):
            return seen, costs, times
        edge = page.rows[0] if backwards else page.rows[-1]
        at = {"before" if backwards else "after": (edge.moved_at, edge.document_id)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
