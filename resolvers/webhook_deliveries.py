"""Webhook deliveries, as the company's staff sees them: what was told, when, and what the receiver said."""

from enum import Enum
from operator import attrgetter
from typing import Annotated, Any

import strawberry

import db
from db.webhook_deliveries import WebhookDelivery
from resolvers import nodes, pages
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.relations import relation, relations
from rules.events import Event
from rules.webhooks import WebhookDeliveryState

publish(
    WebhookDeliveryState,
    description="What has become of a delivery to a webhook.",
    value={
        WebhookDeliveryState.PENDING: "It is still to be delivered, after what came before it about the same.",
        WebhookDeliveryState.DELIVERED: "The receiver has taken it.",
        WebhookDeliveryState.DEAD: "It was tried as often as it is; `webhookRetry` takes it up again.",
    }.__getitem__,
)


class WebhookDeliveryOrder(Enum):
    """In what order deliveries come."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


publish(
    WebhookDeliveryOrder,
    description="In what order deliveries to webhooks come.",
    value={
        WebhookDeliveryOrder.CREATED_AT_ASC: "Oldest first.",
        WebhookDeliveryOrder.CREATED_AT_DESC: "Newest first.",
    }.__getitem__,
)


@strawberry.input(description="Which deliveries; all that is given must hold.")
class WebhookDeliveryFilter:
    """webhookDeliveries(filter:)."""

    webhook: strawberry.ID | None = strawberry.field(default=None, description="To this webhook.")
    states: list[WebhookDeliveryState] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    events: list[Event] | None = strawberry.field(default=None, description="Of one of these events.")
    node: strawberry.ID | None = strawberry.field(default=None, description="About this object.")


_Filter = Annotated[WebhookDeliveryFilter | None, strawberry.argument(description="Which deliveries.")]
_Order = Annotated[
    list[WebhookDeliveryOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.webhookDeliveries."""
    order = order_by or [WebhookDeliveryOrder.CREATED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    filters = _filters(filter or WebhookDeliveryFilter())
    return await pages.connection(info.context, db.webhook_deliveries, filters, order, asked)


def _filters(given: WebhookDeliveryFilter) -> dict[str, Any]:
    named = nodes.parsed(str(given.node)) if given.node is not None else None
    return {
        "webhook_id": nodes.key_or_nothing(given.webhook, "Webhook"),
        "states": None if given.states is None else [each.value for each in given.states],
        "events": None if given.events is None else [each.value for each in given.events],
        "node_id": None if given.node is None else named[1] if named else nodes.NOTHING,
    }


# WebhookDelivery.webhook.
webhook = relation(db.webhooks.by_ids, "webhook_id")


def event(root: strawberry.Parent[WebhookDelivery]) -> Event:
    """WebhookDelivery.event."""
    return Event(root.event)


def node_id(root: strawberry.Parent[WebhookDelivery]) -> strawberry.ID:
    """WebhookDelivery.nodeId."""
    return strawberry.ID(nodes.global_id(root.node_type, root.node_id))


# WebhookDelivery.node: None when it is no more, or not for the viewer.
node = nodes.relation_to_any(attrgetter("node_type", "node_id"))


# WebhookDelivery.attempts.
attempts = relations(db.webhook_deliveries.attempts_of, "id")
