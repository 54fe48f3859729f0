"""The supplier that owns the portal's company, with its portals and its staff; for the staff."""

import strawberry

import db
from db.portals import Portal
from db.staff_members import StaffMember
from db.suppliers import Supplier
from resolvers.context import Info


async def supplier(info: Info) -> Supplier:
    """Query.supplier."""
    return await db.suppliers.of_tenant(info.context.connection)


async def portals(_root: strawberry.Parent[Supplier], info: Info) -> list[Portal]:
    """Supplier.portals: those that the viewer may enter, by name."""
    context = info.context
    return await db.portals.entered_by(context.connection, context.signed_in.actor_id)


async def staff_members(_root: strawberry.Parent[Supplier], info: Info) -> list[StaffMember]:
    """Supplier.staffMembers, by name."""
    return await db.staff_members.every(info.context.connection)
