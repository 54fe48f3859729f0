"""Setting the demo up: portals, trade and people; what is there already stays as it is."""

import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import db
from db.connections import Database
from db.isolation import Mode
from server.demo import (
    contacts,
    files,
    invoices,
    letterheads,
    people,
    personas,
    quotations,
    reconciliations,
    rma_requests,
    terms,
    tickets,
    world,
)
from server.demo.portals import MADE_UP, REAL, DemoPortal
from tenants import provisioning
from tenants.passwords import Passwords
from tenants.provisioning import NewPortal
from tenants.storage import Storage

# Imports a folder into the portal of a slug.
Import = Callable[[Path, str], Awaitable[int]]


class NotInstalled(Exception):
    """A portal's data could not be imported."""


async def install(
    registry: Database,
    database: Database,
    storage: Storage,
    load: Import,
    *,
    base_domain: str,
    real: Path | None,
    tell: Callable[[str], None],
) -> list[DemoPortal]:
    """Everything the demo lacks; returns its portals. Raises NotInstalled.

    `registry` logs in as the migration role, which alone may add portals; `database` as the server's. Shared files go
    to `storage`.
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
            await _furnish(database, storage, passwords, portal)
    finally:
        passwords.close()
    return list(wanted)


async def _is_there(database: Database, slug: str) -> bool:
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        return await db.portals.tenant_by_slug(connection, slug) is not None


async def _is_complete(database: Database, slug: str) -> bool:
    """People come last, so a portal whose people are all there has everything."""
    if not await _is_there(database, slug):
        return False
    tenant_id = await provisioning.tenant_of(database, slug)
    async with database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        return all([await db.accounts.login(connection, each.user_name) for each in personas.of_portal(slug)])


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


async def _furnish(database: Database, storage: Storage, passwords: Passwords, portal: DemoPortal) -> None:
    """What no import brings: people with their rights and, at a made-up company, its customers' contact data,
    documents of every kind, requests to return goods, tickets, and a shared file."""
    tenant_id = await provisioning.tenant_of(database, portal.slug)
    password_hash = await passwords.hash(personas.PASSWORD)
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        await people.add(connection, portal, password_hash)
        if portal in MADE_UP:
            await letterheads.add(connection, portal)
            await contacts.add(connection, portal)
            is_new = await quotations.add(connection, portal)
            if is_new:
                await terms.add(connection)
                await reconciliations.add(connection, portal)
            await invoices.add(connection, portal)
            if is_new:
                await tickets.add(connection, portal, await rma_requests.add(connection, portal))
            await files.add(connection, storage, portal)
