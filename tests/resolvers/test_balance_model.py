"""Balances against a naive model: whatever is issued, paid, credited and reversed, each report is the sum of the documents."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from resolvers.nodes import global_id
from rules.balances import PaymentKind
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.resolvers.test_balance_reports import report
from tests.world import Portal, World

FIRST_DAY = date(2026, 1, 1)
DAYS = st.integers(0, 150)
PARTS = st.sampled_from([0.25, 0.5, 1, 1.5])
PENCE = st.integers(1, 500_000)
CURRENCIES = st.sampled_from(["GBP", "GBP", "GBP", "EUR"])
BUCKETS = [("NOT_DUE", 0), ("DAYS_1_TO_30", 30), ("DAYS_31_TO_60", 60), ("DAYS_61_TO_90", 90)]
_codes = itertools.count(1)


@dataclass(frozen=True)
class Moved:
    """A movement as the model has it."""

    at: datetime
    document: str
    kind: str
    currency: str
    amount: int
    invoice: str | None
    order: str | None


@dataclass
class Model:
    """All movements of one customer, added up the long way."""

    moved: list[Moved] = field(default_factory=list)
    due: dict[str, date] = field(default_factory=dict)
    order_of: dict[str, str | None] = field(default_factory=dict)

    def until(self, as_of: date, currency: str) -> list[Moved]:
        return [each for each in self.moved if each.at.date() <= as_of and each.currency == currency]

    def currencies(self, as_of: date) -> list[str]:
        return sorted({each.currency for each in self.moved if each.at.date() <= as_of} | {"GBP"})

    def open(self, as_of: date, currency: str) -> dict[str | None, int]:
        sums: defaultdict[str | None, int] = defaultdict(int)
        for each in self.until(as_of, currency):
            sums[each.invoice] += each.amount
        return sums

    def customer(self, as_of: date, currency: str) -> dict[str, Any]:
        sums = self.open(as_of, currency)
        account = sums.pop(None, 0)
        ageing = {name: [0, 0] for name, _ in [*BUCKETS, ("OVER_90_DAYS", 0)]}
        for number, amount in sums.items():
            if number is not None and amount > 0:
                over = (as_of - self.due[number]).days
                bucket = next((name for name, days in BUCKETS if over <= days), "OVER_90_DAYS")
                ageing[bucket][0] += amount
                ageing[bucket][1] += 1
        return {
            "debt": sum(max(each, 0) for each in sums.values()) + max(account, 0),
            "prepayments": sum(max(-each, 0) for each in sums.values()) + max(-account, 0),
            "ageing": ageing,
        }

    def by_order(self, as_of: date, currency: str) -> dict[str | None, list[int]]:
        rows: dict[str | None, list[int]] = {}
        opened: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
        for each in self.until(as_of, currency):
            row = rows.setdefault(each.order, [0, 0, 0, 0, 0])
            opened[each.order, each.invoice] += each.amount
            place = {"INVOICE": 2, "CREDIT_NOTE": 3, "PAYMENT": 4, "REFUND": 4}[each.kind]
            row[place] += each.amount if place == 2 else -each.amount
        for (order, _), amount in opened.items():
            rows[order][0] += max(amount, 0)
            rows[order][1] += max(-amount, 0)
        return rows

    def lines(self, first: date, as_of: date, currency: str) -> tuple[int, list[tuple[str, int, int]]]:
        sums: defaultdict[tuple[datetime, str], int] = defaultdict(int)
        for each in self.until(as_of, currency):
            sums[each.at, each.document] += each.amount
        opening = balance = sum(amount for (at, _), amount in sums.items() if at.date() < first)
        lines = []
        for (at, number), amount in sorted(sums.items()):
            if at.date() >= first and amount:
                balance += amount
                lines.append((number, amount, balance))
        return opening, lines


class Trade(RuleBasedStateMachine):
    """Random dealings of one customer."""

    portal: Portal
    staff: Client
    loop: asyncio.AbstractEventLoop
    orders: list[tuple[str, Any]]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.code = f"M{next(_codes)}"
        self.invoices: list[Any] = []
        self.credits: list[Any] = []
        self.payments: list[Any] = []
        self.reversed: set[str] = set()
        self.on_account: list[Any] = []
        self.seconds = itertools.count()
        self.await_(self.portal.customer(self.code))
        self.orders = [
            (f"{self.code}-{n}", self.await_(self.portal.order(f"{self.code}-{n}", customer=self.code)))
            for n in range(2)
        ]

    @initialize()
    def begin(self) -> None:
        """Something of which all the rest can be made."""
        self.issue(10, 10_000, 0, 30, "GBP")
        self.issue(20, 7_777, None, 14, "GBP")
        self.pay_on_account(30, 5_000, "GBP", "PAYMENT")

    def await_(self, asked: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(asked, self.loop).result(60)

    def at(self, day: int) -> datetime:
        """A moment of a day that nothing else has."""
        start = datetime.combine(FIRST_DAY + timedelta(days=day), datetime.min.time(), UTC)
        return start + timedelta(seconds=next(self.seconds))

    def number(self, kind: str) -> str:
        return f"{kind}-{self.code}-{next(self.seconds)}"

    def keep(
        self, at: datetime, document: Any, kind: str, amount: int, invoice: Any, order: str | None = None
    ) -> None:
        order = self.model.order_of[invoice.number] if invoice else order
        moved = Moved(at, document.number, kind, document.currency, amount, invoice and invoice.number, order)
        self.model.moved.append(moved)

    @rule(
        day=DAYS,
        price=PENCE,
        order=st.sampled_from([None, 0, 1]),
        days=st.integers(0, 60),
        currency=CURRENCIES,
    )
    def issue(self, day: int, price: int, order: int | None, days: int, currency: str) -> None:
        at, (name, key) = self.at(day), (None, None) if order is None else self.orders[order]
        made = self.await_(
            documents.invoice(
                self.portal,
                self.number("IN"),
                (Sold("A", "1", str(Decimal(price) / 100)),),
                customer=self.code,
                order_id=key,
                issued_at=at,
                due_on=at.date() + timedelta(days=days),
                currency=currency,
            )
        )
        self.invoices.append(made)
        self.model.due[made.number], self.model.order_of[made.number] = made.due_on, name
        self.keep(at, made, "INVOICE", made.total, made)

    @precondition(lambda self: self.invoices)
    @rule(day=DAYS, which=st.integers(0, 99), part=PARTS)
    def pay(self, day: int, which: int, part: float) -> None:
        """A part, all, or too much."""
        settles, at = self.invoices[which % len(self.invoices)], self.at(day)
        amount = max(int(settles.total * part), 1)
        paid = documents.payment(
            self.portal, self.number("PA"), amount, settles=settles, paid_at=at, currency=settles.currency
        )
        self.payments.append(self.await_(paid))
        self.keep(at, self.payments[-1], "PAYMENT", -amount, settles)

    @rule(day=DAYS, amount=PENCE, currency=CURRENCIES, kind=st.sampled_from([*["PAYMENT"] * 3, "REFUND"]))
    def pay_on_account(self, day: int, amount: int, currency: str, kind: str) -> None:
        at = self.at(day)
        paid = documents.payment(
            self.portal,
            self.number("PA"),
            amount,
            customer=self.code,
            paid_at=at,
            currency=currency,
            kind=PaymentKind(kind),
        )
        self.payments.append(self.await_(paid))
        if kind == "PAYMENT":
            self.on_account.append(self.payments[-1])
        self.keep(at, self.payments[-1], kind, -amount if kind == "PAYMENT" else amount, None)

    @precondition(lambda self: self.on_account and self.invoices)
    @rule(day=DAYS, which=st.integers(0, 99), part=PARTS)
    def allocate(self, day: int, which: int, part: float) -> None:
        """Later, and at times to an invoice that is paid already."""
        paid = self.on_account[which % len(self.on_account)]
        same = [each for each in self.invoices if each.currency == paid.currency]
        if not same or paid.number in self.reversed:
            return
        settles, amount, at = same[which % len(same)], max(int(paid.amount * part), 1), self.at(day)
        self.await_(documents.allocate(self.portal, paid, settles, amount, at))
        self.keep(at, paid, "PAYMENT", amount, None)
        self.keep(at, paid, "PAYMENT", -amount, settles)

    @precondition(lambda self: self.invoices)
    @rule(day=DAYS, which=st.integers(0, 99), part=PARTS)
    def credit(self, day: int, which: int, part: float) -> None:
        """At times more than is open."""
        corrected, at = self.invoices[which % len(self.invoices)], self.at(day)
        price = (Decimal(corrected.net) * Decimal(str(part)) / 100).quantize(Decimal("0.01"))
        lines = (Sold("A", "1", str(max(price, Decimal("0.01")))),)
        made = documents.credit_note(self.portal, self.number("CN"), corrected, lines, issued_at=at)
        self.credits.append(self.await_(made))
        self.keep(at, self.credits[-1], "CREDIT_NOTE", -self.credits[-1].total, corrected)

    @precondition(lambda self: self.invoices or self.payments)
    @rule(day=DAYS, which=st.integers(0, 99))
    def reverse(self, day: int, which: int) -> None:
        left = [
            each
            for each in (*self.invoices, *self.credits, *self.payments)
            if each.number not in self.reversed
        ]
        if not left:
            return
        document, at = left[which % len(left)], self.at(day)
        self.reversed.add(document.number)
        self.await_(documents.reverse(self.portal, document, at))
        mine = [each for each in self.model.moved if each.document == document.number]
        for each in mine:
            self.model.moved.append(
                Moved(at, each.document, each.kind, each.currency, -each.amount, each.invoice, each.order)
            )

    @rule(day=st.integers(-1, 260), first=st.integers(-1, 160))
    def compare(self, day: int, first: int) -> None:
        self.check(FIRST_DAY + timedelta(days=day), FIRST_DAY + timedelta(days=min(first, day)))

    def teardown(self) -> None:
        self.check(FIRST_DAY + timedelta(days=300), FIRST_DAY)

    def check(self, as_of: date, first: date) -> None:
        asked = {
            "customer": global_id("Customer", self.portal.customers[self.code]),
            "asOf": str(as_of),
            "first": 100,
        }
        currencies = self.model.currencies(as_of)
        found = self.await_(report(self.staff, "CUSTOMER", **asked))
        orders = self.await_(report(self.staff, "BY_ORDER", **asked))
        moved = self.await_(report(self.staff, "RECONCILIATION", **asked, **{"from": str(first)}))
        assert [each["currency"] for each in found["balances"]] == currencies
        for currency, balance, total, lines in zip(
            currencies, found["balances"], orders["totals"], moved["reconciled"], strict=True
        ):
            self.check_customer(self.model.customer(as_of, currency), balance, found)
            self.check_orders(self.model.by_order(as_of, currency), total, orders)
            self.check_lines(self.model.lines(first, as_of, currency), lines)

    def check_customer(self, expected: dict[str, Any], balance: Any, found: Any) -> None:
        assert minor(balance["debt"]) == expected["debt"]
        assert minor(balance["prepayments"]) == expected["prepayments"]
        aged = {each["bucket"]: [minor(each["amount"]), each["count"]] for each in balance["ageing"]}
        assert aged == expected["ageing"]
        late = sum(amount for bucket, (amount, _) in aged.items() if bucket != "NOT_DUE")
        assert minor(balance["overdue"]) == late
        currency = balance["currency"]
        mine = [each for each in found["openInvoices"]["nodes"] if each["open"]["currency"] == currency]
        assert sum(minor(each["open"]) for each in mine) == sum(amount for amount, _ in aged.values())
        ahead = [each for each in found["ahead"]["nodes"] if each["amount"]["currency"] == currency]
        back = expected["debt"] - sum(amount for amount, _ in aged.values())  # paid back beyond the account
        assert sum(minor(each["amount"]) for each in ahead) == expected["prepayments"] - back

    def check_orders(self, expected: dict[str | None, list[int]], total: Any, found: Any) -> None:
        names = ("debt", "prepayments", "invoiced", "credited", "paid")
        rows = {
            each["number"]: [minor(each[name]) for name in names]
            for each in found["orders"]["nodes"]
            if each["currency"] == total["currency"]
        }
        assert rows == expected
        sums = [sum(row[place] for row in expected.values()) for place in range(5)]
        assert [minor(total[name]) for name in names] == sums

    def check_lines(self, expected: tuple[int, list[tuple[str, int, int]]], found: Any) -> None:
        opening, lines = expected
        shown = [
            (
                each["number"],
                minor(each["debit"]) if each["debit"] else -minor(each["credit"]),
                minor(each["balance"]),
            )
            for each in found["movements"]["nodes"]
        ]
        assert (minor(found["opening"]), shown) == (opening, lines)
        assert minor(found["closing"]) == opening + sum(amount for _, amount, _ in lines)
        assert minor(found["debit"]) == sum(amount for _, amount, _ in lines if amount > 0)
        assert minor(found["credit"]) == -sum(amount for _, amount, _ in lines if amount < 0)


def minor(money: Any) -> int:
    return int(Decimal(money["amount"]) * 100)


async def test_each_report_is_the_sum_of_the_documents(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.product("A")
    await portal.staff_member("olga")
    members = {
        "portal": portal,
        "staff": await at(portal).sign_in("olga"),
        "loop": asyncio.get_running_loop(),
    }
    machine = type("Trade", (Trade,), members)
    bounded = settings(
        max_examples=30,
        stateful_step_count=25,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounded)
