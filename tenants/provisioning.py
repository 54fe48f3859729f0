"""Provisioning: new portals and their supplier's first people, from the command line and in the demo."""

import re
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection, Database
from db.isolation import Mode
from rules.accounts import can_be_password, can_be_user_name, folded
from rules.permissions import StaffRole
from rules.stock import StockPolicy

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,62}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class NotProvisioned(Exception):
    """What was asked for cannot be made; the text says why."""


async def add_portal(
    registry: Database,
    *,
    supplier_code: str,
    supplier_name: str,
    slug: str,
    name: str,
    legal_name: str,
    currency: str,
    locale: str,
    support_email: str,
    host: str,
    stock_policy: StockPolicy = StockPolicy.REQUIRE_STOCK,
) -> None:
    """Add a company with its portal, and its supplier when that is new.

    `registry` logs in as the migration role, who alone may add tenants. Raises NotProvisioned, also when
    the slug or the host is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise NotProvisioned("a slug has lower-case letters, digits and hyphens, and begins with a letter")
    if not _CURRENCY.fullmatch(currency):
        raise NotProvisioned("a currency is an ISO 4217 code of three capital letters")
    if locale not in ("en", "de"):
        raise NotProvisioned("a locale is en or de")
    async with registry.transaction(Mode.WRITE, uuid.uuid7()) as connection:
        supplier_id = await db.suppliers.ensure(connection, code=supplier_code, name=supplier_name)
        if not await db.portals.add(
            connection,
            host=host.lower(),
            supplier_id=supplier_id,
            slug=slug,
            name=name,
            legal_name=legal_name,
            currency=currency,
            locale=locale,
            support_email=support_email,
            stock_policy=stock_policy,
        ):
            raise NotProvisioned(f"the slug {slug!r} or the host {host!r} is taken")
        await db.lifecycle_statuses.add_predefined(connection)


async def tenant_of(database: Database, slug: str) -> UUID:
    """The tenant behind a slug. Raises NotProvisioned."""
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        tenant_id = await db.portals.tenant_by_slug(connection, slug)
    if tenant_id is None:
        raise NotProvisioned(f"there is no portal {slug!r}")
    return tenant_id


def check_login(user_name: str, password: str) -> None:
    """Refuse what nobody could sign in with. Raises NotProvisioned."""
    if not can_be_user_name(folded(user_name)):
        raise NotProvisioned("a user name has 1 to 200 characters")
    if not can_be_password(password):
        raise NotProvisioned("a password has 8 to 1,000 characters")


async def add_staff_member(
    connection: Connection,
    *,
    user_name: str,
    name: str,
    email: str,
    password_hash: str,
    role: StaffRole,
    here_only: bool = False,
) -> bool:
    """Add somebody to the staff of the tenant's supplier, at this company or at all; False when the user
    name is taken."""
    return await db.staff_members.add(
        connection,
        id=uuid.uuid7(),
        role_id=uuid.uuid7(),
        role=role,
        at_tenant_id=connection.tenant_id if here_only else None,
        user_name=folded(user_name),
        name=name,
        email=email,
        password_hash=password_hash,
    )
