"""Dealings: what a company's staff does at random through the mutations; the bookkeeper says whether it may."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from resolvers.nodes import global_id
from rules.amounts import line_amount, totals
from tests.bookkeeping import PRODUCTS, SHARES, Books, Line, Paper
from tests.resolvers.test_balance_model import Moved
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.resolvers.test_reconciliation_statements import ISSUE

SHIP = """mutation($input: OrderShipInput!) { orderShip(input: $input) { errors { code }
  goodsIssues { id lines { position sku quantity } } } }"""


class Dealings(Books):
    """Each act may be refused; then nothing has changed."""

    async def order_and_ship(self) -> None:
        customer = self.chance.choice(list(self.buyers))
        skus = self.chance.sample(list(PRODUCTS), self.chance.randint(1, 3))
        quantities = {sku: self.chance.choice(["1", "2", "3", "7"]) for sku in skus}
        await add(
            self.buyers[customer], *({"sku": sku, "quantity": each} for sku, each in quantities.items())
        )
        (order,) = (await place(self.buyers[customer]))["orders"]
        amounts = [
            (line_amount(Decimal(each), Decimal(PRODUCTS[sku][1]), self.currency), Decimal(PRODUCTS[sku][2]))
            for sku, each in quantities.items()
        ]
        total = totals(amounts, tax_included=self.included).total
        self.orders[order["number"]] = {"customer": customer, "total": total, "id": order["id"]}
        for lines in ([{"position": 1, "quantity": "1"}], None)[self.chance.randint(0, 1) :]:
            given = {"order": order["id"], **({"lines": lines} if lines else {})}
            answer = (await self.staff.ask(SHIP, input=given))["orderShip"]
            for issue in answer["goodsIssues"] or []:
                for line in issue["lines"]:
                    told = {
                        "order": order["number"],
                        "sku": line["sku"],
                        "quantity": Decimal(line["quantity"]),
                    }
                    self.shipped[issue["id"], line["position"]] = told

    async def invoice(self) -> None:
        if not self.orders:
            return
        number = self.chance.choice(list(self.orders))
        due = datetime.now(UTC).date() + timedelta(days=self.chance.choice([-1, 0, 0, 5, 5, 30, 30, 30]))
        keys = [key for key, line in self.shipped.items() if line["order"] == number]
        left = {key: self.left_to_invoice(key) for key in keys}
        given: dict[str, Any] = {"order": self.orders[number]["id"], "dueOn": str(due)}
        may = due >= datetime.now(UTC).date() and any(left.values())
        charged = {key: each for key, each in left.items() if each > 0}
        if self.chance.random() < 0.7:
            charged = {
                key: self.quantity(left[key])
                for key in keys
                if self.chance.random() < (0.7 if left[key] else 0.05)
            }
            given["lines"] = [
                {"goodsIssue": issue, "position": position, "quantity": str(quantity)}
                for (issue, position), quantity in charged.items()
            ]
            fit = (self.fits(each, left[key], self.shipped[key]["sku"]) for key, each in charged.items())
            may = may and bool(charged) and all(fit)
        made = await self.act("invoiceIssue", may, **given)
        if made is None:
            return
        paper = Paper(made["id"], made["number"], "Invoice", self.orders[number]["customer"], order=number)
        for position, (key, quantity) in enumerate(charged.items(), start=1):
            sku = self.shipped[key]["sku"]
            _, price, rate = PRODUCTS[sku]
            amount = line_amount(quantity, Decimal(price), self.currency)
            paper.lines[position] = Line(sku, quantity, Decimal(price), Decimal(rate), amount, key)
        self.check_lines(made, {place: (each.quantity, each.amount) for place, each in paper.lines.items()})
        paper.total = self.check_totals(made, [(each.amount, each.rate) for each in paper.lines.values()])
        self.models[paper.customer].due[paper.number] = due
        self.models[paper.customer].order_of[paper.number] = number
        self.move(self.keep(paper), paper.total, paper)

    async def tax(self) -> None:
        invoice = self.some("Invoice")
        if invoice is None:
            return
        may = not invoice.gone and not any(each.kind == "TaxInvoice" for each in self.on(invoice))
        made = await self.act("taxInvoiceIssue", may, invoice=invoice.id)
        if made:
            self.keep(Paper(made["id"], made["number"], "TaxInvoice", invoice.customer, of=invoice))

    async def receive(self) -> None:
        invoice = self.some("Invoice")
        if invoice is None:
            return
        left = {position: line.quantity - line.back for position, line in invoice.lines.items()} | {
            99: Decimal(0)
        }
        asked = {
            position: self.quantity(each)
            for position, each in left.items()
            if self.chance.random() < (0.6 if each else 0.05)
        }
        may = bool(asked) and not invoice.gone and 99 not in asked
        for position, line in invoice.lines.items():
            if may and position in asked:
                may = self.fits(asked[position], line.quantity - line.back, line.sku)
        lines = [{"position": position, "quantity": str(each)} for position, each in asked.items()]
        made = await self.act("goodsReturnReceive", may, invoice=invoice.id, lines=lines)
        if made:
            paper = Paper(made["id"], made["number"], "GoodsReturn", invoice.customer, of=invoice)
            paper.gives = {position: (each, 0) for position, each in asked.items()}
            for position, each in asked.items():
                invoice.lines[position].back += each
            self.keep(paper)

    async def credit(self) -> None:
        invoice, operation = (
            self.some("Invoice"),
            self.chance.choice(["SALES_RETURN", "DISCOUNT", "ADJUSTMENT"]),
        )
        if invoice is None:
            return
        back = self.some("GoodsReturn") if self.chance.random() < 0.3 else None
        if back is not None and self.chance.random() < 0.9:
            invoice, operation = back.of or invoice, "SALES_RETURN"
        asked: dict[int, tuple[Decimal, Decimal | None]] = {}
        for position, line in invoice.lines.items():
            left = line.quantity if operation == "DISCOUNT" else line.quantity - line.credited
            left = left if back is None else min(left, self.left_of(back, position))
            if self.chance.random() < (0.6 if left and line.price else 0.05):
                part = self.chance.choice(SHARES)
                price = (line.price * part).quantize(Decimal("0.000001")) if part != 1 else None
                if operation == "DISCOUNT" and price is None:
                    price = line.price / 4
                asked[position] = self.quantity(left), price
        lines = [
            {
                "position": place,
                "quantity": str(each),
                **({} if price is None else {"unitPrice": f"{price:f}"}),
            }
            for place, (each, price) in asked.items()
        ]
        given = {"invoice": invoice.id, "operation": operation, "lines": lines}
        if back:
            given["goodsReturn"] = back.id
        may = (
            bool(asked) and not invoice.gone and any(self.has_money(invoice, each) for each in invoice.lines)
        )
        may = may and (back is None or (back.of is invoice and not back.gone and operation == "SALES_RETURN"))
        for position, (quantity, price) in asked.items():
            may = may and self.may_credit(invoice.lines[position], operation, quantity, price)
            may = may and (back is None or quantity <= self.left_of(back, position))
            may = may and self.may_credit_back(back, position, quantity)
        made = await self.act("creditNoteIssue", may, **given)
        if made:
            self.credited(made, invoice, operation, back, asked)

    def credited(self, made: Any, invoice: Paper, operation: str, back: Paper | None, asked: Any) -> None:
        paper = Paper(made["id"], made["number"], "CreditNote", invoice.customer, of=invoice, back=back)
        paper.operation, paper.request = operation, back.request if back else None
        for told in made["lines"]:
            line, amount = invoice.lines[told["invoicePosition"]], self.minor(told["amount"])
            quantity, price = asked[told["invoicePosition"]]
            whole = line_amount(quantity, line.price if price is None else price, self.currency)
            assert amount == whole if price is not None else 0 <= amount <= whole + 1
            assert Decimal(told["quantity"]) == quantity
            if price is None and quantity == line.quantity - line.credited:
                assert amount == line.amount - line.money or amount == whole
            line.money += amount
            line.credited += quantity if operation != "DISCOUNT" else 0
            assert line.money <= line.amount
            assert line.credited <= line.quantity
            paper.gives[told["invoicePosition"]] = quantity, amount
        amounts = [(each[1], invoice.lines[place].rate) for place, each in paper.gives.items()]
        paper.total = self.check_totals(made, amounts)
        self.move(self.keep(paper), -paper.total, invoice)

    def allocations(
        self, customer: str, sign: int, most: int | None = None
    ) -> tuple[list[tuple[Paper, int]], bool]:
        """Some invoices with amounts, and whether these may be settled."""
        offered = self.settleable(customer, sign)
        settled, may = [], True
        for invoice in self.chance.sample(offered, min(len(offered), self.chance.choice([0, 1, 1, 2]))):
            left = self.open(invoice) * sign
            amount = int((left or 100) * self.chance.choice(SHARES))
            if most is not None and self.chance.random() < 0.8:
                amount = min(amount, most)
            may = may and invoice.customer == customer and not invoice.gone and 0 < amount <= max(left, 0)
            settled.append((invoice, amount))
        return settled, may

    async def pay(self) -> None:
        customer, refund = self.chance.choice(list(self.buyers)), self.chance.random() < 0.35
        settled, may = self.allocations(customer, -1 if refund else 1)
        account = self.account(customer)
        rest = self.chance.choice([0, 0, 500, int(-account * self.chance.choice(SHARES)) if refund else 1234])
        amount = sum(each for _, each in settled) + rest
        may = may and amount > 0 and rest >= 0
        may = may and (not refund or rest <= max(-account, 0))
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=self.chance.choice([0, 0, 3, 40, -1]))
        may = may and at <= datetime.now(UTC)
        kind = "REFUND" if refund else "PAYMENT"
        made = await self.act(
            "paymentRecord",
            may,
            customer=global_id("Customer", self.portal.customers[customer]),
            amount=self.major(amount),
            kind=kind,
            paidAt=at.isoformat(),
            allocations=self.told(settled),
        )
        if made:
            paper = Paper(made["id"], made["number"], "Payment", customer, amount, operation=kind, at=at)
            self.keep(paper)
            sign = 1 if refund else -1
            for invoice, part in settled:
                self.move(paper, sign * part, invoice, at)
            if rest:
                self.move(paper, sign * rest, None, at)

    async def allocate(self) -> None:
        every = [each for each in self.papers if each.kind == "Payment"]
        lying = [each for each in every if self.lying(each) > 0]
        paper = self.chance.choice([*lying * 5, *every] or [None])
        if paper is None:
            return
        sign, left = 1 if paper.operation == "PAYMENT" else -1, self.lying(paper)
        settled, may = self.allocations(paper.customer, sign, left)
        may = may and bool(settled) and not paper.gone and sum(each for _, each in settled) <= left
        if await self.act("paymentAllocate", may, payment=paper.id, allocations=self.told(settled)):
            for invoice, amount in settled:
                self.move(paper, sign * amount, None)
                self.move(paper, -sign * amount, invoice)

    async def reverse(self) -> None:
        kinds = ["Invoice", "TaxInvoice", "GoodsReturn", "CreditNote", "CreditNote", "Payment", "Payment"]
        paper = self.some(self.chance.choice(kinds), standing=self.chance.random() < 0.8)
        if paper is None:
            return
        before, moved = self.account(paper.customer), self.models[paper.customer].moved
        new = [
            Moved(
                datetime.now(UTC),
                each.document,
                each.kind,
                each.currency,
                -each.amount,
                each.invoice,
                each.order,
            )
            for each in moved
            if each.document == paper.number
        ]
        if paper.kind == "Invoice":
            for each in [
                each for each in moved if each.invoice == paper.number and each.kind in ("PAYMENT", "REFUND")
            ]:
                off = (each.document, each.kind, each.currency, -each.amount, each.invoice, each.order)
                to = (each.document, each.kind, each.currency, each.amount, None, None)
                new += [Moved(datetime.now(UTC), *off), Moved(datetime.now(UTC), *to)]
        after = before + sum(each.amount for each in new if each.invoice is None)
        may = not paper.gone and not self.on(paper) and not (after > 0 and after > before)
        may = may and self.may_reverse(paper)
        name, mutation = "document", "supplierDocumentReverse"
        if paper.kind == "Payment":
            name, mutation = "payment", "paymentReverse"
        if await self.act(mutation, may, reason="Chance", **{name: paper.id}):
            paper.gone = True
            moved += new
            for position, (quantity, amount) in paper.gives.items():
                assert paper.of is not None
                line = paper.of.lines[position]
                if paper.kind == "GoodsReturn":
                    line.back -= quantity
                else:
                    line.money -= amount
                    line.credited -= quantity if paper.operation != "DISCOUNT" else 0

    async def state(self) -> None:
        """A statement of all until today says what is owed."""
        customer, today = self.chance.choice(list(self.buyers)), datetime.now(UTC).date()
        given = {
            "customer": global_id("Customer", self.portal.customers[customer]),
            "periodFrom": str(today - timedelta(days=self.chance.choice([0, 10, 100]))),
            "periodTo": str(today - timedelta(days=self.chance.choice([0, 0, 1]))),
        }
        answer = (await self.staff.ask(ISSUE, input=given))["reconciliationStatementIssue"]
        assert (answer["errors"] == []) is (given["periodFrom"] <= given["periodTo"])
        if made := answer["reconciliationStatement"]:
            first, last = date.fromisoformat(given["periodFrom"]), date.fromisoformat(given["periodTo"])
            moved = self.models[customer].moved
            assert self.minor(made["closing"]) == sum(each.amount for each in moved if each.at.date() <= last)
            assert self.minor(made["opening"]) == sum(each.amount for each in moved if each.at.date() < first)
