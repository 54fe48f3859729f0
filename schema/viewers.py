"""The viewer."""

from typing import Annotated

import strawberry

import resolvers.viewers
from resolvers.permissions import PUBLIC
from rules.permissions import Permission
from schema.access_groups import AccessGroup
from schema.accounts import Account
from schema.customers import Customer
from schema.fields import field, query
from schema.staff_members import StaffMember


@strawberry.type(description="Who is signed in: an account or a staff member.")
class Viewer:
    """rules.viewers.Viewer."""

    account: Annotated[
        Account | None, field(resolvers.viewers.account, description="The account; null for staff.")
    ]
    staff_member: Annotated[
        StaffMember | None,
        field(resolvers.viewers.staff_member, description="The staff member; null for customers."),
    ]
    viewed_by: Annotated[
        StaffMember | None,
        field(
            resolvers.viewers.viewed_by,
            description="The staff member who looks at the portal as this account, and may change nothing.",
        ),
    ]
    customer: Annotated[
        Customer | None, field(resolvers.viewers.customer, description="The account's customer.")
    ]
    permissions: Annotated[
        list[Permission],
        field(resolvers.viewers.permissions, description="What the viewer may do here.", size=10),
    ]
    access_groups: Annotated[
        list[AccessGroup],
        field(resolvers.viewers.access_groups, description="The groups of the account, by name.", size=5),
    ]


@strawberry.type
class ViewerQueries:
    """Query fields on who is asking."""

    viewer: Annotated[
        Viewer | None,
        query(
            resolvers.viewers.viewer,
            needs=PUBLIC,
            description="Who is signed in at this portal; null when nobody is.",
        ),
    ]
