"""RMA request refunds: for which request money goes back, and how much of what was credited for it is left."""

from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import db
from db.customers import Customer
from db.invoices import Invoice
from db.rma_requests import RMARequest
from resolvers import nodes
from resolvers.context import Context
from resolvers.posting_locks import posted
from resolvers.rma_request_locks import locked
from rules.amounts import totals
from rules.balances import PaymentKind
from rules.payments import InvoiceCurrencyDiffers
from rules.reversals import RefundsUncovered
from rules.rma_decisions import RMARequestNotForPayment, RMARequestOfAnother, check_refund
from rules.rma_requests import RMAAct


@dataclass(slots=True)
class Refunding:
    """The request for which money goes back, and its invoice as it stands now."""

    request_id: UUID
    invoice: Invoice

    @property
    def currency(self) -> str:
        """The currency in which it was credited."""
        return self.invoice.currency

    async def check(self, context: Context, amount: int) -> None:
        """Refuse to pay back more than was credited for what is to be refunded; minor units. Raises NothingToRefund and
        MoreThanCredited."""
        check_refund(amount, await left_to_refund(context, self.request_id), self.currency)


async def refunding(
    context: Context, named: str | None, kind: PaymentKind, customer: Customer, currency: str | None
) -> Refunding | None:
    """For which request money goes back to a customer that is locked; None when it is for none.

    Raises NotFound, RMARequestNotForPayment, RMARequestOfAnother, InvoiceCurrencyDiffers, or what
    rules.rma_requests.check says.
    """
    if named is None:
        return None
    seen: RMARequest = await nodes.found(context, named, "RMARequest", "rmaRequest")
    if kind is not PaymentKind.REFUND:
        raise RMARequestNotForPayment(path=("rmaRequest",))
    if seen.customer_id != customer.id:
        raise RMARequestOfAnother(path=("rmaRequest",))
    found = await locked(context, named, RMAAct.REFUND, "rmaRequest")
    invoice: Invoice = await posted(context, "Invoice", found.request.invoice_id, "rmaRequest")
    if currency is not None and currency != invoice.currency:
        raise InvoiceCurrencyDiffers(currency=invoice.currency, path=("currency",))
    return Refunding(found.request.id, invoice)


async def check_still_credited(context: Context, request_id: UUID | None) -> None:
    """Refuse to take a credit note back of which something was paid back for its request; None: it has none. Raises
    RefundsUncovered."""
    if request_id is None:
        return
    if await left_to_refund(context, request_id) < 0:
        raise RefundsUncovered


async def left_to_refund(context: Context, request_id: UUID) -> int:
    """What was credited of the lines that are to be refunded, with tax, and is not paid back yet, in minor units."""
    lines = await context.load_list(db.rma_refunds.credited, request_id)
    paid = await context.load(db.rma_refunds.paid, request_id)
    return -(paid or 0) + sum(
        totals([(each.amount, each.tax_rate) for each in of_note], tax_included=included).total
        for (_, included), of_note in groupby(
            lines, key=lambda each: (each.credit_note_id, each.tax_included)
        )
    )
