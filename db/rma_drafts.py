"""RMA drafts: requests that their customer still writes, and how one is submitted."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, update

from db.connections import Connection
from db.rma_requests import (
    RMARequest,
    RMARequestLine,
    add_lines,
    announce,
    rma_request_lines,
    rma_requests,
    visible,
)
from db.rows import names_of
from db.statements import Statement

_OF_TENANT = rma_requests.c.tenant_id == bindparam("tenant_id")
_THIS = rma_requests.c.id == bindparam("the_id", type_=Uuid)
_CHANGEABLE = ("number", "stage", "lifecycle_status_id", "comment", "submitted_at")
_lock = Statement(visible(to_staff=False).where(_THIS).with_for_update(key_share=True), RMARequest)
_keep = Statement(
    update(rma_requests)
    .where(_OF_TENANT, _THIS)
    .values(
        version=rma_requests.c.version + 1,
        **{name: bindparam(f"new_{name}", type_=rma_requests.c[name].type) for name in _CHANGEABLE},
    )
    .returning(*(rma_requests.c[name] for name in names_of(RMARequest))),
    RMARequest,
)
_remove_lines = Statement[None](
    delete(rma_request_lines).where(
        rma_request_lines.c.tenant_id == bindparam("tenant_id"),
        rma_request_lines.c.rma_request_id == bindparam("the_id", type_=Uuid),
    )
)
_remove = Statement[None](delete(rma_requests).where(_OF_TENANT, _THIS))


async def lock(connection: Connection, customer_id: UUID, id: UUID) -> RMARequest | None:
    """A request of a customer, whether it is still a draft or not, as it is now; nobody else changes it until this
    transaction ends. Who also locks the customer locks it before."""
    return await connection.row(_lock, own_customer_id=customer_id, the_id=id)


async def keep(connection: Connection, draft: RMARequest) -> RMARequest:
    """Keep what is new of a request that is locked, count up its version, and tell whoever watches."""
    new = {f"new_{name}": getattr(draft, name) for name in _CHANGEABLE}
    kept = await connection.row(_keep, the_id=draft.id, **new)
    assert kept is not None, "a request that is locked is there"
    await announce(connection, [kept.id])
    return kept


async def replace_lines(connection: Connection, id: UUID, lines: Sequence[RMARequestLine]) -> None:
    """Give a locked draft other lines."""
    await connection.run(_remove_lines, the_id=id)
    await add_lines(connection, lines)


async def remove(connection: Connection, id: UUID) -> None:
    """Delete a locked draft, of which no attachment is left."""
    await connection.run(_remove_lines, the_id=id)
    await connection.run(_remove, the_id=id)
