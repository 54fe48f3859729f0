"""The portal at which an operation runs, and its staff's changes to it."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

import db
from db.portals import Portal
from resolvers.context import Info
from resolvers.mutations import KEY_DESCRIPTION, Payload
from rules.broken import Language, VersionConflict
from rules.stock import StockPolicy
from rules.texts import check_email, check_name


async def portal(info: Info) -> Portal:
    """Query.portal."""
    return info.context.portal


@strawberry.input(description="What to change of the portal; what is left out stays as it is.")
class PortalUpdateInput:
    """portalUpdate(input:)."""

    open: bool | None = strawberry.field(
        default=None,
        description="Whether customers may sign in. Switched off, all their sessions are refused at once.",
    )
    name: str | None = strawberry.field(default=None, description="The company's name, 1 to 200 characters.")
    legal_name: str | None = strawberry.field(
        default=None, description="The company's registered name, 1 to 200 characters."
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of texts when a request names none."
    )
    support_email: str | None = strawberry.field(
        default=None, description="Where people write when the portal does not help."
    )
    stock_policy: StockPolicy | None = strawberry.field(
        default=None, description="Whether the company sells what it does not have."
    )
    version: int | None = strawberry.field(
        default=None,
        description="The version of the portal that was read; refused when it has changed since.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class PortalPayload(Payload):
    """The portal as it is after the change."""

    portal: Portal | None = None


_UpdateInput = Annotated[PortalUpdateInput, strawberry.argument(description="What to change.")]


async def update(info: Info, input: _UpdateInput) -> PortalPayload:
    """Mutation.portalUpdate."""
    context = info.context
    check_name(input.name, "name")
    check_name(input.legal_name, "legalName")
    check_email(input.support_email, "supportEmail")
    changed = await db.portals.change(
        context.connection,
        input.version,
        open=input.open,
        name=input.name,
        legal_name=input.legal_name,
        locale=input.language,
        support_email=input.support_email,
        stock_policy=input.stock_policy,
    )
    if changed is None:
        now = await db.portals.by_tenant(context.connection)
        assert now is not None, "the tenant of a connection has a portal"
        raise VersionConflict(current=now.version, path=("version",))
    return PortalPayload(changed)
