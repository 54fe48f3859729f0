"""How every mutation runs: one transaction, an idempotency key replayed, broken rules as the payload's errors."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar
from uuid import UUID

import orjson
from strawberry.extensions import FieldExtension

import db
from db.connections import Contended
from db.isolation import Mode
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.errors import Broken
from rules.broken import BrokenRule, BrokenRules, IdempotencyKeyReused, InvalidIdempotencyKey

KEY_DESCRIPTION = (
    "Repeating the call with the same key and input gives the same answer and does nothing again."
)

_TRIES = 3
_KEY_LENGTH = range(1, 256)

AnyPayload = TypeVar("AnyPayload", bound="Payload")


@dataclass(slots=True)
class Payload:
    """What a mutation answers: its results, all of them empty when rules were broken, and the errors."""

    errors: list[Broken] = field(default_factory=list, kw_only=True)


class InTransaction(FieldExtension):
    """Runs the field in a write transaction, then lets its payload be read in a fresh snapshot.

    A broken rule rolls back and becomes the payload's errors. A deadlock or serialization failure is
    tried again.
    """

    def __init__(self, payload: type[Payload]) -> None:
        self._payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **given: Any
    ) -> Payload:
        """Called by Strawberry around the permission check and the resolver."""
        context = info.context
        tries = 1
        while True:
            try:
                answer = await self._attempt(context, lambda: next_(source, info, **given))
            except Contended:
                if tries == _TRIES:
                    raise
                tries += 1
                continue
            await context.begin(Mode.SNAPSHOT)
            return answer

    async def _attempt(self, context: Context, call: Callable[[], Awaitable[Any]]) -> Payload:
        await context.end(keep=False)
        try:
            await context.begin(Mode.WRITE)
            answer: Payload = await call()
            await context.end()
        except BrokenRule as rule:
            await context.end(keep=False)
            return self._payload(errors=[Broken(rule)])
        except BrokenRules as several:
            await context.end(keep=False)
            return self._payload(errors=[Broken(rule) for rule in several.rules])
        except BaseException:
            await context.end(keep=False)
            raise
        return answer


class OncePerKey(FieldExtension):
    """Answers a repeat under the same idempotency key with the first answer, without doing it again.

    Keys belong to the account or staff member. What a call that failed wrote is rolled back, its key too,
    so a retry after an error is a new call.
    """

    def __init__(self, mutation: str, payload: type[Payload]) -> None:
        self._mutation = mutation
        self._payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **given: Any
    ) -> Payload:
        """Called by Strawberry inside the transaction, after the permission check."""
        key = getattr(given.get("input"), "idempotency_key", None)
        if key is None:
            answer: Payload = await next_(source, info, **given)
            return answer
        if len(key) not in _KEY_LENGTH:
            raise InvalidIdempotencyKey(path=("idempotencyKey",))
        context = info.context
        actor = context.signed_in.actor_id
        input_hash = self._hash(given["input"])
        kept = await db.idempotency.claim(context.connection, actor, key, input_hash)
        if kept is not None:
            if kept.input_hash != input_hash or kept.answer is None:
                raise IdempotencyKeyReused(path=("idempotencyKey",))
            return await self._replay(context, kept.answer)
        answer = await next_(source, info, **given)
        await db.idempotency.keep(context.connection, actor, key, _kept(answer))
        return answer

    def _hash(self, given: Any) -> bytes:
        plain = orjson.dumps([self._mutation, asdict(given)], default=str, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(plain).digest()

    async def _replay(self, context: Context, answer: str) -> Payload:
        kept: dict[str, Any] = orjson.loads(answer)
        results = {name: await _recalled(context, value) for name, value in kept.items()}
        return self._payload(**results)


def _kept(answer: Payload) -> str:
    """An answer as JSON: nodes as their type and id, so that a repeat reads them as they are then."""
    names = [each.name for each in fields(answer) if each.name != "errors"]
    return orjson.dumps({name: _reference(getattr(answer, name)) for name in names}).decode()


def _reference(value: Any) -> Any:
    if isinstance(value, list):
        return [_reference(each) for each in value]
    if hasattr(value, "id"):
        return {"node": type(value).__name__, "id": str(value.id)}
    return value


async def _recalled(context: Context, value: Any) -> Any:
    if isinstance(value, list):
        return [await _recalled(context, each) for each in value]
    if isinstance(value, dict):
        return await nodes.load(context, value["node"], UUID(value["id"]))
    return value
