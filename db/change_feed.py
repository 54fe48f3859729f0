"""The change feed: which objects have changed, in the order in which that was committed. Ids only.

A company's changes are numbered from its one row in `feeds`, which whoever adds some holds until the transaction
ends: so a number that can be read has no lower one still to come (docs/decisions/0027).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Integer,
    Interval,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import one_of, tenant_table
from rules.events import Event, Operation
from rules.permissions import Permission
from rules.viewers import Viewer

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


@dataclass(slots=True)
class Feed:
    """Where a company's feed ends, and up to where it was forgotten; both 0 while nothing has changed."""

    position: int
    forgotten: int


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
_mine = changes.c.tenant_id == bindparam("tenant_id")
_feed = Statement(
    select(feeds.c.position, feeds.c.forgotten).where(feeds.c.tenant_id == bindparam("tenant_id")), Feed
)
_between = Statement(
    select(*(changes.c[name] for name in _KEPT))
    .where(
        _mine,
        changes.c.position > bindparam("after", type_=BigInteger),
        changes.c.position <= bindparam("until", type_=BigInteger),
        changes.c.node_type == any_(bindparam("node_types", type_=ARRAY(Text))),
    )
    .order_by(changes.c.position)
    .limit(bindparam("row_limit", type_=Integer)),
    KeptChange,
)


async def feed(connection: Connection, viewer: Viewer) -> Feed:
    """Where the feed ends and begins, for staff that may read it."""
    nothing = Feed(position=0, forgotten=0)
    if not viewer.oversees(Permission.CHANGES_READ):
        return nothing
    return await connection.row(_feed) or nothing


async def between(
    connection: Connection, viewer: Viewer, after: int, until: int, node_types: Sequence[str], size: int
) -> list[KeptChange]:
    """Up to `size` changes after a position and up to another one, of some types, in their order; for staff that may
    read them."""
    if not viewer.oversees(Permission.CHANGES_READ):
        return []
    return await connection.rows(
        _between, after=after, until=until, node_types=list(node_types), row_limit=size
    )


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


_take = Statement[int](select(_taken.c.before))


async def take(connection: Connection, count: int) -> int:
    """Take so many positions and return the one before the first, for who writes that many changes next. What is said
    of `add` holds from here on."""
    before: int = await connection.value(_take, count=count)
    return before


_oldest = (
    select(changes.c.position, changes.c.at)
    .where(_mine)
    .order_by(changes.c.position)
    .limit(bindparam("row_limit", type_=Integer))
    .subquery("oldest")
)
_first_to_stay = func.min(_oldest.c.position).filter(
    _oldest.c.at >= func.now() - bindparam("older_than", type_=Interval)
)
# A clock that was set back must not leave a hole: what goes is all up to the first one that stays.
_last_to_go = Statement[int](
    select(func.coalesce(_first_to_stay - 1, func.max(_oldest.c.position))).select_from(_oldest)
)
_UPTO = bindparam("upto", type_=BigInteger)
_remove = Statement[int](
    delete(changes).where(_mine, changes.c.position <= _UPTO).returning(changes.c.position)
)
_set_forgotten = Statement[None](
    update(feeds)
    .where(feeds.c.tenant_id == bindparam("tenant_id"))
    .values(forgotten=func.greatest(feeds.c.forgotten, _UPTO))
)
_FORGOTTEN_AT_ONCE = 10_000


async def forget(connection: Connection, older_than: timedelta) -> int:
    """Remove changes that are older, by the database's clock, the oldest first and at most ten thousand; returns how
    many went. The feed's row is taken last and not for long, as whoever changes anything waits for it."""
    upto = await connection.value(_last_to_go, older_than=older_than, row_limit=_FORGOTTEN_AT_ONCE)
    if upto is None:
        return 0
    removed = len(await connection.column(_remove, upto=upto))
    if removed:
        await connection.run(_set_forgotten, upto=upto)
    return removed
