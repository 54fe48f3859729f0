"""Numbers of documents: per company and kind, without gaps, from a counter row."""

from sqlalchemy import BigInteger, Column, Text, bindparam
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import one_of, tenant_table
from rules.numbers import NumberKind, numbered

counters = tenant_table(
    "counters",
    Column("kind", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    one_of("kind", list(NumberKind), name="counters_kind_check"),
    key=("kind",),
)

_advance = insert(counters).values(
    tenant_id=bindparam("tenant_id"), kind=bindparam("kind"), last=bindparam("how_many", type_=BigInteger)
)
_take = Statement[int](
    _advance.on_conflict_do_update(
        constraint="counters_pkey", set_={"last": counters.c.last + _advance.excluded.last}
    ).returning(counters.c.last)
)


async def take(connection: Connection, kind: NumberKind, how_many: int) -> list[str]:
    """The next numbers of a kind. The counter's row stays locked until the transaction ends, so a
    transaction that rolls back gives its numbers back: there are no gaps."""
    last: int = await connection.value(_take, kind=kind, how_many=how_many)
    return [numbered(kind, each) for each in range(last - how_many + 1, last + 1)]
