"""Lifecycle statuses: a company names the stations of its orders and requests."""

from dataclasses import dataclass, replace
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.lifecycle_statuses import LifecycleStatus
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, differs, facts_of
from rules.broken import Language, NotFound, check_version
from rules.lifecycle import CodeTaken, PredefinedNeeded, ProcessingState, Subject, check_position
from rules.texts import check_name

_Subject = Annotated[Subject, strawberry.argument(description="Of what.")]


async def of_subject(info: Info, subject: _Subject) -> list[LifecycleStatus]:
    """Query.lifecycleStatuses."""
    return await db.lifecycle_statuses.of_subject(info.context.connection, subject)


def name(root: strawberry.Parent[LifecycleStatus], info: Info) -> str:
    """LifecycleStatus.name, in the language of the request."""
    return root.name_de if info.context.language is Language.GERMAN else root.name_en


_CODE = "The company's own code, 1 to 200 characters, which an import may name."
_PREDEFINED = "Whether it stands for its state from now on, instead of the one that does."


@strawberry.input(description="A new status.")
class LifecycleStatusCreateInput:
    """lifecycleStatusCreate(input:)."""

    subject: Subject = strawberry.field(description="Of what.")
    code: str = strawberry.field(description=_CODE)
    name_en: str = strawberry.field(description="Its name in English, 1 to 200 characters.")
    name_de: str = strawberry.field(description="Its name in German, 1 to 200 characters.")
    processing_state: ProcessingState = strawberry.field(description="Where that is; it stays so.")
    position: int = strawberry.field(default=0, description="Its place in lists, 0 to 10,000.")
    predefined: bool = strawberry.field(default=False, description=_PREDEFINED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a status; what is left out stays as it is.")
class LifecycleStatusUpdateInput:
    """lifecycleStatusUpdate(input:)."""

    lifecycle_status: strawberry.ID = strawberry.field(description="The status.")
    name_en: str | None = strawberry.field(default=None, description="Its name in English.")
    name_de: str | None = strawberry.field(default=None, description="Its name in German.")
    position: int | None = strawberry.field(default=None, description="Its place in lists, 0 to 10,000.")
    predefined: bool | None = strawberry.field(
        default=None, description=f"{_PREDEFINED} One that does cannot cease to: let another one take over."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class LifecycleStatusPayload(Payload):
    """The status as it is now."""

    lifecycle_status: LifecycleStatus | None = None


_CreateInput = Annotated[LifecycleStatusCreateInput, strawberry.argument(description="The new status.")]
_UpdateInput = Annotated[LifecycleStatusUpdateInput, strawberry.argument(description="What to change.")]


async def create(info: Info, input: _CreateInput) -> LifecycleStatusPayload:
    """Mutation.lifecycleStatusCreate."""
    context = info.context
    check_name(input.code, "code")
    check_name(input.name_en, "nameEn")
    check_name(input.name_de, "nameDe")
    check_position(input.position, "position")
    if await db.lifecycle_statuses.by_code(context.connection, input.subject, input.code):
        raise CodeTaken(taken=input.code, path=("code",))
    status = LifecycleStatus(
        id=uuid.uuid7(),
        subject=input.subject,
        code=input.code,
        name_en=input.name_en,
        name_de=input.name_de,
        processing_state=input.processing_state,
        predefined=input.predefined,
        position=input.position,
        version=1,
    )
    if status.predefined:
        await _take_over(context, status)
    await db.lifecycle_statuses.add(context.connection, status)
    context.record("LifecycleStatus", status.id, before=None, after=facts_of(status))
    return LifecycleStatusPayload(status)


async def update(info: Info, input: _UpdateInput) -> LifecycleStatusPayload:
    """Mutation.lifecycleStatusUpdate. Its state stays: orders that have it would move with it."""
    context = info.context
    check_name(input.name_en, "nameEn")
    check_name(input.name_de, "nameDe")
    check_position(input.position, "position")
    key = nodes.key_of(str(input.lifecycle_status), "LifecycleStatus")
    if input.predefined:
        await db.lifecycle_statuses.lock_every_one(context.connection)
    status = await db.lifecycle_statuses.lock(context.connection, key) if key else None
    if status is None:
        raise NotFound(path=("lifecycleStatus",))
    check_version(input.version, status.version)
    if status.predefined and input.predefined is False:
        raise PredefinedNeeded(path=("predefined",))
    if input.predefined and not status.predefined:
        await _take_over(context, status)
    given = {
        "name_en": input.name_en,
        "name_de": input.name_de,
        "position": input.position,
        "predefined": input.predefined,
    }
    if not differs(status, given):
        context.record_nothing()
        return LifecycleStatusPayload(status)
    changed = await db.lifecycle_statuses.change(context.connection, status.id, **given)
    context.record("LifecycleStatus", status.id, before=facts_of(status), after=facts_of(changed))
    return LifecycleStatusPayload(changed)


async def _take_over(context: Context, status: LifecycleStatus) -> None:
    """Let the status that stands for the same state step back."""
    subject, state = Subject(status.subject), ProcessingState(status.processing_state)
    before = await db.lifecycle_statuses.step_back(context.connection, subject, state)
    after = replace(before, predefined=False, version=before.version + 1)
    context.record("LifecycleStatus", before.id, before=facts_of(before), after=facts_of(after))
