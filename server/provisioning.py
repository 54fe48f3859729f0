"""Provisioning on the command line: a new portal, a new member of a supplier's staff."""

from db.isolation import Mode
from rules.broken import BrokenRule
from rules.permissions import StaffRole
from rules.staff_members import HeldRole
from server import serving
from server.settings import Settings
from tenants import provisioning
from tenants.passwords import Passwords, check_new
from tenants.provisioning import NewLogin, NewPortal, NotProvisioned


async def add_portal(
    settings: Settings, migration_url: str, supplier_code: str, supplier_name: str, new: NewPortal
) -> None:
    """Add a company with its portal. Raises NotProvisioned."""
    registry = await serving.open_database(settings, migration_url)
    try:
        await provisioning.add_portal(registry, supplier_code, supplier_name, new)
    finally:
        await registry.close()


async def add_staff_member(
    settings: Settings,
    slug: str,
    password: str,
    *,
    user_name: str,
    name: str,
    email: str,
    role: StaffRole,
    here_only: bool,
) -> None:
    """Add somebody to the staff of the supplier that owns a portal. Raises NotProvisioned."""
    database = await serving.open_database(settings)
    passwords = Passwords()
    try:
        folded = provisioning.user_name_of(user_name)
        check_new(password, folded)
        tenant_id = await provisioning.tenant_of(database, slug)
        new = NewLogin(user_name=folded, name=name, email=email, password_hash=await passwords.hash(password))
        async with database.transaction(Mode.WRITE, tenant_id) as connection:
            roles = [HeldRole(role, tenant_id if here_only else None)]
            member_id, _ = await provisioning.add_staff_member(connection, new, roles)
            await provisioning.write_down(
                connection,
                "staff-add",
                "StaffMember",
                member_id,
                {"user_name": folded, "name": name, "email": email, "role": role},
            )
    except BrokenRule as broken:
        raise NotProvisioned(broken.message().removesuffix(".")) from None
    finally:
        passwords.close()
        await database.close()
