"""How every mutation runs: one transaction, an idempotency key replayed, broken rules as the payload's errors."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints
from uuid import UUID

import orjson
import strawberry
import uuid_utils.compat as uuid
from strawberry.extensions import FieldExtension

import db
from db.audit import Entry
from db.connections import Connection
from db.failures import Contended
from db.isolation import Mode
from db.jobs import Job
from resolvers import nodes
from resolvers.context import Change, Context, Info
from resolvers.errors import Broken
from resolvers.turns import in_turns
from rules.broken import (
    BrokenRule,
    BrokenRules,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    NotFound,
    all_rules,
)
from rules.change_feed import is_followed
from rules.events import operation
from rules.permissions import ReadOnlySession

VERSION_DESCRIPTION = "The version that was read; refused when it has changed since."
# The mark of what is never kept: a password in an input, a code or token in a payload.
SECRET = {"secret": True}
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


@dataclass(slots=True)
class Report:
    """What a payload tells that is no object with an id: a repeat is told the same."""


class Beforehand(Exception):
    """Something has to be done before a mutation can, which takes too long for a transaction and a connection."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__("done by InTransaction")
        self.work = work


class InTransaction(FieldExtension):
    """Runs the field in a write transaction, then lets its payload be read in a fresh snapshot.

    A broken rule rolls back and becomes the payload's errors. A deadlock or serialization failure is
    tried again, and so is what raised Beforehand, when that is done. Who looks at the portal as somebody else is let pass only `for_onlookers`.
    """

    def __init__(self, payload: type[Payload], *, for_onlookers: bool) -> None:
        self._payload = payload
        self._for_onlookers = for_onlookers

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
            except Beforehand as beforehand:
                if tries == _TRIES:
                    raise
                tries += 1
                broken = await self._prepare(context, beforehand)
                if broken is None:
                    continue
                answer = broken
            await context.begin(Mode.SNAPSHOT)
            return answer

    async def _prepare(self, context: Context, beforehand: Beforehand) -> Payload | None:
        """Do it without a transaction and without a connection; the errors when that breaks a rule."""
        await context.rest()
        try:
            await beforehand.work()
        except BrokenRule as rule:
            return self._payload(errors=[Broken(rule)])
        except BrokenRules as several:
            return self._payload(errors=[Broken(rule) for rule in several.rules])
        return None

    async def _attempt(self, context: Context, call: Callable[[], Awaitable[Any]]) -> Payload:
        await context.end(keep=False)
        try:
            await context.begin(Mode.WRITE)
            if context.viewer is not None and context.viewer.viewed_by and not self._for_onlookers:
                raise ReadOnlySession
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
    so a retry after an error is a new call. What the first call made and was deleted since is NotFound.
    """

    def __init__(self, payload: type[Payload]) -> None:
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
        input_hash = _hash(info.field_name, given["input"])
        kept = await db.idempotency.claim(context.connection, actor, key, input_hash)
        if kept is not None:
            if kept.input_hash != input_hash or kept.answer is None:
                raise IdempotencyKeyReused(path=("idempotencyKey",))
            return await self._replay(context, kept.answer)
        answer = await next_(source, info, **given)
        await db.idempotency.keep(context.connection, actor, key, _kept(answer))
        return answer

    async def _replay(self, context: Context, answer: str) -> Payload:
        kept: dict[str, Any] = orjson.loads(answer)
        errors = [Broken(_rebuilt(each)) for each in kept.pop("errors", [])]
        results = {name: await _recalled(context, value) for name, value in kept.items()}
        return self._payload(errors=errors, **results)


def _hash(mutation: str, given: Any) -> bytes:
    """What tells a repeat from another call: the mutation's name in the schema, where each is there once, and its input."""
    told = {each.name: getattr(given, each.name) for each in fields(given) if not each.metadata.get("secret")}
    plain = orjson.dumps([mutation, told], default=_said, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(plain).digest()


def _said(value: Any) -> Any:
    """What JSON has no word for. Nothing said is not the same as an empty text, which takes something away."""
    return {"unset": True} if value is strawberry.UNSET else str(value)


def _kept(answer: Payload) -> str:
    """An answer as JSON: nodes as their type and id, so that a repeat reads them as they are then. Secrets are
    left out; errors are those of rows that were not taken while others were."""
    told = [each for each in fields(answer) if not each.metadata.get("secret")]
    kept = {each.name: _reference(getattr(answer, each.name)) for each in told if each.name != "errors"}
    if answer.errors:
        kept["errors"] = [_taken_apart(each.rule) for each in answer.errors]
    return orjson.dumps(kept, default=str).decode()


def _taken_apart(rule: BrokenRule) -> dict[str, Any]:
    return {"code": rule.code(), **{each.name: getattr(rule, each.name) for each in fields(rule)}}


def _rebuilt(kept: dict[str, Any]) -> BrokenRule:
    """The rule, from what was kept of it."""
    kind = next(each for each in all_rules() if each.code() == kept["code"])
    facts = {name: value for name, value in kept.items() if name not in ("code", "path")}
    return kind(**_typed(kind, facts), path=tuple(kept["path"]))


def _typed(kind: type[Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of a rule or report as they were before they became JSON, which knows no decimals and no ids."""
    hints = get_type_hints(kind)
    for name, value in facts.items():
        hint = hints[name]
        read = next((each for each in (Decimal, UUID) if each in (hint, *get_args(hint))), None)
        if read is not None and value is not None:
            facts[name] = read(value)
    return facts


def _reference(value: Any) -> Any:
    if isinstance(value, list):
        return [_reference(each) for each in value]
    if isinstance(value, Broken):
        return {"broken": _taken_apart(value.rule)}
    if isinstance(value, Report):
        facts = {each.name: _reference(getattr(value, each.name)) for each in fields(value)}
        return {"report": type(value).__name__, "facts": facts}
    if hasattr(value, "id"):
        return {"node": type(value).__name__, "id": str(value.id)}
    return value


async def _recalled(context: Context, value: Any) -> Any:
    """What was kept, read again. Raises NotFound for an object that is gone, or not to be seen any more."""
    if isinstance(value, list):
        # All of them to their ends: what still read would meet a transaction that was rolled back.
        every = await asyncio.gather(*(_recalled(context, each) for each in value), return_exceptions=True)
        if failed := [each for each in every if isinstance(each, BaseException)]:
            raise failed[0]
        return every
    if isinstance(value, dict) and "broken" in value:
        return Broken(_rebuilt(value["broken"]))
    if isinstance(value, dict) and "report" in value:
        kind = next(each for each in Report.__subclasses__() if each.__name__ == value["report"])
        return kind(
            **_typed(kind, {name: await _recalled(context, each) for name, each in value["facts"].items()})
        )
    if isinstance(value, dict):
        there = await nodes.load(context, value["node"], UUID(value["id"]))
        if there is None:
            raise NotFound(path=("idempotencyKey",))
        return there
    return value


class Audited(FieldExtension):
    """Writes down what the mutation did, in its own transaction. One that does not say is a fault of ours."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **given: Any
    ) -> Payload:
        """Called by Strawberry right around the resolver; a repeat under the same key does not come here."""
        context = info.context
        context.begin_record()
        answer: Payload = await next_(source, info, **given)
        if context.changes is None:
            raise RuntimeError(f"{info.field_name} does not say what it did")
        await write_down(context.connection, context, info.field_name, context.changes)
        return answer


async def write_down(
    connection: Connection, context: Context, action: str, changes: Sequence[Change]
) -> None:
    """Add entries to the audit of the portal, with whoever is acting and the request's id; then tell the feed, for
    which everybody else who changes anything waits from here on, and have the webhooks told of what is an event."""
    if changes:
        entries = [_entry(context, action, change) async for change in in_turns(changes)]
        await db.audit.add(connection, entries)
    followed = [_told(context, change) async for change in in_turns(changes) if is_followed(change.node_type)]
    kept = await db.change_feed.add(connection, followed) if followed else []
    if events := [each for each in kept if each.event is not None]:
        deliveries = await db.webhook_deliveries.add(connection, events)
        if deliveries:
            await db.jobs.enqueue(connection, Job.WEBHOOK_DELIVER, deliveries)


def _told(context: Context, change: Change) -> db.change_feed.Change:
    was_there, is_there = change.before is not None, change.after is not None
    return db.change_feed.Change(
        node_type=change.node_type,
        node_id=change.node_id,
        operation=operation(was_there=was_there, is_there=is_there),
        event=change.event,
        subject_id=change.subject_id,
        customer_id=change.customer_id or context.actor.customer_id,
    )


def _entry(context: Context, action: str, change: Change) -> Entry:
    """One entry of the audit."""
    actor = context.actor
    return Entry(
        id=uuid.uuid7(),
        action=action,
        account_id=actor.account_id,
        staff_member_id=actor.staff_member_id,
        customer_id=change.customer_id or actor.customer_id,
        node_type=change.node_type,
        node_id=change.node_id,
        before=db.audit.as_json(change.before),
        after=db.audit.as_json(change.after),
        request_id=context.request_id,
    )


def differs(row: Any, given: Mapping[str, Any]) -> bool:
    """Whether anything that is given for a column of a row is not what it says already; None is not given."""
    return any(value is not None and value != getattr(row, name) for name, value in given.items())


def facts_of(row: Any, **more: Any) -> dict[str, Any]:
    """What a row says, and more: the before or after of a change."""
    names = _names(type(row))  # type: ignore[arg-type]  # a class is hashable
    return {name: getattr(row, name) for name in names} | more


@cache
def _names(row_type: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(row_type))
