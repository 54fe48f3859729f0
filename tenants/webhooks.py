"""Webhooks: a webhook as a viewer, who sees what it was given the right to see; and the secret it signs with."""

import base64
import secrets
from collections.abc import Iterable
from uuid import UUID

import db
from db.connections import Connection
from db.portals import Portal
from rules.permissions import Permission
from rules.viewers import Viewer

_SECRET_BYTES = 32
_BY_NAME = {each.name: each for each in Permission}


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def permissions_named(names: Iterable[str]) -> frozenset[Permission]:
    """The permissions that a webhook has; a name of a permission that there is no more gives none."""
    return frozenset(_BY_NAME[name] for name in names if name in _BY_NAME)


async def recognize_webhook(connection: Connection, webhook_id: UUID) -> tuple[Portal, Viewer | None]:
    """The connection's portal and the webhook as a viewer; nobody, when it is no more."""
    portal = await db.portals.by_tenant(connection)
    assert portal is not None, "the tenant of a connection has a portal"
    webhook = await db.webhooks.one(connection, webhook_id)
    if webhook is None:
        return portal, None
    return portal, Viewer(
        tenant_id=portal.tenant_id,
        session_id=None,
        account_id=None,
        staff_member_id=None,
        customer_id=None,
        price_list_id=portal.price_list_id,
        currency=portal.currency,
        permissions=permissions_named(webhook.permissions),
        webhook_id=webhook.id,
    )
