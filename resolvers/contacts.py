"""Contact data as it is given: by staff for a customer, or by a customer who asks for a change."""

from collections.abc import Sequence

import strawberry

from rules.contacts import Address, AddressKind, Contact


@strawberry.input(description="A person at a customer.")
class ContactInput:
    """rules.contacts.Contact."""

    name: str = strawberry.field(description="The person's name.")
    job_title: str = strawberry.field(default="", description="What the person does there.")
    email: str = strawberry.field(default="", description="Where the person is written to.")
    phone: str = strawberry.field(default="", description="Where the person is called.")


@strawberry.input(description="Where a customer is billed or goods are shipped to.")
class AddressInput:
    """rules.contacts.Address."""

    kind: AddressKind = strawberry.field(description="What it is for.")
    name: str = strawberry.field(default="", description="Whose it is, where that is not the customer.")
    street: str = strawberry.field(default="", description="Street and house, in as many lines as it takes.")
    postal_code: str = strawberry.field(default="", description="The postal code.")
    city: str = strawberry.field(default="", description="The city.")
    region: str = strawberry.field(default="", description="The state, county or province.")
    country: str = strawberry.field(default="", description="The country.")


def contacts_of(given: Sequence[ContactInput] | None) -> tuple[Contact, ...] | None:
    """The persons as the rules know them; None is no list."""
    if given is None:
        return None
    return tuple(
        Contact(name=each.name, job_title=each.job_title, email=each.email, phone=each.phone)
        for each in given
    )


def addresses_of(given: Sequence[AddressInput] | None) -> tuple[Address, ...] | None:
    """The addresses as the rules know them; None is no list."""
    if given is None:
        return None
    return tuple(
        Address(
            kind=each.kind,
            name=each.name,
            street=each.street,
            postal_code=each.postal_code,
            city=each.city,
            region=each.region,
            country=each.country,
        )
        for each in given
    )
