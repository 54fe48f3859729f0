"""What is posted at random through the mutations, over HTTP, against a naive model: what may be done is done and adds up, and what may not be done changes nothing."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from resolvers.nodes import global_id
from tests.bookkeeping import PRODUCTS, Paper
from tests.conftest import At
from tests.dealings import Dealings
from tests.postings import invoice_of, payment_of
from tests.resolvers.test_balance_model import Model
from tests.resolvers.test_balance_reports import report
from tests.world import World

ORDERS = """{ orders(first: 100) { nodes { number payment { invoiced { amount } paid { amount }
  open { amount } prepaid { amount } } } } }"""
NUMBERS = """
    select left(number, 2), count(*), max(substr(number, 4)::bigint) from (
        select number from invoices union all select number from credit_notes union all select number from payments
        union all select number from goods_returns union all select number from tax_invoices
        union all select number from reconciliation_statements union all select number from goods_issues
    ) every group by 1 having count(*) <> max(substr(number, 4)::bigint)
"""
WRONG_TOTALS = """
    select d.number, d.total, sum(m.amount) from (
        select id, number, total, exists (select from reversals r where r.invoice_id = i.id) as gone from invoices i
        union all
        select id, number, -total, exists (select from reversals r where r.credit_note_id = c.id) from credit_notes c
        union all
        select id, number, case kind when 'REFUND' then amount else -amount end,
            exists (select from reversals r where r.payment_id = p.id) from payments p
    ) d
    join movements m on d.id in (m.invoice_id, m.credit_note_id, m.payment_id)
    group by d.id, d.number, d.total, d.gone having sum(m.amount) <> case when d.gone then 0 else d.total end
"""


class Audited(Dealings):
    """Dealings of which all that can be read is compared with the bookkeeper's."""

    async def check(self) -> None:
        """All that can be read says what the model does."""
        today = datetime.now(UTC).date()
        for customer, model in self.models.items():
            for day in (today, today - timedelta(days=20)):
                await self.check_reports(customer, model, day)
            await self.check_orders(customer, model)
        for paper in self.papers:
            if paper.kind == "Invoice":
                await self.check_invoice(paper)
            if paper.kind == "Payment":
                found = await payment_of(self.staff, paper.id)
                told = self.minor(found["onAccount"]), found["status"] == "REVERSED"
                assert told == (self.lying(paper), paper.gone)
        async with self.portal.writing() as connection:
            assert await connection.fetch_text(NUMBERS) == []
            assert await connection.fetch_text(WRONG_TOTALS) == []

    async def check_invoice(self, paper: Paper) -> None:
        found, left = await invoice_of(self.staff, paper.id), self.open(paper)
        state = (
            "REVERSED"
            if paper.gone
            else "PAID"
            if left <= 0
            else "UNPAID"
            if left >= paper.total
            else "PARTLY_PAID"
        )
        assert (self.minor(found["open"]), found["status"]) == (max(left, 0), state)
        notes = [
            each for each in self.papers if each.of is paper and each.kind == "CreditNote" and not each.gone
        ]
        # Each document's tax is rounded once a rate.
        assert sum(each.total for each in notes) <= paper.total + 2 * (len(notes) + 1)

    async def check_reports(self, customer: str, model: Model, day: date) -> None:
        asked = {
            "customer": global_id("Customer", self.portal.customers[customer]),
            "asOf": str(day),
            "first": 100,
        }
        found, expected = await report(self.staff, "CUSTOMER", **asked), model.customer(day, self.currency)
        (balance,) = found["balances"]
        aged = {each["bucket"]: [self.minor(each["amount"]), each["count"]] for each in balance["ageing"]}
        sums: dict[str, Any] = {
            "debt": self.minor(balance["debt"]),
            "prepayments": self.minor(balance["prepayments"]),
            "ageing": aged,
        }
        assert sums == expected
        moved = sum(each.amount for each in model.until(day, self.currency))
        assert sums["debt"] - sums["prepayments"] == moved
        if balance["credit"]:
            orders = sum(max(each["total"] - self.charged(number), 0) for number, each in self.of(customer))
            assert self.minor(balance["credit"]["used"]) == moved + orders
        rows = (await report(self.staff, "BY_ORDER", **asked))["orders"]["nodes"]
        names = ("debt", "prepayments", "invoiced", "credited", "paid")
        told: dict[str | None, list[int]] = {
            each["number"]: [self.minor(each[name]) for name in names] for each in rows
        }
        told.setdefault(
            None, [0] * 5
        )  # of what lies on account nothing is told where nothing is left to tell
        assert told == {None: [0] * 5} | model.by_order(day, self.currency)
        (lines,) = (await report(self.staff, "RECONCILIATION", **asked, **{"from": "2020-01-01"}))[
            "reconciled"
        ]
        assert self.minor(lines["opening"]) == 0
        assert self.minor(lines["closing"]) == moved
        documents: defaultdict[str, int] = defaultdict(int)
        so_far = 0
        for each in lines["movements"]["nodes"]:
            amount = self.minor(each["debit"]) if each["debit"] else -self.minor(each["credit"])
            documents[each["number"]] += amount
            so_far += amount
            if lines["movements"]["totalCount"] <= 100:
                assert self.minor(each["balance"]) == so_far
        if lines["movements"]["totalCount"] <= 100:
            every: defaultdict[str, int] = defaultdict(int)
            for each in model.until(day, self.currency):
                every[each.document] += each.amount
            assert {name: sum_ for name, sum_ in documents.items() if sum_} == {
                name: sum_ for name, sum_ in every.items() if sum_
            }

    def of(self, customer: str) -> list[tuple[str, dict[str, Any]]]:
        return [(number, each) for number, each in self.orders.items() if each["customer"] == customer]

    def charged(self, number: str) -> int:
        return sum(
            each.total
            for each in self.papers
            if each.kind == "Invoice" and each.order == number and not each.gone
        )

    async def check_orders(self, customer: str, model: Model) -> None:
        rows = model.by_order(date.max, self.currency)
        for each in (await self.buyers[customer].ask(ORDERS))["orders"]["nodes"]:
            debt, prepaid, invoiced, credited, paid = rows.get(each["number"], [0] * 5)
            told = [self.minor(each["payment"][name]) for name in ("invoiced", "paid", "open", "prepaid")]
            assert told == [invoiced - credited, paid, debt, prepaid]


