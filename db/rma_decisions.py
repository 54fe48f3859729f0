"""RMA decisions: a request that is locked, and what is new of it and its lines."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, update

from db.connections import Connection
from db.rma_requests import RMARequest, RMARequestLine, announce, rma_request_lines, rma_requests, visible
from db.rows import as_columns, names_of, update_rows
from db.statements import Statement

_OF_TENANT = rma_requests.c.tenant_id == bindparam("tenant_id")
_THIS = rma_requests.c.id == bindparam("the_id", type_=Uuid)
_CHANGEABLE = ("stage", "lifecycle_status_id", "note", "expected_on", "decided_at", "closed_at")
_lock = Statement(visible(to_staff=True).where(_THIS).with_for_update(key_share=True), RMARequest)
_change = Statement(
    update(rma_requests)
    .where(_OF_TENANT, _THIS)
    .values(
        version=rma_requests.c.version + 1,
        **{name: bindparam(f"new_{name}", type_=rma_requests.c[name].type) for name in _CHANGEABLE},
    )
    .returning(*(rma_requests.c[name] for name in names_of(RMARequest))),
    RMARequest,
)
_KEY = ["rma_request_id", "position"]
_DECIDED = ["resolution", "authorised_quantity", "reason"]
_decide = Statement[None](update_rows(rma_request_lines, _KEY, _DECIDED))


async def lock(connection: Connection, id: UUID) -> RMARequest | None:
    """A request that was submitted, as it is now; nobody else changes it until this transaction ends. Its customer is
    locked before it; ask for one that the viewer may see, or whose documents or orders it moves."""
    return await connection.row(_lock, the_id=id)


async def change(connection: Connection, request: RMARequest) -> RMARequest:
    """Keep what is new of a request that is locked, count up its version, and tell whoever watches it."""
    new = {f"new_{name}": getattr(request, name) for name in _CHANGEABLE}
    changed = await connection.row(_change, the_id=request.id, **new)
    assert changed is not None, "a request that is locked is there"
    await announce(connection, [request.id])
    return changed


async def decide(connection: Connection, lines: Sequence[RMARequestLine]) -> None:
    """Keep what is decided about lines of a request that is locked."""
    if lines:
        await connection.run(_decide, **as_columns(lines, [*_KEY, *_DECIDED]))
