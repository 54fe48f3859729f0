"""Contacts: what is wrong with contact data, where, and when a request asks for nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.contacts import (
    LONGEST_STREET,
    MOST_CONTACTS,
    Address,
    AddressKind,
    Contact,
    ContactData,
    check,
)
from rules.texts import LONGEST_EMAIL, LONGEST_NAME

KIM = Contact(name="Kim")
HULL = Address(kind=AddressKind.SHIPPING, city="Hull")


def wrong(**given: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The codes and paths of all that is wrong with contact data."""
    return [(each.code(), each.path) for each in check(ContactData(**given))]


def test_data_that_name_nothing_are_empty_and_not_wrong() -> None:
    assert ContactData().is_empty
    assert wrong() == []


@pytest.mark.parametrize("given", [{"email": ""}, {"phone": ""}, {"contacts": ()}, {"addresses": ()}])
def test_to_take_something_away_is_to_change_something(given: dict[str, Any]) -> None:
    assert not ContactData(**given).is_empty
    assert wrong(**given) == []


def test_everything_may_be_as_long_as_is_kept() -> None:
    name, email = "x" * LONGEST_NAME, "x" * (LONGEST_EMAIL - 5) + "@y.io"
    contact = Contact(name=name, job_title=name, email=email, phone=name)
    address = Address(
        kind=AddressKind.BILLING,
        name=name,
        street="x" * LONGEST_STREET,
        postal_code=name,
        city=name,
        region=name,
        country=name,
    )
    many = {"contacts": (contact,) * MOST_CONTACTS, "addresses": (address,) * MOST_CONTACTS}
    assert wrong(email=email, phone=name, **many) == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"email": "nobody"}, "INVALID_EMAIL", ("email",)),
        ({"email": "x" * LONGEST_EMAIL + "@y.io"}, "TEXT_TOO_LONG", ("email",)),
        ({"phone": "1" * (LONGEST_NAME + 1)}, "TEXT_TOO_LONG", ("phone",)),
        ({"contacts": (KIM,) * (MOST_CONTACTS + 1)}, "LIST_TOO_LONG", ("contacts",)),
        ({"addresses": (HULL,) * (MOST_CONTACTS + 1)}, "LIST_TOO_LONG", ("addresses",)),
    ],
)
def test_what_is_wrong_with_the_customer_itself_is_told_with_its_path(
    given: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    assert wrong(**given) == [(code, path)]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": " "}, "TEXT_MISSING", "name"),
        ({"name": "x" * (LONGEST_NAME + 1)}, "TEXT_TOO_LONG", "name"),
        ({"job_title": "x" * (LONGEST_NAME + 1)}, "TEXT_TOO_LONG", "jobTitle"),
        ({"email": "nobody"}, "INVALID_EMAIL", "email"),
        ({"phone": "1" * (LONGEST_NAME + 1)}, "TEXT_TOO_LONG", "phone"),
    ],
)
def test_what_is_wrong_with_a_person_is_told_with_its_place(
    given: dict[str, str], code: str, field: str
) -> None:
    person = Contact(**{"name": "Kim"} | given)
    assert wrong(contacts=(KIM, person)) == [(code, ("contacts", "1", field))]


@pytest.mark.parametrize(
    ("name", "field", "most"),
    [
        ("street", "street", LONGEST_STREET),
        ("postal_code", "postalCode", LONGEST_NAME),
        *((name, name, LONGEST_NAME) for name in ("name", "city", "region", "country")),
    ],
)
def test_what_is_wrong_with_an_address_is_told_with_its_place(name: str, field: str, most: int) -> None:
    texts: dict[str, Any] = {name: "x" * (most + 1)}
    address = Address(kind=AddressKind.BILLING, **texts)
    assert wrong(addresses=(HULL, address)) == [("TEXT_TOO_LONG", ("addresses", "1", field))]


@given(st.sets(st.sampled_from(["email", "phone", "contacts", "addresses"])))
def test_everything_that_is_wrong_is_told_at_once(parts: set[str]) -> None:
    bad: dict[str, Any] = {
        "email": "nobody",
        "phone": "1" * (LONGEST_NAME + 1),
        "contacts": (KIM, Contact(name="")),
        "addresses": (Address(kind=AddressKind.BILLING, city="x" * (LONGEST_NAME + 1)), HULL),
    }
    places = {
        "email": ("email",),
        "phone": ("phone",),
        "contacts": ("contacts", "1", "name"),
        "addresses": ("addresses", "0", "city"),
    }
    told = [path for _, path in wrong(**{part: bad[part] for part in parts})]
    assert told == [path for part, path in places.items() if part in parts]


@pytest.mark.parametrize(
    ("address", "label"),
    [
        (
            {"street": "5 High Street\nUnit 2", "postal_code": "LS1 4AB", "city": "Leeds", "country": "GB"},
            ("Shop", "5 High Street", "Unit 2", "Leeds", "LS1 4AB", "GB"),
        ),
        (
            {"name": "Einkauf", "street": "Am Strom 1", "postal_code": "18119", "city": "Rostock"},
            ("Shop", "Einkauf", "Am Strom 1", "18119 Rostock"),
        ),
        ({"name": "Shop", "city": "Wien"}, ("Shop", "Wien")),
        ({}, ("Shop",)),
    ],
)
def test_an_address_stands_on_a_letter_as_its_country_writes_it(
    address: dict[str, str], label: tuple[str, ...]
) -> None:
    assert Address(kind=AddressKind.BILLING, **address).label("Shop") == label
