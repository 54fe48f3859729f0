"""The demo's people as rows: staff, and accounts in access groups, one of them restricted to one category."""

from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.access_groups import Membership
from db.connections import Connection
from rules.accounts import folded
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.staff_members import HeldRole
from rules.viewers import Viewer
from server.demo import personas
from server.demo.personas import Persona
from server.demo.portals import DemoPortal
from tenants import provisioning, sessions
from tenants.provisioning import NewLogin


async def add(connection: Connection, portal: DemoPortal, password_hash: str) -> None:
    """Everybody of a portal who is not there yet; its customers are."""
    for person in personas.of_portal(portal.slug):
        new = NewLogin(
            user_name=folded(person.user_name),
            name=person.name,
            email=f"{person.user_name}@{'staff' if person.customer is None else 'customers'}.example",
            password_hash=password_hash,
        )
        if await db.accounts.login(connection, new.user_name) is not None:
            continue
        if person.customer is None:
            await provisioning.add_staff_member(connection, new, [HeldRole(personas.STAFF_ROLE, None)])
        else:
            await _add_account(connection, person.customer, await _group(connection, person, portal), new)


async def first_buyer(connection: Connection, portal: DemoPortal) -> Viewer:
    """Whoever comes first at a portal, who is restricted in nothing."""
    there = await db.portals.by_tenant(connection)
    login = await db.accounts.login(connection, personas.of_portal(portal.slug)[0].user_name)
    assert there is not None
    assert login is not None, "people come before what they are shown"
    assert login.account_id is not None
    buyer = await sessions.as_account(connection, there, login.account_id)
    assert buyer is not None
    return buyer


async def _add_account(connection: Connection, customer: str, group_id: UUID, new: NewLogin) -> None:
    customer_id = await db.customers.id_by_code(connection, customer)
    assert customer_id is not None, "the demo's customers are imported first"
    account = await provisioning.add_account(connection, customer_id, new)
    await db.access_groups.add_members(connection, [Membership(group_id, account.id, None)])


async def _group(connection: Connection, person: Persona, portal: DemoPortal) -> UUID:
    """The access group of a person, which is made for the first who needs it."""
    name = personas.GROUP_NAMES[person.only or person.role][portal.locale]
    there = await db.access_groups.id_of_name(connection, name)
    if there is not None:
        return there
    profile = BuiltInProfile.CUSTOMER if person.only else personas.PROFILES[person.role]
    profile_id = await db.profiles.built_in(connection, profile)
    group = await db.access_groups.add(connection, id=uuid.uuid7(), name=name, profile_id=profile_id)
    assert group is not None, "nobody else makes the demo's groups"
    if person.only:
        await _restrict(connection, group.id, person.only)
    return group.id


async def _restrict(connection: Connection, group_id: UUID, category: str) -> None:
    """Deny a group all categories but one, and put such restrictions in force."""
    portal = await db.portals.by_tenant(connection)
    kept = (await db.categories.kept_by_codes(connection, [category]))[category]
    assert portal is not None
    kind, modes = RestrictionKind.PRODUCT_CATEGORY, Modes(category=RestrictionMode.DENY_EXCEPT)
    await db.access_groups.restrict(connection, group_id, modes, {kind: [kept.id]})
    await db.portals.change(connection, portal.id, restriction_kinds=[*portal.restriction_kinds, kind])
