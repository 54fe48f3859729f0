"""What customers and the staff do about requests to return goods, at random; the bookkeeper says whether they may."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from resolvers.nodes import global_id
from tests.bookkeeping import SHARES, Paper
from tests.dealings import SHIP
from tests.postings import post
from tests.requests_book import BACK, ENDED, NOTHING, Request, RequestBook, Wanted
from tests.resolvers.test_rma_request_returns import PREVIEW
from tests.rma_requests import send

RESOLUTIONS = [*BACK, *BACK, "REFUND", "DIAGNOSE", "REPAIR", "DECLINED"]
CANCEL = (
    "mutation($input: OrderCancelInput!) { orderCancel(input: $input) { order { number } errors { code } } }"
)


class RequestDealings(RequestBook):
    """Each act may be refused; then nothing has changed."""

    async def ask(self) -> None:
        invoice = self.some("Invoice", standing=self.chance.random() < 0.9)
        if invoice is None:
            return
        wanted = [
            Wanted(place, line.sku, self.quantity(self.left_to_ask(invoice, place)))
            for place, line in invoice.lines.items()
            if self.chance.random() < (0.7 if self.left_to_ask(invoice, place) else 0.05)
        ]
        self.chance.shuffle(wanted)
        may = bool(wanted) and not invoice.gone
        may = may and all(
            self.fits(each.quantity, self.left_to_ask(invoice, each.place), each.sku) for each in wanted
        )
        lines = [
            {"invoicePosition": each.place, "quantity": str(each.quantity), "problem": "Broken"}
            for each in wanted
        ]
        given = {"invoice": invoice.id, "lines": lines, "submit": True}
        answer = await send(self.buyers[invoice.customer], "rmaRequestCreate", **given)
        assert (answer["errors"] == []) is may, (given, answer["errors"])
        self.count("rmaRequestCreate", may)
        if may:
            made = answer["rmaRequest"]["id"]
            self.requests.append(Request(made, invoice, dict(enumerate(wanted, start=1))))

    async def decide(self) -> None:
        request = self.some_request("SUBMITTED", "IN_REVIEW") if self.chance.random() < 0.7 else None
        request = request or self.some_request()
        if request is None:
            return
        decided: dict[int, tuple[str, Decimal | None]] = {}
        for position, line in request.lines.items():
            if self.chance.random() < 0.8:
                resolution = self.chance.choice(RESOLUTIONS)
                some = self.quantity(line.quantity) if self.chance.random() < 0.6 else None
                decided[position] = resolution, None if resolution == "DECLINED" else some
        may = self.stage_of(request) not in ("COMPLETED", "CLOSED")
        may = may and (not request.invoice.gone or all(each == "DECLINED" for each, _ in decided.values()))
        for position, (resolution, quantity) in decided.items():
            line = request.lines[position]
            happened = (self.received, self.credited_for, self.replaced)
            may = may and not any(each(request, line) for each in happened)
            if resolution != "DECLINED":
                granted = line.quantity if quantity is None else quantity
                may = may and self.fits(granted, line.quantity, line.sku)
                may = may and granted <= self.left_to_ask(request.invoice, line.place, request)
        lines = [
            {
                "position": position,
                "resolution": each,
                "authorisedQuantity": None if some is None else str(some),
                "reason": "Chance",
            }
            for position, (each, some) in decided.items()
        ]
        if await self.act("rmaRequestDecide", may, rmaRequest=request.id, lines=lines):
            for position, (resolution, quantity) in decided.items():
                line = request.lines[position]
                line.resolution = resolution
                line.granted = (
                    None if resolution == "DECLINED" else line.quantity if quantity is None else quantity
                )

    async def end(self) -> None:
        request = self.some_request()
        if request is None:
            return
        outcome = self.chance.choice(["COMPLETED", "CANCELLED"])
        may = self.stage_of(request) not in ENDED
        given = {"rmaRequest": request.id, "outcome": outcome, "reason": "Chance"}
        if await self.act("rmaRequestClose", may, **given):
            request.ended_as = outcome

    async def receive_for(self) -> None:
        request = self.some_request("AUTHORISED", "RECEIVED", "IN_REVIEW") or self.some_request()
        if request is None:
            return
        invoice, lines = request.invoice, request.lines.values()
        left = {each.place: max(each.due - self.received(request, each), NOTHING) for each in lines}
        stands = {
            place: each.quantity - each.back for place, each in invoice.lines.items()
        }  # what is not back yet
        may = self.stage_of(request) not in ("SUBMITTED", "DECLINED", "CLOSED")
        may = may and any(left.values()) and not invoice.gone
        given: dict[str, Any] = {"rmaRequest": request.id}
        if self.chance.random() < 0.5:
            back = {place: min(each, stands[place]) for place, each in left.items() if each > 0}
        else:
            back = {place: self.quantity(each) for place, each in left.items() if self.chance.random() < 0.6}
            given["lines"] = [{"position": place, "quantity": str(each)} for place, each in back.items()]
        may = may and bool(back)
        for place, each in back.items():
            may = may and each <= left[place] and self.fits(each, stands[place], invoice.lines[place].sku)
        if made := await self.act("goodsReturnReceive", may, **given):
            paper = Paper(made["id"], made["number"], "GoodsReturn", invoice.customer, of=invoice)
            paper.gives, paper.request = {place: (each, 0) for place, each in back.items()}, request.id
            for place, each in back.items():
                invoice.lines[place].back += each
            self.keep(paper)

    def by_default(self, request: Request) -> dict[int, Decimal]:
        """What is credited for a request when nobody says how much."""
        left = {
            each.place: each.due - self.credited_for(request, each)
            for each in request.lines.values()
            if each.due > self.credited_for(request, each)
        }
        came = {each.place: self.received(request, each) for each in request.lines.values()}
        gone = {each.place: self.credited_for(request, each) for each in request.lines.values()}
        back = {
            place: min(came[place] - gone[place], each)
            for place, each in left.items()
            if came[place] > gone[place]
        }
        return back if any(came[place] for place in left) else left

    async def credit_for(self) -> None:
        request = self.some_request("AUTHORISED", "RECEIVED") or self.some_request()
        if request is None:
            return
        invoice = request.invoice
        left = {each.place: each.due - self.credited_for(request, each) for each in request.lines.values()}
        may = self.stage_of(request) not in ("SUBMITTED", *ENDED) and any(each > 0 for each in left.values())
        may = may and not invoice.gone
        given: dict[str, Any] = {"rmaRequest": request.id}
        operation, preview = "SALES_RETURN", None
        if self.chance.random() < 0.6:
            asked = self.by_default(request)
            payable = {place: each for place, each in asked.items() if self.has_money(invoice, place)}
            asked = payable or asked
            preview = (await self.staff.ask(PREVIEW, id=request.id))["rmaRequest"]["creditPreview"]
        else:
            asked = {place: self.quantity(each) for place, each in left.items() if self.chance.random() < 0.6}
            operation = given["operation"] = self.chance.choice(["SALES_RETURN", "ADJUSTMENT"])
            given["lines"] = [{"position": place, "quantity": str(each)} for place, each in asked.items()]
        may = may and bool(asked)
        for place, each in asked.items():
            may = may and each <= left[place]
            may = may and self.may_credit(invoice.lines[place], operation, each, None)
        made = await self.act("creditNoteIssue", may, **given)
        if made:
            self.credited(
                made, invoice, operation, None, {place: (each, None) for place, each in asked.items()}
            )
            self.papers[-1].request = request.id
            if preview is not None:
                self.check_preview(preview, made)

    def check_preview(self, preview: dict[str, Any], made: dict[str, Any]) -> None:
        """Where a preview is of as much as was credited, it is the credit note to the penny."""
        told = {each["invoicePosition"]: each["quantity"] for each in preview["lines"]}
        if told == {each["invoicePosition"]: each["quantity"] for each in made["lines"]}:
            self.done["preview met"] += 1
            assert preview["totals"] == made["totals"]
            assert preview["lines"] == made["lines"]

    async def refund_for(self) -> None:
        request = self.some_request("COMPLETED", "CLOSED", "RECEIVED") or self.some_request()
        if request is None:
            return
        invoice, credited = (
            request.invoice,
            [
                self.credited_for(request, each)
                for each in request.lines.values()
                if each.resolution == "REFUND"
            ],
        )
        left = self.to_refund(request)
        amount = int((left or 100) * self.chance.choice(SHARES))
        settled = [(invoice, min(amount, -self.open(invoice)))] if self.open(invoice) < 0 < amount else []
        rest = amount - sum(each for _, each in settled)
        may = self.stage_of(request) not in ("SUBMITTED", "DECLINED") and any(credited)
        may = may and 0 < amount <= left and rest <= max(-self.account(invoice.customer), 0)
        may = may and not (settled and invoice.gone)
        made = await self.act(
            "paymentRecord",
            may,
            customer=global_id("Customer", self.portal.customers[invoice.customer]),
            amount=self.major(amount),
            kind="REFUND",
            rmaRequest=request.id,
            allocations=self.told(settled),
        )
        if made:
            self.count("refund", True)
            paper = Paper(made["id"], made["number"], "Payment", invoice.customer, amount, operation="REFUND")
            paper.request = request.id
            self.keep(paper)
            for _, part in settled:
                self.move(paper, part, invoice)
            if rest:
                self.move(paper, rest, None)

    async def replace_for(self) -> None:
        request = self.some_request("AUTHORISED", "RECEIVED") or self.some_request()
        if request is None:
            return
        left = {
            position: each.due - self.replaced(request, each)
            for position, each in request.lines.items()
            if each.resolution == "REPLACE" and each.due > self.replaced(request, each)
        }
        may = self.stage_of(request) not in ("SUBMITTED", *ENDED) and bool(left) and not request.invoice.gone
        given: dict[str, Any] = {"rmaRequest": request.id}
        if self.chance.random() < 0.4 and left:
            position = self.chance.choice(list(left))
            quantity = self.quantity(left[position])
            given["lines"] = [{"position": position, "quantity": str(quantity)}]
            may = may and quantity <= left[position]
            may = may and self.fits(quantity, quantity + 1, request.lines[position].sku)
            left = {position: quantity}
        answer = await post(self.staff, "rmaRequestReplace", **given)
        assert (answer["errors"] == []) is may, (given, answer["errors"])
        self.count("rmaRequestReplace", may)
        if not may:
            return
        (order,) = answer["orders"]
        ordered: defaultdict[str, Decimal] = defaultdict(Decimal)
        for position, quantity in left.items():
            ordered[request.lines[position].sku] += quantity
        request.orders[order["id"]] = dict(ordered)
        total = self.minor(order["totals"]["total"])
        self.orders[order["number"]] = {
            "customer": request.invoice.customer,
            "total": total,
            "id": order["id"],
        }

    async def ship_or_cancel(self) -> None:
        """What becomes of a replacement."""
        request = self.chance.choice([each for each in self.requests if each.orders] or [None])
        if request is None:
            return
        key = self.chance.choice(list(request.orders))
        number = next(name for name, each in self.orders.items() if each["id"] == key)
        ships = key not in request.shipped and self.chance.random() < 0.6
        if ships:
            answer = (await self.staff.ask(SHIP, input={"order": key}))["orderShip"]
            assert answer["errors"] == []
            request.shipped.add(key)
            for issue in answer["goodsIssues"]:
                for line in issue["lines"]:
                    told = {"order": number, "sku": line["sku"], "quantity": Decimal(line["quantity"])}
                    self.shipped[issue["id"], line["position"]] = told
            return
        who = self.chance.choice([self.staff, self.buyers[request.invoice.customer]])
        answer = (await who.ask(CANCEL, input={"order": key, "reason": "Chance"}))["orderCancel"]
        may = key not in request.shipped
        assert (answer["errors"] == []) is may
        self.count("orderCancel", may)
        if may:
            del request.orders[key]
            self.orders[number]["total"] = 0
