"""Logos: the picture of a company that stands on its documents."""

import base64
import binascii
import hashlib
from typing import Annotated, Any

import strawberry

import db
from db.logos import PortalLogo
from db.portals import Portal
from resolvers.context import Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION
from resolvers.portals import PortalPayload
from rules import logos
from rules.broken import InvalidInput, check_version
from rules.logos import ImageType, LogoTooLarge, LogoUnreadable


@strawberry.input(description="Another logo, or none any more.")
class PortalLogoUpdateInput:
    """portalLogoUpdate(input:)."""

    image: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A PNG or JPEG picture in base64, at most 256 kB and 4 million pixels; null takes the logo away.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


async def of_portal(root: strawberry.Parent[Portal], info: Info) -> PortalLogo | None:
    """Portal.logo: None for who is not signed in."""
    context = info.context
    if context.viewer is None:
        return None
    if root.tenant_id == context.tenant_id:
        return await db.logos.of_tenant(context.connection)
    async with context.connection.visiting(root.tenant_id) as sister:
        return await db.logos.of_tenant(sister)


def image(root: strawberry.Parent[PortalLogo]) -> str:
    """PortalLogo.image, in base64."""
    return base64.b64encode(root.image).decode()


def type_of(root: strawberry.Parent[PortalLogo]) -> ImageType:
    """PortalLogo.type."""
    return ImageType(root.type)


_LogoInput = Annotated[PortalLogoUpdateInput, strawberry.argument(description="The logo.")]


async def update(info: Info, input: _LogoInput) -> PortalPayload:
    """Mutation.portalLogoUpdate."""
    context = info.context
    if input.image is strawberry.UNSET:  # whoever forgets it does not mean to take the logo away
        raise InvalidInput(path=("image",))
    new = None if input.image is None else _logo(input.image)
    now = await db.portals.lock(context.connection, context.tenant_id)
    assert now is not None, "the tenant of a connection has a portal"
    check_version(input.version, now.version)
    had = await db.logos.of_tenant(context.connection)
    if new == had:
        context.record_nothing()
        return PortalPayload(now)
    await db.logos.keep(context.connection, new)
    changed = await db.portals.change(
        context.connection, context.tenant_id, **dict.fromkeys(db.portals.CHANGING)
    )
    context.record("Portal", now.id, before={"logo": _facts(had)}, after={"logo": _facts(new)})
    return PortalPayload(changed)


def _logo(text: str) -> PortalLogo:
    # Of a text that is too long for any logo nothing is unpacked; line breaks are no part of it.
    packed = "".join(text.split()) if len(text) <= 2 * logos.MOST_BYTES else text
    if len(packed) > (logos.MOST_BYTES + 2) // 3 * 4:
        raise LogoTooLarge(path=("image",))
    try:
        unpacked = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise LogoUnreadable(path=("image",)) from None
    found = logos.check_logo(unpacked, "image")
    return PortalLogo(found.type, found.width, found.height, unpacked)


def _facts(logo: PortalLogo | None) -> dict[str, Any] | None:
    """What the audit says of a logo: which it was, not all of it."""
    if logo is None:
        return None
    digest = hashlib.sha256(logo.image).hexdigest()
    return {"type": logo.type, "width": logo.width, "height": logo.height, "sha256": digest}
