"""Webhooks: how the company's own systems are told."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.webhook_changes
import resolvers.webhooks
from rules.events import Event
from rules.permissions import Permission
from rules.webhooks import WebhookSwitchedOff
from schema.actions import Action
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.profiles import DeletedPayload
from schema.staff_members import StaffMember


@strawberry.type(
    description="An address of the company's own systems that is told of events, by messages that are signed as "
    "Standard Webhooks has it: at least once, and in order as far as they are about the same."
)
class Webhook(Node):
    """db.webhooks.Webhook."""

    name: Annotated[str, field(description="Its name.")]
    url: Annotated[str, field(description="Where messages are sent by POST.")]
    events: Annotated[
        list[Event], field(resolvers.webhooks.events, description="What it is told of.", size=5)
    ]
    query: Annotated[
        str | None,
        field(description="What a message tells as `data`; null: the object's `id` and `type`."),
    ]
    permissions: Annotated[
        list[Permission],
        field(resolvers.webhooks.permissions, description="With which rights its query runs.", size=5),
    ]
    active: Annotated[bool, field(description="Whether it is told anything.")]
    switched_off: Annotated[
        WebhookSwitchedOff | None,
        field(
            resolvers.webhooks.switched_off,
            description="Why it was switched off; null when it was not, or the staff did it.",
        ),
    ]
    failing_since: Annotated[
        datetime | None,
        field(description="Since when every attempt has failed; null when the last one has not."),
    ]
    created_by: Annotated[
        StaffMember | None, field(resolvers.webhooks.created_by, description="Who has made it.")
    ]
    created_at: Annotated[datetime, field(description="When it was made.")]
    version: Annotated[int, field(description="Counts the changes.")]
    actions: Annotated[
        list[Action],
        field(
            resolvers.webhooks.actions,
            description="What can be done with it at this moment: UPDATE, TEST, RETRY, DELETE.",
            size=4,
        ),
    ]


@strawberry.type(description="What a change to a webhook answers.")
class WebhookPayload:
    """resolvers.webhook_changes.WebhookPayload."""

    webhook: Annotated[Webhook | None, field(description="The webhook after the change.")]
    secret: Annotated[
        str | None,
        field(
            description="The secret with which messages are signed; told once, when it is new, and never again."
        ),
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What webhookRetry answers.")
class WebhookRetryPayload:
    """resolvers.webhook_changes.WebhookRetryPayload."""

    webhook: Annotated[Webhook | None, field(description="The webhook.")]
    retried: Annotated[int | None, field(description="How many deliveries were taken up again.")]
    errors: Annotated[list[UserError], field(description="Why none was.", size=1)]


@strawberry.type
class WebhookQueries:
    """Query fields on webhooks."""

    webhooks: Annotated[
        list[Webhook],
        query(
            resolvers.webhooks.every,
            needs=Permission.WEBHOOKS_READ,
            description="The company's webhooks, by name.",
            size=10,
        ),
    ]
    webhook: Annotated[
        Webhook | None,
        query(resolvers.webhooks.one, needs=Permission.WEBHOOKS_READ, description="A webhook by its id."),
    ]


@strawberry.type
class WebhookMutations:
    """Mutation fields on webhooks."""

    webhook_create: Annotated[
        WebhookPayload,
        mutation(
            resolvers.webhook_changes.create,
            needs=Permission.WEBHOOKS_WRITE,
            description="Have an address of the company's own systems told of events.",
        ),
    ]
    webhook_update: Annotated[
        WebhookPayload,
        mutation(
            resolvers.webhook_changes.update,
            needs=Permission.WEBHOOKS_WRITE,
            description="Change a webhook, switch it on or off, or make it a new secret.",
        ),
    ]
    webhook_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.webhook_changes.delete,
            needs=Permission.WEBHOOKS_WRITE,
            description="Delete a webhook with its deliveries; what it was still to be told, it is not.",
        ),
    ]
    webhook_test: Annotated[
        WebhookPayload,
        mutation(
            resolvers.webhook_changes.test,
            needs=Permission.WEBHOOKS_WRITE,
            description="Tell a webhook of `webhook.test`, about itself, on the same way as of all that happens.",
        ),
    ]
    webhook_retry: Annotated[
        WebhookRetryPayload,
        mutation(
            resolvers.webhook_changes.retry,
            needs=Permission.WEBHOOKS_WRITE,
            description="Take up deliveries again that are dead: one, or those of a webhook.",
        ),
    ]
