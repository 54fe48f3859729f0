"""Staff members."""

from typing import Annotated

import strawberry

import resolvers.staff_members
from rules.permissions import Permission, StaffRole
from schema.errors import UserError
from schema.fields import field, mutation
from schema.nodes import Node
from schema.portals import Portal


@strawberry.type(description="A role of a staff member at one company, or at all of the supplier's.")
class StaffMemberRole:
    """db.staff_members.Role."""

    role: Annotated[StaffRole, field(resolvers.staff_members.role, description="The role.")]
    everywhere: Annotated[
        bool, field(resolvers.staff_members.everywhere, description="Whether it holds at all companies.")
    ]
    portal: Annotated[
        Portal | None,
        field(
            resolvers.staff_members.role_portal,
            description="The company's portal; null for all companies, or for one that the viewer may not enter.",
        ),
    ]


@strawberry.type(description="A supplier's own user.")
class StaffMember(Node):
    """db.staff_members.StaffMember."""

    user_name: Annotated[str, field(description="The name to sign in with.")]
    name: Annotated[str, field(description="The person's name.")]
    email: Annotated[str, field(description="Where the person is written to.")]
    active: Annotated[bool, field(description="Whether the supplier lets the person come in.")]
    activated: Annotated[bool, field(description="Whether there is a password; before that there is a code.")]
    roles: Annotated[
        list[StaffMemberRole],
        field(resolvers.staff_members.roles, description="What the person is, and where.", size=2),
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What a change to a staff member answers.")
class StaffMemberPayload:
    """resolvers.staff_members.StaffMemberPayload."""

    staff_member: Annotated[StaffMember | None, field(description="The staff member after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What staffMemberProvision and staffMemberResetAccess answer.")
class StaffMemberAccessPayload:
    """resolvers.staff_members.StaffMemberAccessPayload."""

    staff_member: Annotated[StaffMember | None, field(description="The staff member after the change.")]
    activation_code: Annotated[
        str | None,
        field(
            description="The code to hand over, told this once; good for 14 days. Null where there is a password."
        ),
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type
class StaffMemberMutations:
    """Mutation fields on staff members."""

    staff_member_provision: Annotated[
        StaffMemberAccessPayload,
        mutation(
            resolvers.staff_members.provision,
            needs=Permission.STAFF_WRITE,
            description="Give somebody roles at companies of which the viewer is an owner, with a password or a "
            "one-time code for accountActivate.",
        ),
    ]
    staff_member_update: Annotated[
        StaffMemberPayload,
        mutation(
            resolvers.staff_members.update,
            needs=Permission.STAFF_WRITE,
            description="Change a staff member; roles are given and taken at companies of which the viewer is "
            "an owner. Every company keeps an owner.",
        ),
    ]
    staff_member_deactivate: Annotated[
        StaffMemberPayload,
        mutation(
            resolvers.staff_members.deactivate,
            needs=Permission.STAFF_WRITE,
            description="Let a staff member come in no more, anywhere.",
        ),
    ]
    staff_member_reset_access: Annotated[
        StaffMemberAccessPayload,
        mutation(
            resolvers.staff_members.reset_access,
            needs=Permission.STAFF_WRITE,
            description="Take a staff member's password away, end the sessions, and give a new one-time code.",
        ),
    ]
