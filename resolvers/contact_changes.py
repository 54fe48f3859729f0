"""Contact changes: a customer asks, the company's staff accepts or refuses."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import strawberry
import uuid_utils.compat as uuid

import db
from db.contact_changes import ContactChange
from resolvers import nodes, pages
from resolvers.contacts import AddressInput, ContactInput, addresses_of, contacts_of
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.relations import relation
from rules import contacts
from rules.broken import BrokenRules, NotFound, check_version
from rules.contacts import (
    LONGEST_COMMENT,
    ContactChangeClosed,
    ContactChangeEmpty,
    ContactChangeState,
    ContactData,
)
from rules.permissions import MissingPermission, Permission
from rules.texts import TextMissing, check_text


class ContactChangeOrder(Enum):
    """In what order requests come."""

    ASKED_AT_ASC = "ASKED_AT_ASC"
    ASKED_AT_DESC = "ASKED_AT_DESC"


publish(
    ContactChangeOrder,
    description="In what order requests to change contact data come.",
    value={
        ContactChangeOrder.ASKED_AT_ASC: "Oldest first.",
        ContactChangeOrder.ASKED_AT_DESC: "Newest first.",
    }.__getitem__,
)


@strawberry.input(description="Which requests; all that is given must hold.")
class ContactChangeFilter:
    """contactChanges(filter:)."""

    states: list[ContactChangeState] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    customer: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")


_Filter = Annotated[ContactChangeFilter | None, strawberry.argument(description="Which requests.")]
_Order = Annotated[
    list[ContactChangeOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
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
    """Query.contactChanges."""
    order = order_by or [ContactChangeOrder.ASKED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    filters = _filters(filter or ContactChangeFilter())
    return await pages.connection(info.context, db.contact_changes, filters, order, asked)


def _filters(given: ContactChangeFilter) -> dict[str, Any]:
    return {
        "states": None if given.states is None else [state.value for state in given.states],
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
    }


# ContactChange.customer.
customer = relation(db.customers.by_ids, "customer_id")


# ContactChange.account.
account = relation(db.accounts.by_ids, "account_id")


# ContactChange.decidedBy: for staff; customers deal with the company.
decided_by = relation(db.staff_members.by_ids, "decided_by_id")


def asked(root: strawberry.Parent[ContactChange]) -> ContactData:
    """ContactChange.asked."""
    return root.data


@strawberry.input(description="What the company is asked to change; what is left out stays as it is.")
class ContactChangeRequestInput:
    """contactChangeRequest(input:)."""

    email: str | None = strawberry.field(default=None, description="Where the company is to write to.")
    phone: str | None = strawberry.field(default=None, description="Where the company is to call.")
    contacts: list[ContactInput] | None = strawberry.field(
        default=None, description="All persons from then on."
    )
    addresses: list[AddressInput] | None = strawberry.field(
        default=None, description="All addresses from then on."
    )
    comment: str | None = strawberry.field(
        default=None, description="A word to the company, at most 2,000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="What the company's staff decides.")
class ContactChangeDecideInput:
    """contactChangeDecide(input:)."""

    contact_change: strawberry.ID = strawberry.field(description="The request.")
    accept: bool = strawberry.field(description="Whether what is asked for is changed now.")
    answer: str | None = strawberry.field(
        default=None, description="A word to the customer, at most 2,000 characters; needed to refuse."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="A request that its customer takes back.")
class ContactChangeWithdrawInput:
    """contactChangeWithdraw(input:)."""

    contact_change: strawberry.ID = strawberry.field(description="The request.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class ContactChangePayload(Payload):
    """The request as it is now."""

    contact_change: ContactChange | None = None


_RequestInput = Annotated[ContactChangeRequestInput, strawberry.argument(description="What to change.")]
_DecideInput = Annotated[ContactChangeDecideInput, strawberry.argument(description="The decision.")]
_WithdrawInput = Annotated[ContactChangeWithdrawInput, strawberry.argument(description="Which request.")]


async def request(info: Info, input: _RequestInput) -> ContactChangePayload:
    """Mutation.contactChangeRequest."""
    context = info.context
    viewer = context.signed_in
    check_text(input.comment, LONGEST_COMMENT, "comment")
    data = ContactData(
        email=input.email,
        phone=input.phone,
        contacts=contacts_of(input.contacts),
        addresses=addresses_of(input.addresses),
    )
    if data.is_empty:
        raise ContactChangeEmpty
    if wrong := list(contacts.check(data)):
        raise BrokenRules(wrong)
    if viewer.customer_id is None or viewer.account_id is None:
        raise MissingPermission(permissions=(Permission.CONTACTS_REQUEST,))
    asked_for = await db.contact_changes.add(
        context.connection,
        id=uuid.uuid7(),
        customer_id=viewer.customer_id,
        account_id=viewer.account_id,
        asked=data,
        comment=input.comment,
    )
    context.record("ContactChange", asked_for.id, before=None, after=facts_of(asked_for))
    return ContactChangePayload(asked_for)


async def decide(info: Info, input: _DecideInput) -> ContactChangePayload:
    """Mutation.contactChangeDecide: accepted, the customer's data are changed in the same transaction."""
    context = info.context
    check_text(input.answer, LONGEST_COMMENT, "answer")
    if not input.accept and not (input.answer or "").strip():
        raise TextMissing(path=("answer",))
    asked_for = await _open(context, input.contact_change, input.version)
    if input.accept:
        await _apply(context, asked_for)
    state = ContactChangeState.ACCEPTED if input.accept else ContactChangeState.REFUSED
    closed = await db.contact_changes.close(
        context.connection, asked_for.id, state, by_id=context.signed_in.actor_id, answer=input.answer
    )
    return _closed(context, asked_for, closed)


