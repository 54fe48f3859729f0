"""Webhook changes: the company's staff says where its systems are told, and tries that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

import strawberry
import uuid_utils.compat as uuid
from graphql import GraphQLError, NonNullTypeNode, OperationDefinitionNode, OperationType
from graphql.language import NamedTypeNode

import db
from db.jobs import Job
from db.webhooks import Webhook
from execution import documents
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.mutations import (
    KEY_DESCRIPTION,
    SECRET,
    VERSION_DESCRIPTION,
    Beforehand,
    Payload,
    facts_of,
)
from resolvers.profiles import DeletedPayload
from rules.access_groups import NameTaken
from rules.broken import NotFound, check_version, found_at
from rules.events import Event
from rules.permissions import Permission
from rules.texts import check_name
from rules.webhooks import (
    MOST_WEBHOOKS,
    TooManyWebhooks,
    WebhookNothingDead,
    WebhookQueryInvalid,
    check_events,
    check_held,
    check_query,
    target,
)
from tenants import targets
from tenants.webhooks import new_secret, permissions_named

_NAME = "Its name, 1 to 200 characters, used once."
_URL = "Where messages are sent by POST: https, at a public name."
_EVENTS = "What it is told of."
_QUERY = (
    "What a message tells as `data`: the answer to this query, whose variable `$id: ID!` is the object's global id; it "
    "may have that variable or none. Null: the object's `id` and `type`."
)
_PERMISSIONS = (
    "With which rights its query runs: it sees what staff with these permissions sees. Only what whoever makes or changes "
    "it holds."
)


@strawberry.input(description="A new webhook.")
class WebhookCreateInput:
    """webhookCreate(input:)."""

    name: str = strawberry.field(description=_NAME)
    url: str = strawberry.field(description=_URL)
    events: list[Event] = strawberry.field(description=_EVENTS)
    query: str | None = strawberry.field(default=None, description=_QUERY)
    permissions: list[Permission] = strawberry.field(default_factory=list, description=_PERMISSIONS)
    active: bool = strawberry.field(default=True, description="Whether it is told anything at all.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What to change of a webhook; what is left out stays as it is.")
class WebhookUpdateInput:
    """webhookUpdate(input:)."""

    webhook: strawberry.ID = strawberry.field(description="The webhook.")
    name: str | None = strawberry.field(default=None, description=_NAME)
    url: str | None = strawberry.field(
        default=None, description=f"{_URL} What it was still to be told is sent there at once."
    )
    events: list[Event] | None = strawberry.field(default=None, description=_EVENTS)
    query: str | None = strawberry.field(default=strawberry.UNSET, description=_QUERY)
    permissions: list[Permission] | None = strawberry.field(default=None, description=_PERMISSIONS)
    active: bool | None = strawberry.field(
        default=None,
        description="Whether it is told anything; switched on again, what it was still to be told is sent at once.",
    )
    rotate_secret: bool = strawberry.field(
        default=False, description="Make a new secret; the one before signs too for 24 hours."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A webhook that is to go, with all its deliveries.")
class WebhookDeleteInput:
    """webhookDelete(input:)."""

    webhook: strawberry.ID = strawberry.field(description="The webhook.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A webhook that is to be tried.")
class WebhookTestInput:
    """webhookTest(input:)."""

    webhook: strawberry.ID = strawberry.field(description="The webhook; it may be switched off.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class WebhookPayload(Payload):
    """The webhook as it is now, and its secret when it is new."""

    webhook: Webhook | None = None
    secret: str | None = field(default=None, metadata=SECRET)


_CreateInput = Annotated[WebhookCreateInput, strawberry.argument(description="The new webhook.")]
_UpdateInput = Annotated[WebhookUpdateInput, strawberry.argument(description="What to change.")]
_DeleteInput = Annotated[WebhookDeleteInput, strawberry.argument(description="Which webhook.")]
_TestInput = Annotated[WebhookTestInput, strawberry.argument(description="Which webhook.")]


async def create(info: Info, input: _CreateInput) -> WebhookPayload:
    """Mutation.webhookCreate."""
    context = info.context
    check_name(input.name, "name")
    check_events(input.events, "events")
    check_held(input.permissions, context.signed_in.permissions, "permissions")
    await _check_query(info, input.query)
    _check_url(context, input.url)
    if await db.webhooks.count(context.connection) >= MOST_WEBHOOKS:
        raise TooManyWebhooks
    secret = new_secret()
    added = await db.webhooks.add(
        context.connection,
        id=uuid.uuid7(),
        name=input.name,
        url=input.url,
        events=_values(input.events),
        query=input.query,
        permissions=_names(input.permissions),
        active=input.active,
        created_by_id=context.signed_in.actor_id,
        secret=secret,
    )
    if added is None:
        raise NameTaken(name=input.name, path=("name",))
    context.record("Webhook", added.id, before=None, after=_facts(added))
    return WebhookPayload(added, secret)


async def update(info: Info, input: _UpdateInput) -> WebhookPayload:
    """Mutation.webhookUpdate: only by who holds all the rights that the webhook has, and is to have."""
    context = info.context
    check_name(input.name, "name")
    check_events(input.events, "events")
    held = context.signed_in.permissions
    check_held(input.permissions or (), held, "permissions")
    if input.query is not strawberry.UNSET:
        await _check_query(info, input.query)
    if input.url is not None:
        _check_url(context, input.url)
    webhook = await _locked(context, input.webhook, input.version)
    if input.permissions is None:
        check_held(permissions_named(webhook.permissions), held, "webhook")
    if input.name not in (None, webhook.name):
        await _check_free(context, input.name)
    wanted = _changed(webhook, input)
    if wanted == webhook and not input.rotate_secret:
        context.record_nothing()
        return WebhookPayload(webhook)
    kept = await db.webhooks.keep(context.connection, wanted)
    secret = await _rotated(context, webhook) if input.rotate_secret else None
    if kept.active and (not webhook.active or kept.url != webhook.url):
        await _enqueue(context, await db.webhook_deliveries.hurry(context.connection, webhook.id))
    context.record(
        "Webhook",
        webhook.id,
        before=_facts(webhook),
        after=_facts(kept) | ({"secret": "changed"} if secret else {}),
    )
    return WebhookPayload(kept, secret)


async def delete(info: Info, input: _DeleteInput) -> DeletedPayload:
    """Mutation.webhookDelete."""
    context = info.context
    # Whoever adds a delivery holds the feed, and then refers to the webhook: in this order here too.
    await db.change_feed.hold(context.connection)
    webhook = await _locked(context, input.webhook, input.version)
    await db.webhook_deliveries.remove_of(context.connection, webhook.id)
    await db.webhooks.remove(context.connection, webhook.id)
    context.record("Webhook", webhook.id, before=_facts(webhook), after=None)
    return DeletedPayload(str(input.webhook))


async def test(info: Info, input: _TestInput) -> WebhookPayload:
    """Mutation.webhookTest: an event of its own, told on the same way as all others."""
    context = info.context
    webhook = await _locked(context, input.webhook, None)
    facts = _facts(webhook)
    context.record("Webhook", webhook.id, before=facts, after=facts, event=Event.WEBHOOK_TEST)
    return WebhookPayload(webhook)


@strawberry.input(description="Deliveries that are dead and to be taken up again: one of both is given.")
class WebhookRetryInput:
    """webhookRetry(input:)."""

    webhook: strawberry.ID | None = strawberry.field(
        default=None, description="All of this webhook, at most 1,000 at once, oldest first."
    )
    delivery: strawberry.ID | None = strawberry.field(default=None, description="This delivery.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class WebhookRetryPayload(Payload):
    """How many deliveries were taken up again, and the webhook."""

    webhook: Webhook | None = None
    retried: int | None = None


_RetryInput = Annotated[WebhookRetryInput, strawberry.argument(description="What to take up again.")]


async def retry(info: Info, input: _RetryInput) -> WebhookRetryPayload:
    """Mutation.webhookRetry: tried at once, and then as often as what is new."""
    context = info.context
    place = "webhook" if input.delivery is None else "delivery"
    delivery = None
    if input.delivery is not None:
        delivery = await nodes.found(context, str(input.delivery), "WebhookDelivery", "delivery")
    named = nodes.global_id("Webhook", delivery.webhook_id) if delivery else input.webhook
    if named is None or (delivery is not None and input.webhook not in (None, named)):
        raise NotFound(path=("webhook",))
    webhook = await _locked(context, strawberry.ID(str(named)), None)
    count, lanes = await db.webhook_deliveries.revive(
        context.connection,
        delivery_id=delivery.id if delivery else None,
        webhook_id=None if delivery else webhook.id,
    )
    if count == 0:
        raise WebhookNothingDead(path=(place,))
    await _enqueue(context, lanes)
    context.record("Webhook", webhook.id, before=_facts(webhook), after=_facts(webhook) | {"retried": count})
    return WebhookRetryPayload(webhook, count)


async def _locked(context: Context, id: strawberry.ID, version: int | None) -> Webhook:
    """A webhook that nobody else changes now. Raises NotFound or VersionConflict."""
    key = nodes.key_of(str(id), "Webhook")
    webhook = await db.webhooks.lock(context.connection, key) if key else None
    if webhook is None:
        raise NotFound(path=("webhook",))
    check_version(version, webhook.version)
    return webhook


def _changed(webhook: Webhook, given: WebhookUpdateInput) -> Webhook:
    """The webhook as it is to be. Switched on or told elsewhere it begins anew: what failed before does not count."""
    wanted = replace(
        webhook,
        name=given.name or webhook.name,
        url=given.url or webhook.url,
        events=webhook.events if given.events is None else _values(given.events),
        query=webhook.query if given.query is strawberry.UNSET else given.query,
        permissions=webhook.permissions if given.permissions is None else _names(given.permissions),
        active=webhook.active if given.active is None else given.active,
    )
    if wanted.active != webhook.active:
        wanted = replace(wanted, switched_off=None)
    if wanted.active != webhook.active or wanted.url != webhook.url:
        wanted = replace(wanted, failing_since=None)
    return wanted


async def _rotated(context: Context, webhook: Webhook) -> str:
    secret = new_secret()
    await db.webhooks.rotate(context.connection, webhook.id, secret)
    return secret


async def _check_free(context: Context, name: str | None) -> None:
    if name is not None and await db.webhooks.id_of_name(context.connection, name) is not None:
        raise NameTaken(name=name, path=("name",))


def _check_url(context: Context, url: str) -> None:
    """Raises WebhookUrlInvalid; and Beforehand, since asking for the name may take seconds."""
    private = context.facilities.private_targets
    with found_at("url"):
        to = target(url, private=private)

    async def look_up() -> None:
        with found_at("url"):
            await targets.addresses(to.host, to.port, private=False)
        context.looked_up.add(to.host)

    if not private and to.host not in context.looked_up:
        raise Beforehand(look_up)


async def _check_query(info: Info, query: str | None) -> None:
    """Refuse what could not be run for an event later. Raises TextTooLong or WebhookQueryInvalid."""
    if query is None:
        return
    check_query(query, "query")
    try:
        operation = await info.context.beside(partial(documents.check, info.schema._schema, query))
    except GraphQLError as error:
        raise WebhookQueryInvalid(reason=error.message.rstrip("."), path=("query",)) from None
    if operation.operation is not OperationType.QUERY:
        raise WebhookQueryInvalid(reason="It has to be a query", path=("query",))
    if not _takes_id_alone(operation):
        raise WebhookQueryInvalid(reason="Its one variable is $id: ID!", path=("query",))


def _takes_id_alone(operation: OperationDefinitionNode) -> bool:
    for each in operation.variable_definitions or ():
        inner = each.type.type if isinstance(each.type, NonNullTypeNode) else each.type
        if each.variable.name.value != "id" or not (
            isinstance(inner, NamedTypeNode) and inner.name.value == "ID"
        ):
            return False
    return True


async def _enqueue(context: Context, deliveries: Sequence[uuid.UUID]) -> None:
    if deliveries:
        await db.jobs.enqueue(context.connection, Job.WEBHOOK_DELIVER, deliveries)


def _values(events: Collection[Event]) -> list[str]:
    return [each.value for each in Event if each in events]


def _names(permissions: Collection[Permission]) -> list[str]:
    return [each.name for each in Permission if each in permissions]


def _facts(webhook: Webhook) -> dict[str, object]:
    """A webhook for the audit. A part of its address may be a secret of the receiver's: only the host is told."""
    return facts_of(webhook) | {"url": urlsplit(webhook.url).hostname}
