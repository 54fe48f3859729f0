"""Lifecycle statuses: what a company calls the stations of its orders, each in one processing state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

from db.connections import Connection, one_each
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
    """A station of an order or a request, in the company's own words."""

    id: UUID
    code: str
    name_en: str
    name_de: str
    processing_state: str


_COLUMNS = [
    lifecycle_statuses.c.id,
    lifecycle_statuses.c.code,
    lifecycle_statuses.c.name_en,
    lifecycle_statuses.c.name_de,
    lifecycle_statuses.c.processing_state,
]

_by_ids = Statement(
    select(*_COLUMNS).where(
        lifecycle_statuses.c.tenant_id == bindparam("tenant_id"),
        lifecycle_statuses.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    LifecycleStatus,
)
_predefined = Statement[UUID](
    select(lifecycle_statuses.c.id).where(
        lifecycle_statuses.c.tenant_id == bindparam("tenant_id"),
        lifecycle_statuses.c.subject == bindparam("subject"),
        lifecycle_statuses.c.processing_state == bindparam("processing_state"),
        lifecycle_statuses.c.predefined,
    )
)


async def by_ids(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, LifecycleStatus]:
    """The statuses by id."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def predefined(connection: Connection, subject: Subject, state: ProcessingState) -> UUID:
    """The id of the status that stands for a processing state when nobody chose another."""
    found: UUID = await connection.value(_predefined, subject=subject, processing_state=state)
    return found


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