async def withdraw(info: Info, input: _WithdrawInput) -> ContactChangePayload:
    """Mutation.contactChangeWithdraw: by any account of the customer that may ask."""
    context = info.context
    asked_for = await _open(context, input.contact_change, input.version)
    closed = await db.contact_changes.close(context.connection, asked_for.id, ContactChangeState.WITHDRAWN)
    return _closed(context, asked_for, closed)


async def _open(context: Context, id: strawberry.ID, version: int | None) -> ContactChange:
    """An open request that the viewer may see, and nobody else decides now.

    Raises NotFound, VersionConflict or ContactChangeClosed.
    """
    seen = await nodes.found(context, id, "ContactChange", "contactChange")
    asked_for = await db.contact_changes.lock(context.connection, seen.id)
    if asked_for is None:
        raise NotFound(path=("contactChange",))
    check_version(version, asked_for.version)
    if asked_for.state != ContactChangeState.OPEN:
        raise ContactChangeClosed(path=("contactChange",))
    return asked_for


def _closed(context: Context, before: ContactChange, after: ContactChange) -> ContactChangePayload:
    context.record(
        "ContactChange",
        after.id,
        before=facts_of(before),
        after=facts_of(after),
        customer_id=after.customer_id,
    )
    return ContactChangePayload(after)


async def _apply(context: Context, asked_for: ContactChange) -> None:
    """Change the customer's contact data to what was asked for."""
    connection, customer_id, data = context.connection, asked_for.customer_id, asked_for.data
    customer = await db.customers.lock(connection, customer_id)
    assert customer is not None, "a request has a customer"
    had = facts_of(
        customer,
        contacts=(await db.contacts.contacts_of(connection, context.signed_in, [customer_id]))[customer_id],
        addresses=(await db.contacts.addresses_of(connection, context.signed_in, [customer_id]))[customer_id],
    )
    customer.email = customer.email if data.email is None else data.email
    customer.phone = customer.phone if data.phone is None else data.phone
    customer.version += 1
    await db.customers.upsert(connection, [customer])
    if data.contacts is not None:
        await db.contacts.replace_contacts(connection, {customer_id: data.contacts})
    if data.addresses is not None:
        await db.contacts.replace_addresses(connection, {customer_id: data.addresses})
    given = {"contacts": data.contacts, "addresses": data.addresses}
    after = had | facts_of(customer) | {name: each for name, each in given.items() if each is not None}
    context.record("Customer", customer_id, before=had, after=after, customer_id=customer_id)
