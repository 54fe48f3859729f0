"""Webhook deliveries: what webhooks were told, and how that went."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.webhook_deliveries
from rules.events import Event
from rules.permissions import Permission
from rules.webhooks import WebhookDeliveryState
from schema.fields import field, query
from schema.nodes import Node
from schema.pages import Connection
from schema.webhooks import Webhook


@strawberry.type(description="One attempt to deliver a message to a webhook.")
class WebhookAttempt:
    """db.webhook_deliveries.WebhookAttempt."""

    number: Annotated[int, field(description="1 is the first.")]
    at: Annotated[datetime, field(description="When it began.")]
    duration_ms: Annotated[
        int | None,
        field(description="How many milliseconds it took; null while it lasts, or when its worker has died."),
    ]
    status: Annotated[
        int | None, field(description="The HTTP status of the answer; null when there was none.")
    ]
    error: Annotated[str | None, field(description="Why there was no answer.")]
    answer: Annotated[str | None, field(description="The beginning of the answer.")]


@strawberry.type(description="Something that a webhook is told, or was.")
class WebhookDelivery(Node):
    """db.webhook_deliveries.WebhookDelivery."""

    webhook: Annotated[
        Webhook | None, field(resolvers.webhook_deliveries.webhook, description="Which webhook.")
    ]
    event: Annotated[Event, field(resolvers.webhook_deliveries.event, description="What has happened.")]
    happened_at: Annotated[datetime, field(description="When it has happened; the message's `timestamp`.")]
    node_id: Annotated[
        strawberry.ID,
        field(resolvers.webhook_deliveries.node_id, description="The global id of what it has happened to."),
    ]
    node: Annotated[
        Node | None,
        field(
            resolvers.webhook_deliveries.node, description="What it has happened to; null when it is no more."
        ),
    ]
    state: Annotated[WebhookDeliveryState, field(description="What has become of it.")]
    next_attempt_at: Annotated[
        datetime | None, field(description="When it is tried next, at the earliest; null when it has ended.")
    ]
    ended_at: Annotated[datetime | None, field(description="When it was delivered or given up.")]
    created_at: Annotated[datetime, field(description="Since when it is to be delivered.")]
    body: Annotated[
        str | None, field(description="What is sent, the same with every attempt; null until the first one.")
    ]
    attempts: Annotated[
        list[WebhookAttempt],
        field(resolvers.webhook_deliveries.attempts, description="All attempts, in their order.", size=3),
    ]


@strawberry.type
class WebhookDeliveryQueries:
    """Query fields on deliveries to webhooks."""

    webhook_deliveries: Annotated[
        Connection[WebhookDelivery],
        query(
            resolvers.webhook_deliveries.page,
            needs=Permission.WEBHOOKS_READ,
            description="What webhooks are told, and were in the last 30 days.",
        ),
    ]
