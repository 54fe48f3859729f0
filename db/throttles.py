"""Throttles: token buckets for tries that may be wrong, exact however many come at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    Uuid,
    any_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import tenant_table
from rules.throttles import KNOWN_DAYS, Bucket

throttles = tenant_table(
    "throttles",
    Column("subject", LargeBinary, nullable=False),  # SHA-256 of what is throttled
    Column("capacity", Integer, nullable=False),
    Column("refill_seconds", Integer, nullable=False),
    Column("tokens", Float, nullable=False),  # below zero: the last try was refused and cost nothing
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
    Column("known_at", DateTime(timezone=True)),  # when a try was last right
    Index("throttles_refreshed_at_idx", "tenant_id", "refreshed_at"),
    key=("subject",),
)


@dataclass(slots=True)
class _Taken:
    subject: bytes
    tokens: float
    refill_seconds: int


_OF_TENANT = throttles.c.tenant_id == bindparam("tenant_id")
_known_since = func.now() - func.make_interval(0, 0, 0, KNOWN_DAYS)
_asked = (
    func.unnest(
        bindparam("subjects", type_=ARRAY(LargeBinary)),
        bindparam("capacities", type_=ARRAY(Integer)),
        bindparam("refills", type_=ARRAY(Integer)),
    )
    .table_valued(column("subject", LargeBinary), column("capacity", Integer), column("refill", Integer))
    .render_derived(name="asked")
)
# Who is known under the first subject is held to that alone.
_is_known = exists().where(
    _OF_TENANT,
    throttles.c.subject == bindparam("first_subject", type_=LargeBinary),
    throttles.c.known_at > _known_since,
)
_new = insert(throttles).from_select(
    ["tenant_id", "subject", "capacity", "refill_seconds", "tokens", "refreshed_at"],
    select(
        bindparam("tenant_id", type_=Uuid).label("tenant_id"),
        _asked.c.subject,
        _asked.c.capacity,
        _asked.c.refill,
        _asked.c.capacity - 1,
        func.clock_timestamp(),
    ).where(or_(_asked.c.subject == bindparam("first_subject", type_=LargeBinary), not_(_is_known))),
)
_left = case((throttles.c.tokens < 0, throttles.c.tokens + 1), else_=throttles.c.tokens)
_waited = func.extract("epoch", _new.excluded.refreshed_at - throttles.c.refreshed_at)
_full = func.least(_new.excluded.capacity, _left + _waited / _new.excluded.refill_seconds)
_take = Statement(
    _new.on_conflict_do_update(
        constraint="throttles_pkey",
        set_={
            "capacity": _new.excluded.capacity,
            "refill_seconds": _new.excluded.refill_seconds,
            "tokens": _full - 1,
            "refreshed_at": _new.excluded.refreshed_at,
        },
    ).returning(throttles.c.subject, throttles.c.tokens, throttles.c.refill_seconds),
    _Taken,
)
_subjects = bindparam("subjects", type_=ARRAY(LargeBinary))
# Locked in the order in which `take` locks them: nobody waits for somebody who waits.
_in_order = (
    select(throttles.c.subject)
    .where(_OF_TENANT, throttles.c.subject == any_(_subjects))
    .order_by(func.array_position(_subjects, throttles.c.subject))
    .with_for_update()
)
_put_back = Statement[None](
    update(throttles)
    .where(_OF_TENANT, throttles.c.subject == any_(_in_order.scalar_subquery()))
    .values(
        tokens=func.least(throttles.c.capacity, throttles.c.tokens + 1),
        known_at=case(
            (throttles.c.subject == bindparam("first_subject", type_=LargeBinary), func.now()),
            else_=throttles.c.known_at,
        ),
    )
)
_forgotten = (
    select(throttles.c.subject)
    .where(
        _OF_TENANT,
        throttles.c.refreshed_at < func.now() - func.make_interval(0, 0, 0, 1),
        or_(throttles.c.known_at.is_(None), throttles.c.known_at < _known_since),
    )
    .with_for_update(skip_locked=True)
)
_forget = Statement[None](
    delete(throttles).where(_OF_TENANT, throttles.c.subject == any_(_forgotten.scalar_subquery()))
)


async def take(connection: Connection, buckets: Mapping[bytes, Bucket]) -> tuple[list[bytes], int | None]:
    """Take a token from the bucket of each subject; from which of them it was taken, in their order, and
    after how many seconds there will be one again if one had none.

    Whoever was right before under the first subject is held to that one alone. A transaction that rolls
    back takes nothing.
    """
    taken = await connection.rows(
        _take,
        first_subject=next(iter(buckets)),
        subjects=list(buckets),
        capacities=[each.capacity for each in buckets.values()],
        refills=[each.refill_seconds for each in buckets.values()],
    )
    waits = [math.ceil(-each.tokens * each.refill_seconds) for each in taken if each.tokens < 0]
    subjects = {each.subject for each in taken}
    return [each for each in buckets if each in subjects], max(waits, default=None)


async def put_back(connection: Connection, subjects: Sequence[bytes]) -> None:
    """The try was right: give the tokens back, and know the first subject from now on. What nobody asked
    about for a day is forgotten on the way."""
    await connection.run(_put_back, subjects=subjects, first_subject=subjects[0])
    await connection.run(_forget)
