"""A naive bookkeeper: what two customers of a company owe, added up the long way, and what may still be posted."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rules.amounts import line_amount, totals
from rules.broken import BrokenRule
from rules.money import to_major, to_minor
from rules.quantities import check as check_unit
from tests.client import Client
from tests.postings import post
from tests.resolvers.test_balance_model import Model, Moved
from tests.world import Portal

PRODUCTS = {
    "A": ("pcs", "9.99", "20"),
    "B": ("kg", "3.337", "7"),
    "F": ("pcs", "0", "20"),
    "Z": ("pcs", "0.155", "0"),
}
QUANTITIES = ["0", "-1", "0.5", "1", "2", "2.5", "3", "7"]
SHARES = [Decimal(each) for each in ("-0.5", "0", "0.3", "0.4", "0.5", "0.5", "1", "1", "1", "1", "1.5")]


@dataclass
class Line:
    """A line of an invoice, and what of it was credited and came back."""

    sku: str
    quantity: Decimal
    price: Decimal
    rate: Decimal
    amount: int
    charges: tuple[str, int]
    credited: Decimal = Decimal(0)
    money: int = 0
    back: Decimal = Decimal(0)


@dataclass
class Paper:
    """A document or payment: what it says, and what it moves by the invoice (None: on account) that is settled."""

    id: str
    number: str
    kind: str
    customer: str
    total: int = 0
    order: str | None = None
    lines: dict[int, Line] = field(default_factory=dict)
    gives: dict[int, tuple[Decimal, int]] = field(default_factory=dict)
    of: "Paper | None" = None
    back: "Paper | None" = None
    operation: str = ""
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    gone: bool = False
    request: str | None = None  # for which it was made: its id


class Books:
    """What a company's staff does for two customers, and what a naive bookkeeper makes of it."""

    def __init__(
        self, portal: Portal, staff: Client, buyers: dict[str, Client], chance: random.Random
    ) -> None:
        self.included = False  # whether prices include the tax
        self.portal, self.staff, self.buyers, self.chance = portal, staff, buyers, chance
        self.currency, self.papers, self.shipped = (
            portal.currency,
            list[Paper](),
            dict[tuple[str, int], dict[str, Any]](),
        )
        self.models = {code: Model() for code in buyers}
        self.orders: dict[str, dict[str, Any]] = {}
        self.done: defaultdict[str, int] = defaultdict(int)

    def some(self, kind: str, *, standing: bool = False) -> Paper | None:
        found = [each for each in self.papers if each.kind == kind and not (standing and each.gone)]
        return self.chance.choice(found) if found else None

    def on(self, paper: Paper) -> list[Paper]:
        """What stands on a document."""
        return [each for each in self.papers if not each.gone and paper in (each.of, each.back)]

    def open(self, invoice: Paper) -> int:
        moved = self.models[invoice.customer].moved
        return sum(each.amount for each in moved if each.invoice == invoice.number)

    def account(self, customer: str, document: str | None = None) -> int:
        moved = [each for each in self.models[customer].moved if each.invoice is None]
        return sum(each.amount for each in moved if document in (None, each.document))

    def move(self, paper: Paper, amount: int, invoice: Paper | None, at: datetime | None = None) -> None:
        kind = {"Invoice": "INVOICE", "CreditNote": "CREDIT_NOTE"}.get(paper.kind, paper.operation)
        name, order = (invoice.number, invoice.order) if invoice else (None, None)
        moved = Moved(at or datetime.now(UTC), paper.number, kind, self.currency, amount, name, order)
        self.models[paper.customer].moved.append(moved)

    def major(self, amount: int) -> str:
        return f"{to_major(amount, self.currency):f}"

    def minor(self, money: Any) -> int:
        return to_minor(Decimal(money["amount"]), self.currency)

    def quantity(self, left: Decimal) -> Decimal:
        """Mostly one of which so much is left."""
        if left <= 0 or self.chance.random() < 0.15:
            return Decimal(self.chance.choice(QUANTITIES))
        return self.chance.choice([left, min(left, Decimal(1)), min(left, Decimal(2))])

    def fits(self, quantity: Decimal, left: Decimal, sku: str) -> bool:
        try:
            check_unit(quantity, PRODUCTS[sku][0])
        except BrokenRule:
            return quantity == left > 0
        return 0 < quantity <= left

    async def act(self, mutation: str, may: bool, **given: Any) -> dict[str, Any] | None:
        """The document that was posted; whether one is, is what the model says."""
        answer = await post(self.staff, mutation, **given)
        errors, (made,) = answer.pop("errors"), answer.values()
        assert (errors == []) is may, (mutation, given, errors)
        self.done[f"{mutation} {'done' if may else 'refused'}"] += 1
        return made if may else None

    def keep(self, paper: Paper) -> Paper:
        self.papers.append(paper)
        return paper

    def left_to_invoice(self, key: tuple[str, int]) -> Decimal:
        charged = (
            line.quantity
            for each in self.papers
            if each.kind == "Invoice" and not each.gone
            for line in each.lines.values()
            if line.charges == key
        )
        return Decimal(self.shipped[key]["quantity"]) - sum(charged)

    def check_lines(self, made: Any, expected: dict[int, tuple[Decimal, int]]) -> None:
        found = {
            each["position"]: (Decimal(each["quantity"]), self.minor(each["amount"]))
            for each in made["lines"]
        }
        assert found == expected

    def check_totals(self, made: Any, amounts: list[tuple[int, Decimal]]) -> int:
        sums = totals(amounts, tax_included=self.included)
        found = tuple(self.minor(made["totals"][name]) for name in ("net", "tax", "total"))
        assert found == (sums.net, sums.tax, sums.total)
        return sums.total

    def left_of(self, back: Paper, position: int) -> Decimal:
        notes = (each.gives.get(position, (Decimal(0), 0))[0] for each in self.on(back))
        return back.gives.get(position, (Decimal(0), 0))[0] - sum(notes)

    def may_credit(self, line: Line, operation: str, quantity: Decimal, price: Decimal | None) -> bool:
        most = line.quantity if operation == "DISCOUNT" else line.quantity - line.credited
        if not self.fits(quantity, most, line.sku):
            return False
        if price is None:
            return operation != "DISCOUNT" and (line.amount > line.money or line.amount == 0)
        if not 0 < price <= line.price:
            return False
        return line_amount(quantity, price, self.currency) <= line.amount - line.money

    def may_reverse(self, paper: Paper) -> bool:
        """Whether nothing but other documents keeps a paper from being reversed."""
        return True

    def may_credit_back(self, back: Paper | None, position: int, quantity: Decimal) -> bool:
        """Whether nothing but the goods return itself keeps so much of it from being credited."""
        return True

    def has_money(self, invoice: Paper, place: int) -> bool:
        """Whether anything can still be credited of a line."""
        line = invoice.lines[place]
        return line.amount > line.money or (line.amount == 0 and line.quantity > line.credited)

    def settleable(self, customer: str, sign: int) -> list[Paper]:
        """Mostly invoices of which something is left."""
        every = [each for each in self.papers if each.kind == "Invoice"]
        if self.chance.random() < 0.1:
            return every
        return [each for each in every if each.customer == customer and self.open(each) * sign > 0]

    def told(self, settled: list[tuple[Paper, int]]) -> list[dict[str, str]]:
        return [{"invoice": each.id, "amount": self.major(amount)} for each, amount in settled]

    def lying(self, paper: Paper) -> int:
        """What of a payment lies on account, as far as it was not paid back; of a refund what was taken from there."""
        own, every = self.account(paper.customer, paper.number), self.account(paper.customer)
        return max(own if paper.operation == "REFUND" else min(-own, -every), 0)
