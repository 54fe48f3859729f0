"""The viewer: who is signed in, and what they may do."""

import strawberry

import db
from db.access_groups import AccessGroup
from db.accounts import Account
from db.customers import Customer
from db.staff_members import StaffMember
from resolvers.context import Info
from rules.permissions import Permission
from rules.viewers import Viewer


async def viewer(info: Info) -> Viewer | None:
    """Query.viewer."""
    return info.context.viewer


async def account(root: strawberry.Parent[Viewer], info: Info) -> Account | None:
    """Viewer.account."""
    return await info.context.load(db.accounts.by_ids, root.account_id) if root.account_id else None


async def staff_member(root: strawberry.Parent[Viewer], info: Info) -> StaffMember | None:
    """Viewer.staffMember."""
    if root.staff_member_id is None:
        return None
    return await info.context.load(db.staff_members.by_ids, root.staff_member_id)


async def viewed_by(root: strawberry.Parent[Viewer], info: Info) -> StaffMember | None:
    """Viewer.viewedBy."""
    return await info.context.load(db.staff_members.by_ids, root.viewed_by) if root.viewed_by else None


async def customer(root: strawberry.Parent[Viewer], info: Info) -> Customer | None:
    """Viewer.customer."""
    return await info.context.load(db.customers.by_ids, root.customer_id) if root.customer_id else None


async def permissions(root: strawberry.Parent[Viewer], info: Info) -> list[Permission]:
    """Viewer.permissions, in the order of the vocabulary."""
    return [each for each in Permission if each in root.permissions]


async def access_groups(root: strawberry.Parent[Viewer], info: Info) -> list[AccessGroup]:
    """Viewer.accessGroups, by name."""
    ids = [grant.access_group_id for grant in root.grants]
    return list((await db.access_groups.by_ids(info.context.connection, root, ids)).values())
