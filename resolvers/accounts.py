"""Accounts: the company's staff provisions them, gives them groups, and takes access away."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry
import uuid_utils.compat as uuid

import db
from db.access_groups import AccessGroup, Membership
from db.accounts import Account
from db.customers import Customer
from execution.levels import level
from resolvers import nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, SECRET, VERSION_DESCRIPTION, Payload, differs, facts_of
from resolvers.notices import NewActivation
from resolvers.relations import relation, relations
from rules.access_groups import MOST_GROUPS, AccessGroupsMissing, EndDatePast, check_length
from rules.accounts import ACTIVATION_DAYS, AccountBound
from rules.broken import BrokenRules, InvalidInput, NotFound, check_version
from rules.permissions import Permission
from rules.texts import check_email, check_name
from tenants import provisioning
from tenants.passwords import check_new
from tenants.provisioning import NewLogin


class AccountOrder(Enum):
    """In what order accounts come."""

    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    USER_NAME_ASC = "USER_NAME_ASC"
    USER_NAME_DESC = "USER_NAME_DESC"


publish(
    AccountOrder,
    description="In what order accounts come.",
    value={
        AccountOrder.NAME_ASC: "By the person's name, A to Z.",
        AccountOrder.NAME_DESC: "By the person's name, Z to A.",
        AccountOrder.USER_NAME_ASC: "By user name, A to Z.",
        AccountOrder.USER_NAME_DESC: "By user name, Z to A.",
    }.__getitem__,
)


@strawberry.input(description="Which accounts; all that is given must hold.")
class AccountFilter:
    """accounts(filter:)."""

    customer: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")
    search: str | None = strawberry.field(
        default=None, description="Whose user name or name begins like this; case does not matter."
    )
    active: bool | None = strawberry.field(default=None, description="Which may, or may not, come in.")
    activated: bool | None = strawberry.field(
        default=None, description="Which have, or have not, a password yet."
    )


_Filter = Annotated[AccountFilter | None, strawberry.argument(description="Which accounts.")]
_Order = Annotated[
    list[AccountOrder] | None, strawberry.argument(description="In what order; by name when nothing is said.")
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.accounts."""
    order = order_by or [AccountOrder.NAME_ASC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(
        info.context, db.accounts, _filters(filter or AccountFilter()), order, asked
    )


def _filters(given: AccountFilter) -> dict[str, Any]:
    return {
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "search": (given.search or "").strip() or None,
        "active": given.active,
        "activated": given.activated,
    }


# Account.customer.
customer = relation(db.customers.by_ids, "customer_id")


@level
async def memberships(roots: Sequence[Account], context: Context) -> list[list[Membership] | None]:
    """Account.memberships: None where that is not the viewer's business."""
    viewer = context.signed_in
    every = viewer.oversees(Permission.ACCESS_READ)
    keys = [root.id if every or root.id == viewer.account_id else None for root in roots]
    found = await context.load_lists(db.access_groups.of_accounts, keys)
    return [None if key is None else rows for key, rows in zip(keys, found, strict=True)]


# Account.sessions.
sessions = relations(db.sessions.of_accounts, "id")


# Membership.group.
membership_group = relation(db.access_groups.by_ids, "access_group_id")


# Membership.account.
membership_account = relation(db.accounts.by_ids, "account_id")


@strawberry.input(description="An access group that an account is to be a member of.")
class GroupInput:
    """One of accountProvision's and accountUpdate's groups."""

    group: strawberry.ID = strawberry.field(description="The access group.")
    ends_on: date | None = strawberry.field(
        default=None, description="The last day; until further notice when left out."
    )


_FIRST = "A first password, 8 to 1,000 characters; without one there is an activation code."


@strawberry.input(description="Who is to sign in for a customer.")
class AccountProvisionInput:
    """accountProvision(input:)."""

    customer: strawberry.ID = strawberry.field(description="The customer, for ever.")
    user_name: str = strawberry.field(description="The name to sign in with, 1 to 200 characters.")
    name: str = strawberry.field(description="The person's name.")
    email: str = strawberry.field(description="Where the person is written to.")
    groups: list[GroupInput] = strawberry.field(description="The access groups, at least one.")
    password: str | None = strawberry.field(default=None, description=_FIRST, metadata=SECRET)
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=f"{KEY_DESCRIPTION} The activation code is told only once.",
    )


