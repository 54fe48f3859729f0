"""Accounts: the logins of customers' people."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.accounts
from rules.permissions import Permission
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.pages import Connection
from schema.sessions import Session

if TYPE_CHECKING:  # they know each other
    from schema.access_groups import AccessGroup

_AccessGroup = Annotated["AccessGroup", strawberry.lazy("schema.access_groups")]


@strawberry.type(description="An account's membership of an access group.")
class Membership:
    """db.access_groups.Membership."""

    group: Annotated[
        _AccessGroup | None, field(resolvers.accounts.membership_group, description="The access group.")
    ]
    account: Annotated[
        "Account | None", field(resolvers.accounts.membership_account, description="The member.")
    ]
    ends_on: Annotated[date | None, field(description="The last day; null: until further notice.")]


@strawberry.type(description="A login bound to one customer, for ever.")
class Account(Node):
    """db.accounts.Account."""

    user_name: Annotated[str, field(description="The name to sign in with.")]
    name: Annotated[str, field(description="The person's name.")]
    email: Annotated[str, field(description="Where the person is written to.")]
    active: Annotated[bool, field(description="Whether the company lets it come in.")]
    activated: Annotated[bool, field(description="Whether it has a password; before that it has a code.")]
    customer: Annotated[Customer | None, field(resolvers.accounts.customer, description="For whom it acts.")]
    memberships: Annotated[
        list[Membership] | None,
        field(
            resolvers.accounts.memberships,
            description="Its access groups today; null for other accounts of the customer.",
            size=3,
        ),
    ]
    sessions: Annotated[
        list[Session],
        field(
            resolvers.accounts.sessions,
            description="Where it is signed in now, newest first; for itself and for staff.",
            size=3,
        ),
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What a change to an account answers.")
class AccountPayload:
    """resolvers.accounts.AccountPayload."""

    account: Annotated[Account | None, field(description="The account after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What accountProvision and accountResetAccess answer.")
class AccountAccessPayload:
    """resolvers.accounts.AccountAccessPayload."""

    account: Annotated[Account | None, field(description="The account after the change.")]
    activation_code: Annotated[
        str | None,
        field(
            description="The code to hand over, told this once; good for 14 days. Null where there is a password."
        ),
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type
class AccountQueries:
    """Query fields on accounts."""

    accounts: Annotated[
        Connection[Account],
        query(
            resolvers.accounts.page,
            needs=Permission.ACCOUNTS_READ,
            description="The accounts of all customers.",
        ),
    ]


@strawberry.type
class AccountMutations:
    """Mutation fields on accounts."""

    account_provision: Annotated[
        AccountAccessPayload,
        mutation(
            resolvers.accounts.provision,
            needs=Permission.ACCOUNTS_WRITE,
            description="Give somebody at a customer a login, in access groups, with a password or a one-time code.",
        ),
    ]
    account_update: Annotated[
        AccountPayload,
        mutation(
            resolvers.accounts.update,
            needs=Permission.ACCOUNTS_WRITE,
            description="Change an account's name, address or access groups; new groups count at once.",
        ),
    ]
    account_deactivate: Annotated[
        AccountPayload,
        mutation(
            resolvers.accounts.deactivate,
            needs=Permission.ACCOUNTS_WRITE,
            description="Let an account come in no more; its sessions end at once.",
        ),
    ]
    account_reset_access: Annotated[
        AccountAccessPayload,
        mutation(
            resolvers.accounts.reset_access,
            needs=Permission.ACCOUNTS_WRITE,
            description="Take an account's password away, end its sessions, and give it a new one-time code.",
        ),
    ]
