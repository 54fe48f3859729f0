"""Idempotency: what a mutation answered under a key, so that a repeat gets the same answer, once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, LargeBinary, Text, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import tenant_table

idempotency_keys = tenant_table(
    "idempotency_keys",
    Column("actor_id", Uuid, nullable=False),  # the account or staff member: keys are private to it
    Column("key", Text, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),  # SHA-256 of the mutation's name and input
    Column("answer", Text),  # JSON; empty only while the first call is still at work
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("idempotency_keys_created_at_idx", "tenant_id", "created_at"),
    key=("actor_id", "key"),
)


@dataclass(slots=True)
class Kept:
    """An earlier call under the same key."""

    input_hash: bytes
    answer: str | None


_THIS_KEY = (
    (idempotency_keys.c.tenant_id == bindparam("tenant_id"))
    & (idempotency_keys.c.actor_id == bindparam("the_actor_id", type_=Uuid))
    & (idempotency_keys.c.key == bindparam("the_key", type_=Text))
)

_claim = Statement[str](
    insert(idempotency_keys)
    .values(
        tenant_id=bindparam("tenant_id"),
        actor_id=bindparam("the_actor_id", type_=Uuid),
        key=bindparam("the_key", type_=Text),
        input_hash=bindparam("input_hash", type_=LargeBinary),
    )
    .on_conflict_do_nothing(constraint="idempotency_keys_pkey")
    .returning(idempotency_keys.c.key)
)
_kept = Statement(select(idempotency_keys.c.input_hash, idempotency_keys.c.answer).where(_THIS_KEY), Kept)
_answer = Statement[None](
    update(idempotency_keys).where(_THIS_KEY).values(answer=bindparam("answer", type_=Text))
)


async def claim(connection: Connection, actor_id: UUID, key: str, input_hash: bytes) -> Kept | None:
    """Make the key this transaction's own: None. Where an earlier call has it: what that call kept.

    While another transaction holds the key uncommitted, this waits for its end.
    """
    if await connection.value(_claim, the_actor_id=actor_id, the_key=key, input_hash=input_hash):
        return None
    kept = await connection.row(_kept, the_actor_id=actor_id, the_key=key)
    assert kept is not None
    return kept


async def keep(connection: Connection, actor_id: UUID, key: str, answer: str) -> None:
    """Keep the answer under a key that this transaction claimed."""
    await connection.run(_answer, the_actor_id=actor_id, the_key=key, answer=answer)