@strawberry.input(description="What to change of an account; what is left out stays as it is.")
class AccountUpdateInput:
    """accountUpdate(input:)."""

    account: strawberry.ID = strawberry.field(description="The account.")
    name: str | None = strawberry.field(default=None, description="The person's name.")
    email: str | None = strawberry.field(default=None, description="Where the person is written to.")
    groups: list[GroupInput] | None = strawberry.field(
        default=None, description="All its access groups from now on, at least one."
    )
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="The account's customer. Any other is refused: an account is never rebound."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An account that is to come in no more.")
class AccountDeactivateInput:
    """accountDeactivate(input:)."""

    account: strawberry.ID = strawberry.field(description="The account.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="An account that is to get a new activation code.")
class AccountResetAccessInput:
    """accountResetAccess(input:)."""

    account: strawberry.ID = strawberry.field(description="The account; one that was deactivated comes back.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY_DESCRIPTION} The activation code is told only once."
    )


@dataclass(slots=True)
class AccountPayload(Payload):
    """The account as it is after the change."""

    account: Account | None = None


@dataclass(slots=True)
class AccountAccessPayload(AccountPayload):
    """The account, and the code with which it sets a password."""

    activation_code: str | None = field(default=None, metadata=SECRET)


_ProvisionInput = Annotated[AccountProvisionInput, strawberry.argument(description="Who.")]
_UpdateInput = Annotated[AccountUpdateInput, strawberry.argument(description="What to change.")]
_DeactivateInput = Annotated[AccountDeactivateInput, strawberry.argument(description="Which account.")]
_ResetInput = Annotated[AccountResetAccessInput, strawberry.argument(description="Which account.")]


async def provision(info: Info, input: _ProvisionInput) -> AccountAccessPayload:
    """Mutation.accountProvision: ready as soon as it is saved."""
    context = info.context
    user_name = provisioning.user_name_of(input.user_name, "userName")
    check_name(input.name, "name")
    check_email(input.email, "email")
    customer: Customer = await nodes.found(context, input.customer, "Customer", "customer")
    groups = await _groups(context, input.groups)
    password_hash = None
    if input.password is not None:
        check_new(input.password, user_name, "password")
        password_hash = await context.facilities.passwords.hash(input.password)
    new = NewLogin(user_name=user_name, name=input.name, email=input.email, password_hash=password_hash)
    account_id = uuid.uuid7()
    activation = None if password_hash else NewActivation(context, account_id)
    code = activation.code if activation else None
    account = await provisioning.add_account(
        context.connection, customer.id, new, account_id=account_id, code=code
    )
    memberships = await _join(context, account, groups)
    context.record(
        "Account",
        account.id,
        before=None,
        after=facts_of(account, groups=memberships),
        customer_id=customer.id,
    )
    if activation:
        await activation.tell(context, account)
    return AccountAccessPayload(account, activation_code=code.text if code else None)


async def update(info: Info, input: _UpdateInput) -> AccountPayload:
    """Mutation.accountUpdate."""
    context = info.context
    check_name(input.name, "name")
    check_email(input.email, "email")
    account = await _locked(context, input.account, input.version)
    if input.customer is not None:
        named = await nodes.found(context, input.customer, "Customer", "customer")
        if named.id != account.customer_id:
            raise AccountBound(path=("customer",))
    before = await _membership_facts(context, account)
    after = before
    if input.groups is not None:
        groups = await _groups(context, input.groups)
        await db.access_groups.remove_account(context.connection, account.id)
        after = await _join(context, account, groups)
    given = {"name": input.name, "email": input.email}
    if not differs(account, given) and before == after:
        context.record_nothing()
        return AccountPayload(account)
    changed = await db.accounts.change(context.connection, account.id, **given)
    context.record(
        "Account",
        account.id,
        before=facts_of(account, groups=before),
        after=facts_of(changed, groups=after),
        customer_id=account.customer_id,
    )
    return AccountPayload(changed)


async def deactivate(info: Info, input: _DeactivateInput) -> AccountPayload:
    """Mutation.accountDeactivate: its sessions end at once."""
    context = info.context
    account = await _locked(context, input.account, input.version)
    changed = await db.accounts.change(context.connection, account.id, active=False)
    await db.sessions.remove_of(context.connection, account.id)
    context.record(
        "Account",
        account.id,
        before=facts_of(account),
        after=facts_of(changed),
        customer_id=account.customer_id,
    )
    return AccountPayload(changed)


async def reset_access(info: Info, input: _ResetInput) -> AccountAccessPayload:
    """Mutation.accountResetAccess: the password is gone, sessions end, a new code opens the door."""
    context = info.context
    account = await _locked(context, input.account, input.version)
    activation = NewActivation(context, account.id)
    await db.accounts.passwords.reset(
        context.connection, account.id, activation.code.hash, days=ACTIVATION_DAYS
    )
    await db.sessions.remove_of(context.connection, account.id)
    changed = await db.accounts.lock(context.connection, account.id)
    assert changed is not None
    context.record(
        "Account",
        account.id,
        before=facts_of(account),
        after=facts_of(changed),
        customer_id=account.customer_id,
    )
    await activation.tell(context, changed)
    return AccountAccessPayload(changed, activation_code=activation.code.text)


async def _locked(context: Context, id: strawberry.ID, version: int | None) -> Account:
    """The account behind an id, which nobody else changes now. Raises NotFound or VersionConflict."""
    key = nodes.key_of(str(id), "Account")
    account = await db.accounts.lock(context.connection, key) if key else None
    if account is None:
        raise NotFound(path=("account",))
    check_version(version, account.version)
    return account


async def _groups(context: Context, given: Sequence[GroupInput]) -> list[tuple[AccessGroup, date | None]]:
    """The groups of an input, at least one and each once. Raises BrokenRules for those that are not there."""
    if not given:
        raise AccessGroupsMissing(path=("groups",))
    check_length(given, MOST_GROUPS, "groups")
    keys = await nodes.found_keys(context, [str(each.group) for each in given], "AccessGroup", "groups")
    if len(keys) < len(given):
        raise InvalidInput(path=("groups",))
    groups = await db.access_groups.by_ids(context.connection, context.signed_in, keys)
    return [(groups[key], each.ends_on) for key, each in zip(keys, given, strict=True)]


async def _join(
    context: Context, account: Account, groups: Sequence[tuple[AccessGroup, date | None]]
) -> list[dict[str, Any]]:
    """Make an account a member; returns that as facts. Raises BrokenRules, EndDatePast for each past day."""
    wanted = [Membership(group.id, account.id, ends_on) for group, ends_on in groups]
    made = {each.access_group_id for each in await db.access_groups.add_members(context.connection, wanted)}
    past = [
        EndDatePast(path=("groups", str(index), "endsOn"))
        for index, each in enumerate(wanted)
        if each.access_group_id not in made
    ]
    if past:
        raise BrokenRules(past)
    return [{"group": group.name, "ends_on": ends_on} for group, ends_on in groups]


async def _membership_facts(context: Context, account: Account) -> list[dict[str, Any]]:
    memberships = await context.load_list(db.access_groups.of_accounts, account.id)
    ids = [each.access_group_id for each in memberships]
    groups = await db.access_groups.by_ids(context.connection, context.signed_in, ids)
    return [{"group": groups[each.access_group_id].name, "ends_on": each.ends_on} for each in memberships]
