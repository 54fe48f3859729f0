"""RMA request credits: for which request a credit note is, and how much of its lines is left to be credited."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import db
from db.goods_returns import GoodsReturn
from db.invoices import Invoice
from db.rma_requests import RMARequest
from resolvers import nodes
from resolvers.context import Context
from rules.broken import NotFound, found_at
from rules.credit_notes import InvoicedLine
from rules.documents import CreditOperation
from rules.rma_decisions import (
    NothingAuthorised,
    RMARequestOfAnother,
    check_done,
    check_left,
    check_operation,
    left_to_credit,
    to_credit,
)
from rules.rma_progress import RMALineProgress
from rules.rma_requests import RMAAct, RMAActor, RMAStage, check


@dataclass(slots=True)
class Requested:
    """The request for which something is credited, with its lines by their place in the invoice. `path` is what names
    it: the request itself, or a goods return that was received for it."""

    id: UUID
    lines: Mapping[int, RMALineProgress]
    path: str

    def quantities(self, returned: Mapping[int, Decimal] | None) -> dict[int, Decimal]:
        """What is credited when no lines are named: what came back and is not credited, of one goods return when that
        is named. Raises NothingAuthorised."""
        found = to_credit(self.lines.values())
        if returned is not None:
            left = {each: left_to_credit(line) for each, line in self.lines.items()}
            found = {each: min(quantity, left.get(each, Decimal(0))) for each, quantity in returned.items()}
        found = {each: quantity for each, quantity in found.items() if quantity > 0}
        if not found:
            raise NothingAuthorised(path=(self.path,))
        return found

    def check(self, line: InvoicedLine, quantity: Decimal) -> None:
        """Refuse to credit of a line of the invoice more than was granted. Raises NotFound, ResolutionDiffers or
        MoreThanAuthorised."""
        asked = self.lines.get(line.position)
        if asked is None:
            raise NotFound(path=("position",))
        check_done(asked, quantity, left_to_credit(asked))


async def requested(
    context: Context,
    named: str | None,
    operation: CreditOperation,
    invoice: Invoice,
    back: GoodsReturn | None,
) -> Requested | None:
    """The request that is named, or else that of the goods return: what came back for a request that was closed since
    is still credited.

    Raises NotFound, RMARequestNotForOperation, RMARequestOfAnother, or what rules.rma_requests.check says.
    """
    key = None if back is None else back.rma_request_id
    if named is None and key is None:
        return None
    request: RMARequest | None = None
    if named is not None:
        request = await nodes.found(context, named, "RMARequest", "rmaRequest")
        check_operation(operation)
        if request.invoice_id != invoice.id or (back is not None and key != request.id):
            raise RMARequestOfAnother(path=("rmaRequest",))
        key = request.id
    assert key is not None, "one of both is given"
    lines = await context.load_list(db.rma_progress.of_requests, key)
    if request is not None:
        with found_at("rmaRequest"):
            check(RMAAct.CREDIT, RMAStage(request.stage), RMAActor.STAFF)
            check_left(RMAAct.CREDIT, lines)
    by_place = {line.invoice_position: line for line in lines}
    return Requested(key, by_place, "goodsReturn" if request is None else "rmaRequest")
