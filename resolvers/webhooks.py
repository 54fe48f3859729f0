"""Webhooks, as the company's staff sees them: what they tell, and what can be done with them."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

import db
from db.webhooks import Webhook
from execution.levels import level
from resolvers import nodes
from resolvers.actions import Action, weigh
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relation
from rules.broken import BrokenRule
from rules.events import Event
from rules.permissions import Permission
from rules.webhooks import WebhookAct, WebhookNothingDead, WebhookSwitchedOff
from tenants.webhooks import permissions_named

publish(
    WebhookSwitchedOff,
    description="Why a webhook was switched off, when it was not the staff that did it.",
    value={
        WebhookSwitchedOff.GONE: "The receiver has said that it wants no more (410 Gone).",
        WebhookSwitchedOff.FAILING: "For days every attempt has failed.",
    }.__getitem__,
)

_WebhookId = Annotated[strawberry.ID, strawberry.argument(description="The webhook.")]


async def every(info: Info) -> list[Webhook]:
    """Query.webhooks."""
    return await db.webhooks.every(info.context.connection)


async def one(info: Info, id: _WebhookId) -> Webhook | None:
    """Query.webhook."""
    found: Webhook | None = await nodes.by_global_id(info.context, str(id), "Webhook")
    return found


def events(root: strawberry.Parent[Webhook]) -> list[Event]:
    """Webhook.events, in the order of the vocabulary."""
    return [each for each in Event if each in root.events]


def permissions(root: strawberry.Parent[Webhook]) -> list[Permission]:
    """Webhook.permissions, in the order of the vocabulary."""
    held = permissions_named(root.permissions)
    return [each for each in Permission if each in held]


def switched_off(root: strawberry.Parent[Webhook]) -> WebhookSwitchedOff | None:
    """Webhook.switchedOff."""
    return WebhookSwitchedOff(root.switched_off) if root.switched_off else None


# Webhook.createdBy.
created_by = relation(db.staff_members.by_ids, "created_by_id")


@level
async def actions(roots: Sequence[Webhook], context: Context) -> list[list[Action]]:
    """Webhook.actions."""
    dead = await context.load_level(db.webhook_deliveries.with_dead, [root.id for root in roots])
    return [_actions(context, has_dead=bool(each)) for each in dead]


def _actions(context: Context, *, has_dead: bool) -> list[Action]:
    broken: dict[WebhookAct, BrokenRule | None] = {
        WebhookAct.RETRY: None if has_dead else WebhookNothingDead()
    }
    return [weigh(context, act.value, Permission.WEBHOOKS_WRITE, broken.get(act)) for act in WebhookAct]
