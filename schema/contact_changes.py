"""Contact changes: what customers ask to be changed of their contact data."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.contact_changes
from rules.contacts import ContactChangeState
from rules.permissions import Permission
from schema.accounts import Account
from schema.customers import Address, Contact, Customer
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.pages import Connection
from schema.staff_members import StaffMember


@strawberry.type(description="Contact data as they are asked for; null stays as it is.")
class ContactData:
    """rules.contacts.ContactData."""

    email: Annotated[str | None, field(description="Where the company is to write to.")]
    phone: Annotated[str | None, field(description="Where the company is to call.")]
    contacts: Annotated[list[Contact] | None, field(description="All persons from then on.", size=3)]
    addresses: Annotated[list[Address] | None, field(description="All addresses from then on.", size=2)]


@strawberry.type(description="A customer's request to change its contact data.")
class ContactChange(Node):
    """db.contact_changes.ContactChange."""

    customer: Annotated[Customer | None, field(resolvers.contact_changes.customer, description="Whose data.")]
    account: Annotated[Account | None, field(resolvers.contact_changes.account, description="Who asked.")]
    asked: Annotated[
        ContactData, field(resolvers.contact_changes.asked, description="What is to be changed.")
    ]
    comment: Annotated[str | None, field(description="A word to the company.")]
    state: Annotated[ContactChangeState, field(description="What became of it.")]
    asked_at: Annotated[datetime, field(description="When it was asked.")]
    decided_at: Annotated[datetime | None, field(description="When it was decided or withdrawn.")]
    decided_by: Annotated[
        StaffMember | None,
        field(resolvers.contact_changes.decided_by, description="Who decided; for staff."),
    ]
    answer: Annotated[str | None, field(description="The company's word to it.")]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What a mutation on a contact change answers.")
class ContactChangePayload:
    """resolvers.contact_changes.ContactChangePayload."""

    contact_change: Annotated[ContactChange | None, field(description="The request as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class ContactChangeQueries:
    """Query fields on contact changes."""

    contact_changes: Annotated[
        Connection[ContactChange],
        query(
            resolvers.contact_changes.page,
            needs=Permission.CONTACTS_READ,
            description="The customer's requests to change its contact data, or for staff those of all customers.",
        ),
    ]


@strawberry.type
class ContactChangeMutations:
    """Mutation fields on contact changes."""

    contact_change_request: Annotated[
        ContactChangePayload,
        mutation(
            resolvers.contact_changes.request,
            needs=Permission.CONTACTS_REQUEST,
            description="Ask the company to change the customer's contact data.",
        ),
    ]
    contact_change_withdraw: Annotated[
        ContactChangePayload,
        mutation(
            resolvers.contact_changes.withdraw,
            needs=Permission.CONTACTS_REQUEST,
            description="Take an open request back.",
        ),
    ]
    contact_change_decide: Annotated[
        ContactChangePayload,
        mutation(
            resolvers.contact_changes.decide,
            needs=Permission.CUSTOMERS_WRITE,
            description="Accept a request, which changes the customer's data at once, or refuse it with a word why.",
        ),
    ]
