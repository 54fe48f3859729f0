"""Customers."""

from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.customer_rows
import resolvers.customers
from resolvers.rows import ERRORS_DESCRIPTION
from rules.contacts import AddressKind
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Money
from schema.nodes import Node
from schema.pages import Connection
from schema.scalars import CurrencyCode

if TYPE_CHECKING:  # they know each other
    from schema.accounts import Account

_Account = Annotated["Account", strawberry.lazy("schema.accounts")]


@strawberry.type(description="A named set of prices.")
class PriceList:
    """Assigned to a customer."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    tax_included: Annotated[bool, field(description="Whether the prices contain the tax.")]


@strawberry.type(description="A person at a customer.")
class Contact:
    """rules.contacts.Contact."""

    name: Annotated[str, field(description="The person's name.")]
    job_title: Annotated[str, field(description="What the person does there; may be empty.")]
    email: Annotated[str, field(description="Where the person is written to; may be empty.")]
    phone: Annotated[str, field(description="Where the person is called; may be empty.")]


@strawberry.type(description="Where a customer is billed or goods are shipped to.")
class Address:
    """rules.contacts.Address."""

    id: Annotated[
        strawberry.ID,
        field(
            resolvers.customers.address_id,
            description="Names just what it says: an address that was changed has another id.",
        ),
    ]
    kind: Annotated[AddressKind, field(description="What it is for.")]
    name: Annotated[str, field(description="Whose it is, where that is not the customer; may be empty.")]
    street: Annotated[str, field(description="Street and house, in as many lines as it takes.")]
    postal_code: Annotated[str, field(description="The postal code.")]
    city: Annotated[str, field(description="The city.")]
    region: Annotated[str, field(description="The state, county or province.")]
    country: Annotated[str, field(description="The country.")]


@strawberry.type(description="The counterparty that buys; its people act through accounts.")
class Customer(Node):
    """db.customers.Customer."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    country: Annotated[str, field(description="Its country.")]
    currency: Annotated[CurrencyCode, field(description="The currency in which it is billed.")]
    email: Annotated[str, field(description="Where the company writes to.")]
    phone: Annotated[str, field(description="Where the company calls; may be empty.")]
    price_list: Annotated[
        PriceList | None,
        field(resolvers.customers.price_list, description="The prices at which it buys."),
    ]
    credit_limit: Annotated[
        Money | None,
        field(resolvers.customers.credit_limit, description="How much it may owe; null: no limit."),
    ]
    contacts: Annotated[
        list[Contact], field(resolvers.customers.contacts, description="The persons there.", size=3)
    ]
    addresses: Annotated[
        list[Address], field(resolvers.customers.addresses, description="Its addresses.", size=2)
    ]
    accounts: Annotated[
        list[_Account], field(resolvers.customers.accounts, description="Its logins, by name.", size=3)
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What customersUpsert answers.")
class CustomersPayload:
    """resolvers.customer_rows.CustomersPayload."""

    customers: Annotated[
        list[Customer] | None, field(description="The customers of the rows that were taken.", size=20)
    ]
    errors: Annotated[
        list[UserError],
        field(description=ERRORS_DESCRIPTION, size=2),
    ]


@strawberry.type
class CustomerQueries:
    """Query fields on customers."""

    customers: Annotated[
        Connection[Customer],
        query(
            resolvers.customers.page,
            needs=Permission.CUSTOMERS_READ,
            description="The company's customers.",
        ),
    ]
    customer: Annotated[
        Customer | None,
        query(
            resolvers.customers.customer,
            needs=Permission.CUSTOMERS_READ,
            description="One customer, by exactly one of id and code.",
        ),
    ]


@strawberry.type
class CustomerMutations:
    """Mutation fields on customers."""

    customers_upsert: Annotated[
        CustomersPayload,
        mutation(
            resolvers.customer_rows.upsert,
            needs=Permission.CUSTOMERS_WRITE,
            description="Keep up to 1,000 customers in step with an ERP, by the company's own codes. Repeating it "
            "changes nothing.",
        ),
    ]
