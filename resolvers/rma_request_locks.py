"""RMA request locks: a request with its lines and what has happened of them, which nobody else changes until the
transaction ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import db
from db.customers import Customer
from db.invoices import Invoice
from db.rma_requests import RMARequest
from resolvers import nodes
from resolvers.context import Context
from resolvers.posting_locks import customer_locked, posted
from rules.broken import NotFound, check_version, found_at
from rules.rma_decisions import RMARequestOfAnother, check_left
from rules.rma_progress import RMALineProgress
from rules.rma_requests import RMAAct, RMAActor, RMAStage, check


@dataclass(slots=True)
class Locked:
    """A request as it is now, the progress of its lines, and its customer, for whom nobody else posts anything now."""

    request: RMARequest
    lines: Sequence[RMALineProgress]
    customer: Customer


async def locked(context: Context, id: str, act: RMAAct, *path: str, version: int | None = None) -> Locked:
    """The request behind an id, for something that the staff is to do with it; the customer is locked before it.

    Raises NotFound, VersionConflict, NothingAuthorised, or what rules.rma_requests.check says.
    """
    seen: RMARequest = await nodes.found(context, id, "RMARequest", *path)
    customer = await customer_locked(context, seen.customer_id)
    request = await db.rma_decisions.lock(context.connection, seen.id)
    if request is None:
        raise NotFound(path=path)
    check_version(version, request.version)
    lines = await progress_of(context, request.id)
    with found_at(*path):
        check(act, RMAStage(request.stage), RMAActor.STAFF)
        check_left(act, lines)
    return Locked(request, lines, customer)


async def invoice_of(context: Context, found: Locked, named: str | None) -> Invoice:
    """The invoice of a locked request as it stands now; when the input names one too, it has to be that.

    Raises NotFound or RMARequestOfAnother.
    """
    if named is not None:
        seen = await nodes.found(context, named, "Invoice", "invoice")
        if seen.id != found.request.invoice_id:
            raise RMARequestOfAnother(path=("rmaRequest",))
    invoice: Invoice = await posted(context, "Invoice", found.request.invoice_id, "rmaRequest")
    return invoice


async def progress_of(context: Context, request_id: UUID) -> list[RMALineProgress]:
    """What has happened of the lines of a request by now, past what was loaded before a lock."""
    found = await db.rma_progress.of_requests(context.connection, context.signed_in, [request_id])
    return found[request_id]
