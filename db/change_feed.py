"""The change feed: which objects have changed, in the order in which that was committed. Ids only.

A company's changes are numbered from its one row in `feeds`, which whoever adds some holds until the transaction
ends: so a number that can be read has no lower one still to come (docs/decisions/0027).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import one_of, tenant_table
from rules.events import Event, Operation

feeds = tenant_table(
    "feeds",
    Column("position", BigInteger, nullable=False),  # of the newest change
    Column(
        "forgotten", BigInteger, nullable=False, server_default="0"
    ),  # up to which position they were removed
    key=(),
)

changes = tenant_table(
    "changes",
    Column("position", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("node_type", Text, nullable=False),
    Column("node_id", Uuid, nullable=False),
    Column("operation", Text, nullable=False),
    Column("event", Text),
    Column("subject_id", Uuid, nullable=False),  # what happened to one subject is told in its order
    Column("customer_id", Uuid),
    one_of("operation", list(Operation), name="changes_operation_check"),
    one_of("event", list(Event), name="changes_event_check"),
    key=("position",),
)


@dataclass(slots=True)
class Change:
    """That an object was made, changed or removed; `event` says what happened, where that has a name."""

    node_type: str
    node_id: UUID
    operation: Operation
    event: Event | None
    subject_id: UUID
    customer_id: UUID | None


@dataclass(slots=True)
class KeptChange:
    """A change with its place in the feed and its moment, UTC."""

    position: int
    at: datetime
    node_type: str
    node_id: UUID
    operation: str
    event: str | None
    subject_id: UUID
    customer_id: UUID | None


_NAMES = ("node_type", "node_id", "operation", "event", "subject_id", "customer_id")
_new = (
    func.unnest(*(bindparam(name, type_=ARRAY(changes.c[name].type)) for name in _NAMES))
    .table_valued(*(column(name, changes.c[name].type) for name in _NAMES), with_ordinality="ordinal")
    .render_derived(name="new")
)
_COUNT = bindparam("count", type_=BigInteger)
_taken = (
    insert(feeds)
    .values(tenant_id=bindparam("tenant_id"), position=_COUNT)
    .on_conflict_do_update(
        constraint="feeds_pkey", set_={"position": feeds.c.position + literal_column("excluded.position")}
    )
    .returning((feeds.c.position - _COUNT).label("before"))
    .cte("taken")
)
_KEPT = ("position", "at", *_NAMES)
_add = Statement(
    insert(changes)
    .from_select(
        ["tenant_id", "position", *_NAMES],
        select(
            bindparam("tenant_id", type_=Uuid).label("tenant_id"),
            (_taken.c.before + _new.c.ordinal).label("position"),
            *(_new.c[name] for name in _NAMES),
        ).join_from(_new, _taken, literal_column("true")),
    )
    .returning(*(changes.c[name] for name in _KEPT)),
    KeptChange,
)


async def add(connection: Connection, new: Sequence[Change]) -> list[KeptChange]:
    """Add changes to the feed, in their order, with one statement. Has to be among the last things that a transaction
    does: until it ends nobody else at this company changes anything."""
    columns = {name: [getattr(each, name) for each in new] for name in _NAMES}
    kept = await connection.rows(_add, count=len(new), **columns)
    return sorted(kept, key=lambda each: each.position)


_hold = Statement[int](
    select(feeds.c.position).where(feeds.c.tenant_id == bindparam("tenant_id")).with_for_update()
)


async def hold(connection: Connection) -> None:
    """Let nobody else add changes until this transaction ends: for who takes away what adding them refers to."""
    await connection.run(_hold)
