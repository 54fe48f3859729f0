"""What a naive bookkeeper keeps of requests to return goods: added up the long way from the papers that name them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rules.amounts import totals
from tests.bookkeeping import Paper
from tests.postings import request_of
from tests.resolvers.test_posting_model import Audited
from tests.rma_requests import returnable

BACK = ("REPLACE", "RETURN", "REFUND")
ENDED = ("COMPLETED", "DECLINED", "CLOSED")
STATES = {"SUBMITTED": "NOT_STARTED", "COMPLETED": "COMPLETED", "DECLINED": "COMPLETED"}
NOTHING = Decimal(0)


@dataclass
class Wanted:
    """A line of a request: the place in the invoice, how much is asked, what was decided."""

    place: int
    sku: str
    quantity: Decimal
    resolution: str | None = None
    granted: Decimal | None = None

    @property
    def due(self) -> Decimal:
        """What is to be done of it, once it is to come back."""
        return self.granted or NOTHING if self.resolution in BACK else NOTHING


@dataclass
class Request:
    """A request that was submitted; `orders` are the replacements, by id, that were not cancelled."""

    id: str
    invoice: Paper
    lines: dict[int, Wanted]
    ended_as: str | None = None
    orders: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    shipped: set[str] = field(default_factory=set)


class RequestBook(Audited):
    """Besides all else, customers ask to return what was invoiced."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.requests: list[Request] = []

    def sum_of(self, request: Request, kind: str, place: int) -> Decimal:
        every = [each for each in self.papers if each.kind == kind and each.request == request.id]
        return sum((each.gives.get(place, (NOTHING, 0))[0] for each in every if not each.gone), NOTHING)

    def received(self, request: Request, line: Wanted) -> Decimal:
        return self.sum_of(request, "GoodsReturn", line.place)

    def credited_for(self, request: Request, line: Wanted) -> Decimal:
        return self.sum_of(request, "CreditNote", line.place)

    def replaced(self, request: Request, line: Wanted) -> Decimal:
        """What is ordered of a product goes to the lines that are to be replaced, one after the other."""
        ordered = sum((each.get(line.sku, NOTHING) for each in request.orders.values()), NOTHING)
        for other in request.lines.values():
            if other.sku == line.sku and other.resolution == "REPLACE":
                takes = min(ordered, other.due)
                if other is line:
                    return takes
                ordered -= takes
        return NOTHING

    def state_of(self, request: Request, line: Wanted) -> str:
        if line.resolution == "DECLINED":
            return "DECLINED"
        done = line.due > 0 and self.credited_for(request, line) >= line.due
        if done and (line.resolution != "REPLACE" or self.replaced(request, line) >= line.due):
            return "COMPLETED"
        if request.ended_as:
            return "CLOSED"
        if line.resolution in (None, "DIAGNOSE"):
            return "IN_DIAGNOSIS" if line.resolution else "SUBMITTED"
        return "RECEIVED" if self.received(request, line) > 0 else "AUTHORISED"

    def stage_of(self, request: Request) -> str:
        states = {self.state_of(request, line) for line in request.lines.values()}
        if len(states) == 1 and states & {"SUBMITTED", "DECLINED"}:
            return states.pop()
        if "CLOSED" not in states and states & {"SUBMITTED", "IN_DIAGNOSIS"}:
            return "IN_REVIEW"
        return next(each for each in ("CLOSED", "RECEIVED", "AUTHORISED", "COMPLETED") if each in states)

    def touched(self, request: Request, line: Wanted) -> Decimal:
        """What of the invoice's line a request takes: what has happened for it, or is still to happen."""
        happened = max(self.received(request, line), self.credited_for(request, line))
        if self.state_of(request, line) in ENDED:
            return happened
        return max(happened, line.quantity if line.granted is None else line.granted)

    def left_to_ask(self, invoice: Paper, place: int, besides: Request | None = None) -> Decimal:
        """What nobody has asked for, and what is neither back nor credited apart from that."""
        left = invoice.lines[place].quantity
        for request in self.requests:
            if request is not besides and request.invoice is invoice:
                left -= sum(
                    (self.touched(request, each) for each in request.lines.values() if each.place == place),
                    NOTHING,
                )
        for paper in self.papers:
            if paper.of is invoice and not paper.gone and paper.request is None and paper.back is None:
                left -= NOTHING if paper.operation == "DISCOUNT" else paper.gives.get(place, (NOTHING, 0))[0]
        return max(left, NOTHING)

    def to_refund(self, request: Request) -> int:
        """What was credited of the lines that are to be refunded and is not paid back; minor units."""
        places = {each.place for each in request.lines.values() if each.resolution == "REFUND"}
        left = 0
        for paper in self.papers:
            if paper.request != request.id or paper.gone:
                continue
            if paper.kind == "CreditNote":
                given = [
                    (amount, request.invoice.lines[place].rate)
                    for place, (_, amount) in paper.gives.items()
                    if place in places
                ]
                left += totals(given, tax_included=self.included).total
            if paper.kind == "Payment":
                left -= paper.total
        return left

    def request_named(self, id: str | None) -> Request | None:
        return next((each for each in self.requests if each.id == id), None)

    def may_reverse(self, paper: Paper) -> bool:
        request = self.request_named(paper.request)
        if request is None or paper.kind != "CreditNote":
            return True
        paper.gone = True
        left = self.to_refund(request)
        paper.gone = False
        return left >= 0

    def may_credit_back(self, back: Paper | None, position: int, quantity: Decimal) -> bool:
        request = self.request_named(back.request if back else None)
        if request is None:
            return True
        line = next((each for each in request.lines.values() if each.place == position), None)
        return line is not None and quantity <= line.due - self.credited_for(request, line)

    async def check(self) -> None:
        await super().check()
        for request in self.requests:
            await self.check_request(request)
        for invoice in (each for each in self.papers if each.kind == "Invoice" and not each.gone):
            found = await returnable(self.buyers[invoice.customer], invoice.id)
            assert found is not None
            for place, (quantity, obstacles) in enumerate(found, start=1):
                assert Decimal(quantity) == self.left_to_ask(invoice, place)
                told = sum(map(Decimal, obstacles.values()), Decimal(quantity))
                assert told == invoice.lines[place].quantity

    async def check_request(self, request: Request) -> None:
        found = await request_of(self.staff, request.id)
        for line in found["lines"]:
            own = request.lines[line["position"]]
            told = tuple(Decimal(line[f"{each}Quantity"]) for each in ("received", "credited", "replaced"))
            ours = self.received(request, own), self.credited_for(request, own), self.replaced(request, own)
            assert (told, line["state"]) == (ours, self.state_of(request, own))
        stage = self.stage_of(request)
        assert found["stage"] == stage
        if stage != "CLOSED":
            assert found["status"]["processingState"] == STATES.get(stage, "IN_PROGRESS")

    def some_request(self, *stages: str) -> Request | None:
        found = [each for each in self.requests if not stages or self.stage_of(each) in stages]
        return self.chance.choice(found) if found else None

    def count(self, what: str, may: bool) -> None:
        self.done[f"{what} {'done' if may else 'refused'}"] += 1