async def deal(
    world: World, at: At, seed: int, currency: str, *, included: bool, acts: int
) -> dict[str, int]:
    """So many acts at a new portal; returns how often each was done and refused."""
    portal = await world.portal(currency=currency, tax_included=included)
    for sku, (unit, price, rate) in PRODUCTS.items():
        await portal.product(sku, unit=unit, price=price, tax_rate=rate, stock_at={"W1": "100000"})
    await portal.staff_member("olga")
    for name, customer in (("bea", "C1"), ("cleo", "C2")):
        await portal.account(name, customer=customer)
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set credit_limit = 1000")
    buyers = {"C1": await at(portal).sign_in("bea"), "C2": await at(portal).sign_in("cleo")}
    books = Audited(portal, await at(portal).sign_in("olga"), buyers, random.Random(seed))
    books.included = included
    everything = [
        *[
            (books.order_and_ship, 2),
            (books.invoice, 4),
            (books.credit, 5),
            (books.pay, 6),
            (books.allocate, 3),
        ],
        *[(books.receive, 3), (books.reverse, 3), (books.tax, 1), (books.state, 1)],
    ]
    chosen = [act for act, times in everything for _ in range(times)]
    for _ in range(4):
        await books.order_and_ship()
    for turn in range(1, acts + 1):
        await books.chance.choice(chosen)()
        if turn % 40 == 0:
            await books.check()
    await books.check()
    return books.done


@pytest.mark.parametrize(
    ("seed", "currency", "included"),
    [(1, "GBP", False), (2, "GBP", True), (3, "JPY", False), (4, "KWD", True)],
)
async def test_whatever_the_staff_posts_adds_up_and_what_it_may_not_post_changes_nothing(
    seed: int, currency: str, included: bool, world: World, at: At
) -> None:
    done = await deal(world, at, seed, currency, included=included, acts=160)
    mutations = {each.split()[0] for each in done}
    assert len(mutations) == 8
    assert all(done.get(f"{each} done") for each in mutations), done
