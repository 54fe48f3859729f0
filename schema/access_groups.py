"""Access groups, and why an account sees something or does not."""

from typing import Annotated

import strawberry

import resolvers.access_groups
import resolvers.explanations
import resolvers.restrictions
from resolvers.explanations import AccessReason
from rules.documents import DocumentKind
from rules.permissions import Permission
from rules.restrictions import RestrictionKind, RestrictionMode
from schema.accounts import Account, Membership
from schema.categories import Category
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.products import Product, Warehouse
from schema.profiles import DeletedPayload, Profile


@strawberry.type(description="How an access group restricts one kind.")
class Restriction:
    """resolvers.restrictions.Restriction."""

    kind: Annotated[RestrictionKind, field(description="What is restricted.")]
    mode: Annotated[RestrictionMode, field(description="How the listed values are meant.")]
    in_force: Annotated[bool, field(description="Whether the portal has this kind in force.")]
    categories: Annotated[
        list[Category],
        field(
            resolvers.restrictions.categories,
            description="The listed categories, each with all below it.",
            size=5,
        ),
    ]
    products: Annotated[
        list[Product],
        field(
            resolvers.restrictions.products,
            description="The listed products that are still sold.",
            size=10,
        ),
    ]
    warehouses: Annotated[
        list[Warehouse],
        field(resolvers.restrictions.warehouses, description="The listed warehouses.", size=2),
    ]
    document_kinds: Annotated[
        list[DocumentKind],
        field(resolvers.restrictions.document_kinds, description="The listed kinds of documents.", size=3),
    ]


@strawberry.type(description="A profile with restrictions, given to the accounts that are its members.")
class AccessGroup(Node):
    """db.access_groups.AccessGroup."""

    name: Annotated[str, field(description="Its name.")]
    profile: Annotated[
        Profile | None, field(resolvers.access_groups.profile, description="What its members may do.")
    ]
    restrictions: Annotated[
        list[Restriction] | None,
        field(
            resolvers.access_groups.restrictions,
            description="How its members are restricted; null for customers.",
            size=2,
        ),
    ]
    members: Annotated[
        list[Membership] | None,
        field(
            resolvers.access_groups.members, description="Who is a member today; null for customers.", size=10
        ),
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What one restriction of a group says of an object.")
class RestrictionVerdict:
    """tenants.access_groups.RestrictionVerdict."""

    kind: Annotated[RestrictionKind, field(description="What is restricted.")]
    mode: Annotated[RestrictionMode, field(description="How the listed values are meant.")]
    in_force: Annotated[
        bool, field(description="Whether the portal has this kind in force; if not, all pass.")
    ]
    allowed: Annotated[bool, field(description="Whether it lets the object pass.")]
    decided_by: Annotated[
        Node | None,
        field(
            resolvers.explanations.decided_by,
            description="The listed value that decided; null when the object is not listed.",
        ),
    ]


@strawberry.type(description="What one access group says of an object.")
class GroupVerdict:
    """tenants.access_groups.GroupVerdict."""

    group: Annotated[AccessGroup, field(description="The group.")]
    allowed: Annotated[bool, field(description="Whether this group alone is enough.")]
    missing_permission: Annotated[
        Permission | None, field(description="What its profile would have to permit, and does not.")
    ]
    restrictions: Annotated[
        list[RestrictionVerdict], field(description="What each of its restrictions says.", size=2)
    ]


@strawberry.type(description="Whether an account sees an object, and why.")
class AccessExplanation:
    """resolvers.explanations.AccessExplanation."""

    visible: Annotated[bool, field(description="Whether the account sees the object.")]
    reason: Annotated[AccessReason, field(description="Why.")]
    account: Annotated[Account, field(description="The account.")]
    node: Annotated[Node, field(description="The object.")]
    groups: Annotated[
        list[GroupVerdict], field(description="What each group of the account says, by name.", size=3)
    ]


@strawberry.type(description="What a change to an access group answers.")
class AccessGroupPayload:
    """resolvers.access_groups.AccessGroupPayload."""

    access_group: Annotated[AccessGroup | None, field(description="The group after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type
class AccessGroupQueries:
    """Query fields on access."""

    access_groups: Annotated[
        list[AccessGroup],
        query(
            resolvers.access_groups.every,
            needs=Permission.ACCESS_READ,
            description="All access groups, by name.",
            size=10,
        ),
    ]
    explain_access: Annotated[
        AccessExplanation | None,
        query(
            resolvers.explanations.explain,
            needs=Permission.ACCESS_READ,
            description="Whether an account sees an object, and which group, kind and value decided; null when "
            "one of them is not there.",
        ),
    ]


@strawberry.type
class AccessGroupMutations:
    """Mutation fields on access groups."""

    access_group_create: Annotated[
        AccessGroupPayload,
        mutation(
            resolvers.access_groups.create,
            needs=Permission.ACCESS_WRITE,
            description="Make an access group: a profile with restrictions and members.",
        ),
    ]
    access_group_update: Annotated[
        AccessGroupPayload,
        mutation(
            resolvers.access_groups.update,
            needs=Permission.ACCESS_WRITE,
            description="Change an access group; it counts at once for all its members.",
        ),
    ]
    access_group_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.access_groups.delete,
            needs=Permission.ACCESS_WRITE,
            description="Delete an access group that has no members.",
        ),
    ]
