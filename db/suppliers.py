"""Suppliers: the organisations that host portals here. A registry table, not a tenant's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.contact_changes import contact_changes
from db.lifecycle_statuses import lifecycle_statuses
from db.orders import orders
from db.portals import SUPPLIER_OF_TENANT
from db.rma_requests import rma_requests
from db.statements import Statement
from db.tables import metadata
from db.tickets import support_tickets
from rules.contacts import ContactChangeState
from rules.lifecycle import ProcessingState, Subject
from rules.rma_requests import UNDECIDED_STAGES
from rules.tickets import TicketState
from rules.viewers import Viewer

suppliers = Table(
    "suppliers",
    metadata,
    Column("id", Uuid, nullable=False, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("code", name="suppliers_code_key"),
)


@dataclass(slots=True)
class Supplier:
    """An organisation that owns one or more companies."""

    id: UUID
    code: str
    name: str


@dataclass(slots=True)
class Waiting:
    """How much waits for a company's staff."""

    new_orders: int
    contact_changes: int
    tickets: int
    rma_requests: int


_of_tenant = Statement(
    select(suppliers.c.id, suppliers.c.code, suppliers.c.name).where(suppliers.c.id == SUPPLIER_OF_TENANT),
    Supplier,
)
_not_started = (
    select(lifecycle_statuses.c.id)
    .where(
        lifecycle_statuses.c.tenant_id == bindparam("tenant_id"),
        lifecycle_statuses.c.subject == Subject.ORDER,
        lifecycle_statuses.c.processing_state == ProcessingState.NOT_STARTED,
    )
    .scalar_subquery()
)
_UNDECIDED = ", ".join(f"'{stage}'" for stage in UNDECIDED_STAGES)
_waiting = Statement(
    select(
        select(func.count())
        .select_from(orders)
        .where(
            orders.c.tenant_id == bindparam("tenant_id"), orders.c.lifecycle_status_id == any_(_not_started)
        )
        .scalar_subquery()
        .label("new_orders"),
        select(func.count())
        .select_from(contact_changes)
        .where(
            contact_changes.c.tenant_id == bindparam("tenant_id"),
            contact_changes.c.state == ContactChangeState.OPEN,
        )
        .scalar_subquery()
        .label("contact_changes"),
        select(func.count())
        .select_from(support_tickets)
        .where(
            support_tickets.c.tenant_id == bindparam("tenant_id"),
            support_tickets.c.state == TicketState.OPEN,
        )
        .scalar_subquery()
        .label("tickets"),
        select(func.count())
        .select_from(rma_requests)
        .where(
            rma_requests.c.tenant_id == bindparam("tenant_id"),
            rma_requests.c.stage == any_(literal_column(f"array[{_UNDECIDED}]", ARRAY(Text))),
        )
        .scalar_subquery()
        .label("rma_requests"),
    ),
    Waiting,
)


async def of_tenant(connection: Connection) -> Supplier:
    """The supplier that owns the connection's tenant."""
    found = await connection.row(_of_tenant)
    assert found is not None, "a portal has a supplier"
    return found


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Supplier]:
    """The supplier that owns the connection's tenant, if its id is among the ids; for its staff."""
    if not viewer.is_staff:
        return {}
    found = await of_tenant(connection)
    return {found.id: found} if found.id in ids else {}


async def waiting(connection: Connection) -> Waiting:
    """What waits for the staff of the connection's tenant: orders that nobody has begun, requests to decide,
    tickets to answer."""
    found = await connection.row(_waiting)
    assert found is not None
    return found


_id_by_code = Statement[UUID](
    select(suppliers.c.id).where(suppliers.c.code == bindparam("code")), registry=True
)

_add = Statement[UUID](
    insert(suppliers)
    .values(id=func.gen_random_uuid(), code=bindparam("code"), name=bindparam("name"))
    .on_conflict_do_nothing(constraint="suppliers_code_key")
    .returning(suppliers.c.id),
    registry=True,
)


async def ensure(connection: Connection, *, code: str, name: str) -> UUID:
    """The id of the supplier with this code; the supplier is added when it is new."""
    added: UUID | None = await connection.value(_add, code=code, name=name)
    return added or await connection.value(_id_by_code, code=code)
