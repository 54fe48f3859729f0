"""Setting the demo up: portals, trade and people; what is there already stays as it is."""

import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import uuid_utils.compat as uuid

import db
from db.access_groups import Membership
from db.connections import Connection, Database
from db.isolation import Mode
from rules.accounts import folded
from rules.staff_members import HeldRole
from server.demo import personas, world
from server.demo.portals import MADE_UP, REAL, DemoPortal
from tenants import provisioning
from tenants.passwords import Passwords
from tenants.provisioning import NewLogin, NewPortal

# Imports a folder into the portal of a slug.
Import = Callable[[Path, str], Awaitable[int]]


class NotInstalled(Exception):
    """A portal's data could not be imported."""


async def install(
    registry: Database,
    database: Database,
    load: Import,
    *,
    base_domain: str,
    real: Path | None,
    tell: Callable[[str], None],
) -> list[DemoPortal]:
    """Everything the demo lacks; returns its portals. Raises NotInstalled.

    `registry` logs in as the migration role, which alone may add portals; `database` as the server's.
    `real` is a folder with one exchange folder for each portal of REAL, or None.
    """
    wanted: Iterable[DemoPortal] = MADE_UP if real is None else (*MADE_UP, *REAL)
    passwords = Passwords()
    try:
        for portal in wanted:
            if await _is_complete(database, portal.slug):
                continue
            tell(f"Setting up {portal.name} ({portal.slug}) ...")
            if not await _is_there(database, portal.slug):
                await _add_portal(registry, portal, base_domain)
            with tempfile.TemporaryDirectory() as made_up:
                if portal in MADE_UP:
                    world.write(portal, Path(made_up))
                source = Path(made_up) if real is None or portal in MADE_UP else real / portal.slug
                if await load(source, portal.slug) != 0:
                    raise NotInstalled(portal.slug)
            await _add_people(database, passwords, portal)
    finally:
        passwords.close()
    return list(wanted)


async def _is_there(database: Database, slug: str) -> bool:
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        return await db.portals.tenant_by_slug(connection, slug) is not None


async def _is_complete(database: Database, slug: str) -> bool:
    """People come last, so a portal whose last person is there has everything."""
    if not await _is_there(database, slug):
        return False
    tenant_id = await provisioning.tenant_of(database, slug)
    async with database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        return await db.accounts.login(connection, personas.of_portal(slug)[-1].user_name) is not None


async def _add_portal(registry: Database, portal: DemoPortal, base_domain: str) -> None:
    new = NewPortal(
        slug=portal.slug,
        name=portal.name,
        legal_name=portal.legal_name,
        currency=portal.currency,
        locale=portal.locale,
        support_email=f"help@{portal.slug}.example",
        hosts=[f"{portal.slug}.{base_domain}"],
        stock_policy=portal.stock_policy,
    )
    await provisioning.add_portal(registry, portal.supplier_code, portal.supplier_name, new)


async def _add_people(database: Database, passwords: Passwords, portal: DemoPortal) -> None:
    tenant_id = await provisioning.tenant_of(database, portal.slug)
    password_hash = await passwords.hash(personas.PASSWORD)
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        groups = {role: await _group(connection, role, portal.locale) for role in personas.PROFILES}
        for person in personas.of_portal(portal.slug):
            new = NewLogin(
                user_name=folded(person.user_name),
                name=person.name,
                email=f"{person.user_name}@{'staff' if person.customer is None else 'customers'}.example",
                password_hash=password_hash,
            )
            if person.customer is not None:
                await _add_account(connection, person.customer, groups[person.role], new)
            elif not await db.staff_members.user_name_taken(connection, new.user_name):
                await provisioning.add_staff_member(connection, new, [HeldRole(personas.STAFF_ROLE, None)])


async def _group(connection: Connection, role: personas.Role, locale: str) -> uuid.UUID:
    name = personas.GROUP_NAMES[role][locale]
    group = await db.access_groups.add(
        connection,
        id=uuid.uuid7(),
        name=name,
        profile_id=await db.profiles.built_in(connection, personas.PROFILES[role]),
    )
    assert group is not None, "a new portal has no groups"
    return group.id


async def _add_account(connection: Connection, customer: str, group_id: uuid.UUID, new: NewLogin) -> None:
    customer_id = await db.customers.id_by_code(connection, customer)
    assert customer_id is not None, "the demo's customers are imported first"
    account, _ = await provisioning.add_account(connection, customer_id, new)
    await db.access_groups.add_members(connection, [Membership(group_id, account.id, None)])
