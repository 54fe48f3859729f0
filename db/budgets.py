"""Budgets: token buckets for what operations cost, exact however many processes take from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Float,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import tenant_table
from rules.budgets import Budget

budgets = tenant_table(
    "budgets",
    Column("holder", LargeBinary, nullable=False),  # SHA-256 of whose it is
    Column("capacity", BigInteger, nullable=False),
    Column("per_second", BigInteger, nullable=False),
    Column("units", Float, nullable=False),  # what is left
    Column("granted", BigInteger, nullable=False),  # what was given to whoever asked last
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
    key=("holder",),
)

# Whoever asks is given this part of what is left, to spend without asking again: as it gets less, so do the parts.
PART = 20


@dataclass(slots=True)
class Taken:
    """What was given, what is left after it, and when that was, by the database's clock."""

    granted: int
    units: float
    taken_at: datetime


def _number(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=BigInteger)


def _granted(there: ColumnElement[Any]) -> ColumnElement[Any]:
    """What is given of so much: nothing when less is there than is needed; else that, and if there is enough what
    others are waiting for, or a part of the rest if one more operation like this can be paid with it."""
    spare = there - _number("needed")
    part = func.floor(spare / PART)
    more = func.greatest(_number("awaited"), case((part >= _number("cost"), part), else_=0))
    return cast(
        case(
            (spare < 0, 0),
            (spare >= more, _number("needed") + more),
            else_=_number("needed"),
        ),
        BigInteger,
    )


_fresh = cast(_number("capacity"), Float)
_new = insert(budgets).from_select(
    ["tenant_id", "holder", "capacity", "per_second", "units", "granted", "refreshed_at"],
    select(
        bindparam("tenant_id", type_=Uuid).label("tenant_id"),
        bindparam("holder", type_=LargeBinary).label("holder"),
        _number("capacity").label("capacity"),
        _number("per_second").label("per_second"),
        (_fresh - _granted(_fresh)).label("units"),
        _granted(_fresh).label("granted"),
        func.clock_timestamp().label("refreshed_at"),
    ),
)
# Whoever waited for the row may come with a moment that is somewhat older than the row's. One that is much older says
# that the clock was set back: then what comes back is counted from there.
_refreshed_at = case(
    (
        _new.excluded.refreshed_at < budgets.c.refreshed_at - func.make_interval(0, 0, 0, 0, 0, 1),
        _new.excluded.refreshed_at,
    ),
    else_=func.greatest(budgets.c.refreshed_at, _new.excluded.refreshed_at),
)
_elapsed = func.greatest(0, func.extract("epoch", _new.excluded.refreshed_at - budgets.c.refreshed_at))
_there = func.least(
    cast(_new.excluded.capacity, Float),
    budgets.c.units + cast(_elapsed, Float) * _new.excluded.per_second,
)
_take = Statement(
    _new.on_conflict_do_update(
        constraint="budgets_pkey",
        set_={
            "capacity": _new.excluded.capacity,
            "per_second": _new.excluded.per_second,
            "units": _there - _granted(_there),
            "granted": _granted(_there),
            "refreshed_at": _refreshed_at,
        },
    ).returning(budgets.c.granted, budgets.c.units, budgets.c.refreshed_at),
    Taken,
)
_full_again = budgets.c.refreshed_at + func.make_interval(
    0, 0, 0, 0, 0, 0, cast(budgets.c.capacity, Float) / budgets.c.per_second
)
_forget = Statement[None](
    delete(budgets).where(
        and_(
            budgets.c.tenant_id == bindparam("tenant_id"),
            _full_again < func.now() - func.make_interval(0, 0, 0, 0, 1),
        )
    )
)


async def take(
    connection: Connection, holder: bytes, budget: Budget, *, cost: int, needed: int, awaited: int
) -> Taken:
    """Take what is needed from the holder's bucket, or nothing if there is less; and some more to go on with, at least
    what others are waiting for if that is there. `cost` is an operation's: a part is given while it can pay for one."""
    taken = await connection.row(
        _take,
        holder=holder,
        capacity=budget.units,
        per_second=budget.per_second,
        cost=cost,
        needed=needed,
        awaited=awaited,
    )
    assert taken is not None
    return taken


async def forget(connection: Connection) -> None:
    """Forget buckets that are full since an hour: a new one is just as full."""
    await connection.run(_forget)
