"""The viewer: who is signed in, and what they may do."""

import strawberry

import db
from db.access_groups import AccessGroup
from resolvers.context import Info
from resolvers.relations import relation
from rules.permissions import Permission
from rules.viewers import Viewer


def viewer(info: Info) -> Viewer | None:
    """Query.viewer."""
    return info.context.viewer


# Viewer.account.
account = relation(db.accounts.by_ids, "account_id")


# Viewer.staffMember.
staff_member = relation(db.staff_members.by_ids, "staff_member_id")


# Viewer.viewedBy.
viewed_by = relation(db.staff_members.by_ids, "viewed_by")


# Viewer.customer.
customer = relation(db.customers.by_ids, "customer_id")


async def permissions(root: strawberry.Parent[Viewer], info: Info) -> list[Permission]:
    """Viewer.permissions, in the order of the vocabulary."""
    return [each for each in Permission if each in root.permissions]


async def access_groups(root: strawberry.Parent[Viewer], info: Info) -> list[AccessGroup]:
    """Viewer.accessGroups, by name."""
    ids = [grant.access_group_id for grant in root.grants]
    return list((await db.access_groups.by_ids(info.context.connection, root, ids)).values())
