"""Accounts, staff members, the viewer, signing in and out."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.accounts
import resolvers.viewers
from resolvers.permissions import PUBLIC, SIGNED_IN
from rules.permissions import Permission, Profile
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node


@strawberry.type(description="A login bound to one customer.")
class Account(Node):
    """db.accounts.Account."""

    user_name: Annotated[str, field(description="The name to sign in with.")]
    name: Annotated[str, field(description="The person's name.")]
    email: Annotated[str, field(description="Where the person is written to.")]


@strawberry.type(description="A supplier's own user.")
class StaffMember(Node):
    """db.staff_members.StaffMember."""

    user_name: Annotated[str, field(description="The name to sign in with.")]
    name: Annotated[str, field(description="The person's name.")]
    email: Annotated[str, field(description="Where the person is written to.")]


@strawberry.type(description="A profile given to the accounts that are its members.")
class AccessGroup(Node):
    """db.access_groups.AccessGroup."""

    name: Annotated[str, field(description="Its name.")]
    profile: Annotated[Profile, field(description="What its members may do.")]


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


@strawberry.type(description="What signIn answers.")
class SignInPayload:
    """resolvers.accounts.SignInPayload."""

    token: Annotated[
        str | None,
        field(description="For the header `Authorization: Bearer …`; null when the session is a cookie."),
    ]
    expires_at: Annotated[datetime | None, field(description="When the session ends by itself.")]
    viewer: Annotated[
        Viewer | None, field(resolvers.accounts.sign_in_viewer, description="Who is signed in now.")
    ]
    errors: Annotated[list[UserError], field(description="Why nobody was signed in.", size=1)]


@strawberry.type(description="What signOut answers.")
class SignOutPayload:
    """resolvers.accounts.SignOutPayload."""

    errors: Annotated[list[UserError], field(description="Why nobody was signed out.", size=1)]


@strawberry.type
class AccountQueries:
    """Query fields on who is asking."""

    viewer: Annotated[
        Viewer | None,
        query(
            resolvers.viewers.viewer,
            needs=PUBLIC,
            description="Who is signed in at this portal; null when nobody is.",
        ),
    ]


@strawberry.type
class AccountMutations:
    """Mutation fields on sessions."""

    sign_in: Annotated[
        SignInPayload,
        mutation(resolvers.accounts.sign_in, needs=PUBLIC, description="Open a session at this portal."),
    ]
    sign_out: Annotated[
        SignOutPayload,
        mutation(resolvers.accounts.sign_out, needs=SIGNED_IN, description="End this session at once."),
    ]
