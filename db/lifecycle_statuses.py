"""Lifecycle statuses: what a company calls the stations of its orders, each in one processing state."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from db.changes import Changing
from db.connections import Connection, one_each
from db.failures import Contended
from db.rows import insert_rows, mappings_as_columns, names_of
from db.statements import Statement
from db.tables import one_of, tenant_table, unique
from rules.lifecycle import PREDEFINED, ProcessingState, Subject
from rules.viewers import Viewer

lifecycle_statuses = tenant_table(
    "lifecycle_statuses",
    Column("id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_de", Text, nullable=False),
    Column("processing_state", Text, nullable=False),
    Column("predefined", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("subject", "code", name="lifecycle_statuses_code_key"),
    one_of("subject", list(Subject), name="lifecycle_statuses_subject_check"),
    one_of("processing_state", list(ProcessingState), name="lifecycle_statuses_state_check"),
    Index(
        "lifecycle_statuses_predefined_key",
        "tenant_id",
        "subject",
        "processing_state",
        unique=True,
        postgresql_where=text("predefined"),
    ),
)


@dataclass(slots=True)
class LifecycleStatus:
    """A station of an order or a request, in the company's own words. The predefined one stands for its state."""

    id: UUID
    subject: str
    code: str
    name_en: str
    name_de: str
    processing_state: str
    predefined: bool
    position: int
    version: int


_NAMES = names_of(LifecycleStatus)
_OF_TENANT = lifecycle_statuses.c.tenant_id == bindparam("tenant_id")
_OF_SUBJECT = lifecycle_statuses.c.subject == bindparam("subject", type_=Text)
_every_one = select(*(lifecycle_statuses.c[name] for name in _NAMES)).where(_OF_TENANT)

_by_ids = Statement(
    _every_one.where(lifecycle_statuses.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), LifecycleStatus
)
_of_subject = Statement(
    _every_one.where(_OF_SUBJECT).order_by(lifecycle_statuses.c.position, lifecycle_statuses.c.code),
    LifecycleStatus,
)
_by_code = Statement(
    _every_one.where(_OF_SUBJECT, lifecycle_statuses.c.code == bindparam("code", type_=Text)), LifecycleStatus
)
_predefined = Statement(
    _every_one.where(
        _OF_SUBJECT,
        lifecycle_statuses.c.processing_state == bindparam("processing_state", type_=Text),
        lifecycle_statuses.c.predefined,
    ),
    LifecycleStatus,
)


async def by_ids(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, LifecycleStatus]:
    """The statuses by id."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def of_subject(connection: Connection, subject: Subject) -> list[LifecycleStatus]:
    """A company's statuses for a subject, by position."""
    return await connection.rows(_of_subject, subject=subject)


async def by_code(connection: Connection, subject: Subject, code: str) -> LifecycleStatus | None:
    """The status of a subject with the company's own code."""
    return await connection.row(_by_code, subject=subject, code=code)


async def predefined(connection: Connection, subject: Subject, state: ProcessingState) -> UUID:
    """The id of the status that stands for a processing state when nobody chose another."""
    found = await connection.row(_predefined, subject=subject, processing_state=state)
    assert found is not None, "every company has a predefined status for each state"
    return found.id


_TEXTS = ("subjects", "codes", "names_en", "names_de", "states")
_new = (
    func.unnest(
        *(bindparam(name, type_=ARRAY(Text)) for name in _TEXTS), bindparam("positions", type_=ARRAY(Integer))
    )
    .table_valued(
        *(column(name, Text) for name in ("subject", "code", "name_en", "name_de", "state")),
        column("position", Integer),
    )
    .render_derived(name="new")
)
_add_predefined = Statement[None](
    insert(lifecycle_statuses)
    .from_select(
        [
            "tenant_id",
            "id",
            "subject",
            "code",
            "name_en",
            "name_de",
            "processing_state",
            "predefined",
            "position",
        ],
        select(
            bindparam("tenant_id", type_=Uuid).label("tenant_id"),
            func.gen_random_uuid(),
            _new.c.subject,
            _new.c.code,
            _new.c.name_en,
            _new.c.name_de,
            _new.c.state,
            text("true"),
            _new.c.position,
        ),
    )
    .on_conflict_do_nothing(constraint="lifecycle_statuses_code_key")
)


async def add_predefined(connection: Connection) -> None:
    """Give a new company the predefined statuses of all subjects."""
    await connection.run(
        _add_predefined,
        subjects=[each.subject for each in PREDEFINED],
        codes=[each.code for each in PREDEFINED],
        names_en=[each.english for each in PREDEFINED],
        names_de=[each.german for each in PREDEFINED],
        states=[each.state for each in PREDEFINED],
        positions=list(range(len(PREDEFINED))),
    )


_add = Statement(
    insert_rows(lifecycle_statuses, _NAMES).returning(*_every_one.selected_columns), LifecycleStatus
)
_lock_every_one = Statement[UUID](
    select(lifecycle_statuses.c.id)
    .where(lifecycle_statuses.c.tenant_id == bindparam("tenant_id"))
    .order_by(lifecycle_statuses.c.id)
    .with_for_update(key_share=True)
)
_lock_predefined = Statement(
    _every_one.where(
        _OF_SUBJECT,
        lifecycle_statuses.c.processing_state == bindparam("processing_state", type_=Text),
        lifecycle_statuses.c.predefined,
    ).with_for_update(),
    LifecycleStatus,
)
_changing = Changing(
    lifecycle_statuses,
    _every_one,
    LifecycleStatus,
    ["name_en", "name_de", "position", "predefined"],
    mine=_OF_TENANT,
)
lock, change = _changing.lock, _changing.change


async def lock_every_one(connection: Connection) -> None:
    """Lock all statuses, in one order, before one of them takes another's place: who does the same waits."""
    await connection.column(_lock_every_one)


async def add(connection: Connection, status: LifecycleStatus) -> None:
    """Keep a new status. One that is predefined needs step_back first."""
    await connection.run(_add, **mappings_as_columns([asdict(status)], _NAMES))


async def step_back(connection: Connection, subject: Subject, state: ProcessingState) -> LifecycleStatus:
    """Let the status that stands for a state do so no longer: another one has to in the same transaction.

    Returns it as it was. Raises Contended when somebody else is changing which one that is.
    """
    standing = await connection.row(_lock_predefined, subject=subject, processing_state=state)
    if standing is None:
        raise Contended("another status has just taken over")
    await change(connection, standing.id, predefined=False)
    return standing
