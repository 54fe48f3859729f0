"""Provisioning on the command line: a new portal, a new member of a supplier's staff."""

from typing import Any

from db.isolation import Mode
from rules.permissions import StaffRole
from server import serving
from server.settings import Settings
from tenants import provisioning
from tenants.passwords import Passwords
from tenants.provisioning import NotProvisioned


async def add_portal(settings: Settings, migration_url: str, **values: Any) -> None:
    """Add a company with its portal; values as tenants.provisioning.add_portal has them. Raises NotProvisioned."""
    registry = await serving.open_database(settings, migration_url)
    try:
        await provisioning.add_portal(registry, **values)
    finally:
        await registry.close()


async def add_staff_member(
    settings: Settings, slug: str, password: str, *, role: StaffRole, here_only: bool, **values: str
) -> None:
    """Add somebody to the staff of the supplier that owns a portal. Raises NotProvisioned."""
    provisioning.check_login(values["user_name"], password)
    database = await serving.open_database(settings)
    passwords = Passwords()
    try:
        tenant_id = await provisioning.tenant_of(database, slug)
        password_hash = await passwords.hash(password)
        async with database.transaction(Mode.WRITE, tenant_id) as connection:
            added = await provisioning.add_staff_member(
                connection, password_hash=password_hash, role=role, here_only=here_only, **values
            )
        if not added:
            raise NotProvisioned(f"the user name {values['user_name']!r} is taken")
    finally:
        passwords.close()
        await database.close()
