"""RMA submissions: what still stands in the way of submitting a request, line by line."""

from collections.abc import Iterator, Mapping, Sequence

import db
from db.invoices import Invoice
from db.rma_requests import RMARequest, RMARequestLine
from resolvers import nodes
from resolvers.context import Context
from resolvers.returnable_lines import terms_of
from rules import returnable_lines
from rules.broken import BrokenRule, NotFound
from rules.returnable_lines import ReturnableLine, ReturnTerms
from rules.texts import TextMissing


async def dealings_of(context: Context, invoice: Invoice) -> tuple[dict[int, ReturnableLine], ReturnTerms]:
    """The lines of an invoice with what can be returned of them, by their place in it, and what holds for all."""
    lines = await context.load_list(db.returnable_lines.of_invoices, invoice.id)
    return {line.position: line for line in lines}, await terms_of(context, invoice)


def unfit(
    lines: Sequence[RMARequestLine], dealings: Mapping[int, ReturnableLine], terms: ReturnTerms
) -> Iterator[BrokenRule]:
    """Why lines of a draft cannot be submitted as they are, each with its place among them."""
    for index, line in enumerate(lines):
        path = ("lines", str(index))
        if not line.problem.strip():
            yield TextMissing(path=(*path, "problem"))
        try:
            returnable_lines.check(dealings[line.invoice_position], terms, line.quantity)
        except BrokenRule as rule:
            yield rule.at(*path)


async def refusal(context: Context, draft: RMARequest) -> BrokenRule | None:
    """The first thing that stands in the way of submitting a draft. What rmaRequestSubmit would refuse under the
    customer's lock, this tells without one."""
    invoice = await nodes.load(context, "Invoice", draft.invoice_id)
    if invoice is None:
        return NotFound(path=("rmaRequest",))
    lines = await context.load_list(db.rma_requests.lines_of, draft.id)
    return next(unfit(lines, *await dealings_of(context, invoice)), None)
